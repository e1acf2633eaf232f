//! Where APNs lives.

use crate::http::Authority;

/// One of the two worlds of APNs. Device tokens, channels and most keys belong to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Environment {
    /// App Store, TestFlight and enterprise builds.
    #[default]
    Production,
    /// Builds signed for development.
    Sandbox,
}

impl Environment {
    /// `production` or `sandbox`.
    pub const fn name(self) -> &'static str {
        match self {
            Environment::Production => "production",
            Environment::Sandbox => "sandbox",
        }
    }

    /// Apple's hosts of this environment.
    pub fn hosts(self) -> Hosts {
        let (device, management, port) = match self {
            Environment::Production => ("api.push.apple.com", "api-manage-broadcast.push.apple.com", 2196),
            Environment::Sandbox => (
                "api.sandbox.push.apple.com",
                "api-manage-broadcast.sandbox.push.apple.com",
                2195,
            ),
        };
        let device = constant(device, 443);
        Hosts {
            environment: self,
            broadcast: device.clone(),
            device,
            management: constant(management, port),
        }
    }
}

fn constant(host: &'static str, port: u16) -> Authority {
    Authority::new(host, port).expect("a host of this file")
}

/// The hosts of one environment: devices, channel management, broadcasts. Each
/// can be replaced: by the alternate port 2197, by a proxy, by a sandbox of one's own.
///
/// Broadcasts go to the device host, as Apple's prose says; its samples name
/// `api-broadcast.push.apple.com` instead, so [`Hosts::with_broadcast`] exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hosts {
    environment: Environment,
    device: Authority,
    management: Authority,
    broadcast: Authority,
}

impl Hosts {
    /// The alternate port of the device hosts, for networks that block 443.
    pub const ALTERNATE_PORT: u16 = 2197;

    /// Sends pushes, and broadcasts, to `device`; see [`Hosts::with_broadcast`].
    #[must_use]
    pub fn with_device(mut self, device: Authority) -> Self {
        self.broadcast = device.clone();
        self.device = device;
        self
    }

    /// Manages channels at `management`.
    #[must_use]
    pub fn with_management(mut self, management: Authority) -> Self {
        self.management = management;
        self
    }

    /// Sends broadcasts to `broadcast`.
    #[must_use]
    pub fn with_broadcast(mut self, broadcast: Authority) -> Self {
        self.broadcast = broadcast;
        self
    }

    /// Which environment these hosts serve.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Where pushes to devices go.
    pub fn device(&self) -> &Authority {
        &self.device
    }

    /// Where channels are created, read, listed and deleted.
    pub fn management(&self) -> &Authority {
        &self.management
    }

    /// Where broadcasts go.
    pub fn broadcast(&self) -> &Authority {
        &self.broadcast
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Environment::Production.hosts()
    }
}

impl From<Environment> for Hosts {
    fn from(environment: Environment) -> Self {
        environment.hosts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_apples() {
        let production = Environment::Production.hosts();
        assert_eq!(production.device().as_str(), "api.push.apple.com");
        assert_eq!(production.broadcast().as_str(), "api.push.apple.com");
        assert_eq!(
            production.management().as_str(),
            "api-manage-broadcast.push.apple.com:2196"
        );
        let sandbox = Environment::Sandbox.hosts();
        assert_eq!(sandbox.device().as_str(), "api.sandbox.push.apple.com");
        assert_eq!(
            sandbox.management().as_str(),
            "api-manage-broadcast.sandbox.push.apple.com:2195"
        );
        assert_eq!(sandbox.environment(), Environment::Sandbox);
    }

    #[test]
    fn every_host_can_be_replaced() {
        let host = |text| Authority::parse(text).unwrap();
        let hosts = Hosts::default()
            .with_device(host("api.push.apple.com:2197"))
            .with_management(host("127.0.0.1:1"))
            .with_broadcast(host("api-broadcast.push.apple.com"));
        assert_eq!(hosts.device().port(), Hosts::ALTERNATE_PORT);
        assert_eq!(hosts.management().as_str(), "127.0.0.1:1");
        assert_eq!(hosts.broadcast().as_str(), "api-broadcast.push.apple.com");
    }
}

//! Settings: of the hosts, of a client, of one message.

use pushcore::http::Authority;
use pushcore::{Error, apns, webpush};

#[cfg(feature = "whole")]
use pushcore::net::h2::{Config, PingPolicy};
#[cfg(feature = "whole")]
use pushcore::net::{Security, tls::ClientIdentity, tls::TlsConfig};
#[cfg(feature = "whole")]
use pushcore::session::{Delivery, SendOptions as CoreSendOptions, SessionConfig};
#[cfg(feature = "whole")]
use pushcore_client::{ClientConfig, Proxy};

use crate::error::PushError;
#[cfg(feature = "whole")]
use crate::values::Seconds;

/// The environment of APNs that a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Environment {
    /// Apps from the App Store and from TestFlight.
    Production,
    /// Apps that Xcode installs.
    Sandbox,
}

#[cfg(feature = "whole")]
impl From<apns::Environment> for Environment {
    fn from(environment: apns::Environment) -> Self {
        match environment {
            apns::Environment::Sandbox => Self::Sandbox,
            // Services that know no environments have this one.
            _ => Self::Production,
        }
    }
}

impl Environment {
    /// Returns the environment's hosts, or `host` for everything.
    pub(crate) fn hosts(self, host: Option<&str>) -> Result<apns::Hosts, Error> {
        let hosts = match self {
            Self::Production => apns::Environment::Production,
            Self::Sandbox => apns::Environment::Sandbox,
        }
        .hosts();
        let Some(host) = host else { return Ok(hosts) };
        let host = Authority::parse(host)?;
        Ok(hosts
            .with_device(host.clone())
            .with_management(host.clone())
            .with_broadcast(host))
    }
}

/// The Web Push endpoints that may be talked to: by default those of the public push services.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct EndpointPolicy {
    /// More hosts, `.example.org` with all under it.
    #[uniffi(default)]
    pub hosts: Vec<String>,
    /// Whether every public host is allowed.
    #[uniffi(default = false)]
    pub any_public_host: bool,
    /// More ports beside 443.
    #[uniffi(default)]
    pub ports: Vec<u16>,
    /// `host:port` that are allowed whatever they are: only from configuration, never from a user's input.
    #[uniffi(default)]
    pub trusted: Vec<String>,
}

impl EndpointPolicy {
    pub(crate) fn read(&self) -> Result<webpush::EndpointPolicy, PushError> {
        let mut policy = webpush::EndpointPolicy::default();
        policy = self
            .hosts
            .iter()
            .fold(policy, |policy, host| policy.allow_host(host));
        policy = self
            .ports
            .iter()
            .fold(policy, |policy, port| policy.allow_port(*port));
        if self.any_public_host {
            policy = policy.allow_any_public_host();
        }
        for authority in &self.trusted {
            policy = policy.trust(Authority::parse(authority)?);
        }
        Ok(policy)
    }
}

/// What is peculiar to HTTP/2; a field left out has the default of docs/connections.md.
#[cfg(feature = "whole")]
#[derive(Clone, Copy, Debug, Default, PartialEq, uniffi::Record)]
pub struct Http2Options {
    /// How long a connection is silent before it is asked with a PING.
    #[uniffi(default = None)]
    pub ping_after: Option<Seconds>,
    /// How long the answer to a PING may take.
    #[uniffi(default = None)]
    pub ping_timeout: Option<Seconds>,
    /// How long the server's SETTINGS may take.
    #[uniffi(default = None)]
    pub settings_timeout: Option<Seconds>,
    /// The most requests in flight on one connection, whatever the server allows.
    #[uniffi(default = None)]
    pub max_in_flight: Option<u32>,
}

#[cfg(feature = "whole")]
impl Http2Options {
    fn read(&self) -> Result<Config, PushError> {
        let mut config = Config::default();
        set(&mut config.max_in_flight, self.max_in_flight);
        set(
            &mut config.settings_timeout,
            Seconds::optional(self.settings_timeout)?,
        );
        if self.ping_after.is_some() || self.ping_timeout.is_some() {
            let mut ping = PingPolicy::default();
            set(&mut ping.idle, Seconds::optional(self.ping_after)?);
            set(&mut ping.acknowledge, Seconds::optional(self.ping_timeout)?);
            config.ping = Some(ping);
        }
        Ok(config)
    }
}

/// How a client reaches the network; every field left out has the default of docs/kotlin.md and docs/swift.md.
#[cfg(feature = "whole")]
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct ClientOptions {
    /// PEM with more certificates of issuers to trust.
    #[uniffi(default = None)]
    pub ca: Option<Vec<u8>>,
    /// Whether the bundled root certificates are trusted.
    #[uniffi(default = true)]
    pub bundled_roots: bool,
    /// The URL of an HTTP or SOCKS proxy; nil takes the environment's (`HTTPS_PROXY` and its like).
    #[uniffi(default = None)]
    pub proxy: Option<String>,
    /// Whether the environment's proxy is taken where `proxy` is nil.
    #[uniffi(default = true)]
    pub environment_proxy: bool,
    /// Whether a message that got no answer is sent again, so that a device may see it twice.
    #[uniffi(default = false)]
    pub at_least_once: bool,
    /// How many messages may wait.
    #[uniffi(default = None)]
    pub max_queued: Option<u32>,
    /// How many connections to one host at most.
    #[uniffi(default = None)]
    pub max_connections: Option<u32>,
    /// How often one message goes back to the queue.
    #[uniffi(default = None)]
    pub max_requeues: Option<u8>,
    /// From submission to the end at the latest.
    #[uniffi(default = None)]
    pub deadline: Option<Seconds>,
    /// From the request to its answer at the latest.
    #[uniffi(default = None)]
    pub response_timeout: Option<Seconds>,
    /// The whole way to a usable connection.
    #[uniffi(default = None)]
    pub connect_timeout: Option<Seconds>,
    /// The first wait after a failed connection.
    #[uniffi(default = None)]
    pub first_backoff: Option<Seconds>,
    /// The longest wait between connections.
    #[uniffi(default = None)]
    pub longest_backoff: Option<Seconds>,
    /// How long a connection with nothing to do is kept.
    #[uniffi(default = None)]
    pub idle_timeout: Option<Seconds>,
    /// Messages a second at most.
    #[uniffi(default = None)]
    pub rate: Option<u32>,
    /// The seed of the jitter of back-off, for tests.
    #[uniffi(default = None)]
    pub seed: Option<u64>,
    /// What is peculiar to HTTP/2 on the connections that carry pushes; nil takes the defaults of docs/connections.md.
    #[uniffi(default = None)]
    pub http2: Option<Http2Options>,
}

#[cfg(feature = "whole")]
impl ClientOptions {
    pub(crate) fn session(&self) -> Result<SessionConfig, PushError> {
        let mut config = SessionConfig::default();
        if self.at_least_once {
            config.delivery = Delivery::AtLeastOnce;
        }
        set(
            &mut config.max_queued,
            self.max_queued.map(|count| count as usize),
        );
        set(
            &mut config.max_connections,
            self.max_connections.map(|count| count as usize),
        );
        set(&mut config.max_requeues, self.max_requeues);
        set(&mut config.deadline, Seconds::optional(self.deadline)?);
        set(
            &mut config.response_timeout,
            Seconds::optional(self.response_timeout)?,
        );
        set(
            &mut config.connect_timeout,
            Seconds::optional(self.connect_timeout)?,
        );
        set(&mut config.first_backoff, Seconds::optional(self.first_backoff)?);
        set(
            &mut config.longest_backoff,
            Seconds::optional(self.longest_backoff)?,
        );
        config.idle_timeout = Seconds::optional(self.idle_timeout)?;
        config.rate = self.rate;
        config.seed = self.seed;
        config.http2 = self.http2.map(|http2| http2.read()).transpose()?;
        config.check()?;
        Ok(config)
    }

    pub(crate) fn security(&self, identity: Option<&ClientIdentity>) -> Result<Security, PushError> {
        let mut tls = TlsConfig::builder();
        tls = self.ca.iter().cloned().fold(tls, |tls, pem| tls.add_roots(pem));
        tls = identity
            .cloned()
            .into_iter()
            .fold(tls, |tls, identity| tls.identity(identity));
        if !self.bundled_roots {
            tls = tls.without_bundled_roots();
        }
        Ok(Security::Tls(tls.build()?))
    }

    pub(crate) fn client(&self, identity: Option<&ClientIdentity>) -> Result<ClientConfig, PushError> {
        let mut config = ClientConfig::new();
        config.session = self.session()?;
        config.security = Some(self.security(identity)?);
        config.proxy = match &self.proxy {
            Some(url) => Some(Proxy::parse(url)?),
            None if self.environment_proxy => Proxy::of_environment()?,
            None => None,
        };
        Ok(config)
    }
}

#[cfg(feature = "whole")]
fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// The reaction to many answers in a row that blame the tokens, which are most likely good then.
#[cfg(feature = "whole")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Enum)]
pub enum OnSuspicion {
    /// Sending goes on; the tokens are kept.
    #[default]
    GoOn,
    /// No further message is taken; what is under way ends.
    Stop,
}

/// The order of a message among others to the same host.
#[cfg(feature = "whole")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Priority {
    /// Somebody waits for it: it leaves before bulk messages that were submitted earlier.
    Interactive,
    /// One of a campaign: it leaves when no interactive message waits, and at every eighth stream at the latest.
    Bulk,
}

/// The options of one message, or of every message of a bulk send.
#[cfg(feature = "whole")]
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct SendOptions {
    /// From submission to the end at the latest; nil takes the client's.
    #[uniffi(default = None)]
    pub deadline: Option<Seconds>,
    /// Whether the token has never been seen good (an import, a guess): it goes over connections of its own.
    #[uniffi(default = false)]
    pub suspect: bool,
    /// The reaction to a suspicion that the configuration is wrong; nil goes on.
    #[uniffi(default = None)]
    pub on_suspicion: Option<OnSuspicion>,
    /// The order among other messages to the same host; nil is interactive for a single message and bulk for many.
    #[uniffi(default = None)]
    pub priority: Option<Priority>,
}

#[cfg(feature = "whole")]
impl SendOptions {
    pub(crate) fn read(&self) -> Result<CoreSendOptions, PushError> {
        let mut options = CoreSendOptions::default();
        options.deadline = Seconds::optional(self.deadline)?;
        options.suspect = self.suspect;
        options.on_suspicion = match self.on_suspicion.unwrap_or_default() {
            OnSuspicion::GoOn => pushcore::outcome::OnSuspicion::GoOn,
            OnSuspicion::Stop => pushcore::outcome::OnSuspicion::Stop,
        };
        options.priority = self.priority.map(|priority| match priority {
            Priority::Interactive => pushcore::session::Priority::Interactive,
            Priority::Bulk => pushcore::session::Priority::Bulk,
        });
        Ok(options)
    }
}

//! An app on one service: everything that a message depends on besides the token.

use std::fmt;
use std::sync::Arc;

use crate::apns::{BundleId, Environment};
use crate::error::{Error, ErrorKind};
use crate::fcm::ProjectId;
use crate::service::Kind;

/// The longest name of an app, in bytes: the limit of APNs for a topic.
const LONGEST_NAME: usize = 255;

/// The system that a device runs, as far as the form of a message depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Platform {
    /// Android, and Amazon's Fire OS.
    Android,
    /// iOS, iPadOS, macOS, watchOS, tvOS and visionOS.
    Apple,
    /// A browser.
    Web,
}

impl Platform {
    /// All of them.
    pub const ALL: [Platform; 3] = [Platform::Android, Platform::Apple, Platform::Web];

    /// The name in files and in every language: `android`, `apple` or `web`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Platform::Android => "android",
            Platform::Apple => "apple",
            Platform::Web => "web",
        }
    }

    /// Reads a name as [`Platform::as_str`] writes it.
    ///
    /// # Errors
    /// `InvalidValue` for any other text.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|platform| platform.as_str() == name);
        known.ok_or_else(|| Error::new(ErrorKind::InvalidValue, "not one of android apple web"))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An app on one service, in one environment, on one platform: devices of one `App` take the same message.
///
/// A key for maps: of clients (by service, environment and name) and of templates. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct App {
    service: Kind,
    environment: Environment,
    platform: Option<Platform>,
    name: Option<Arc<str>>,
}

impl App {
    /// Returns the app of a service that needs no other word: production, no platform, no name.
    pub fn new(service: Kind) -> Self {
        Self {
            service,
            environment: Environment::Production,
            platform: None,
            name: None,
        }
    }

    /// Returns the app under its name: the bundle id (APNs), the project id (FCM), or for the other services a
    /// name of the caller's own that tells the configured credentials apart.
    ///
    /// # Errors
    /// `InvalidTopic` (APNs), `InvalidCredential` (FCM) or `InvalidValue` when it is no such name.
    pub fn named(mut self, name: &str) -> Result<Self, Error> {
        match self.service {
            Kind::Apns => {
                BundleId::parse(name)?;
            }
            Kind::Fcm => {
                ProjectId::new(name)?;
            }
            Kind::Adm | Kind::Baidu | Kind::WebPush => {
                if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
                    let what = "the name of an app is 1 to 255 bytes without control characters";
                    return Err(Error::new(ErrorKind::InvalidValue, what));
                }
            }
        }
        self.name = Some(name.into());
        Ok(self)
    }

    /// Returns the app in an environment.
    ///
    /// # Errors
    /// `Conflict` for the sandbox of a service that has none: only APNs and Baidu (on Apple's devices) do.
    pub fn in_environment(mut self, environment: Environment) -> Result<Self, Error> {
        let has_sandbox = matches!(self.service, Kind::Apns | Kind::Baidu);
        if environment == Environment::Sandbox && !has_sandbox {
            let what = format!("{} has no sandbox: name another app", self.service);
            return Err(Error::new(ErrorKind::Conflict, what));
        }
        self.environment = environment;
        Ok(self)
    }

    /// Returns the app on a platform. Baidu needs it for Apple's devices, where its message has another form; FCM's
    /// message is smaller with it, because the parts for the other platforms are left out.
    ///
    /// # Errors
    /// `Conflict` for a platform that the service does not reach.
    pub fn on(mut self, platform: Platform) -> Result<Self, Error> {
        let reaches = match self.service {
            Kind::Adm => platform == Platform::Android,
            Kind::Apns => platform == Platform::Apple,
            Kind::WebPush => platform == Platform::Web,
            Kind::Baidu => platform != Platform::Web,
            Kind::Fcm => true,
        };
        if !reaches {
            let what = format!("{} does not reach the platform {platform}", self.service);
            return Err(Error::new(ErrorKind::Conflict, what));
        }
        self.platform = Some(platform);
        Ok(self)
    }

    /// The service.
    pub fn service(&self) -> Kind {
        self.service
    }

    /// The environment; production for a service that has only one.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// The platform; `None` when it was not given.
    pub fn platform(&self) -> Option<Platform> {
        self.platform
    }

    /// The name: bundle id, project id or the caller's own; `None` when it was not given.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

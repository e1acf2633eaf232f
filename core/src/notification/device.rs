//! A device: where a notification goes.

use std::fmt;
use std::sync::Arc;

use super::app::{App, Platform};
use super::form::DeviceForm;
use crate::apns::Environment;
use crate::error::{Error, ErrorKind};
use crate::fcm;
use crate::json::form::{Form, RawText, Word};
use crate::json::{Item, Node, Object, Path};
use crate::service::{Kind, Target};
use crate::time::UnixTime;
use crate::webpush::EndpointPolicy;

/// The shortest text of hex digits that only APNs hands out: 32 bytes.
const APNS_DIGITS: usize = 64;

/// One row of the caller's table of devices: an [`App`], a token or subscription, when it was registered, and a key
/// of the caller's own.
///
/// ```
/// use pushcore::notification::Device;
/// use pushcore::service::Kind;
///
/// # fn main() -> Result<(), pushcore::Error> {
/// let device = Device::builder(Kind::Apns).app("com.example.app").token(&"ab".repeat(32)).key("user-7").build()?;
/// assert_eq!(device.app().name(), Some("com.example.app"));
/// assert_eq!(Device::from_json(device.to_json().as_bytes())?, device);
///
/// // A token of another service is refused by name.
/// let error = Device::builder(Kind::Fcm).token(&"ab".repeat(32)).build().unwrap_err();
/// assert_eq!(error.context(), "device.token: has the form of a token of apns, not of fcm");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct Device {
    app: App,
    target: Target,
    registered: Option<UnixTime>,
    key: Option<Arc<str>>,
}

/// Makes a [`Device`]. The last call of a kind counts.
#[must_use]
pub struct DeviceBuilder {
    form: DeviceForm,
    target: Option<Target>,
}

impl Device {
    /// Begins a device of a service.
    pub fn builder(service: Kind) -> DeviceBuilder {
        DeviceBuilder {
            form: DeviceForm {
                service: Some(service),
                ..DeviceForm::default()
            },
            target: None,
        }
    }

    /// Reads a device in the form of `docs/notification.md`, under the [`EndpointPolicy`] that is the default.
    ///
    /// # Errors
    /// The error's text begins with the path of the field. `InvalidPayload` for JSON that is not of this form; `MissingField` without a
    /// service, a token or a subscription; `InvalidToken` for a token that has the form of another service's; `InvalidTarget` for a
    /// topic, a group or several devices; `Conflict` for an environment or a platform that the service does not have;
    /// the errors of [`Target::parse`].
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        Self::from_json_under(json, &EndpointPolicy::default())
    }

    /// [`Device::from_json`] with a policy for the endpoints of Web Push subscriptions.
    ///
    /// # Errors
    /// As [`Device::from_json`].
    pub fn from_json_under(json: &[u8], policy: &EndpointPolicy) -> Result<Self, Error> {
        let at = Path::root("device");
        let form = DeviceForm::read(Node::document(json, "device")?, &at)?;
        DeviceBuilder { form, target: None }.build_under(policy)
    }

    /// The device in the form that [`Device::from_json`] reads. It holds the token, or the subscription with its
    /// `auth` secret: for the caller's own storage, not for logs.
    pub fn to_json(&self) -> String {
        let token = self.target.to_text();
        let mut object = Object::new();
        object.insert("service", self.app.service().as_str());
        if self.app.environment() == Environment::Sandbox {
            object.insert("environment", self.app.environment().word());
        }
        if let Some(platform) = self.app.platform() {
            object.insert("platform", platform.as_str());
        }
        if let Some(name) = self.app.name() {
            object.insert("app", name);
        }
        match self.target {
            Target::WebPush(_) => object.insert("subscription", Item::Raw(&token)),
            _ => object.insert("token", token.as_str()),
        }
        if let Some(time) = self.registered {
            object.insert("registered_at_ms", time.as_millis());
        }
        if let Some(key) = &self.key {
            object.insert("key", &**key);
        }
        let mut out = Vec::with_capacity(256);
        object.write(&mut out);
        // Written from texts.
        String::from_utf8(out).unwrap_or_default()
    }

    /// The app that the device has: everything that the message depends on besides the token.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The service.
    pub fn service(&self) -> Kind {
        self.app.service()
    }

    /// The token or subscription.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The token, or the subscription as JSON with its `auth` secret: the text to find the device by in a table.
    pub fn token(&self) -> String {
        self.target.to_text()
    }

    /// When the app registered the token; `None` when the caller did not say.
    pub fn registered_at(&self) -> Option<UnixTime> {
        self.registered
    }

    /// The caller's own key, for example the row's id; `None` when there is none.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the same device with the token that a service named in place of the old one
    /// ([`Feedback::Replace`](super::Feedback::Replace)), registered at `now`.
    ///
    /// # Errors
    /// The errors of [`DeviceBuilder::build`], when the new text is no token of this service.
    pub fn with_token(&self, token: &str, now: UnixTime) -> Result<Self, Error> {
        let mut builder = Self::builder(self.service()).token(token).registered_at(now);
        builder.form.key = self.key.as_deref().map(str::to_owned);
        let Self {
            target, registered, ..
        } = builder.build()?;
        Ok(Self {
            target,
            registered,
            ..self.clone()
        })
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token is its holder's power to send, and the key may be personal.
        f.debug_struct("Device")
            .field("app", &self.app)
            .field("target", &self.target)
            .field("registered", &self.registered)
            .finish_non_exhaustive()
    }
}

impl DeviceBuilder {
    /// Names the app: the bundle id (APNs, required to send), the project id (FCM), or for the other services a
    /// name of the caller's own that tells the configured credentials apart.
    pub fn app(mut self, name: &str) -> Self {
        self.form.app = Some(name.to_owned());
        self
    }

    /// Says that the token belongs to an environment; production when nothing is said.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.form.environment = Some(environment);
        self
    }

    /// Says which system the device runs; see [`App::on`].
    pub fn platform(mut self, platform: Platform) -> Self {
        self.form.platform = Some(platform);
        self
    }

    /// Gives the token: the text that [`Target::parse`] reads, for Web Push the subscription.
    pub fn token(mut self, token: &str) -> Self {
        match self.form.service {
            Some(Kind::WebPush) => self.form.subscription = Some(RawText(token.to_owned())),
            _ => self.form.token = Some(RawText(token.to_owned())),
        }
        self.target = None;
        self
    }

    /// Gives a target that was read before, for example a Web Push subscription under a policy.
    pub fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Says when the app registered the token last: an answer that speaks of an older registration deletes nothing.
    pub fn registered_at(mut self, time: UnixTime) -> Self {
        self.form.registered_at_ms = Some(time.as_millis());
        self
    }

    /// Gives the caller's own key, for example the row's id.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.form.key = Some(key.into());
        self
    }

    /// Makes the device, under the [`EndpointPolicy`] that is the default.
    ///
    /// # Errors
    /// As [`Device::from_json`].
    pub fn build(self) -> Result<Device, Error> {
        self.build_under(&EndpointPolicy::default())
    }

    /// [`DeviceBuilder::build`] with a policy for the endpoints of Web Push subscriptions.
    ///
    /// # Errors
    /// As [`Device::from_json`].
    pub fn build_under(self, policy: &EndpointPolicy) -> Result<Device, Error> {
        let at = &Path::root("device");
        let DeviceForm {
            service,
            environment,
            platform,
            app: name,
            token,
            subscription,
            registered_at_ms,
            key,
        } = self.form;
        let service = service.ok_or_else(|| at.missing("service"))?;
        let mut app = App::new(service);
        if let Some(name) = name {
            app = app.named(&name).map_err(|error| at.field("app").wrap(&error))?;
        }
        if let Some(environment) = environment {
            app = app
                .in_environment(environment)
                .map_err(|error| at.field("environment").wrap(&error))?;
        }
        if let Some(platform) = platform {
            app = app
                .on(platform)
                .map_err(|error| at.field("platform").wrap(&error))?;
        }
        let registered = registered_at_ms.map(UnixTime::from_millis);
        if let Some(time) = registered {
            time.check_date("registration time")
                .map_err(|error| at.field("registered_at_ms").wrap(&error))?;
        }
        let target = match self.target {
            Some(target) => target,
            None => read_target(service, token, subscription, policy, at)?,
        };
        let target = checked(service, target, registered).map_err(|error| at.wrap(&error))?;
        Ok(Device {
            app,
            target,
            registered,
            key: key.map(Into::into),
        })
    }
}

fn read_target(
    service: Kind,
    token: Option<RawText>,
    subscription: Option<RawText>,
    policy: &EndpointPolicy,
    at: &Path<'_>,
) -> Result<Target, Error> {
    let (name, other, text) = match (service, token, subscription) {
        (Kind::WebPush, other, Some(RawText(text))) => ("subscription", other.map(|_| "token"), text),
        (Kind::WebPush, _, None) => return Err(at.missing("subscription")),
        (_, Some(RawText(text)), other) => ("token", other.map(|_| "subscription"), text),
        (_, None, Some(_)) => {
            let what = format!("a subscription is of web_push, not of {service}");
            return Err(at.field("subscription").error(ErrorKind::InvalidToken, what));
        }
        (_, None, None) => return Err(at.missing("token")),
    };
    if let Some(other) = other {
        let what = format!("beside {name}: a device has one of them");
        return Err(at.field(other).error(ErrorKind::Conflict, what));
    }
    let at = at.field(name);
    match looks_like(&text) {
        Some(other) if other != service => {
            let what = format!("has the form of a token of {other}, not of {service}");
            Err(at.error(ErrorKind::InvalidToken, what))
        }
        _ => Target::parse_under(service, &text, policy).map_err(|error| at.wrap(&error)),
    }
}

/// The target of one device of this service.
fn checked(service: Kind, target: Target, registered: Option<UnixTime>) -> Result<Target, Error> {
    if target.kind() != service {
        let what = format!("a target of {} in a device of {service}", target.kind());
        return Err(Error::new(ErrorKind::InvalidTarget, what));
    }
    let is_device = match &target {
        Target::Adm(_) | Target::Apns(_) | Target::WebPush(_) => true,
        Target::AdmAudience(_) => false,
        Target::Baidu(target) => target.form().0 == "device",
        Target::Fcm(target) => matches!(target, fcm::Target::Fid(_) | fcm::Target::Token(_)),
    };
    if !is_device {
        let what = "a topic, a group or several devices are not one device: send a template to them";
        return Err(Error::new(ErrorKind::InvalidTarget, what));
    }
    Ok(match (target, registered) {
        (Target::WebPush(subscription), Some(time)) if subscription.created().is_none() => {
            Target::WebPush(Arc::new(Arc::unwrap_or_clone(subscription).created_at(time)))
        }
        (target, _) => target,
    })
}

/// The only service whose tokens have this form; `None` where the form says nothing.
fn looks_like(text: &str) -> Option<Kind> {
    let text = text.trim();
    let hex = text.len() >= APNS_DIGITS && text.len() % 2 == 0 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if hex {
        Some(Kind::Apns)
    } else if text.starts_with("amzn1.adm-registration.") {
        Some(Kind::Adm)
    } else if text.starts_with("https://") || (text.starts_with('{') && text.contains("\"endpoint\"")) {
        Some(Kind::WebPush)
    } else if text.contains(":APA91b") && !text.starts_with('{') {
        Some(Kind::Fcm)
    } else {
        None
    }
}

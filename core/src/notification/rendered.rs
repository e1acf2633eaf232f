//! A notification as the message of one service.

use std::time::Duration;

use super::app::App;
use super::device::Device;
use super::loss::{Loss, Losses};
use super::notification::Notification;
use super::{render, shorten};
use crate::apns::Expiration;
use crate::error::{Error, ErrorKind};
use crate::fcm;
use crate::service::{Kind, Message, Target, Template};
use crate::time::{Now, UnixTime};

/// A notification as the message to all devices of one [`App`], encoded once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rendered {
    app: App,
    template: Template,
    losses: Vec<Loss>,
    /// The time to live that is counted from the moment of each message.
    ttl: Option<Duration>,
    made: UnixTime,
}

/// Makes the message of one notification to one device, and tells what the device's service cannot show.
///
/// For many devices make one [`Rendered`] for each [`App`], or let a [`Campaign`](super::Campaign) do so.
///
/// # Errors
/// As [`Notification::render`] and [`Rendered::to`].
pub fn message(
    notification: &Notification,
    device: &Device,
    now: Now,
) -> Result<(Message, Vec<Loss>), Error> {
    let rendered = notification.render(device.app(), now)?;
    let message = rendered.to(device, now)?;
    Ok((message, rendered.losses))
}

impl Notification {
    /// Makes the message to all devices of an app. A time to live counts from the moment of each message; only
    /// Apple's devices behind FCM count it from `now`, because FCM takes no duration for them.
    ///
    /// # Errors
    /// The text begins with the name of the service. `MissingField` where a service needs a field that the notification or the app does not
    /// have; `PayloadTooLarge` unless [`shorten`](super::NotificationBuilder::shorten) helps; `ReservedKey` for data
    /// under a key that the service keeps for itself; `Conflict`, `InvalidPayload`, `InvalidValue` and `InvalidTarget` for an override that
    /// contradicts; and what else the service's own message refuses.
    pub fn render(&self, app: &App, now: Now) -> Result<Rendered, Error> {
        match Rendered::new(self, app, now) {
            Err(error) if error.kind() == ErrorKind::PayloadTooLarge && self.shorten => {
                shorten::to_fit(self, error, |shorter, cut| {
                    let mut rendered = Rendered::new(shorter, app, now)?;
                    rendered.losses.extend_from_slice(cut);
                    Ok(rendered)
                })
            }
            made => made,
        }
    }
}

impl Rendered {
    fn new(notification: &Notification, app: &App, now: Now) -> Result<Self, Error> {
        let service = app.service();
        let named = |error: Error| Error::new(error.kind(), format!("{service}: {}", error.context()));
        let mut losses = Losses::default();
        let form = render::form(notification, app, now, &mut losses)?;
        let has_topic = ["bundle", "topic", "topic_of_certificate"]
            .iter()
            .any(|name| form.contains_key(*name));
        if service == Kind::Apns && !has_topic {
            return Err(Error::new(
                ErrorKind::MissingField,
                "device.app: apns needs the bundle id",
            ));
        }
        let ttl = notification.ttl.map(|secs| Duration::from_secs(secs.into()));
        let ttl = ttl.filter(|_| service == Kind::Apns && !form.contains_key("expiration"));
        let mut text = Vec::with_capacity(512);
        crate::json::write(&form, &mut text);
        let template = Template::from_json(service, &text).map_err(named)?;
        check_size(&template).map_err(named)?;
        Ok(Self {
            app: app.clone(),
            template,
            losses: losses.into_vec(),
            ttl,
            made: now.unix,
        })
    }

    /// The app whose devices the message is for.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The message without a target, for topics, groups and tags.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The parts of the notification that the service does not show, or not as they are.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Returns when the message was made.
    pub fn made(&self) -> UnixTime {
        self.made
    }

    /// The message to a device. Nothing is encoded again.
    ///
    /// # Errors
    /// `Misuse` for a device of another app; `PayloadTooLarge`, `Conflict` and `MissingField` when the target does not
    /// take the message, for example a subscription without keys.
    pub fn to(&self, device: &Device, now: Now) -> Result<Message, Error> {
        if *device.app() != self.app {
            return Err(Error::new(
                ErrorKind::Misuse,
                "the message is for the devices of another app",
            ));
        }
        self.to_device_of_the_app(device, now)
    }

    /// [`Rendered::to`] a device whose app is known to be this one.
    pub(super) fn to_device_of_the_app(&self, device: &Device, now: Now) -> Result<Message, Error> {
        Ok(match self.template.to(device.target())? {
            Message::Apns(mut message) => {
                if let Some(time) = device.registered_at() {
                    message = message.with_registered_at(time);
                }
                if let Some(ttl) = self.ttl {
                    message = message.with_expiration(Expiration::after(ttl, now));
                }
                message.into()
            }
            message => message,
        })
    }
}

/// FCM's limit depends on the target, which a template does not have: that of a device.
fn check_size(template: &Template) -> Result<(), Error> {
    if let Template::Fcm(template) = template {
        let target = Target::Fcm(fcm::Target::token("t")?);
        Template::Fcm(template.clone()).to(&target)?;
    }
    Ok(())
}

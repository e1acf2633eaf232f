//! One notification to many devices of many apps.

use std::sync::Arc;
use std::time::Duration;

use super::app::App;
use super::device::Device;
use super::notification::Notification;
use super::rendered::Rendered;
use crate::error::{Error, ErrorKind};
use crate::service::{Kind, Message};
use crate::time::Now;

/// The most apps whose messages are kept. A campaign has a handful; more are made anew each time, so that devices
/// with names of apps at random take no memory.
const MOST_APPS: usize = 256;

/// The share of a time to live after which a message of FCM is made anew, because Apple's devices count it from then.
const STALE: u32 = 16;

/// One notification to many devices: the message to each [`App`] is made when the first device asks, and encoded once.
///
/// ```
/// use pushcore::notification::{Campaign, Device, Notification};
/// use pushcore::service::Kind;
/// use pushcore::{Now, UnixTime};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), pushcore::Error> {
/// let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_764_422_709));
/// let mut campaign = Campaign::new(Notification::builder().title("Sale").build()?);
/// for token in ["a", "b", "c"] {
///     let device = Device::builder(Kind::Fcm).token(token).build()?;
///     assert_eq!(campaign.message(&device, now)?.kind(), Kind::Fcm);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Campaign {
    notification: Arc<Notification>,
    /// Errors too, because the next device of the app would meet the same. A list, the last one asked for first, because a
    /// campaign has a handful of apps and comparing is cheaper than hashing their names for each message.
    rendered: Vec<(App, Result<Arc<Rendered>, Error>)>,
}

impl Campaign {
    /// Begins a campaign.
    pub fn new(notification: impl Into<Arc<Notification>>) -> Self {
        Self {
            notification: notification.into(),
            rendered: Vec::new(),
        }
    }

    /// The notification.
    pub fn notification(&self) -> &Notification {
        &self.notification
    }

    /// The message to a device.
    ///
    /// # Errors
    /// As [`message`](super::message): of this device, or for all devices of its app.
    pub fn message(&mut self, device: &Device, now: Now) -> Result<Message, Error> {
        self.rendered(device.app(), now)?
            .to_device_of_the_app(device, now)
    }

    /// The message to all devices of an app, with its losses.
    ///
    /// # Errors
    /// As [`Notification::render`].
    pub fn rendered(&mut self, app: &App, now: Now) -> Result<&Rendered, Error> {
        let known = self.rendered.iter().position(|(known, _)| known == app);
        let is_current = match known.and_then(|at| self.rendered.get(at)) {
            Some((_, Ok(rendered))) => !self.is_stale(rendered, now),
            Some((_, Err(_))) => true,
            None => false,
        };
        if let Some(at) = known {
            self.rendered.swap(0, at);
        }
        if !is_current {
            let made = (app.clone(), self.notification.render(app, now).map(Arc::new));
            match (known, self.rendered.first_mut()) {
                (Some(_), Some(first)) => *first = made,
                _ => {
                    self.rendered.truncate(MOST_APPS - 1);
                    self.rendered.insert(0, made);
                }
            }
        }
        match self.rendered.first() {
            Some((_, Ok(rendered))) => Ok(rendered),
            Some((_, Err(error))) => Err(error.clone()),
            // It was put there just now.
            None => Err(Error::new(
                ErrorKind::Internal,
                "a message that was made is missing",
            )),
        }
    }

    fn is_stale(&self, rendered: &Rendered, now: Now) -> bool {
        let Some(secs) = self
            .notification
            .ttl
            .filter(|_| rendered.app().service() == Kind::Fcm)
        else {
            return false;
        };
        let age = now.unix.saturating_since(rendered.made());
        age > Duration::from_secs((secs / STALE).max(1).into())
    }
}

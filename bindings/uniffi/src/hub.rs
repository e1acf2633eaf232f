//! One notification to the devices of several services.

use std::sync::Arc;

use pushcore::notification::{self, App, Device, FeedbackParts};
use pushcore::service::{Kind, Service as CoreService};
use pushcore::webpush::EndpointPolicy;
use pushcore_client::hub::{Delivery, Hub as CoreHub};

use crate::batch::Ended;
use crate::error::{Failure, PushError};
use crate::options::ClientOptions;
use crate::outcome::{Outcome, Scope, Suspect};
use crate::service::Service;
use crate::values::{Seconds, Time};

/// A device of a hub's list.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Recipient {
    /// The device, in the form of docs/notification.md.
    pub device_json: String,
    /// A number of the caller's own, which comes back with the end.
    #[uniffi(default = 0)]
    pub tag: u64,
}

/// The change that a result asks for in the caller's table of devices; docs/notification.md says which result asks for which.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Feedback {
    /// The action: `keep`, `delete`, `replace`, `wait` or `check_configuration`.
    pub action: String,
    /// The new token of the device (`replace`); nil for every other action.
    pub replacement: Option<String>,
    /// The earliest time of the next message (`wait`); nil where nothing names a time.
    pub until: Option<Time>,
    /// The messages that have to wait (`wait`); nil for every other action.
    pub scope: Option<Scope>,
    /// The part of the configuration that may be at fault (`check_configuration`); nil for every other action.
    pub cause: Option<String>,
    /// The settings that could be at fault beside the token.
    pub suspects: Vec<Suspect>,
    /// How many seconds the service's clock is ahead of this machine's; nil where the clock is not to blame.
    pub clock_skew: Option<i64>,
}

impl From<&notification::Feedback> for Feedback {
    fn from(feedback: &notification::Feedback) -> Self {
        let FeedbackParts {
            action,
            replacement,
            until,
            scope,
            cause,
            suspects,
            clock_skew,
            ..
        } = feedback.parts();
        Self {
            action: action.to_owned(),
            replacement: replacement.map(str::to_owned),
            until: until.map(Time::from),
            scope: scope.map(Scope::from),
            cause: cause.map(str::to_owned),
            suspects: suspects.iter().map(Suspect::from).collect(),
            clock_skew,
        }
    }
}

/// The end of a notification to one device.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Delivered {
    /// The answer, or the reason why there is none, with the caller's number.
    pub ended: Ended,
    /// The change in the caller's table; nil where the device itself could not be read.
    pub feedback: Option<Feedback>,
    /// How often the message was tried.
    pub attempts: u32,
    /// Why the message is not sent again, in a word of docs/notification.md; nil where nothing was tried.
    pub stop: Option<String>,
}

impl From<Delivery<(u64, Device)>> for Delivered {
    fn from(delivery: Delivery<(u64, Device)>) -> Self {
        let (tag, _) = delivery.item;
        let (outcome, failure) = match &delivery.result {
            Ok(outcome) => (Some(Outcome::from(outcome)), None),
            Err(error) => (None, Some(Failure::from(error))),
        };
        Self {
            ended: Ended {
                tag,
                outcome,
                failure,
            },
            feedback: Some(Feedback::from(&delivery.feedback)),
            attempts: delivery.attempts.made(),
            stop: delivery.stop.map(|stop| stop.name().to_owned()),
        }
    }
}

/// A client for each of several services: one list of devices, one notification, one list of results.
#[derive(uniffi::Object)]
pub struct Hub(CoreHub);

#[uniffi::export]
impl Hub {
    /// Returns a hub of services, at most one of a kind and environment. Their clients are opened when first needed.
    #[uniffi::constructor]
    pub fn open(services: Vec<Arc<Service>>, options: ClientOptions) -> Result<Arc<Self>, PushError> {
        let mut hub = CoreHub::builder();
        for service in &services {
            let mut app = App::new(Kind::from(service.kind()));
            if let CoreService::Apns(apns) = &service.service {
                app = app.in_environment(apns.hosts().environment())?;
            }
            hub = hub.client(
                app,
                service.service.clone(),
                options.client(service.identity.as_ref())?,
            );
        }
        Ok(Arc::new(Self(hub.build()?)))
    }

    /// Sends a notification (the JSON of docs/notification.md) to devices, and waits on the calling thread until each has had
    /// its end, further attempts included.
    pub fn notify_blocking(
        &self,
        notification_json: String,
        recipients: Vec<Recipient>,
    ) -> Result<Vec<Delivered>, PushError> {
        let notification = notification::Notification::from_json(notification_json.as_bytes())?;
        // An endpoint is judged where it is sent to, by the policy of its service.
        let policy = EndpointPolicy::default().allow_any_public_host();
        let mut delivered = Vec::with_capacity(recipients.len());
        let mut devices = Vec::with_capacity(recipients.len());
        for Recipient { device_json, tag } in recipients {
            match Device::from_json_under(device_json.as_bytes(), &policy) {
                Ok(device) => devices.push((tag, device)),
                Err(error) => delivered.push(Delivered {
                    ended: Ended::refused(tag, &error),
                    feedback: None,
                    attempts: 0,
                    stop: None,
                }),
            }
        }
        delivered.extend(self.0.notify(notification, devices).map(Delivered::from));
        Ok(delivered)
    }

    /// Takes no more messages, and waits on the calling thread until all have ended, at most for `longest`; nil waits for all.
    pub fn shutdown_blocking(&self, longest: Option<Seconds>) -> Result<bool, PushError> {
        match Seconds::optional(longest)? {
            Some(longest) => Ok(self.0.close_for(longest)?),
            None => {
                self.0.close()?;
                Ok(true)
            }
        }
    }
}

//! One push to one device.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::builder::MessageBuilder;
use super::environment::Hosts;
use super::expiration::Expiration;
use super::header_policy::HeaderPolicy;
use super::ids::{ApnsId, CollapseId};
use super::push_type::{Priority, PushType};
use super::token::DeviceToken;
use crate::error::Error;
use crate::http::{HeaderBlock, Method, Request};
use crate::json::form::Word;
use crate::json::{Item, Object};
use crate::outcome::{Circumstances, Outcome, RetryLater, Scope, Suspect};
use crate::time::UnixTime;

/// One push to one device. Cheap to clone: what it shares with other pushes is behind an `Arc`.
#[derive(Clone)]
pub struct Message {
    notification: Arc<Notification>,
    device: DeviceToken,
    id: Option<ApnsId>,
    expiration: Option<Expiration>,
    registered_at: Option<UnixTime>,
}

/// A notification without a device yet, for campaigns.
#[derive(Clone)]
pub struct Template(pub(super) Arc<Notification>);

impl Template {
    /// The notification as JSON (`docs/messages.md`), without a device.
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        self.0.form(None).write(out);
    }

    /// This notification, to `device`.
    pub fn to(&self, device: DeviceToken) -> Message {
        Message {
            notification: self.0.clone(),
            device,
            id: None,
            expiration: None,
            registered_at: None,
        }
    }
}

impl Message {
    /// Begins a push of that type.
    pub fn builder(kind: PushType) -> MessageBuilder {
        MessageBuilder::new(kind)
    }

    /// Returns the same notification to another device; nothing is encoded again. The
    /// id, the registration time and an expiration of this push alone are not taken over.
    #[must_use]
    pub fn to(&self, device: DeviceToken) -> Self {
        self.template().to(device)
    }

    /// Returns the content that the message has in common with others.
    pub fn template(&self) -> Template {
        Template(self.notification.clone())
    }

    /// With that id; APNs makes one otherwise. Sending the same push again, keep it.
    #[must_use]
    pub fn with_id(mut self, id: ApnsId) -> Self {
        self.id = Some(id);
        self
    }

    /// With an expiration of its own in place of the notification's.
    #[must_use]
    pub fn with_expiration(mut self, expiration: Expiration) -> Self {
        self.expiration = Some(expiration);
        self
    }

    /// When the app last registered this token; lets [`Message::judge`] tell a dead token from a late answer.
    #[must_use]
    pub fn with_registered_at(mut self, time: UnixTime) -> Self {
        self.registered_at = Some(time);
        self
    }

    /// The push type.
    pub fn push_type(&self) -> PushType {
        self.notification.kind
    }

    /// The topic; `None` when the certificate's default is meant.
    pub fn topic(&self) -> Option<&str> {
        self.notification.topic.as_deref()
    }

    /// Returns what could explain an answer beside the token: topic and payload; see [`Witness`](crate::outcome::Witness).
    pub fn circumstances(&self) -> Circumstances {
        let notification = &*self.notification;
        *notification.circumstances.get_or_init(|| {
            Circumstances::new()
                .with(Suspect::Topic, self.topic().unwrap_or_default().as_bytes())
                .with(Suspect::Payload, &notification.body)
        })
    }

    /// The device.
    pub fn device(&self) -> &DeviceToken {
        &self.device
    }

    /// The id that the caller gave.
    pub fn id(&self) -> Option<ApnsId> {
        self.id
    }

    /// When the app last registered this token.
    pub fn registered_at(&self) -> Option<UnixTime> {
        self.registered_at
    }

    /// How urgent it is; `None` where APNs decides.
    pub fn priority(&self) -> Option<Priority> {
        let value = self.constant("apns-priority")?;
        value.parse().ok().and_then(Priority::from_u8)
    }

    /// Notifications with the same id are shown as one.
    pub fn collapse_id(&self) -> Option<&str> {
        self.constant("apns-collapse-id")
    }

    /// How long APNs keeps it: this push's own expiration, or the notification's.
    pub fn expiration(&self) -> Expiration {
        self.expiration
            .unwrap_or_else(|| match self.constant("apns-expiration").map(str::parse) {
                Some(Ok(0)) => Expiration::Once,
                Some(Ok(secs)) => Expiration::Until(UnixTime::from_secs(secs)),
                _ => Expiration::Absent,
            })
    }

    fn constant(&self, name: &str) -> Option<&str> {
        self.notification.common.headers().get(name)
    }

    /// The message as JSON (`docs/messages.md`). A field that is added does not compile until it stands here.
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let Self {
            notification,
            device,
            id,
            expiration,
            registered_at,
        } = self;
        let (lenient, device) = device.given();
        let mut form = notification.form(*expiration);
        form.insert("device", Item::Own(device.into()));
        if lenient {
            form.insert("lenient", true);
        }
        if let Some(id) = id {
            form.insert("id", id.as_str());
        }
        if let Some(time) = registered_at {
            form.insert("registered_at_ms", time.as_millis());
        }
        form.write(out);
    }

    /// The payload as it is sent.
    pub fn body(&self) -> &Arc<[u8]> {
        &self.notification.body
    }

    /// The outcome for *this* device: a 410 that is older than the token's
    /// registration speaks of an earlier life of the token, and becomes
    /// `RetryLater`. Everything else is left as it is.
    pub fn judge(&self, outcome: Outcome) -> Outcome {
        judge(outcome, self.registered_at)
    }

    /// Fills a cleared request, all but the authorization. Allocates nothing
    /// that the request has room for.
    ///
    /// # Errors
    /// `InvalidValue` when this push's own expiration is in 1970.
    pub(crate) fn write(&self, hosts: &Hosts, request: &mut Request) -> Result<(), Error> {
        let notification = &*self.notification;
        request.method = Method::Post;
        request.path.push_str("/3/device/");
        request.path.push_str(self.device.as_str());
        if let Some(id) = &self.id {
            request
                .headers
                .push("apns-id", id.as_str(), HeaderPolicy::VARYING)?;
        }
        let common = match self.expiration {
            None => &notification.common,
            Some(expiration) => {
                if let Some(value) = expiration.write(&mut [0; 20])? {
                    request
                        .headers
                        .push("apns-expiration", value, HeaderPolicy::VARYING)?;
                }
                &notification.without_expiration
            }
        };
        request.share(hosts.device(), common, &notification.body);
        Ok(())
    }
}

/// [`Message::judge`] by what it needs of the message.
pub(crate) fn judge(outcome: Outcome, registered_at: Option<UnixTime>) -> Outcome {
    match (outcome, registered_at) {
        (Outcome::TokenGone(gone), Some(registered_at)) if !gone.applies_to(registered_at) => {
            Outcome::RetryLater(RetryLater {
                after: None,
                scope: Scope::Device,
                evidence: gone.evidence,
            })
        }
        (outcome, _) => outcome,
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.notification, &other.notification);
        // The expirations are compared wherever they come from.
        let same = || {
            ours.without_expiration.headers() == theirs.without_expiration.headers()
                && ours.body == theirs.body
        };
        (Arc::ptr_eq(ours, theirs) || same())
            && self.device == other.device
            && self.id == other.id
            && self.expiration() == other.expiration()
            && self.registered_at == other.registered_at
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("push_type", &self.push_type())
            .field("topic", &self.topic())
            .field("device", &self.device)
            .field("id", &self.id)
            .field("body_len", &self.body().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("push_type", &self.0.kind)
            .field("topic", &self.0.topic)
            .field("body_len", &self.0.body.len())
            .finish()
    }
}

/// The values that constant headers are made of, besides kind and topic; equal values make equal headers.
#[derive(Clone, PartialEq)]
pub(super) struct Ingredients {
    pub(super) policy: HeaderPolicy,
    pub(super) priority: Option<Priority>,
    pub(super) collapse_id: Option<CollapseId>,
    pub(super) expiration: Expiration,
}

/// The content that all pushes of a campaign have in common, encoded once.
pub(super) struct Notification {
    pub(super) kind: PushType,
    pub(super) topic: Option<Arc<str>>,
    pub(super) body: Arc<[u8]>,
    /// The values that the headers were made of, besides kind and topic.
    pub(super) ingredients: Ingredients,
    /// The constant headers.
    pub(super) common: Arc<HeaderBlock>,
    /// The constant headers without `apns-expiration`, for pushes that bring their own.
    pub(super) without_expiration: Arc<HeaderBlock>,
    /// Made when first asked for, because a push that is built for one device only may never need them.
    pub(super) circumstances: OnceLock<Circumstances>,
}

impl Notification {
    /// The members of the form that all pushes of a campaign have in common. The payload stands
    /// there as a string, so that it survives whatever stores the form.
    fn form(&self, own_expiration: Option<Expiration>) -> Object<'_> {
        let Self {
            kind,
            topic,
            body,
            ingredients,
            common: _,
            without_expiration: _,
            circumstances: _,
        } = self;
        let Ingredients {
            policy,
            priority,
            collapse_id,
            expiration,
        } = ingredients;
        let mut form = Object::new();
        form.insert("push_type", kind.as_str());
        match topic {
            Some(topic) => form.insert("topic", &**topic),
            None => form.insert("topic_of_certificate", true),
        }
        let expiration = own_expiration.unwrap_or(*expiration);
        if expiration != kind.rules().default_expiration {
            form.insert("expiration", expiration.form());
        }
        if let Some(priority) = priority {
            form.insert("priority", u32::from(priority.as_u8()));
        }
        if let Some(id) = collapse_id {
            form.insert("collapse_id", id.as_str());
        }
        if *policy != HeaderPolicy::default() {
            form.insert("header_policy", policy.word());
        }
        let mut payload = Object::new();
        payload.insert("raw", Item::Own(String::from_utf8_lossy(body).into()));
        form.insert("payload", payload);
        form
    }
}

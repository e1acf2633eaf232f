//! A message to any of the services, owned and borrowed.

use std::borrow::Cow;

use super::kind::Kind;
use super::target::Target;
use super::template::Template;
use crate::error::{Error, ErrorKind};
use crate::http::Response;
use crate::json::{Node, Path};
use crate::outcome::Outcome;
use crate::time::Now;
use crate::{adm, apns, baidu, fcm, webpush};

macro_rules! messages {
    ($($(#[$doc:meta])* $arm:ident: $type:ty,)*) => {
        /// A message to one of the services. Made with `into()` from a service's own type.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Message {
            $($(#[$doc])* $arm($type),)*
        }

        /// A borrowed [`Message`].
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub enum MessageRef<'a> {
            $($(#[$doc])* $arm(&'a $type),)*
        }

        $(
            impl From<$type> for Message {
                fn from(message: $type) -> Self {
                    Message::$arm(message)
                }
            }

            impl AsMessage for $type {
                fn as_message(&self) -> MessageRef<'_> {
                    MessageRef::$arm(self)
                }
            }
        )*

        impl AsMessage for Message {
            fn as_message(&self) -> MessageRef<'_> {
                match self {
                    $(Message::$arm(message) => MessageRef::$arm(message),)*
                }
            }
        }
    };
}

messages! {
    /// Amazon Device Messaging.
    Adm: adm::Message,
    /// A message to a topic or group of Amazon Device Messaging.
    AdmAudience: adm::AudienceMessage,
    /// Apple Push Notification service.
    Apns: apns::Message,
    /// A broadcast to an APNs channel.
    ApnsBroadcast: apns::Broadcast,
    /// Baidu Cloud Push.
    Baidu: baidu::Message,
    /// Firebase Cloud Messaging.
    Fcm: fcm::Message,
    /// Web Push.
    WebPush: webpush::Message,
}

impl Message {
    /// Reads a message to `service` in the form of `docs/messages.md`; for Web Push under the
    /// [`EndpointPolicy`](webpush::EndpointPolicy) that is the default.
    ///
    /// # Errors
    /// Before anything is sent, and with the path of the field: `InvalidPayload` for what is not
    /// JSON in UTF-8, has a key twice, is nested deeper than 127 levels, or has an unknown field
    /// or a value of the wrong type; `InvalidValue` for a number outside its range;
    /// `MissingField`, `Conflict`, `InvalidTarget`; and what the builder of the service says.
    pub fn from_json(service: Kind, json: &[u8]) -> Result<Self, Error> {
        Self::from_json_under(service, json, &webpush::EndpointPolicy::default())
    }

    /// [`Message::from_json`] with a policy for the endpoints of Web Push subscriptions.
    ///
    /// # Errors
    /// The errors of [`Message::from_json`].
    pub fn from_json_under(
        service: Kind,
        json: &[u8],
        policy: &webpush::EndpointPolicy,
    ) -> Result<Self, Error> {
        if service == Kind::Fcm {
            return fcm::Message::from_json(json).map(Message::Fcm);
        }
        let (node, at) = (Node::document(json, "message")?, &Path::MESSAGE);
        match service {
            Kind::Adm => Ok(match adm::form::read(node, at)? {
                adm::form::Either::Message(message) => Message::Adm(message),
                adm::form::Either::Audience(message) => Message::AdmAudience(message),
            }),
            Kind::Apns => Ok(match apns::form::read(node, at)? {
                apns::form::Either::Message(message) => Message::Apns(message),
                apns::form::Either::Broadcast(broadcast) => Message::ApnsBroadcast(broadcast),
            }),
            Kind::Baidu => baidu::form::read(node, at).map(Message::Baidu),
            Kind::Fcm => fcm::Message::from_json(json).map(Message::Fcm),
            Kind::WebPush => webpush::form::read(node, at, policy).map(Message::WebPush),
        }
    }

    /// The message in the form of `docs/messages.md`: [`Message::from_json`] reads it to a message that makes
    /// the same request. It holds the target (for Web Push with its `auth` secret): for the caller's
    /// own storage, not for logs.
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(512);
        match self {
            Message::Adm(message) => message.write_form(&mut out),
            Message::AdmAudience(message) => message.write_form(&mut out),
            Message::Apns(message) => message.write_form(&mut out),
            Message::ApnsBroadcast(broadcast) => broadcast.write_form(&mut out),
            Message::Baidu(message) => message.write_form(&mut out),
            Message::Fcm(message) => out = message.to_json(),
            Message::WebPush(message) => message.write_form(&mut out),
        }
        // Written from texts.
        String::from_utf8(out).unwrap_or_default()
    }

    /// Reads the answer to the message, against all that the message itself knows: when the token was registered
    /// (APNs), the registration id (ADM), the subscription (Web Push). Needs no credentials;
    /// [`Service::outcome`](super::Service::outcome) does the same and lets the credentials learn from the answer.
    pub fn outcome(&self, response: &Response, now: Now) -> Outcome {
        match self {
            Message::Adm(message) => adm::outcome(response, message.target(), now),
            Message::AdmAudience(_) => adm::audience_outcome(response, now),
            Message::Apns(message) => message.judge(apns::outcome(response, now)),
            Message::ApnsBroadcast(_) => apns::broadcast_outcome(response, now),
            Message::Baidu(_) => baidu::outcome(response, now),
            Message::Fcm(_) => fcm::outcome(response, now),
            Message::WebPush(message) => webpush::outcome_for(response, message.subscription(), now),
        }
    }

    /// The payload: the body of the request as it is sent (ADM, APNs, FCM), `msg` (Baidu), or the text or bytes
    /// before they are encrypted (Web Push; empty without a payload).
    pub fn payload(&self) -> Cow<'_, [u8]> {
        match self {
            Message::Adm(message) => message.body().into(),
            Message::AdmAudience(message) => message.body().into(),
            Message::Apns(message) => message.body()[..].into(),
            Message::ApnsBroadcast(broadcast) => broadcast.body()[..].into(),
            Message::Baidu(message) => message.msg().as_bytes().into(),
            Message::Fcm(message) => message.body().into(),
            Message::WebPush(message) => message.template().payload().into(),
        }
    }

    /// The service that the message is for.
    pub fn kind(&self) -> Kind {
        match self {
            Message::Adm(_) | Message::AdmAudience(_) => Kind::Adm,
            Message::Apns(_) | Message::ApnsBroadcast(_) => Kind::Apns,
            Message::Baidu(_) => Kind::Baidu,
            Message::Fcm(_) => Kind::Fcm,
            Message::WebPush(_) => Kind::WebPush,
        }
    }

    /// Returns the target of the message; `None` for a broadcast, which has its channel and nothing else to go to.
    pub fn target(&self) -> Option<Target> {
        Some(match self {
            Message::Adm(message) => Target::Adm(message.target().clone()),
            Message::AdmAudience(message) => Target::AdmAudience(message.audience().clone()),
            Message::Apns(message) => Target::Apns(message.device().clone()),
            Message::ApnsBroadcast(_) => return None,
            Message::Baidu(message) => Target::Baidu(message.target().clone()),
            Message::Fcm(message) => Target::Fcm(message.target().clone()),
            Message::WebPush(message) => Target::WebPush(message.subscription().clone().into()),
        })
    }

    /// Returns the same message to another target. Payload and headers are shared, nothing is encoded again
    /// (but for an ADM topic or group, whose name stands in the body). The id, the registration time and
    /// the expiration of a single APNs push are not taken over.
    ///
    /// # Errors
    /// `InvalidTarget` when the target is of another service, or the message is a broadcast to a channel;
    /// `PayloadTooLarge`, `Conflict`, `MissingField` when the target does not take the message.
    pub fn to(&self, target: &Target) -> Result<Self, Error> {
        // The ways of a campaign, which make no template first.
        match (self, target) {
            (Message::Adm(message), Target::Adm(id)) => Ok(message.to(id.clone()).into()),
            (Message::AdmAudience(message), Target::AdmAudience(audience)) => {
                Ok(message.to(audience.clone()).into())
            }
            (Message::Apns(message), Target::Apns(device)) => Ok(message.to(device.clone()).into()),
            (Message::Fcm(message), Target::Fcm(target)) => {
                let message = message.to(target.clone());
                message.check_size()?;
                Ok(message.into())
            }
            (Message::WebPush(message), Target::WebPush(subscription)) => {
                message.to(subscription.clone()).map(Message::from)
            }
            _ => self.template()?.to(target),
        }
    }

    /// The message without its target.
    ///
    /// # Errors
    /// `InvalidTarget` for a broadcast, which has its channel and nothing else to go to.
    pub fn template(&self) -> Result<Template, Error> {
        Ok(match self {
            Message::Adm(message) => Template::Adm(message.template()),
            Message::AdmAudience(message) => Template::Adm(message.template()),
            Message::Apns(message) => Template::Apns(message.template()),
            Message::ApnsBroadcast(_) => {
                return Err(Error::new(
                    ErrorKind::InvalidTarget,
                    "a broadcast goes to its channel and to no other target",
                ));
            }
            Message::Baidu(message) => Template::Baidu(message.template()),
            Message::Fcm(message) => Template::Fcm(message.template()),
            Message::WebPush(message) => Template::WebPush(message.template().clone()),
        })
    }
}

/// A value that is, or carries, a message to one of the services.
///
/// A message with a key of the caller's own (a row id, a user) travels as a pair.
pub trait AsMessage {
    /// The message.
    fn as_message(&self) -> MessageRef<'_>;
}

impl<K, M: AsMessage> AsMessage for (K, M) {
    fn as_message(&self) -> MessageRef<'_> {
        self.1.as_message()
    }
}

impl<M: AsMessage + ?Sized> AsMessage for &M {
    fn as_message(&self) -> MessageRef<'_> {
        (**self).as_message()
    }
}

impl AsMessage for MessageRef<'_> {
    fn as_message(&self) -> MessageRef<'_> {
        *self
    }
}

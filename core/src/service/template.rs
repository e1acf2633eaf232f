//! A message without a target, of any of the services.

use super::kind::Kind;
use super::message::Message;
use super::target::Target;
use crate::error::{Error, ErrorKind};
use crate::json::{Node, Path};
use crate::{adm, apns, baidu, fcm, webpush};

/// A checked message without a target: what a campaign has in common, encoded once. Cheap to clone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Template {
    /// Amazon Device Messaging.
    Adm(adm::Template),
    /// Apple Push Notification service.
    Apns(apns::Template),
    /// Baidu Cloud Push.
    Baidu(baidu::Template),
    /// Firebase Cloud Messaging.
    Fcm(fcm::Template),
    /// Web Push.
    WebPush(webpush::Template),
}

impl Template {
    /// Reads a message without a target in the form of `docs/messages.md`.
    ///
    /// # Errors
    /// The errors of [`Message::from_json`]; `InvalidTarget` when it has a target, or what belongs to one target
    /// (`id`, `registered_at_ms`).
    pub fn from_json(service: Kind, json: &[u8]) -> Result<Self, Error> {
        let (node, at) = (Node::document(json, "message")?, &Path::MESSAGE);
        match service {
            Kind::Adm => adm::form::read_template(node, at).map(Template::Adm),
            Kind::Apns => apns::form::read_template(node, at).map(Template::Apns),
            Kind::Baidu => baidu::form::read_template(node, at).map(Template::Baidu),
            Kind::Fcm => match node.value() {
                serde_json::Value::Object(map) => fcm::Template::from_object(map).map(Template::Fcm),
                _ => Err(at.error(ErrorKind::InvalidPayload, "not an object")),
            },
            Kind::WebPush => webpush::form::read_template(node, at).map(Template::WebPush),
        }
    }

    /// The template in the form of `docs/messages.md`, which [`Template::from_json`] reads.
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(512);
        match self {
            Template::Adm(template) => template.write_form(&mut out),
            Template::Apns(template) => template.write_form(&mut out),
            Template::Baidu(template) => template.write_form(&mut out),
            Template::Fcm(template) => template.write_form(&mut out),
            Template::WebPush(template) => template.write_form(&mut out),
        }
        // Written from texts.
        String::from_utf8(out).unwrap_or_default()
    }

    /// The service that the message is for.
    pub fn kind(&self) -> Kind {
        match self {
            Template::Adm(_) => Kind::Adm,
            Template::Apns(_) => Kind::Apns,
            Template::Baidu(_) => Kind::Baidu,
            Template::Fcm(_) => Kind::Fcm,
            Template::WebPush(_) => Kind::WebPush,
        }
    }

    /// The message to `target`. Payload and headers are shared, nothing is encoded again (but for an
    /// ADM topic or group, whose name stands in the body).
    ///
    /// # Errors
    /// `InvalidTarget` when the target is of another service; `PayloadTooLarge`, `Conflict`,
    /// `MissingField` when the target does not take the message.
    pub fn to(&self, target: &Target) -> Result<Message, Error> {
        match (self, target) {
            (Template::Adm(template), Target::Adm(id)) => Ok(template.to(id.clone()).into()),
            (Template::Adm(template), Target::AdmAudience(audience)) => {
                template.to_audience(audience.clone()).map(Message::from)
            }
            (Template::Apns(template), Target::Apns(device)) => Ok(template.to(device.clone()).into()),
            (Template::Baidu(template), Target::Baidu(target)) => {
                template.to(target.clone()).map(Message::from)
            }
            (Template::Fcm(template), Target::Fcm(target)) => {
                let message = template.to(target.clone());
                message.check_size()?;
                Ok(message.into())
            }
            (Template::WebPush(template), Target::WebPush(subscription)) => {
                template.to(subscription.clone()).map(Message::from)
            }
            _ => Err(Error::new(
                ErrorKind::InvalidTarget,
                format!(
                    "a message to {} does not go to a target of {}",
                    self.kind(),
                    target.kind()
                ),
            )),
        }
    }
}

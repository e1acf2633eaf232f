//! A target of any of the services, and its text.

use std::sync::Arc;

use super::kind::Kind;
use crate::error::{Error, ErrorKind};
use crate::json::form::Form;
use crate::json::{Item, Node, Object, Path};
use crate::{adm, apns, baidu, fcm, webpush};

/// A target of one of the services: a device, or all that a topic, group, tag or condition names.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// A device of Amazon's.
    Adm(adm::RegistrationId),
    /// A topic or group of Amazon Device Messaging.
    AdmAudience(adm::Audience),
    /// A device of Apple's.
    Apns(apns::DeviceToken),
    /// One or several devices, a tag, a selector, or all devices of an app (Baidu).
    Baidu(baidu::Target),
    /// A device, a topic or a condition (FCM).
    Fcm(fcm::Target),
    /// A Web Push subscription.
    WebPush(Arc<webpush::Subscription>),
}

impl Target {
    /// Reads a target's text; for Web Push under the [`EndpointPolicy`](webpush::EndpointPolicy) that is the default.
    ///
    /// A plain text is the token of a device: an APNs device token, an FCM registration token, an ADM
    /// registration id, a Baidu channel id. An object is any target in the words of the message's
    /// form: `{"topic": "news"}`, `{"fid": "..."}`, `{"condition": "..."}` (FCM), `{"topic": "news"}`,
    /// `{"group": "..."}` (ADM), `{"devices": [...]}`, `{"tag": "..."}`, `{"selector": ...}`, `{"all": true}`
    /// (Baidu), `{"device": "...", "lenient": true}` (APNs), and for Web Push the subscription.
    ///
    /// # Errors
    /// The errors of [`Message::from_json`](super::Message::from_json), and what the target's own type says.
    pub fn parse(service: Kind, text: &str) -> Result<Self, Error> {
        Self::parse_under(service, text, &webpush::EndpointPolicy::default())
    }

    /// [`Target::parse`] with a policy for the endpoints of Web Push subscriptions.
    ///
    /// # Errors
    /// The errors of [`Target::parse`].
    pub fn parse_under(service: Kind, text: &str, policy: &webpush::EndpointPolicy) -> Result<Self, Error> {
        if service == Kind::WebPush {
            let subscription = webpush::Subscription::parse(text.as_bytes(), policy)?;
            return Ok(Target::WebPush(Arc::new(subscription)));
        }
        if !text.trim_start().starts_with('{') {
            return Self::device(service, text);
        }
        let (node, at) = (Node::document(text.as_bytes(), "target")?, &Path::root("target"));
        if service == Kind::Baidu {
            return baidu::Target::read(node, at).map(Target::Baidu);
        }
        let members = node.members().unwrap_or_default();
        let members: Vec<(&str, Node<'_>)> = members
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        if let (Kind::Apns, [("device", device), ("lenient", lenient)]) = (service, members.as_slice()) {
            let device = String::read(*device, &at.field("device"))?;
            let parse = match bool::read(*lenient, &at.field("lenient"))? {
                true => apns::DeviceToken::lenient,
                false => apns::DeviceToken::parse,
            };
            return parse(&device).map(Target::Apns);
        }
        let [(name, value)] = members.as_slice() else {
            return Err(at.error(ErrorKind::InvalidTarget, "not exactly one target"));
        };
        let (at, value) = (at.field(name), *value);
        let text = String::read(value, &at)?;
        let made = match (service, *name) {
            (Kind::Adm, "registration_id") => adm::RegistrationId::new(&text).map(Target::Adm),
            (Kind::Adm, "topic") => {
                adm::Topic::new(&text).map(|topic| Target::AdmAudience(adm::Audience::Topic(topic)))
            }
            (Kind::Adm, "group") => {
                adm::Group::new(&text).map(|group| Target::AdmAudience(adm::Audience::Group(group)))
            }
            (Kind::Apns, "device") => apns::DeviceToken::parse(&text).map(Target::Apns),
            (Kind::Fcm, "token") => fcm::Target::token(&text).map(Target::Fcm),
            (Kind::Fcm, "fid") => fcm::Target::fid(&text).map(Target::Fcm),
            (Kind::Fcm, "topic") => fcm::Target::topic(&text).map(Target::Fcm),
            (Kind::Fcm, "condition") => fcm::Target::condition(&text).map(Target::Fcm),
            _ => return Err(at.error(ErrorKind::InvalidTarget, format!("not a target of {service}"))),
        };
        made.map_err(|error| at.wrap(&error))
    }

    /// A device by its token.
    fn device(service: Kind, text: &str) -> Result<Self, Error> {
        match service {
            Kind::Adm => adm::RegistrationId::new(text).map(Target::Adm),
            Kind::Apns => apns::DeviceToken::parse(text).map(Target::Apns),
            Kind::Baidu => baidu::Target::device(text).map(Target::Baidu),
            Kind::Fcm => fcm::Target::token(text).map(Target::Fcm),
            Kind::WebPush => Err(Error::new(
                ErrorKind::InvalidSubscription,
                "the subscription is not a json object",
            )),
        }
    }

    /// The service that the target is of.
    pub fn kind(&self) -> Kind {
        match self {
            Target::Adm(_) | Target::AdmAudience(_) => Kind::Adm,
            Target::Apns(_) => Kind::Apns,
            Target::Baidu(_) => Kind::Baidu,
            Target::Fcm(_) => Kind::Fcm,
            Target::WebPush(_) => Kind::WebPush,
        }
    }

    /// The text that [`Target::parse`] reads: a token, or for Web Push the subscription with its `auth`
    /// secret. For the caller's own storage, not for logs. When a subscription was made
    /// ([`Subscription::created_at`](webpush::Subscription::created_at)) is not in it.
    pub fn to_text(&self) -> String {
        match self {
            Target::Adm(id) => plain("registration_id", id.as_str()),
            Target::AdmAudience(audience) => {
                let (field, name) = audience.field();
                object(field, Item::Text(name))
            }
            Target::Apns(device) => match device.given() {
                (false, text) => text,
                (true, text) => {
                    let mut inner = Object::new();
                    inner.insert("device", text.as_str());
                    inner.insert("lenient", true);
                    written(&inner)
                }
            },
            Target::Baidu(target) => match target.form() {
                ("device", Item::Text(id)) => plain("device", id),
                (field, item) => object(field, item),
            },
            Target::Fcm(fcm::Target::Token(token)) => plain("token", token.as_str()),
            Target::Fcm(target) => {
                let (field, value) = target.field();
                object(field, Item::Text(value))
            }
            Target::WebPush(subscription) => subscription.to_json(),
        }
    }
}

/// The token itself, unless it would be taken for an object.
fn plain(field: &str, token: &str) -> String {
    match token.starts_with('{') {
        true => object(field, Item::Text(token)),
        false => token.to_owned(),
    }
}

fn object(field: &str, item: Item<'_>) -> String {
    let mut inner = Object::new();
    inner.insert(field, item);
    written(&inner)
}

fn written(object: &Object<'_>) -> String {
    let mut out = Vec::new();
    object.write(&mut out);
    // Written from texts.
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIPTION: &str = r#"{"endpoint":"https://fcm.googleapis.com/fcm/send/x","expirationTime":null,"keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}"#;

    #[test]
    fn texts_come_back() {
        for (kind, text) in [
            (Kind::Apns, "00ab"),
            (Kind::Apns, r#"{"device":"a/b c%","lenient":true}"#),
            (Kind::Fcm, "d:APA91b"),
            (Kind::Fcm, r#"{"fid":"c1xYz_-09"}"#),
            (Kind::Fcm, r#"{"topic":"news"}"#),
            (Kind::Fcm, r#"{"condition":"'a' in topics && 'b' in topics"}"#),
            (Kind::Fcm, r##"{"token":"{x"}"##),
            (Kind::Adm, "amzn1.adm-registration.v3.abc"),
            (Kind::Adm, r#"{"topic":"n\"ews"}"#),
            (Kind::Adm, r#"{"group":"g"}"#),
            (Kind::Baidu, "3785562685113372034"),
            (Kind::Baidu, r#"{"devices":["1","2"]}"#),
            (Kind::Baidu, r#"{"all":true}"#),
            (Kind::Baidu, r#"{"tag":"北京"}"#),
            (Kind::Baidu, r#"{"selector":"{\"OR\": {}}"}"#),
            (Kind::WebPush, SUBSCRIPTION),
        ] {
            let target = Target::parse(kind, text).unwrap();
            assert_eq!((target.kind(), target.to_text().as_str()), (kind, text));
            assert_eq!(Target::parse(kind, &target.to_text()).unwrap(), target);
            assert!(!format!("{target:?}").contains("APA91b"));
            for other in Kind::ALL.iter().filter(|other| **other != kind) {
                // What is a token to one service may be a token to another; an object is not.
                if text.starts_with('{') && !text.contains("topic") && !text.contains("device") {
                    assert!(Target::parse(*other, text).is_err(), "{other}: {text}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_target_is_named() {
        for (kind, text, expected, word) in [
            (Kind::Apns, "", ErrorKind::InvalidToken, ""),
            (Kind::Apns, "xyz", ErrorKind::InvalidToken, ""),
            (
                Kind::Apns,
                r#"{"token":"ab"}"#,
                ErrorKind::InvalidTarget,
                "target.token: not a target of apns",
            ),
            (
                Kind::Fcm,
                "{}",
                ErrorKind::InvalidTarget,
                "target: not exactly one",
            ),
            (
                Kind::Fcm,
                r#"{"topic":"a","fid":"b"}"#,
                ErrorKind::InvalidTarget,
                "not exactly one",
            ),
            (
                Kind::Fcm,
                r#"{"topic":1}"#,
                ErrorKind::InvalidPayload,
                "target.topic: not a string",
            ),
            (
                Kind::Fcm,
                r#"{"topic":"a","topic":"a"}"#,
                ErrorKind::InvalidPayload,
                "target.topic: the key is there twice",
            ),
            (
                Kind::Fcm,
                r#"{"topic":"a b"}"#,
                ErrorKind::InvalidTopic,
                "target.topic: ",
            ),
            (
                Kind::Baidu,
                r#"{"tag":"a","all":true}"#,
                ErrorKind::InvalidTarget,
                "target: ",
            ),
            (
                Kind::Baidu,
                r#"{"all":false}"#,
                ErrorKind::InvalidTarget,
                "target: ",
            ),
            (Kind::WebPush, "abc", ErrorKind::InvalidSubscription, ""),
            (
                Kind::WebPush,
                r#"{"endpoint":"https://example.com/x"}"#,
                ErrorKind::EndpointNotAllowed,
                "",
            ),
        ] {
            let error = Target::parse(kind, text).unwrap_err();
            assert_eq!(error.kind(), expected, "{text}: {error}");
            assert!(error.context().contains(word), "{text}: {error}");
        }
        let any = webpush::EndpointPolicy::default().allow_any_public_host();
        let text = r#"{"endpoint":"https://example.com/x"}"#;
        assert!(Target::parse_under(Kind::WebPush, text, &any).is_ok());
    }
}

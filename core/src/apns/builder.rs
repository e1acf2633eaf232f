//! Makes messages, and refuses those that APNs would refuse.

use std::sync::{Arc, OnceLock};

use super::aps::Aps;
use super::expiration::Expiration;
use super::form::MessageForm;
use super::header_policy::HeaderPolicy;
use super::ids::{ApnsId, BundleId, CollapseId, Topic};
use super::message::{Ingredients, Message, Notification, Template};
use super::payload::Payload;
use super::push_type::{Priority, PushType};
use super::token::DeviceToken;
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Headers};
use crate::json::Path;
use crate::time::UnixTime;

/// Makes a [`Message`] or a [`Template`].
#[derive(Clone, Debug)]
pub struct MessageBuilder {
    kind: PushType,
    topic: TopicChoice,
    payload: Option<Payload>,
    device: Option<DeviceToken>,
    id: Option<ApnsId>,
    expiration: Option<Expiration>,
    registered_at: Option<UnixTime>,
    priority: Option<Priority>,
    collapse_id: Option<CollapseId>,
    policy: HeaderPolicy,
    alike: Option<Template>,
}

#[derive(Clone, Debug)]
enum TopicChoice {
    Missing,
    Bundle(BundleId),
    Whole(Topic),
    OfCertificate,
}

impl MessageBuilder {
    pub(super) fn new(kind: PushType) -> Self {
        Self {
            kind,
            topic: TopicChoice::Missing,
            payload: None,
            device: None,
            id: None,
            expiration: None,
            registered_at: None,
            priority: None,
            collapse_id: None,
            policy: HeaderPolicy::default(),
            alike: None,
        }
    }

    /// The builder that a form describes. A field that is added to either does not compile until
    /// it stands here.
    pub(super) fn from_form(form: MessageForm, at: &Path<'_>) -> Result<Self, Error> {
        let MessageForm {
            push_type,
            bundle,
            topic,
            topic_of_certificate,
            device,
            lenient,
            id,
            expiration,
            priority,
            collapse_id,
            registered_at_ms,
            header_policy,
            payload,
        } = form;
        let topic = match (bundle, topic, topic_of_certificate.unwrap_or_default()) {
            (None, None, false) => TopicChoice::Missing,
            (Some(bundle), None, false) => TopicChoice::Bundle(bundle),
            (None, Some(topic), false) => TopicChoice::Whole(topic),
            (None, None, true) => TopicChoice::OfCertificate,
            _ => {
                return Err(at.error(
                    ErrorKind::Conflict,
                    "more than one of bundle, topic and topic_of_certificate",
                ));
            }
        };
        let parse = match lenient {
            Some(true) => DeviceToken::lenient,
            _ => DeviceToken::parse,
        };
        let device = device.as_deref().map(parse).transpose();
        Ok(Self {
            kind: push_type.ok_or_else(|| at.missing("push_type"))?,
            topic,
            payload,
            device: device.map_err(|error| at.field("device").wrap(&error))?,
            id,
            expiration,
            registered_at: registered_at_ms.map(UnixTime::from_millis),
            priority,
            collapse_id,
            policy: header_policy.unwrap_or_default(),
            // Says which headers are shared, not what the message is.
            alike: None,
        })
    }

    /// The app. The topic is this and the push type's suffix.
    #[must_use]
    pub fn bundle(mut self, bundle: BundleId) -> Self {
        self.topic = TopicChoice::Bundle(bundle);
        self
    }

    /// The whole topic, suffix included; for `mdm` the UID of the push certificate.
    #[must_use]
    pub fn topic(mut self, topic: Topic) -> Self {
        self.topic = TopicChoice::Whole(topic);
        self
    }

    /// No topic header: the single topic of the client certificate is meant. Impossible with a token key.
    #[must_use]
    pub fn topic_of_certificate(mut self) -> Self {
        self.topic = TopicChoice::OfCertificate;
        self
    }

    /// The body.
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Payload>) -> Self {
        self.payload = Some(payload.into());
        self
    }

    /// The device.
    #[must_use]
    pub fn device(mut self, device: DeviceToken) -> Self {
        self.device = Some(device);
        self
    }

    /// The push's id; APNs makes one otherwise.
    #[must_use]
    pub fn id(mut self, id: ApnsId) -> Self {
        self.id = Some(id);
        self
    }

    /// How long APNs keeps it. Left out, the push type decides: `Once` for Push to Talk, else `Absent`.
    #[must_use]
    pub fn expiration(mut self, expiration: Expiration) -> Self {
        self.expiration = Some(expiration);
        self
    }

    /// How urgent it is. Left out, the push type decides: 5 for background pushes, else 10.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Shows as one with the others of this id.
    #[must_use]
    pub fn collapse_id(mut self, id: CollapseId) -> Self {
        self.collapse_id = Some(id);
        self
    }

    /// When the app last registered the token.
    #[must_use]
    pub fn registered_at(mut self, time: UnixTime) -> Self {
        self.registered_at = Some(time);
        self
    }

    /// Which of Apple's rules for header compression to follow.
    #[must_use]
    pub fn header_policy(mut self, policy: HeaderPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Shares the encoded headers of `other` where they are the same: for messages that differ in
    /// their payload alone. A connection sends headers that it knows as a few bytes.
    #[must_use]
    pub fn alike(mut self, other: &Template) -> Self {
        self.alike = Some(other.clone());
        self
    }

    /// The notification without a device.
    ///
    /// # Errors
    /// `InvalidTopic`, `InvalidValue`, `InvalidPayload`, `MissingField`, `Conflict`, `PayloadEmpty` or
    /// `PayloadTooLarge` where APNs would refuse the push; the text holds its own word.
    pub fn template(mut self) -> Result<Template, Error> {
        let rules = self.kind.rules();
        if let Some(priority) = self.priority {
            if !rules.priorities.contains(&priority) {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    format!(
                        "a push of type {} does not take priority {} (BadPriority)",
                        rules.name,
                        priority.as_u8()
                    ),
                ));
            }
        }
        let ingredients = Ingredients {
            policy: self.policy,
            priority: self.priority.or(rules.default_priority),
            collapse_id: self.collapse_id.take(),
            expiration: self.expiration.unwrap_or(rules.default_expiration),
        };
        let known = self.alike.as_ref().map(|alike| &*alike.0);
        let known = known.filter(|known| known.kind == self.kind);
        // What was made of the same was checked.
        let topic_of = known.filter(|known| self.topic.makes(known.topic.as_deref(), rules.suffix));
        let topic = match topic_of {
            Some(known) => known.topic.clone(),
            None => self.whole_topic()?,
        };
        let payload = match (&self.payload, self.kind) {
            (Some(payload), _) => payload,
            (None, PushType::Background) => &Payload::new(Aps::background()),
            (None, PushType::Widgets | PushType::Controls) => &Payload::content_changed(),
            (None, _) => {
                return Err(Error::new(
                    ErrorKind::PayloadEmpty,
                    "the push has no payload (PayloadEmpty)",
                ));
            }
        };
        let body = payload.encode(self.kind, rules.limit)?;

        let (common, without_expiration) = match topic_of {
            Some(known) if known.ingredients == ingredients => {
                (known.common.clone(), known.without_expiration.clone())
            }
            _ => header_blocks(rules.name, topic.as_deref(), &ingredients, known)?,
        };
        Ok(Template(Arc::new(Notification {
            kind: self.kind,
            topic,
            body,
            ingredients,
            common,
            without_expiration,
            circumstances: OnceLock::new(),
        })))
    }

    /// The push.
    ///
    /// # Errors
    /// As [`MessageBuilder::template`], and `InvalidTarget` without a device.
    pub fn build(mut self) -> Result<Message, Error> {
        let device = self.device.take().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidTarget,
                "the push has no device (MissingDeviceToken)",
            )
        })?;
        let (id, registered_at) = (self.id, self.registered_at);
        if let Some(time) = registered_at {
            time.check_date("time of registration")?;
        }
        let mut message = self.template()?.to(device);
        if let Some(id) = id {
            message = message.with_id(id);
        }
        if let Some(time) = registered_at {
            message = message.with_registered_at(time);
        }
        Ok(message)
    }

    fn whole_topic(&self) -> Result<Option<Arc<str>>, Error> {
        let suffix = self.kind.topic_suffix();
        match &self.topic {
            TopicChoice::Missing => Err(Error::new(
                ErrorKind::InvalidTopic,
                "the push has no topic: name the app's bundle id (MissingTopic)",
            )),
            TopicChoice::OfCertificate => Ok(None),
            TopicChoice::Bundle(bundle) if !suffix.is_empty() && bundle.as_str().ends_with(suffix) => {
                Err(Error::new(
                    ErrorKind::InvalidTopic,
                    format!(
                        "the bundle id ends with {suffix}, which a push of type {} adds: give the bundle id without it, or the whole topic (BadTopic)",
                        self.kind.as_str()
                    ),
                ))
            }
            TopicChoice::Bundle(bundle) => Ok(Some(format!("{}{suffix}", bundle.as_str()).into())),
            TopicChoice::Whole(topic)
                if topic
                    .as_str()
                    .strip_suffix(suffix)
                    .is_some_and(|app| !app.is_empty()) =>
            {
                Ok(Some(topic.as_str().into()))
            }
            TopicChoice::Whole(_) => Err(Error::new(
                ErrorKind::InvalidTopic,
                format!(
                    "the topic of a push of type {} ends with {suffix} (BadTopic)",
                    self.kind.as_str()
                ),
            )),
        }
    }
}

/// The constant headers, and the same without `apns-expiration`.
fn header_blocks(
    push_type: &str,
    topic: Option<&str>,
    of: &Ingredients,
    known: Option<&Notification>,
) -> Result<(Arc<HeaderBlock>, Arc<HeaderBlock>), Error> {
    // What these five hold mostly, so that it is allocated once.
    let mut headers = Headers::with_capacity(5, 160);
    let collapse_id = of.collapse_id.as_ref().map(CollapseId::as_str);
    for (name, value) in [
        ("apns-topic", topic),
        ("apns-push-type", Some(push_type)),
        ("apns-priority", of.priority.map(Priority::as_str)),
        ("apns-collapse-id", collapse_id),
    ] {
        if let Some(value) = value {
            headers.push(name, value, of.policy.constant(name))?;
        }
    }
    let without_expiration = shared(known.map(|known| &known.without_expiration), &headers);
    let common = match of.expiration.write(&mut [0; 20])? {
        None => without_expiration.clone(),
        Some(value) => {
            headers.push("apns-expiration", value, of.policy.constant("apns-expiration"))?;
            shared(known.map(|known| &known.common), &headers)
        }
    };
    Ok((common, without_expiration))
}

impl TopicChoice {
    /// Whether the whole topic of a push type with that suffix is this one.
    fn makes(&self, topic: Option<&str>, suffix: &str) -> bool {
        match self {
            TopicChoice::Missing => false,
            TopicChoice::OfCertificate => topic.is_none(),
            TopicChoice::Whole(whole) => topic == Some(whole.as_str()),
            TopicChoice::Bundle(bundle) => {
                topic.and_then(|topic| topic.strip_suffix(suffix)) == Some(bundle.as_str())
            }
        }
    }
}

/// The block that is there already, where it says the same.
fn shared(known: Option<&Arc<HeaderBlock>>, headers: &Headers) -> Arc<HeaderBlock> {
    match known {
        Some(block) if block.headers() == headers => Arc::clone(block),
        _ => HeaderBlock::new(headers.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apns::Alert;

    #[test]
    fn messages_alike_share_their_headers() {
        let make = |text: &str, priority, alike: Option<&Template>| {
            let builder = Message::builder(PushType::Alert)
                .bundle(BundleId::parse("com.example.app").unwrap())
                .priority(priority)
                .expiration(Expiration::Once)
                .payload(Aps::new().alert(Alert::line(text)));
            let builder = alike.map_or(builder.clone(), |alike| builder.alike(alike));
            builder.template().unwrap()
        };
        let one = make("one", Priority::Immediate, None);
        let same = make("two", Priority::Immediate, Some(&one));
        assert_eq!(same.0.common.id(), one.0.common.id());
        assert_eq!(same.0.without_expiration.id(), one.0.without_expiration.id());
        assert_ne!(same.0.body, one.0.body);
        let other = make("two", Priority::PowerAware, Some(&one));
        assert_ne!(other.0.common.id(), one.0.common.id());
        assert_ne!(other.0.common.headers(), one.0.common.headers());
    }
}

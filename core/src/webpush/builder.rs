//! Builders of messages and templates: what may be asked for, and what each push
//! service takes of it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::encoding::Encoding;
use super::endpoint::Endpoint;
use super::form::MessageForm;
use super::message::{Message, Padding, ReceiptLink, Shared, Template, Urgency};
use super::provider::Provider;
use super::subscription::Subscription;
use super::topic::Topic;
use crate::crypto;
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Headers, Indexing};
use crate::json::form::RawText;
use crate::json::{Item, Json, Object, Path};

/// 28 days: the longest that every public service keeps a message.
const DEFAULT_TTL: Duration = Duration::from_secs(28 * 24 * 3600);

/// Builds a [`Message`]: [`TemplateBuilder`] and a subscription in one.
#[derive(Clone, Debug)]
pub struct MessageBuilder {
    subscription: Arc<Subscription>,
    template: TemplateBuilder,
}

/// Builds a [`Template`].
#[derive(Clone, Default)]
pub struct TemplateBuilder {
    payload: Option<Vec<u8>>,
    ttl: Option<Duration>,
    urgency: Option<Urgency>,
    topic: Option<Topic>,
    padding: Padding,
    encoding: Encoding,
    receipt: bool,
    receipts: Option<Endpoint>,
}

impl fmt::Debug for TemplateBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateBuilder")
            .field("payload_len", &self.payload.as_ref().map(Vec::len))
            .field("ttl", &self.ttl)
            .field("urgency", &self.urgency)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

macro_rules! setters {
    ($self:ident, $target:expr) => {
        /// Sets the payload that the device gets, encrypted: any bytes, at most 3993 (4078 in the legacy
        /// encoding). An empty payload is a payload: the device gets a message of
        /// no bytes. Without one, it is only woken up.
        #[must_use]
        pub fn payload(mut $self, payload: impl Into<Vec<u8>>) -> Self {
            $target.payload = Some(payload.into());
            $self
        }

        /// How long the service keeps the message for a device that is not connected,
        /// in whole seconds; lowered to what the service takes
        /// ([`Provider::longest_ttl`]). Zero: now or never. Default: 28 days.
        #[must_use]
        pub fn ttl(mut $self, ttl: Duration) -> Self {
            $target.ttl = Some(ttl);
            $self
        }

        /// How soon the device should be woken.
        #[must_use]
        pub fn urgency(mut $self, urgency: Urgency) -> Self {
            $target.urgency = Some(urgency);
            $self
        }

        /// Replaces an undelivered message of the same topic. It makes sending twice harmless.
        #[must_use]
        pub fn topic(mut $self, topic: Topic) -> Self {
            $target.topic = Some(topic);
            $self
        }

        /// Hides the payload's length.
        #[must_use]
        pub fn padding(mut $self, padding: Padding) -> Self {
            $target.padding = padding;
            $self
        }

        /// How the payload is encrypted.
        #[must_use]
        pub fn encoding(mut $self, encoding: Encoding) -> Self {
            $target.encoding = encoding;
            $self
        }

        /// Asks for a receipt (`Prefer: respond-async`, RFC 8030 §5.1): the outcome's
        /// [`Accepted::receipt`](crate::outcome::Accepted::receipt) says where, and
        /// [`receipts`](super::receipts) asks there. No public service gives one; self-hosted ones may.
        #[must_use]
        pub fn receipt(mut $self, receipt: bool) -> Self {
            $target.receipt = receipt;
            $self
        }

        /// Asks for a receipt where the receipts of an earlier message come from, so that the
        /// service can send them together (RFC 8030 §5.1): the [`Endpoint::join`] of its
        /// [`Accepted::receipt`](crate::outcome::Accepted::receipt). It is told to that push service
        /// only; messages of the template to others ask for receipts of their own.
        #[must_use]
        pub fn receipts_at(mut $self, receipts: Endpoint) -> Self {
            $target.receipt = true;
            $target.receipts = Some(receipts);
            $self
        }
    };
}

impl MessageBuilder {
    pub(super) fn new(subscription: Arc<Subscription>) -> Self {
        Self {
            subscription,
            template: TemplateBuilder::default(),
        }
    }

    setters!(self, self.template);

    /// The message.
    ///
    /// # Errors
    /// As [`TemplateBuilder::build`] and [`Template::to`].
    pub fn build(self) -> Result<Message, Error> {
        self.template.build()?.to(self.subscription)
    }
}

/// The subscription's JSON and its age, as a form names them.
pub(super) type Target = (Option<RawText>, Option<u64>);

impl TemplateBuilder {
    setters!(self, self);

    /// The builder that a form describes, and its subscription. A field that is added to either does not
    /// compile until it stands here.
    pub(super) fn from_form(form: MessageForm, at: &Path<'_>) -> Result<(Self, Target), Error> {
        let MessageForm {
            subscription,
            subscription_created_at_ms,
            payload,
            payload_json,
            payload_base64,
            ttl,
            urgency,
            topic,
            padding,
            encoding,
            receipt,
            receipts_at,
        } = form;
        let payload = match (payload, payload_json, payload_base64) {
            (None, None, None) => None,
            (Some(text), None, None) => Some(text.into_bytes()),
            (None, Some(Json::Text(text)), None) => Some(text.as_bytes().to_vec()),
            (None, Some(Json::Value(value)), None) => Some(value.to_string().into_bytes()),
            (None, None, Some(text)) => {
                let at = at.field("payload_base64");
                let bytes = crypto::base64::decode(&text);
                Some(bytes.ok_or_else(|| at.error(ErrorKind::InvalidPayload, "not base64"))?)
            }
            _ => {
                return Err(at.error(
                    ErrorKind::Conflict,
                    "more than one of payload, payload_json and payload_base64",
                ));
            }
        };
        let builder = Self {
            payload,
            ttl: ttl.map(|secs| Duration::from_secs(secs.into())),
            urgency,
            topic,
            padding: match padding {
                Some(padding) => padding.padding(&at.field("padding"))?,
                None => Padding::default(),
            },
            encoding: match encoding {
                Some(encoding) => encoding.encoding(&at.field("encoding"))?,
                None => Encoding::default(),
            },
            // Where the receipts come from says that one is asked for.
            receipt: receipt.unwrap_or(receipts_at.is_some()),
            receipts: receipts_at,
        };
        Ok((builder, (subscription, subscription_created_at_ms)))
    }

    /// The form of what was asked for, for [`Template::write_form`]: `payload` is what the record holds.
    /// A field that is added does not compile until it stands here.
    pub(super) fn form(&self, payload: Option<&[u8]>) -> Object<'_> {
        let Self {
            // Moved into the record.
            payload: _,
            ttl,
            urgency,
            topic,
            padding,
            encoding,
            receipt,
            receipts,
        } = self;
        let mut form = Object::new();
        match payload.map(|payload| (payload, std::str::from_utf8(payload))) {
            Some((_, Ok(text))) => form.insert("payload", Item::Own(text.into())),
            Some((bytes, Err(_))) => {
                form.insert("payload_base64", Item::Own(crypto::base64::encode(bytes).into()));
            }
            None => {}
        }
        if let Some(ttl) = ttl {
            // Beyond what any service keeps, and so lowered in any case.
            form.insert("ttl", ttl.as_secs().min(u32::MAX.into()));
        }
        if let Some(urgency) = urgency {
            form.insert("urgency", urgency.as_str());
        }
        if let Some(topic) = topic {
            form.insert("topic", topic.as_str());
        }
        let size = |bytes: usize| Item::Number(u32::try_from(bytes).unwrap_or(u32::MAX).into());
        let mut inner = Object::new();
        match padding {
            Padding::None => {}
            Padding::ToMultipleOf(step) => inner.insert("to_multiple_of", size(*step)),
            Padding::ToLength(length) => inner.insert("to_length", size(*length)),
        }
        if *padding != Padding::None {
            form.insert("padding", inner);
        }
        match encoding {
            Encoding::Aes128Gcm => {}
            #[cfg(feature = "aesgcm")]
            Encoding::AesGcm { vapid } => {
                let mut inner = Object::new();
                inner.insert("aesgcm", Item::Own(vapid.to_base64().into()));
                form.insert("encoding", inner);
            }
        }
        if *receipt {
            form.insert("receipt", true);
        }
        if let (true, Some(receipts)) = (receipt, receipts) {
            form.insert("receipts_at", Item::Own(receipts.url().into()));
        }
        form
    }

    /// The template.
    ///
    /// # Errors
    /// `PayloadTooLarge` over 3993 bytes (4078 in the legacy encoding): the body, in one
    /// record, would be longer than the 4096 bytes that every service takes.
    pub fn build(mut self) -> Result<Template, Error> {
        let record = self
            .payload
            .as_deref()
            .map(|payload| self.record(payload))
            .transpose()?;
        let body_len = record
            .as_ref()
            .map(|record| self.encoding.around_record() + record.len());
        let block = |provider| self.block(provider, body_len);
        let [mozilla, fcm, apple, wns, other] = Provider::ALL;
        let common = [
            block(mozilla)?,
            block(fcm)?,
            block(apple)?,
            block(wns)?,
            block(other)?,
        ];
        // The record holds it.
        self.payload = None;
        let receipts = self.receipts.as_ref().filter(|_| self.receipt);
        Ok(Template {
            shared: Arc::new(Shared {
                record,
                encoding: self.encoding,
                receipts: receipts.map(ReceiptLink::new),
                asked: self,
                common,
                circumstances: OnceLock::new(),
            }),
        })
    }

    fn record(&self, payload: &[u8]) -> Result<Box<[u8]>, Error> {
        let limit =
            Provider::Other.largest_body() - self.encoding.around_record() - self.encoding.in_record();
        if let Some(over @ 1..) = payload.len().checked_sub(limit) {
            return Err(Error::new(
                ErrorKind::PayloadTooLarge,
                format!("the payload is {over} bytes over the limit of {limit}"),
            ));
        }
        let padding = self.padding.apply(payload.len(), limit) - payload.len();
        Ok(self.encoding.record(payload, padding))
    }

    fn block(&self, provider: Provider, body_len: Option<usize>) -> Result<Arc<HeaderBlock>, Error> {
        let mut headers = Headers::new();
        let mut push = |name, value: &str| headers.push(name, value, Indexing::Incremental);
        let ttl = self
            .ttl
            .unwrap_or(DEFAULT_TTL)
            .min(provider.longest_ttl())
            .as_secs();
        push("ttl", &ttl.to_string())?;
        // The same for every message, so it costs nothing after the first; some services count on it.
        push("content-length", &body_len.unwrap_or_default().to_string())?;
        if body_len.is_some() {
            push("content-type", "application/octet-stream")?;
            push("content-encoding", self.encoding.name())?;
        }
        if let Some(urgency) = self.urgency {
            push("urgency", urgency.as_str())?;
        }
        match &self.topic {
            Some(topic) if provider == Provider::Apple && !topic.fits_apple() => {
                push("topic", Topic::hashed(topic.as_str()).as_str())?;
            }
            Some(topic) => push("topic", topic.as_str())?,
            None => {}
        }
        if self.receipt {
            push("prefer", "respond-async")?;
        }
        if provider == Provider::Wns {
            // Without it WNS answers 400 to TTL 0.
            push("x-wns-cache-policy", if ttl == 0 { "no-cache" } else { "cache" })?;
        }
        Ok(HeaderBlock::new(headers))
    }
}

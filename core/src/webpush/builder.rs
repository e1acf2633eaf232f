//! Builders of messages and templates: what may be asked for, and what each push
//! service takes of it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::encoding::Encoding;
use super::endpoint::Endpoint;
use super::message::{Message, Padding, ReceiptLink, Shared, Template, Urgency};
use super::provider::Provider;
use super::subscription::Subscription;
use super::topic::Topic;
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Headers, Indexing};

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
        /// What the device gets, encrypted: any bytes, at most 3993 (4078 in the legacy
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

impl TemplateBuilder {
    setters!(self, self);

    /// The template.
    ///
    /// # Errors
    /// `PayloadTooLarge` over 3993 bytes (4078 in the legacy encoding): the body, in one
    /// record, would be longer than the 4096 bytes that every service takes.
    pub fn build(self) -> Result<Template, Error> {
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
        Ok(Template {
            shared: Arc::new(Shared {
                record,
                encoding: self.encoding,
                receipts: self.receipts.filter(|_| self.receipt).map(ReceiptLink::new),
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

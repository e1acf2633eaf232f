//! What is sent: a template with all that a campaign has in common, and one
//! subscription.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::provider::Provider;
use super::subscription::Subscription;
use super::topic::Topic;
use crate::crypto::{self, Es256PublicKey, ece};
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Headers, Indexing, Method, Request};

/// 28 days: the longest that every public service keeps a message.
const DEFAULT_TTL: Duration = Duration::from_secs(28 * 24 * 3600);

/// How a payload is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// RFC 8188 and RFC 8291. Every browser since 2018.
    #[default]
    Aes128Gcm,
    /// draft-ietf-webpush-encryption-04, for very old subscriptions; Apple refuses
    /// it. The draft's `Crypto-Key` header holds the VAPID public key too.
    AesGcm {
        /// The public half of the credentials that the message is sent with.
        vapid: Es256PublicKey,
    },
}

/// What is added to a payload so that its length tells less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Padding {
    /// Nothing: the body's length is the payload's plus 103.
    #[default]
    None,
    /// Up to the next multiple of this many bytes, as far as there is room.
    ToMultipleOf(usize),
    /// Up to this many bytes; a longer payload stays as it is. More than about 2600
    /// does not reach Firefox on Android ([`Provider::safe_body`]).
    ToLength(usize),
}

impl Padding {
    fn apply(self, len: usize, limit: usize) -> usize {
        let wanted = match self {
            Padding::None => len,
            Padding::ToMultipleOf(step) => len.checked_next_multiple_of(step).unwrap_or(len),
            Padding::ToLength(length) => length,
        };
        wanted.clamp(len, limit.max(len))
    }
}

/// How soon the device should be woken for a message (RFC 8030 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Urgency {
    /// On power and Wi-Fi.
    VeryLow,
    /// On either.
    Low,
    /// On neither. What services assume when nothing is said.
    #[default]
    Normal,
    /// Low battery.
    High,
}

impl Urgency {
    /// The header's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Urgency::VeryLow => "very-low",
            Urgency::Low => "low",
            Urgency::Normal => "normal",
            Urgency::High => "high",
        }
    }
}

/// All that the messages of a campaign have in common, prepared once: the padded
/// payload and the header block of each push service. Cheap to clone.
#[derive(Clone)]
pub struct Template {
    shared: Arc<Shared>,
}

struct Shared {
    /// Plaintext, delimiter and padding in the order of the encoding.
    record: Option<Box<[u8]>>,
    encoding: Encoding,
    /// In the order of [`Provider::ALL`].
    common: [Arc<HeaderBlock>; Provider::ALL.len()],
}

impl Template {
    /// A template with neither payload nor topic, normal urgency, kept for 28 days.
    pub fn builder() -> TemplateBuilder {
        TemplateBuilder::default()
    }

    /// The message for one subscription.
    ///
    /// # Errors
    /// `MissingField` when there is a payload and the subscription has no keys.
    pub fn to(&self, subscription: impl Into<Arc<Subscription>>) -> Result<Message, Error> {
        let subscription = subscription.into();
        if self.shared.record.is_some() && !subscription.has_keys() {
            return Err(Error::new(
                ErrorKind::MissingField,
                "the subscription has no keys, so it cannot take a payload",
            ));
        }
        Ok(Message {
            template: self.clone(),
            subscription,
        })
    }

    /// The length of every body made from it, in bytes; 0 without a payload.
    pub fn body_len(&self) -> usize {
        let header = match self.shared.encoding {
            Encoding::Aes128Gcm => ece::HEADER,
            Encoding::AesGcm { .. } => 0,
        };
        let record = self.shared.record.as_ref();
        record.map_or(0, |record| header + record.len() + ece::TAG)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("encoding", &self.shared.encoding)
            .field("body_len", &self.body_len())
            .finish_non_exhaustive()
    }
}

/// One message to one subscription. The payload is encrypted when the request is
/// written, with a new key each time: a message that is sent twice has two bodies.
#[derive(Clone, Debug)]
pub struct Message {
    template: Template,
    subscription: Arc<Subscription>,
}

impl Message {
    /// A message to one subscription; see [`Template::builder`] for the defaults.
    pub fn builder(subscription: impl Into<Arc<Subscription>>) -> MessageBuilder {
        MessageBuilder {
            subscription: subscription.into(),
            template: Template::builder(),
        }
    }

    /// The same message to another subscription; payload and headers are shared.
    ///
    /// # Errors
    /// As [`Template::to`].
    pub fn to(&self, subscription: impl Into<Arc<Subscription>>) -> Result<Self, Error> {
        self.template.to(subscription)
    }

    /// Whom it goes to.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// What it has in common with the others of its campaign.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Fills a cleared request with everything but the authorization. Encrypts
    /// into the request's own body; nothing is allocated once its buffers have grown.
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub(crate) fn write(&self, request: &mut Request) -> Result<(), Error> {
        let shared = &*self.template.shared;
        let endpoint = self.subscription.endpoint();
        request.method = Method::Post;
        request.authority = Some(endpoint.authority().clone());
        request.path.push_str(endpoint.path());
        request.common = Some(shared.block(endpoint.provider()));
        if let (Some(record), Some(receiver)) = (&shared.record, self.subscription.keys()) {
            let body = request.body.own();
            match &shared.encoding {
                Encoding::Aes128Gcm => ece::seal_aes128gcm(receiver, record, body)?,
                Encoding::AesGcm { vapid } => {
                    let (salt, dh) = ece::seal_aesgcm(receiver, record, body)?;
                    let salt = crypto::base64::encode(&salt);
                    let (dh, vapid) = (crypto::base64::encode(&dh), vapid.to_base64());
                    let headers = &mut request.headers;
                    headers.push("encryption", &format!("salt={salt}"), Indexing::Without)?;
                    let crypto_key = format!("dh={dh};p256ecdsa={vapid}");
                    headers.push("crypto-key", &crypto_key, Indexing::Without)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the credential goes into the draft's `WebPush` scheme.
    pub(super) fn is_legacy(&self) -> bool {
        let shared = &self.template.shared;
        shared.record.is_some() && matches!(shared.encoding, Encoding::AesGcm { .. })
    }
}

impl Shared {
    fn block(&self, provider: Provider) -> Arc<HeaderBlock> {
        let [mozilla, fcm, apple, wns, other] = &self.common;
        Arc::clone(match provider {
            Provider::Mozilla => mozilla,
            Provider::Fcm => fcm,
            Provider::Apple => apple,
            Provider::Wns => wns,
            Provider::Other => other,
        })
    }
}

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

        /// Asks for a receipt (`Prefer: respond-async`, RFC 8030 §5.1). No public
        /// service gives one; self-hosted ones may.
        #[must_use]
        pub fn receipt(mut $self, receipt: bool) -> Self {
            $target.receipt = receipt;
            $self
        }
    };
}

impl MessageBuilder {
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
        let block = |provider| self.block(provider, record.is_some());
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
                common,
            }),
        })
    }

    fn record(&self, payload: &[u8]) -> Result<Box<[u8]>, Error> {
        let room = Provider::Other.largest_body() - ece::TAG;
        let limit = match self.encoding {
            Encoding::Aes128Gcm => room - ece::HEADER - 1,
            Encoding::AesGcm { .. } => room - 2,
        };
        if let Some(over @ 1..) = payload.len().checked_sub(limit) {
            return Err(Error::new(
                ErrorKind::PayloadTooLarge,
                format!("the payload is {over} bytes over the limit of {limit}"),
            ));
        }
        let padding = self.padding.apply(payload.len(), limit) - payload.len();
        let mut record = Vec::with_capacity(payload.len() + padding + 2);
        match self.encoding {
            Encoding::Aes128Gcm => {
                record.extend_from_slice(payload);
                record.push(2); // the last record (RFC 8188 §2)
                record.resize(record.len() + padding, 0);
            }
            Encoding::AesGcm { .. } => {
                let padding = u16::try_from(padding).unwrap_or(0);
                record.extend_from_slice(&padding.to_be_bytes());
                record.resize(2 + usize::from(padding), 0);
                record.extend_from_slice(payload);
            }
        }
        Ok(record.into())
    }

    fn block(&self, provider: Provider, has_payload: bool) -> Result<Arc<HeaderBlock>, Error> {
        let mut headers = Headers::new();
        let mut push = |name, value: &str| headers.push(name, value, Indexing::Incremental);
        let ttl = self
            .ttl
            .unwrap_or(DEFAULT_TTL)
            .min(provider.longest_ttl())
            .as_secs();
        push("ttl", &ttl.to_string())?;
        if has_payload {
            push("content-type", "application/octet-stream")?;
            push(
                "content-encoding",
                match self.encoding {
                    Encoding::Aes128Gcm => "aes128gcm",
                    Encoding::AesGcm { .. } => "aesgcm",
                },
            )?;
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

#[cfg(test)]
mod tests;

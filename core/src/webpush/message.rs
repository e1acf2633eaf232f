//! What is sent: a template with all that a campaign has in common, and one
//! subscription.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::builder::{MessageBuilder, TemplateBuilder};
use super::encoding::Encoding;
use super::endpoint::Endpoint;
use super::link;
use super::provider::Provider;
use super::subscription::Subscription;
#[cfg(feature = "aesgcm")]
use crate::crypto::Es256PublicKey;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Indexing, Method, Request};
use crate::json::{Item, Object};
use crate::outcome::{Circumstances, Suspect};

/// The padding that is added to a payload so that its length tells less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Padding {
    /// Nothing: the body's length is the payload's plus 103.
    #[default]
    None,
    /// Up to the next multiple of this many bytes, as far as there is room.
    ToMultipleOf(usize),
    /// Up to this many bytes; a longer payload stays as it is. Details than about 2600
    /// does not reach Firefox on Android ([`Provider::safe_body`]).
    ToLength(usize),
}

impl Padding {
    pub(super) fn apply(self, len: usize, limit: usize) -> usize {
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
#[non_exhaustive]
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
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    /// Plaintext, delimiter and padding in the order of the encoding.
    pub(super) record: Option<Box<[u8]>>,
    pub(super) encoding: Encoding,
    pub(super) receipts: Option<ReceiptLink>,
    /// The settings that the template was built with, without the payload, which `record` holds.
    pub(super) asked: TemplateBuilder,
    /// In the order of [`Provider::ALL`].
    pub(super) common: [Arc<HeaderBlock>; Provider::ALL.len()],
    /// The circumstances of the payload. Made when first asked for, because a message that is built for one subscription only may
    /// never need them.
    pub(super) circumstances: OnceLock<Circumstances>,
}

/// Where an earlier message's receipts come from, for the one origin that it belongs to.
pub(super) struct ReceiptLink {
    origin: Authority,
    link: Box<str>,
}

impl ReceiptLink {
    pub(super) fn new(receipts: &Endpoint) -> Self {
        Self {
            origin: receipts.authority().clone(),
            link: format!("<{}>; rel=\"{}\"", receipts.url(), link::RECEIPT).into(),
        }
    }
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

    /// The message without a subscription as JSON (`docs/messages.md`).
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        self.shared.form().write(out);
    }

    /// The payload before it is padded and encrypted; empty without one.
    pub(crate) fn payload(&self) -> &[u8] {
        let record = self.shared.record.as_deref();
        record.map_or(&[], |record| self.shared.encoding.payload(record))
    }

    /// The length of every body made from it, in bytes; 0 without a payload.
    pub fn body_len(&self) -> usize {
        let around = self.shared.encoding.around_record();
        let record = self.shared.record.as_ref();
        record.map_or(0, |record| around + record.len())
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
        MessageBuilder::new(subscription.into())
    }

    /// Returns the same message to another subscription; payload and headers are shared.
    ///
    /// # Errors
    /// As [`Template::to`].
    pub fn to(&self, subscription: impl Into<Arc<Subscription>>) -> Result<Self, Error> {
        self.template.to(subscription)
    }

    /// The message as JSON (`docs/messages.md`), with the subscription and its `auth` secret. A field
    /// that is added does not compile until it stands here.
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let Self {
            template,
            subscription,
        } = self;
        let text = subscription.to_json();
        let mut form = Object::new();
        form.insert("subscription", Item::Raw(&text));
        if let Some(time) = subscription.created() {
            form.insert("subscription_created_at_ms", time.as_millis());
        }
        form.append(template.shared.form());
        form.write(out);
    }

    /// Returns the subscription that the message goes to.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// Returns what could explain an answer beside the subscription: the payload, and the push service, because one that binds no
    /// key says nothing of the key to another; see [`Witness`](crate::outcome::Witness). The VAPID key is the credentials'.
    pub fn circumstances(&self) -> Circumstances {
        let shared = &*self.template.shared;
        let payload = shared.circumstances.get_or_init(|| {
            Circumstances::new().with(Suspect::Payload, shared.record.as_deref().unwrap_or_default())
        });
        payload.with(
            Suspect::Key,
            self.subscription.endpoint().authority().as_str().as_bytes(),
        )
    }

    /// Returns the template: the content that the message has in common with the others of its campaign.
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
        if let Some(receipts) = &shared.receipts {
            if receipts.origin == *endpoint.authority() {
                request
                    .headers
                    .push("link", &receipts.link, Indexing::Incremental)?;
            }
        }
        if let (Some(record), Some(receiver)) = (&shared.record, self.subscription.keys()) {
            shared.encoding.seal(receiver, record, request)?;
        }
        Ok(())
    }

    /// The key that the legacy encoding names in its own header.
    #[cfg(feature = "aesgcm")]
    pub(super) fn legacy_key(&self) -> Option<&Es256PublicKey> {
        let shared = &self.template.shared;
        shared.record.as_ref().and(shared.encoding.legacy_key())
    }
}

impl Shared {
    /// A field that is added does not compile until it stands here.
    fn form(&self) -> Object<'_> {
        let Self {
            record,
            encoding,
            receipts: _,
            asked,
            common: _,
            circumstances: _,
        } = self;
        asked.form(record.as_deref().map(|record| encoding.payload(record)))
    }

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

#[cfg(test)]
mod tests;

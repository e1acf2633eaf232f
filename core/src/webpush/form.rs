//! Web Push messages as JSON: the tables of their fields. `docs/messages.md` is written from them.

use super::builder::TemplateBuilder;
use super::encoding::Encoding;
use super::endpoint::Endpoint;
use super::message::{Message, Padding, Template, Urgency};
use super::policy::EndpointPolicy;
use super::subscription::Subscription;
use super::topic::Topic;
#[cfg(feature = "aesgcm")]
use crate::crypto::{self, Es256PublicKey};
use crate::error::{Error, ErrorKind};
use crate::json::form::{Form, RawText, form, text_form, word_form};
use crate::json::{Json, Node, Path};
use crate::time::UnixTime;

form! {
    /// One message to one subscription. At most one of `payload`, `payload_json` and `payload_base64`; without any
    /// of them the device is only woken up. A template is the same without `subscription` and
    /// `subscription_created_at_ms`.
    MessageForm "Web Push: message"
    {
        /// The subscription, as `PushSubscription.toJSON()` gives it.
        subscription: RawText, "required", "an endpoint that the policy allows", "path, encryption";
        /// When the subscription was made, in milliseconds since 1970: what FCM answers to a new one is read with care.
        subscription_created_at_ms: u64, "unknown", "", "not sent";
        /// The text that the device gets.
        payload: String, "none", "3993 bytes", "body, encrypted";
        /// The JSON that the device gets.
        payload_json: Json, "none", "3993 bytes", "body, encrypted";
        /// The bytes that the device gets, in base64 or base64url.
        payload_base64: String, "none", "3993 bytes", "body, encrypted";
        /// How many seconds the service keeps the message for a device that is away.
        ttl: u32, "2419200", "lowered to what the service takes", "header `ttl`";
        /// How soon the device is woken.
        urgency: Urgency, "the service takes `\"normal\"`", "", "header `urgency`";
        /// Replaces an undelivered message of the same topic.
        topic: Topic, "none", "1 to 32 letters, digits, `-`, `_`", "header `topic`";
        /// Hides the payload's length.
        padding: PaddingForm, "none", "", "body";
        /// How the payload is encrypted.
        encoding: EncodingForm, "aes128gcm", "", "header `content-encoding`";
        /// Asks for a receipt.
        receipt: bool, "false", "", "header `prefer`";
        /// The URL that the receipts of an earlier message come from.
        receipts_at: Endpoint, "none", "an https URL", "header `link`";
    }
}

form! {
    /// How a payload is padded. Exactly one member.
    PaddingForm "Web Push: padding"
    {
        /// Up to the next multiple of this many bytes.
        to_multiple_of: u32, "", "", "";
        /// Up to this many bytes.
        to_length: u32, "", "", "";
    }
}

form! {
    /// How a payload is encrypted. Exactly one member.
    EncodingForm "Web Push: encoding"
    {
        /// RFC 8291: what is used when nothing is said.
        aes128gcm: bool, "", "true", "";
        /// The legacy encoding; its value is the VAPID public key of the credentials, in base64url. Needs the feature `aesgcm`.
        aesgcm: String, "", "65 bytes", "header `crypto-key`";
    }
}

word_form!(Urgency {
    Urgency::VeryLow => "very-low" = Urgency::VeryLow,
    Urgency::Low => "low" = Urgency::Low,
    Urgency::Normal => "normal" = Urgency::Normal,
    Urgency::High => "high" = Urgency::High,
});

text_form!(Topic, Topic::new, "string", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,32}$"});
text_form!(Endpoint, Endpoint::parse, "string", {"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]://"});

impl PaddingForm {
    pub(super) fn padding(self, at: &Path<'_>) -> Result<Padding, Error> {
        let Self {
            to_multiple_of,
            to_length,
        } = self;
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        match (to_multiple_of, to_length) {
            (Some(step), None) => Ok(Padding::ToMultipleOf(size(step))),
            (None, Some(length)) => Ok(Padding::ToLength(size(length))),
            _ => Err(at.error(
                ErrorKind::Conflict,
                "not exactly one of to_multiple_of and to_length",
            )),
        }
    }
}

impl EncodingForm {
    pub(super) fn encoding(self, at: &Path<'_>) -> Result<Encoding, Error> {
        let Self { aes128gcm, aesgcm } = self;
        match (aes128gcm, aesgcm) {
            (Some(true), None) => Ok(Encoding::Aes128Gcm),
            #[cfg(feature = "aesgcm")]
            (None, Some(key)) => {
                let at = at.field("aesgcm");
                let point: [u8; 65] = crypto::base64::decode_array(&key)
                    .ok_or_else(|| at.error(ErrorKind::InvalidKey, "not 65 bytes in base64url"))?;
                let vapid = Es256PublicKey::read(&point).map_err(|error| at.wrap(&error))?;
                Ok(Encoding::AesGcm { vapid })
            }
            #[cfg(not(feature = "aesgcm"))]
            (None, Some(_)) => {
                let what = "this build cannot send the legacy encoding";
                Err(at.field("aesgcm").error(ErrorKind::InvalidValue, what))
            }
            _ => Err(at.error(ErrorKind::Conflict, "not exactly one of aes128gcm and aesgcm")),
        }
    }
}

/// Reads a message to a subscription whose endpoint `policy` allows.
pub(crate) fn read(node: Node<'_>, at: &Path<'_>, policy: &EndpointPolicy) -> Result<Message, Error> {
    let (builder, target) = TemplateBuilder::from_form(MessageForm::read(node, at)?, at)?;
    let (Some(RawText(json)), created) = target else {
        return Err(at
            .field("subscription")
            .error(ErrorKind::InvalidTarget, "required"));
    };
    let subscription = Subscription::parse(json.as_bytes(), policy);
    let mut subscription = subscription.map_err(|error| at.field("subscription").wrap(&error))?;
    if let Some(millis) = created {
        subscription = subscription.created_at(UnixTime::from_millis(millis));
    }
    let made = builder.build().and_then(|template| template.to(subscription));
    made.map_err(|error| at.wrap(&error))
}

/// Reads a message without a subscription.
pub(crate) fn read_template(node: Node<'_>, at: &Path<'_>) -> Result<Template, Error> {
    let (builder, target) = TemplateBuilder::from_form(MessageForm::read(node, at)?, at)?;
    if !matches!(target, (None, None)) {
        let what = "belongs to one message, not to a template";
        return Err(at.field("subscription").error(ErrorKind::InvalidTarget, what));
    }
    builder.build().map_err(|error| at.wrap(&error))
}

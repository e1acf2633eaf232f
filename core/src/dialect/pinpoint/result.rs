//! What Pinpoint says of one recipient.

use serde_json::{Map, Value, json};

use crate::dialect::sent::Sent;
use crate::error::ErrorKind;
use crate::outcome::OutcomeKind;

/// Reasons of APNs that clients delete a device for.
const DEAD: &[&str] = &["BadDeviceToken", "Unregistered", "DeviceTokenNotForTopic", "ExpiredToken"];

/// `MessageResult`, or with an address `EndpointMessageResult`.
pub(super) fn result(sent: &Sent, channel: &str, address: Option<&str>) -> Value {
    let (status, code, text) = verdict(sent, channel);
    let mut map = Map::new();
    if let Some(address) = address {
        map.insert("Address".into(), address.into());
    }
    map.insert("DeliveryStatus".into(), status.into());
    let id = match (&sent.id, status) {
        (Some(id), "SUCCESSFUL") => Some(id.as_str()),
        (None, "SUCCESSFUL") => None,
        _ => Some("message-not-sent"),
    };
    if let Some(id) = id {
        map.insert("MessageId".into(), id.into());
    }
    map.insert("StatusCode".into(), code.into());
    map.insert("StatusMessage".into(), text.into());
    if let Some(token) = &sent.replacement {
        map.insert("UpdatedToken".into(), token.as_str().into());
    }
    Value::Object(map)
}

/// `DeliveryStatus`, `StatusCode` and `StatusMessage`.
fn verdict(sent: &Sent, channel: &str) -> (&'static str, u16, String) {
    match sent.outcome.as_str() {
        "opt_out" => return ("OPT_OUT", 200, "User has opted out".to_owned()),
        "duplicate" => {
            let text = "The address is the one of another endpoint of this request";
            return ("DUPLICATE", 200, text.to_owned());
        }
        "no_endpoint" => {
            return ("PERMANENT_FAILURE", 404, "The endpoint does not exist".to_owned());
        }
        "inactive" => {
            return ("PERMANENT_FAILURE", 410, "The endpoint is inactive".to_owned());
        }
        _ => {}
    }
    let reason = sent.reason.as_deref().unwrap_or_default();
    match (sent.kind(), sent.status) {
        (Some(OutcomeKind::Accepted), _) => ("SUCCESSFUL", 200, String::new()),
        (Some(OutcomeKind::TokenGone), _) => dead(sent, channel),
        (Some(OutcomeKind::TokenMismatch), _) if DEAD.contains(&reason) => dead(sent, channel),
        (Some(OutcomeKind::RetryLater), 429) => (
            "THROTTLED",
            429,
            said(sent, channel, "Throttled by the push service"),
        ),
        // A success that cannot be the service's, and an answer without a status: nobody knows.
        (Some(OutcomeKind::RetryLater), 0..=399) => (
            "UNKNOWN_FAILURE",
            500,
            said(sent, channel, "The answer of the push service is not known"),
        ),
        (Some(_), status @ 500..) => (
            "TEMPORARY_FAILURE",
            status,
            said(sent, channel, "The push service failed"),
        ),
        (Some(OutcomeKind::RetryLater), status) => (
            "TEMPORARY_FAILURE",
            status,
            said(sent, channel, "The push service asks to try again"),
        ),
        (Some(OutcomeKind::FixCredentials), status) => (
            "PERMANENT_FAILURE",
            status.max(400),
            said(sent, channel, "Invalid credentials of the channel"),
        ),
        (Some(_), status) => (
            "PERMANENT_FAILURE",
            status.max(400),
            said(sent, channel, "Invalid notification"),
        ),
        (None, _) => unanswered(sent),
    }
}

/// A device that is gone. Clients delete it for the provider's word, which stands in the text as it was sent.
fn dead(sent: &Sent, channel: &str) -> (&'static str, u16, String) {
    (
        "PERMANENT_FAILURE",
        410,
        said(sent, channel, "Unregistered or expired token"),
    )
}

/// A push without an answer of the provider.
fn unanswered(sent: &Sent) -> (&'static str, u16, String) {
    let text = sent.text.clone().unwrap_or_default();
    match sent.error {
        Some(code) if code == ErrorKind::Unknown.code() => ("UNKNOWN_FAILURE", 504, text),
        // What the message itself has wrong.
        Some(200..=299) => ("PERMANENT_FAILURE", 400, text),
        // A key or a certificate of the operator's.
        Some(100..=199) => ("PERMANENT_FAILURE", 403, text),
        _ => ("TEMPORARY_FAILURE", 503, text),
    }
}

/// The text of a failure as the service writes it: JSON inside a string.
fn said(sent: &Sent, channel: &str, text: &str) -> String {
    let reason = sent.reason.as_deref().unwrap_or_default();
    // FCM's word for a token that it cannot read is in its sentence alone.
    let error = match (channel, reason) {
        ("GCM", "INVALID_ARGUMENT" | "") => {
            let body: Value = serde_json::from_str(&sent.body).unwrap_or_default();
            let sentence = body
                .pointer("/error/message")
                .and_then(Value::as_str)
                .unwrap_or(reason);
            sentence.to_owned()
        }
        _ => reason.to_owned(),
    };
    json!({
        "errorMessage": text,
        "channelType": channel,
        "pushProviderStatusCode": sent.status.to_string(),
        "pushProviderError": error,
        "pushProviderResponse": sent.body,
    })
    .to_string()
}

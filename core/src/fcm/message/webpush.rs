//! `WebpushConfig`: what only browsers see.

use super::rules;
use crate::error::Error;
use crate::fcm::wire::Path;
use crate::fcm::wire::map::{JsonObject, StringMap};
use crate::fcm::wire::object::object;

object! {
    /// The part of a message that only browsers see.
    WebpushConfig, rules = config_rules,
    {
        /// Headers of RFC 8030: `TTL`, `Urgency`, `Topic`.
        headers: StringMap,
        /// Replaces the message's `data` in browsers.
        data: StringMap,
        /// A notification of the Web Notification API: any of its options, and others.
        notification: JsonObject,
        /// Options of the JavaScript SDK.
        fcm_options: WebpushFcmOptions,
    }
}

fn config_rules(config: &WebpushConfig, at: &Path<'_>) -> Result<(), Error> {
    let headers = config.headers.as_ref();
    rules::headers(headers, at)?;
    rules::header(
        headers,
        "TTL",
        at,
        // What has ten digits is a date, which would be lowered to four weeks without a word.
        |text| !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit()),
        "not a number of seconds from now (a date?)",
    )?;
    rules::header(
        headers,
        "Urgency",
        at,
        |text| matches!(text, "very-low" | "low" | "normal" | "high"),
        "not one of very-low low normal high",
    )?;
    rules::header(
        headers,
        "Topic",
        at,
        |text| {
            let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            (1..=32).contains(&text.len()) && text.bytes().all(base64url)
        },
        "not 1 to 32 characters of base64url",
    )
}

object! {
    /// Options of the JavaScript SDK.
    WebpushFcmOptions, rules = |options: &WebpushFcmOptions, at| {
        rules::https(options.link.as_ref(), "link", at)?;
        rules::analytics_label(options.analytics_label.as_ref(), at)
    },
    {
        /// The HTTPS page that a tap opens.
        link: String,
        /// A label for the message's statistics: 1 to 50 of `a-z A-Z 0-9 - _ . ~ %`.
        analytics_label: String,
    }
}

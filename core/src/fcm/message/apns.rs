//! `ApnsConfig`: what only Apple's devices see.

use std::fmt;

use serde_json::Value;

use super::rules;
use crate::error::{Error, ErrorKind};
use crate::fcm::wire::map::{JsonObject, StringMap};
use crate::fcm::wire::object::object;
use crate::fcm::wire::{Path, Wire};
use crate::time::UnixTime;

object! {
    /// The part of a message that only Apple's devices see.
    ApnsConfig, rules = config_rules,
    {
        /// Headers of APNs. The service adds `apns-expiration` (30 days) and `apns-priority` (10) if unset.
        headers: StringMap,
        /// The payload of APNs, `aps` and custom keys; its alert replaces the message's `notification`.
        payload: JsonObject,
        /// Options of the iOS SDK.
        fcm_options: ApnsFcmOptions,
        /// The token of a Live Activity: an update token or a push-to-start token.
        live_activity_token: LiveActivityToken,
    }
}

impl ApnsConfig {
    /// Whether the payload shows, plays or badges anything.
    pub(super) fn is_visible(&self) -> bool {
        let aps = self
            .payload
            .as_ref()
            .and_then(|payload| payload.as_map().get("aps"));
        let aps = aps.and_then(Value::as_object);
        aps.is_some_and(|aps| {
            ["alert", "badge", "sound"]
                .iter()
                .any(|key| aps.contains_key(*key))
        })
    }
}

fn config_rules(config: &ApnsConfig, at: &Path<'_>) -> Result<(), Error> {
    let headers = config.headers.as_ref();
    rules::headers(headers, at)?;
    rules::header(
        headers,
        "apns-priority",
        at,
        |text| matches!(text, "1" | "5" | "10"),
        "not one of 1 5 10",
    )?;
    rules::header(
        headers,
        "apns-collapse-id",
        at,
        |text| (1..=64).contains(&text.len()),
        "not 1 to 64 bytes",
    )?;
    rules::header(
        headers,
        "apns-expiration",
        at,
        |text| {
            let date = |secs| secs == 0 || UnixTime::from_secs(secs).check_date("expiration").is_ok();
            !text.starts_with('+') && text.parse::<u64>().is_ok_and(date)
        },
        "neither 0 nor a date in seconds since 1970 (a duration or milliseconds?)",
    )
}

object! {
    /// Options of the iOS SDK.
    ApnsFcmOptions, rules = |options: &ApnsFcmOptions, at| rules::analytics_label(options.analytics_label.as_ref(), at),
    {
        /// A label for the message's statistics: 1 to 50 of `a-z A-Z 0-9 - _ . ~ %`.
        analytics_label: String,
        /// The URL of an image; replaces the message's `notification.image`.
        image: String,
    }
}

/// The token of a Live Activity. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveActivityToken(String);

impl LiveActivityToken {
    /// The token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for LiveActivityToken {
    fn from(token: T) -> Self {
        Self(token.into())
    }
}

impl fmt::Debug for LiveActivityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LiveActivityToken([redacted])")
    }
}

impl Wire for LiveActivityToken {
    fn to_value(&self, at: &Path<'_>) -> Result<Value, Error> {
        self.0.to_value(at)
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        String::read(value, at).map(Self)
    }

    fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        let text = &self.0;
        if text.is_empty() || text.len() >= 4096 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(at.error(ErrorKind::InvalidToken, "not 1 to 4095 visible ascii characters"));
        }
        Ok(())
    }

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "string", "minLength": 1, "maxLength": 4095})
    }

    #[cfg(test)]
    fn kind() -> String {
        "string".to_owned()
    }
}

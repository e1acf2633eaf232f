//! A device push as the checks look at it: each thing is looked up once, for twenty checks.

use super::Gone;
use super::device::PUSH_TYPES;
use crate::exchange::Exchange;
use http::HeaderValue;
use std::borrow::Cow;
use std::cell::OnceCell;

/// The headers that may not come twice.
const HEADERS: [&str; 7] = [
    "authorization",
    "apns-id",
    "apns-topic",
    "apns-push-type",
    "apns-priority",
    "apns-expiration",
    "apns-collapse-id",
];

/// A request to push to a device. Of a header that came twice, the first counts.
pub(super) struct Push<'a> {
    pub(super) exchange: &'a Exchange,
    /// The path's end.
    pub(super) token: Option<&'a str>,
    /// The token in lower case, as the registry has it; empty when there is none.
    pub(super) key: Cow<'a, str>,
    pub(super) id: Option<&'a str>,
    pub(super) topic: Option<&'a str>,
    pub(super) push_type: Option<&'a str>,
    /// The rules of the push type.
    pub(super) kind: Option<&'static (&'static str, &'static str, usize)>,
    pub(super) priority: Option<&'a str>,
    pub(super) expiration: Option<&'a str>,
    pub(super) collapse_id: Option<&'a HeaderValue>,
    /// Some header came twice.
    pub(super) duplicates: bool,
    device: OnceCell<Option<Device>>,
}

/// The registry's entry for a device.
#[derive(Clone, Copy)]
pub(super) struct Device {
    /// The registry of this environment.
    pub(super) here: bool,
    /// Its app is the push's.
    pub(super) of_topic: bool,
    pub(super) unregistered_at: Option<i64>,
    pub(super) gone: Gone,
    pub(super) throttled: bool,
}

impl<'a> Push<'a> {
    pub(super) fn of(exchange: &'a Exchange) -> Self {
        let token = exchange.path.strip_prefix("/3/device/");
        let key = match token {
            Some(token) if token.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Cow::Owned(token.to_ascii_lowercase())
            }
            token => Cow::Borrowed(token.unwrap_or_default()),
        };
        let mut found = [None; HEADERS.len()];
        let mut duplicates = false;
        for (name, value) in &exchange.headers {
            let places = HEADERS.iter().zip(&mut found);
            for (_, place) in places.filter(|(known, _)| **known == name.as_str()) {
                duplicates |= place.is_some();
                place.get_or_insert(value);
            }
        }
        let text = |value: Option<&'a HeaderValue>| value.and_then(|value| value.to_str().ok());
        let [_, id, topic, push_type, priority, expiration, collapse_id] = found;
        let push_type = text(push_type);
        Self {
            exchange,
            token,
            key,
            id: text(id),
            topic: text(topic),
            push_type,
            kind: push_type.and_then(|name| PUSH_TYPES.iter().find(|(known, ..)| *known == name)),
            priority: text(priority),
            expiration: text(expiration),
            collapse_id,
            duplicates,
            device: OnceCell::new(),
        }
    }

    /// Returns the registry's entry for the device, with one look-up.
    pub(super) fn device(&self, look: impl FnOnce() -> Option<Device>) -> Option<Device> {
        *self.device.get_or_init(look)
    }
}

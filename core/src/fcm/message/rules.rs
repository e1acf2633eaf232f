//! Checks that several objects share.

use super::condition::is_topic_byte;
use crate::error::{Error, ErrorKind};
use crate::fcm::wire::Path;
use crate::fcm::wire::map::StringMap;

/// `^[a-zA-Z0-9-_.~%]{1,50}$`.
pub(crate) fn analytics_label(label: Option<&String>, at: &Path<'_>) -> Result<(), Error> {
    match label {
        Some(label) if label.is_empty() || label.len() > 50 || !label.bytes().all(is_topic_byte) => {
            Err(at.field("analytics_label").error(
                ErrorKind::InvalidValue,
                "not 1 to 50 of the characters a-z A-Z 0-9 - _ . ~ %",
            ))
        }
        _ => Ok(()),
    }
}

/// Keys that the service keeps for itself.
pub(crate) fn data(data: Option<&StringMap>, at: &Path<'_>) -> Result<(), Error> {
    let reserved = |key: &str| {
        matches!(key, "from" | "message_type" | "gcm")
            || key.starts_with("google")
            || key.starts_with("gcm.notification.")
    };
    let at = at.field("data");
    for (key, _) in data.into_iter().flat_map(StringMap::iter) {
        if reserved(key) {
            return Err(at
                .field(key)
                .error(ErrorKind::ReservedKey, "the key is reserved by fcm"));
        }
    }
    Ok(())
}

/// Localisation arguments need their key.
pub(crate) fn loc(
    args: Option<&Vec<String>>,
    key: Option<&String>,
    name: &'static str,
    at: &Path<'_>,
) -> Result<(), Error> {
    if args.is_some_and(|args| !args.is_empty()) && key.is_none() {
        return Err(at
            .field(name)
            .error(ErrorKind::MissingField, "arguments without their loc_key"));
    }
    Ok(())
}

/// `#rrggbb`.
pub(crate) fn rgb(color: Option<&String>, at: &Path<'_>) -> Result<(), Error> {
    let fits = |text: &str| {
        text.strip_prefix('#')
            .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    match color {
        Some(color) if !fits(color) => Err(at
            .field("color")
            .error(ErrorKind::InvalidValue, "not a colour like #rrggbb")),
        _ => Ok(()),
    }
}

/// A URL that must be fetched over TLS.
pub(crate) fn https(url: Option<&String>, name: &'static str, at: &Path<'_>) -> Result<(), Error> {
    let fits = |url: &str| {
        url.strip_prefix("https://")
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && !url.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    match url {
        Some(url) if !fits(url) => Err(at.field(name).error(ErrorKind::InvalidValue, "not an https url")),
        _ => Ok(()),
    }
}

/// A count cannot be negative.
pub(crate) fn count(count: Option<i32>, name: &'static str, at: &Path<'_>) -> Result<(), Error> {
    match count {
        Some(count) if count < 0 => Err(at.field(name).error(ErrorKind::InvalidValue, "negative")),
        _ => Ok(()),
    }
}

/// Android keeps a message for four weeks at most.
pub(crate) fn ttl(ttl: Option<std::time::Duration>, at: &Path<'_>) -> Result<(), Error> {
    const FOUR_WEEKS: std::time::Duration = std::time::Duration::from_secs(2_419_200);
    match ttl {
        Some(ttl) if ttl > FOUR_WEEKS => Err(at
            .field("ttl")
            .error(ErrorKind::InvalidValue, "longer than four weeks (2419200 s)")),
        _ => Ok(()),
    }
}

/// Headers that FCM puts into a request of its own: plain, and named once whatever the case.
pub(crate) fn headers(headers: Option<&StringMap>, at: &Path<'_>) -> Result<(), Error> {
    let at = at.field("headers");
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let mut seen = std::collections::BTreeSet::new();
    for (name, value) in headers.into_iter().flat_map(StringMap::iter) {
        let at = at.field(name);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(at.error(ErrorKind::InvalidHeader, "not a header name"));
        }
        let plain = value.bytes().all(|b| (0x20..0x7f).contains(&b)) && value.trim() == value;
        if !plain {
            return Err(at.error(ErrorKind::InvalidHeader, "the value is not plain visible ascii"));
        }
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(at.error(ErrorKind::Conflict, "the header is given twice"));
        }
    }
    Ok(())
}

/// One header's own form, when it is there.
pub(crate) fn header(
    headers: Option<&StringMap>,
    name: &'static str,
    at: &Path<'_>,
    fits: fn(&str) -> bool,
    what: &'static str,
) -> Result<(), Error> {
    match headers.and_then(|headers| headers.get_header(name)) {
        Some(value) if !fits(value) => Err(at
            .field("headers")
            .field(name)
            .error(ErrorKind::InvalidHeader, what)),
        _ => Ok(()),
    }
}

//! The rules for a response's header list (RFC 9113 §8.2, §8.3).

use super::hpack::ENTRY_OVERHEAD;
use crate::http::{Response, is_name};

/// A header list while it is decoded.
pub(super) struct HeaderList<'a> {
    limit: usize,
    /// Where the fields go; `None` for trailers.
    response: Option<&'a mut Response>,
    status: u16,
    size: usize,
    regular: bool,
    content_length: Option<u64>,
    /// The first rule that the list breaks; `None` while it is good.
    broken: Option<&'static str>,
}

/// The result of reading a header list.
pub(super) struct Summary {
    /// The status; 0 when there is none.
    pub(super) status: u16,
    /// The size as SETTINGS_MAX_HEADER_LIST_SIZE counts it (§6.5.2).
    pub(super) size: usize,
    /// The promised length of the body; `None` when none is promised.
    pub(super) content_length: Option<u64>,
    /// The rule that the list breaks; `None` when it is good.
    pub(super) broken: Option<&'static str>,
}

impl<'a> HeaderList<'a> {
    /// Returns an empty list, of which no more than `limit` is kept.
    pub(super) fn new(limit: usize, response: Option<&'a mut Response>) -> Self {
        Self {
            limit,
            response,
            status: 0,
            size: 0,
            regular: false,
            content_length: None,
            broken: None,
        }
    }

    /// Ends the list.
    pub(super) fn finish(self) -> Summary {
        Summary {
            status: self.status,
            size: self.size,
            content_length: self.content_length,
            broken: self.broken,
        }
    }

    /// Takes a field.
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        self.size = self
            .size
            .saturating_add(name.len() + value.len() + ENTRY_OVERHEAD);
        if self.size > self.limit || self.broken.is_some() {
            return;
        }
        if let Err(text) = self.check(name, value) {
            self.broken = Some(text);
        }
    }

    fn check(&mut self, name: &[u8], value: &[u8]) -> Result<(), &'static str> {
        if name.first() == Some(&b':') {
            if name != b":status" || self.response.is_none() {
                return Err("pseudo-header that has no place in a response");
            }
            if self.status != 0 || self.regular {
                return Err("status twice or after other headers");
            }
            self.status = parse_status(value).ok_or("status is not three digits")?;
            return Ok(());
        }
        self.regular = true;
        if !is_name(name) {
            return Err("header name is not a lower-case token");
        }
        if !is_value(value) {
            return Err("header value with control characters or outer spaces");
        }
        match name {
            b"connection" | b"transfer-encoding" | b"keep-alive" | b"proxy-connection" | b"upgrade" => {
                return Err("connection-specific header");
            }
            b"content-length" => {
                let length = parse_length(value).ok_or("content-length is not a number")?;
                if self.content_length.is_some_and(|before| before != length) {
                    return Err("two different content-lengths");
                }
                self.content_length = Some(length);
            }
            _ => {}
        }
        if let Some(response) = &mut self.response {
            response.headers.push_received(name, value);
        }
        Ok(())
    }
}

fn parse_status(value: &[u8]) -> Option<u16> {
    let [a, b, c] = *value.first_chunk::<3>()?;
    if value.len() != 3 || ![a, b, c].iter().all(u8::is_ascii_digit) || a == b'0' {
        return None;
    }
    let digit = |byte: u8| u16::from(byte - b'0');
    Some(digit(a) * 100 + digit(b) * 10 + digit(c))
}

fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// No CR, LF, NUL, nor any other control character but TAB, and no space or TAB at either end.
fn is_value(value: &[u8]) -> bool {
    let outer = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // Without an early end, in whole bytes: so it is done many at a time.
    let bad = value.iter().fold(0, |bad, &b| {
        bad | u8::from((b < 0x20) & (b != b'\t')) | u8::from(b == 0x7f)
    });
    bad == 0 && !outer(value.first()) && !outer(value.last())
}

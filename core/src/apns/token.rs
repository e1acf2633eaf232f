//! The token of one app on one device.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrayvec::ArrayString;

use crate::error::{Error, ErrorKind};
use crate::percent;

/// The token of one app on one device, in the form that goes into the path.
///
/// Its length is Apple's business: 64 hex digits are usual today, others exist.
/// A token of up to 64 bytes is held without an allocation. `Debug` hides it.
#[derive(Clone)]
pub struct DeviceToken(Repr);

#[derive(Clone)]
enum Repr {
    Inline(ArrayString<{ DeviceToken::INLINE }>),
    Heap(Arc<str>),
}

impl DeviceToken {
    const INLINE: usize = 64;
    const MAX: usize = 200;

    /// Reads hex digits: any even number of them from 2 to 200, in either case.
    ///
    /// # Errors
    /// `InvalidToken` (APNs: `BadDeviceToken`, `MissingDeviceToken`) for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidToken,
                "the device token is empty (MissingDeviceToken)",
            ));
        }
        if text.len() > Self::MAX || text.len() % 2 != 0 || !is_hex(text.as_bytes()) {
            return Err(Error::new(
                ErrorKind::InvalidToken,
                "the device token is not 2 to 200 hex digits, an even number of them (BadDeviceToken)",
            ));
        }
        Ok(Self(match ArrayString::from(text) {
            Ok(mut digits) => {
                digits.make_ascii_lowercase();
                Repr::Inline(digits)
            }
            Err(_) => Repr::Heap(text.to_ascii_lowercase().into()),
        }))
    }

    /// The token's bytes, as the device's operating system hands them to the app.
    ///
    /// # Errors
    /// `InvalidToken` unless there are 1 to 100 of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
        let text: String = bytes
            .iter()
            .take(Self::MAX)
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
            .flatten()
            .collect();
        Self::parse(&text)
    }

    /// A token as databases and caches hand it out: the text of its hex digits as bytes, or its own bytes.
    /// An even number of hex digits is text: as a raw token of 32 bytes that is once in 10^34.
    ///
    /// # Errors
    /// As [`DeviceToken::parse`] and [`DeviceToken::from_bytes`].
    pub fn from_text_or_bytes(bytes: &[u8]) -> Result<Self, Error> {
        match std::str::from_utf8(bytes) {
            // Shorter ones exist as bytes only: what Apple hands out has 32 and more.
            Ok(text) if bytes.len() >= 32 && bytes.len() % 2 == 0 && is_hex(bytes) => Self::parse(text),
            _ => Self::from_bytes(bytes),
        }
    }

    /// Takes any text of 1 to 200 bytes and lets the service judge it: what is
    /// not hex is percent-encoded, so that it stays one segment of the path.
    /// A token that [`DeviceToken::parse`] takes comes out the same.
    ///
    /// # Errors
    /// `InvalidToken` when it is empty, longer than 200 bytes, `.` or `..`.
    pub fn lenient(text: &str) -> Result<Self, Error> {
        if let Ok(token) = Self::parse(text) {
            return Ok(token);
        }
        if text.is_empty() || text.len() > Self::MAX || text == "." || text == ".." {
            return Err(Error::new(
                ErrorKind::InvalidToken,
                "the device token is empty, longer than 200 bytes, or a dot segment (BadDeviceToken)",
            ));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        if text.bytes().all(plain) {
            return Ok(Self::hold(text));
        }
        let mut encoded = String::with_capacity(text.len() * 3);
        for byte in text.bytes() {
            if plain(byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        Ok(Self::hold(&encoded))
    }

    /// The token as it stands in the path: lower-case hex, or percent-encoded text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline(text) => text,
            Repr::Heap(text) => text,
        }
    }

    /// Whether [`DeviceToken::parse`] would refuse it, and the text to read it from again.
    pub(crate) fn given(&self) -> (bool, String) {
        let text = self.as_str();
        if Self::parse(text).is_ok() {
            return (false, text.to_owned());
        }
        (true, percent::decode(text))
    }

    fn hold(text: &str) -> Self {
        match ArrayString::from(text) {
            Ok(text) => Self(Repr::Inline(text)),
            Err(_) => Self(Repr::Heap(text.into())),
        }
    }
}

/// Without a branch for each digit: every push brings its token.
fn is_hex(text: &[u8]) -> bool {
    let digit = |byte: u8| byte.wrapping_sub(b'0') < 10 || (byte | 0x20).wrapping_sub(b'a') < 6;
    text.iter().fold(true, |all, &byte| all & digit(byte))
}

impl PartialEq for DeviceToken {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for DeviceToken {}

impl Hash for DeviceToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceToken([{} bytes])", self.as_str().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_any_even_number_of_hex_digits() {
        for len in [2, 62, 64, 66, 96, 108, 160, 200] {
            let token = DeviceToken::parse(&"aB".repeat(len / 2)).unwrap();
            assert_eq!(token.as_str(), "ab".repeat(len / 2));
            assert_eq!(DeviceToken::from_bytes(&vec![0xab; len / 2]).unwrap(), token);
        }
    }

    #[test]
    fn bytes_of_hex_digits_are_a_text() {
        let hex = "ab".repeat(32);
        let token = DeviceToken::parse(&hex).unwrap();
        assert_eq!(DeviceToken::from_text_or_bytes(hex.as_bytes()).unwrap(), token);
        assert_eq!(DeviceToken::from_text_or_bytes(&[0xab; 32]).unwrap(), token);
        assert_eq!(
            DeviceToken::from_text_or_bytes(hex.to_uppercase().as_bytes()).unwrap(),
            token
        );
        // Wallet's tokens have 32 digits.
        assert_eq!(
            DeviceToken::from_text_or_bytes(&[b'a'; 32]).unwrap().as_str(),
            "a".repeat(32)
        );
        assert!(
            DeviceToken::from_text_or_bytes(&[b'a'; 33])
                .unwrap()
                .as_str()
                .starts_with("6161")
        );
    }

    #[test]
    fn refuses_what_is_not_a_token() {
        let long = "ab".repeat(101);
        let huge = "ab".repeat(1 << 19);
        for text in [
            "", "a", "abc", "gg", "ab cd", "<abcd>", "../..", "ab?c", "%0d%0a", "ab\r\n", "éé", &long, &huge,
        ] {
            let error = DeviceToken::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidToken);
            assert!(error.context().contains("DeviceToken)"));
        }
        assert!(DeviceToken::from_bytes(&[0; 101]).is_err());
        assert!(DeviceToken::from_bytes(&vec![0; 1 << 20]).is_err());
    }

    #[test]
    fn a_lenient_token_stays_one_path_segment() {
        for (text, path) in [
            ("ABCD", "abcd"),
            ("Zz9-not-hex", "Zz9-not-hex"),
            ("../..", "..%2F.."),
            ("a?b#c", "a%3Fb%23c"),
            ("%0d%0a", "%250d%250a"),
            ("a b\r\n", "a%20b%0D%0A"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(DeviceToken::lenient(text).unwrap().as_str(), path);
        }
        for text in ["", ".", "..", &"x".repeat(201)] {
            assert!(DeviceToken::lenient(text).is_err());
        }
        let long = DeviceToken::lenient(&"é".repeat(100)).unwrap();
        assert_eq!(long.as_str(), "%C3%A9".repeat(100));
    }

    #[test]
    fn debug_hides_the_token() {
        let token = DeviceToken::parse(&"ab".repeat(32)).unwrap();
        assert_eq!(format!("{token:?}"), "DeviceToken([64 bytes])");
    }
}

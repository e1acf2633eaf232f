//! Identifiers that become headers, claims and path segments.

use std::fmt;

use arrayvec::ArrayString;

use crate::error::{Error, ErrorKind};

macro_rules! ten_characters {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 10]);

        impl $name {
            /// Reads ten ASCII letters and digits.
            ///
            /// # Errors
            /// `InvalidCredential` for anything else.
            pub fn parse(text: &str) -> Result<Self, Error> {
                <[u8; 10]>::try_from(text.as_bytes())
                    .ok()
                    .filter(|bytes| bytes.iter().all(u8::is_ascii_alphanumeric))
                    .map(Self)
                    .ok_or_else(|| {
                        Error::new(
                            ErrorKind::InvalidCredential,
                            concat!("the ", $what, " is not ten letters and digits"),
                        )
                    })
            }

            /// The ten characters.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
    };
}

ten_characters! {
    /// The id of a signing key (`kid`), as shown where the key was downloaded.
    KeyId, "key id"
}
ten_characters! {
    /// The id of a developer team (`iss`).
    TeamId, "team id"
}

/// The id of one push: a UUID in its canonical form, lower-case. The caller
/// makes it, or APNs does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApnsId(ArrayString<36>);

impl ApnsId {
    /// Reads `123e4567-e89b-12d3-a456-426614174000`, in either case.
    ///
    /// # Errors
    /// `InvalidHeader` (APNs: `BadMessageId`) for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fits = |(at, byte): (usize, u8)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        match ArrayString::from(text) {
            Ok(mut id) if text.len() == 36 && text.bytes().enumerate().all(fits) => {
                id.make_ascii_lowercase();
                Ok(Self(id))
            }
            _ => Err(Error::new(
                ErrorKind::InvalidHeader,
                "the apns-id is not a uuid in the form 8-4-4-4-12 (BadMessageId)",
            )),
        }
    }

    /// From the 16 bytes of a UUID.
    pub fn from_bytes(uuid: [u8; 16]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = ArrayString::new();
        for (at, byte) in uuid.into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(DIGITS[usize::from(nibble)]));
            }
        }
        Self(text)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApnsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApnsId({})", self.as_str())
    }
}

/// Notifications with the same collapse id show as one: the newest.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CollapseId(Box<str>);

impl CollapseId {
    /// 1 to 64 bytes of UTF-8: Apple counts bytes, not characters. No control characters
    /// and no white space at either end, which no header can carry (RFC 9113 §8.2.1).
    ///
    /// Text outside ASCII goes into the header as UTF-8 (`obs-text`, RFC 9110 §5.5), which
    /// HTTP/2 and APNs' text allow; some HTTP clients that one may use with
    /// [`request`](crate::apns::request) do not.
    ///
    /// # Errors
    /// `InvalidHeader` (APNs: `BadCollapseId`) for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let visible = !text.chars().any(char::is_control);
        if text.is_empty() || text.len() > 64 || !visible || text.trim() != text {
            return Err(Error::new(
                ErrorKind::InvalidHeader,
                "the collapse id is not 1 to 64 bytes of text without control characters (BadCollapseId)",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! topics {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub struct $name(Box<str>);

        impl $name {
            /// Reads 1 to 255 ASCII letters, digits, `.`, `-` and `_`.
            ///
            /// # Errors
            /// `InvalidTopic` (APNs: `MissingTopic`, `BadTopic`) for anything else.
            pub fn parse(text: &str) -> Result<Self, Error> {
                if text.is_empty() {
                    return Err(Error::new(
                        ErrorKind::InvalidTopic,
                        concat!("the ", $what, " is empty (MissingTopic)"),
                    ));
                }
                // Without a branch for each character: messages of their own bring it every time.
                let fits = |all, b: u8| all & (b.is_ascii_alphanumeric() | matches!(b, b'.' | b'-' | b'_'));
                if text.len() > 255 || !text.bytes().fold(true, fits) {
                    return Err(Error::new(
                        ErrorKind::InvalidTopic,
                        concat!(
                            "the ",
                            $what,
                            " holds more than letters, digits, dots and hyphens, or is too long (BadTopic)"
                        ),
                    ));
                }
                Ok(Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

topics! {
    /// An app's bundle id, without any suffix: the push type brings its own.
    BundleId, "bundle id"
}
topics! {
    /// A complete `apns-topic`, suffix included.
    Topic, "topic"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_and_team_ids_have_ten_characters() {
        assert_eq!(KeyId::parse("ABC123DEFG").unwrap().as_str(), "ABC123DEFG");
        for text in [
            "",
            "ABC123DEF",
            "ABC123DEFGH",
            "ABC 23DEFG",
            "ABC123DEF\n",
            "ABC123DEé",
        ] {
            let error = TeamId::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCredential, "{text:?}");
        }
    }

    #[test]
    fn apns_ids_are_canonical_uuids() {
        let id = ApnsId::parse("123E4567-E89B-12D3-A456-4266554400A0").unwrap();
        assert_eq!(id.as_str(), "123e4567-e89b-12d3-a456-4266554400a0");
        let bytes = [
            0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x55, 0x44, 0x00, 0xa0,
        ];
        assert_eq!(ApnsId::from_bytes(bytes), id);
        for text in [
            "",
            "123e4567e89b12d3a4564266554400a0",
            "{123e4567-e89b-12d3-a456-426655440000}",
            "123e4567-e89b-12d3-a456-42665544000g",
            "123e4567-e89b-12d3-a456_426655440000",
        ] {
            let error = ApnsId::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{text}");
            assert!(error.context().contains("BadMessageId"));
        }
    }

    #[test]
    fn collapse_ids_end_at_64_bytes() {
        assert!(CollapseId::parse(&"x".repeat(64)).is_ok());
        assert!(CollapseId::parse("news of the day").is_ok());
        // Bytes count, not characters: 32 of two, 21 of three and one more, 16 of four.
        for text in ["é".repeat(32), "昨".repeat(21) + "x", "🏆".repeat(16)] {
            assert_eq!(text.len(), 64);
            assert_eq!(CollapseId::parse(&text).unwrap().as_str(), text);
        }
        for text in [
            "",
            &"x".repeat(65),
            &("é".repeat(32) + "x"),
            &("昨".repeat(20) + "ééx"),
            &("🏆".repeat(16) + "x"),
            "a\r\nb",
            "a\nb",
            "a\0",
            "a\x7f",
            " a",
            "a ",
            "a\u{a0}",
            "a\u{85}b",
        ] {
            let error = CollapseId::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{text:?}");
            assert!(error.context().contains("BadCollapseId"));
        }
    }

    #[test]
    fn topics_are_header_and_path_safe() {
        assert!(BundleId::parse("com.example.My-App_2").is_ok());
        for text in [
            "",
            "a b",
            "a/b",
            "a\r\nb",
            "a\0",
            "a\x7f",
            " a",
            "a ",
            "é",
            "a%41",
            &"x".repeat(256),
        ] {
            let error = Topic::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidTopic, "{text:?}");
        }
        assert!(Topic::parse("").unwrap_err().context().contains("MissingTopic"));
    }
}

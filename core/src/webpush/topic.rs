//! The topic of a message (RFC 8030 §5.4).

use crate::crypto;
use crate::error::{Error, ErrorKind};

/// Replaces an undelivered message of the same topic: at most 32 characters of
/// base64url.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic(Box<str>);

impl Topic {
    /// A topic as it is. Apple decodes it as base64url and refuses lengths of 1, 5,
    /// 9 ... 29: to Apple such a topic is sent as [`Topic::hashed`] makes it.
    ///
    /// # Errors
    /// `InvalidTopic` when it is empty, longer than 32 characters, or holds anything
    /// but letters, digits, `-` and `_`.
    pub fn new(text: &str) -> Result<Self, Error> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.is_empty() || text.len() > 32 || !text.bytes().all(fits) {
            return Err(Error::new(
                ErrorKind::InvalidTopic,
                "a topic has 1 to 32 letters, digits, - and _",
            ));
        }
        Ok(Self(text.into()))
    }

    /// A topic from any text: the first 32 characters of the base64url of its
    /// SHA-256. Fits every push service.
    pub fn hashed(text: &str) -> Self {
        // 24 bytes are 32 characters exactly.
        let digest = crypto::sha256(text.as_bytes());
        let (head, _) = digest.split_at(24);
        Self(crypto::base64::encode(head).into())
    }

    /// The topic as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether Apple takes it.
    pub fn fits_apple(&self) -> bool {
        self.0.len() % 4 != 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules() {
        for good in ["a", "upd", "A-Z_09", &"x".repeat(32)] {
            assert_eq!(Topic::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            &"x".repeat(33),
            "a b",
            "a\r\nb",
            "a=",
            "a+b",
            "a.b",
            "é",
            "a\0",
            " a",
            "a\x7f",
        ] {
            assert_eq!(
                Topic::new(bad).unwrap_err().kind(),
                ErrorKind::InvalidTopic,
                "{bad:?}"
            );
        }
        for len in 1..=32 {
            let topic = Topic::new(&"x".repeat(len)).unwrap();
            assert_eq!(topic.fits_apple(), ![1, 5, 9, 13, 17, 21, 25, 29].contains(&len));
        }
        // SHA-256("abc") is FIPS 180-4's example: ba7816bf 8f01cfea ...
        assert_eq!(Topic::hashed("abc").as_str(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qc");
        assert!(Topic::hashed("").fits_apple() && Topic::new(Topic::hashed("é").as_str()).is_ok());
    }
}

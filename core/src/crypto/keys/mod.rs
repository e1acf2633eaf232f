//! Keys in every form that people have, told apart by looking, each wrong form
//! with its own error.

mod asn1;
mod der;
mod jwk;
mod pem;
mod source;

use p256::elliptic_curve::sec1::ToEncodedPoint;
use zeroize::Zeroizing;

use super::base64;
use crate::error::{Error, ErrorKind};

/// The longest input that is looked at. The largest real key (RSA 4096 in PEM,
/// with certificates beside it) is a tenth of that.
const LONGEST: usize = 64 * 1024;

/// The content that a text or file turned out to hold.
pub(super) enum Material {
    EcPrivate {
        scalar: Zeroizing<[u8; 32]>,
        public: Option<[u8; 65]>,
    },
    EcPublic([u8; 65]),
    RsaPkcs8(Zeroizing<Vec<u8>>),
    RsaPkcs1(Zeroizing<Vec<u8>>),
    /// An elliptic-curve key on the named curve.
    OtherCurve(&'static str),
    /// A key (or a certificate) of another kind, named with its article.
    Other(&'static str),
}

/// Reads a key in any form: PEM, DER, JWK, raw bytes, or base64 of one of them.
pub(super) fn read(input: &[u8]) -> Result<Material, Error> {
    if input.len() > LONGEST {
        return Err(invalid("larger than any key: over 64 kib"));
    }
    let input = source::content(input);
    match as_text(&input) {
        Some(text) => read_text(text),
        None => read_bytes(&input),
    }
}

/// DER always holds a control byte (the tag or length of an INTEGER), so text and
/// DER cannot be mistaken for one another.
fn as_text(input: &[u8]) -> Option<&str> {
    let plain = |b: &u8| matches!(b, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    let body = input.strip_suffix(b"\0").unwrap_or(input);
    (!body.is_empty() && body.iter().all(plain))
        .then(|| std::str::from_utf8(body).ok())
        .flatten()
}

fn read_text(text: &str) -> Result<Material, Error> {
    let text = text.trim_ascii();
    if text.contains("-----BEGIN ") {
        return pem::read(text);
    }
    if text.starts_with('{') {
        return jwk::read(text);
    }
    if text.starts_with("-----") {
        return Err(invalid("a pem block without its begin line"));
    }
    match base64::decode(&source::without_blanks(text)).map(Zeroizing::new) {
        Some(bytes) => read_bytes(&bytes).or_else(|error| pair(text).ok_or(error)),
        None => labelled(text)
            .or_else(|| pair(text))
            .ok_or_else(|| invalid("neither pem, der, jwk nor base64")),
    }
}

/// The private key in what `web-push generate-vapid-keys` prints (node's and Java's), and in lines like
/// `VAPID_PRIVATE_KEY=...` of an environment file.
fn labelled(text: &str) -> Option<Material> {
    let mut words =
        text.split(|c: char| c.is_ascii_whitespace() || matches!(c, ':' | '=' | '"' | '\'' | ','));
    words
        .by_ref()
        .find(|word| word.to_ascii_lowercase().contains("private"))?;
    words.find_map(private_word)
}

/// The most words that a private and a public key one after the other are looked for in.
const MOST_WORDS: usize = 2;

/// A private and a public key, in any order, each in base64 on a line or behind a blank, as Kotlin's library keeps them in a
/// file and as Go's prints them; `None` for anything else.
fn pair(text: &str) -> Option<Material> {
    let words: Vec<&str> = text.split_ascii_whitespace().take(MOST_WORDS + 1).collect();
    let [one, other] = words.as_slice() else {
        return None;
    };
    let (private, public) = match private_word(one) {
        Some(private) => (private, other),
        None => (private_word(other)?, one),
    };
    let Ok(Material::EcPublic(beside)) = read_word(public) else {
        return None;
    };
    match private {
        // Of two public keys, the one inside must be that beside, or the reader is told of it.
        Material::EcPrivate { scalar, public } if public.is_none_or(|inside| inside == beside) => {
            Some(Material::EcPrivate {
                scalar,
                public: Some(beside),
            })
        }
        _ => None,
    }
}

/// The private key that one word of base64 holds.
fn private_word(word: &str) -> Option<Material> {
    let key = read_word(word).ok()?;
    matches!(key, Material::EcPrivate { .. }).then_some(key)
}

fn read_word(word: &str) -> Result<Material, Error> {
    // 32 octets are the shortest key.
    let bytes = base64::decode(word).map(Zeroizing::new);
    let bytes = bytes.filter(|bytes| bytes.len() >= 32);
    read_bytes(&bytes.ok_or_else(|| invalid("not base64 of a key"))?)
}

fn read_bytes(bytes: &[u8]) -> Result<Material, Error> {
    match (bytes.len(), bytes.first()) {
        (_, None) => Err(invalid("the key is empty")),
        (32, _) if !begins_like_der(bytes) => Ok(Material::EcPrivate {
            scalar: scalar(bytes)?,
            public: None,
        }),
        // Java's BigInteger.toByteArray puts a zero before a number whose first bit is set.
        (33, Some(0)) => Ok(Material::EcPrivate {
            scalar: scalar(bytes)?,
            public: None,
        }),
        (65, Some(4)) => Ok(Material::EcPublic(point(bytes)?)),
        (_, Some(&der::SEQUENCE)) => asn1::read(bytes),
        _ => Err(invalid(
            "neither 32 bytes of a private key, 65 of a public one, nor der",
        )),
    }
}

/// Whether 32 bytes are a DER key cut short rather than a private key: by chance
/// that is once in 2^40 keys or rarer.
fn begins_like_der(bytes: &[u8]) -> bool {
    const SEC1: &[u8] = &[0x02, 0x01, 0x01, 0x04, 0x20];
    const PKCS8: &[u8] = &[0x02, 0x01, 0x00, 0x30];
    let Some(body) = bytes.strip_prefix(&[der::SEQUENCE]) else {
        return false;
    };
    let content = match body {
        [0x81, _, rest @ ..] | [_, rest @ ..] => rest,
        [] => return false,
    };
    content.starts_with(SEC1) || content.starts_with(PKCS8)
}

/// A private scalar, big-endian; leading zeros may be missing or one too many.
pub(super) fn scalar(bytes: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
    let bytes = match bytes {
        [0, rest @ ..] if rest.len() == 32 => rest,
        other => other,
    };
    let mut out = Zeroizing::new([0; 32]);
    match out.len().checked_sub(bytes.len()) {
        Some(start) if !bytes.is_empty() => out[start..].copy_from_slice(bytes),
        _ => return Err(invalid("the private key is not 32 bytes long")),
    }
    Ok(out)
}

/// A point of P-256, checked to be on the curve, as an uncompressed point.
pub(super) fn point(bytes: &[u8]) -> Result<[u8; 65], Error> {
    let off = || invalid("the public key is not a point of p-256");
    let key = p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| off())?;
    <[u8; 65]>::try_from(key.to_encoded_point(false).as_bytes()).map_err(|_| off())
}

pub(super) fn write_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    pem::write(label, der)
}

pub use source::KeySource;
pub(crate) use source::{content, plain_json};

pub(in crate::crypto) use asn1::{write_pkcs8, write_sec1, write_spki};
pub(in crate::crypto) use jwk::write as write_jwk;

pub(super) fn invalid(context: &'static str) -> Error {
    Error::new(ErrorKind::InvalidKey, context)
}

pub(super) fn mismatch() -> Error {
    Error::new(
        ErrorKind::KeyMismatch,
        "the private and the public key do not belong together",
    )
}

pub(super) fn wrong_type(found: &str, needed: &str) -> Error {
    Error::new(
        ErrorKind::WrongKeyType,
        format!("{found} where {needed} is needed"),
    )
}

#[cfg(test)]
mod tests;

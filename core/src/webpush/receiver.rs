//! The receiving side, for apps: UnifiedPush on Android, a Notification Service
//! Extension on iOS, tests.

use std::fmt;

use serde_json::{Map, Value, json};
use zeroize::Zeroize;

use super::declarative::{self, Declarative};
use crate::crypto;
use crate::crypto::ece::{self, EcdhSecret, ReceiverPrivate, ReceiverPublic};
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

/// A key pair and an authentication secret: the private half of a subscription.
///
/// The secrets are overwritten when it is dropped.
pub struct ReceiverKeys {
    secret: EcdhSecret,
    public: ReceiverPublic,
}

/// The content of a decrypted message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Received {
    /// A declarative message (W3C push-api), valid.
    Declarative(Box<Declarative>),
    /// A JSON object of the app's own.
    Json(Map<String, Value>),
    /// Anything else: text, bytes, nothing.
    Bytes(Vec<u8>),
}

impl ReceiverKeys {
    /// New keys from the system's generator.
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self::from_parts(EcdhSecret::generate()?, ece::random_auth()?))
    }

    /// From what [`ReceiverKeys::export`] wrote, or from another library's keys: the
    /// private key in any form that [`Es256Key::read`](crate::crypto::Es256Key::read) takes, and `auth` in base64.
    ///
    /// # Errors
    /// Those of [`Es256Key::read`](crate::crypto::Es256Key::read); `InvalidKey` when `auth` is not 16 bytes.
    pub fn import(private_key: &[u8], auth: &str) -> Result<Self, Error> {
        let auth = crypto::base64::decode_array(auth)
            .ok_or_else(|| Error::new(ErrorKind::InvalidKey, "auth is not 16 bytes in base64url"))?;
        Ok(Self::from_parts(EcdhSecret::read(private_key)?, auth))
    }

    fn from_parts(secret: EcdhSecret, auth: [u8; 16]) -> Self {
        let point = *secret.public();
        Self {
            secret,
            public: ReceiverPublic { point, auth },
        }
    }

    /// The private key as a JSON Web Key, to be kept in the system's key store and
    /// given to [`ReceiverKeys::import`] with [`ReceiverKeys::auth`].
    pub fn export(&self) -> Secret<String> {
        self.secret.to_jwk()
    }

    /// `keys.p256dh` of the subscription: the public key, 87 characters of base64url.
    pub fn p256dh(&self) -> String {
        crypto::base64::encode(&self.public.point)
    }

    /// `keys.auth` of the subscription: 22 characters of base64url. A secret
    /// between the receiver, its senders, and nobody else.
    pub fn auth(&self) -> String {
        crypto::base64::encode(&self.public.auth)
    }

    /// The subscription as browsers write it, to be given to the sender.
    pub fn subscription_json(&self, endpoint: &str) -> String {
        let keys = json!({"p256dh": self.p256dh(), "auth": self.auth()});
        json!({"endpoint": endpoint, "expirationTime": null, "keys": keys}).to_string()
    }

    /// Decrypts a body of `content-encoding: aes128gcm`: one record, or several as
    /// RFC 8188 allows.
    ///
    /// # Errors
    /// * `InvalidCiphertext`: the header, a record or its padding is malformed, cut short, or
    ///   the sender's key is not on the curve;
    /// * `DecryptionFailed`: for another receiver, or changed on the way.
    pub fn decrypt(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        self.private(|private| private.open_aes128gcm(body))
    }

    /// Decrypts a body of the legacy `content-encoding: aesgcm`, given the values of the
    /// headers `crypto-key` and `encryption`.
    ///
    /// # Errors
    /// As [`ReceiverKeys::decrypt`]; `InvalidHeader` when a header has no `dh` or `salt` or
    /// they are malformed.
    pub fn decrypt_aesgcm(&self, body: &[u8], crypto_key: &str, encryption: &str) -> Result<Vec<u8>, Error> {
        let header = |context| Error::new(ErrorKind::InvalidHeader, context);
        let sender = parameter(crypto_key, "dh")
            .and_then(crypto::base64::decode_array)
            .ok_or_else(|| header("crypto-key has no dh of 65 bytes"))?;
        let salt = parameter(encryption, "salt")
            .and_then(crypto::base64::decode_array)
            .ok_or_else(|| header("encryption has no salt of 16 bytes"))?;
        let record_size = match parameter(encryption, "rs") {
            Some(text) => text
                .parse()
                .map_err(|_| header("encryption has an rs that is no number"))?,
            None => 4096,
        };
        self.private(|private| private.open_aesgcm(&sender, &salt, record_size, body))
    }

    fn private<T>(&self, open: impl FnOnce(ReceiverPrivate<'_>) -> T) -> T {
        open(ReceiverPrivate {
            secret: &self.secret,
            public: &self.public,
        })
    }
}

impl Received {
    /// Reads a decrypted message. Like a browser it does not fail: what is not a
    /// valid declarative message is the app's own JSON, what is not JSON is bytes.
    pub fn parse(plain: Vec<u8>) -> Self {
        match crate::json::parse_object(&plain) {
            Ok(map) => match declarative::parse(&map) {
                Ok(message) => Received::Declarative(Box::new(message)),
                Err(_) => Received::Json(map),
            },
            Err(_) => Received::Bytes(plain),
        }
    }
}

/// `name` in `a=b;name=value` or `a=b, name="value"`: the drafts used either separator.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split([';', ',']).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        let value = value.trim_ascii();
        let value = value
            .strip_prefix('"')
            .and_then(|v| v.strip_suffix('"'))
            .unwrap_or(value);
        key.trim_ascii().eq_ignore_ascii_case(name).then_some(value)
    })
}

impl Drop for ReceiverKeys {
    fn drop(&mut self) {
        // The private key overwrites itself.
        self.public.auth.zeroize();
    }
}

impl fmt::Debug for ReceiverKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiverKeys([redacted])")
    }
}

#[cfg(test)]
mod tests;

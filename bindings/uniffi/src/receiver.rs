//! Receiving Web Push: keys, subscriptions, decryption.

use std::sync::Arc;

use pushcore::webpush::{self, Received as Content};
use serde_json::Value;

use crate::error::PushError;

/// The private half of a Web Push subscription: for UnifiedPush apps, notification extensions and tests.
#[derive(Debug, uniffi::Object)]
pub struct ReceiverKeys(webpush::ReceiverKeys);

#[uniffi::export]
impl ReceiverKeys {
    /// Returns new keys from the system's generator.
    #[uniffi::constructor]
    pub fn generate() -> Result<Arc<Self>, PushError> {
        Ok(Arc::new(Self(webpush::ReceiverKeys::generate()?)))
    }

    /// Returns the keys that `export` wrote, or those of another library: a JSON Web Key, PEM, DER, or base64url of 32 bytes.
    #[uniffi::constructor]
    pub fn restore(private_key: Vec<u8>, auth: String) -> Result<Arc<Self>, PushError> {
        Ok(Arc::new(Self(webpush::ReceiverKeys::import(&private_key, &auth)?)))
    }

    /// Returns the private key as a JSON Web Key, for the app's own protected storage.
    pub fn export(&self) -> Result<String, PushError> {
        Ok(self.0.export().expose_secret().clone())
    }

    /// Returns the public key in base64url, `p256dh` of the subscription.
    pub fn p256dh(&self) -> Result<String, PushError> {
        Ok(self.0.p256dh())
    }

    /// Returns the authentication secret in base64url, `auth` of the subscription.
    pub fn auth(&self) -> Result<String, PushError> {
        Ok(self.0.auth())
    }

    /// Returns the subscription as browsers write it, for the sender.
    pub fn subscription_json(&self, endpoint: String) -> Result<String, PushError> {
        Ok(self.0.subscription_json(&endpoint))
    }

    /// Decrypts a body of `aes128gcm` (RFC 8291).
    pub fn decrypt(&self, body: Vec<u8>) -> Result<Vec<u8>, PushError> {
        Ok(self.0.decrypt(&body)?)
    }

    /// Decrypts a body of the legacy encoding `aesgcm`, with the values of its headers `Crypto-Key` and `Encryption`.
    pub fn decrypt_aesgcm(&self, body: Vec<u8>, crypto_key: String, encryption: String) -> Result<Vec<u8>, PushError> {
        Ok(self.0.decrypt_aesgcm(&body, &crypto_key, &encryption)?)
    }
}

/// The content of a decrypted message.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Received {
    /// A declarative message (W3C Push API), valid, as its JSON.
    Declarative {
        /// The whole message.
        json: String,
    },
    /// A JSON object of the app's own.
    Json {
        /// The object.
        json: String,
    },
    /// Anything else: text, bytes, nothing.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// Reads a decrypted message as a browser does.
#[uniffi::export]
pub fn read_received(plain: Vec<u8>) -> Result<Received, PushError> {
    Ok(match Content::parse(plain) {
        Content::Declarative(message) => Received::Declarative { json: message.to_json()? },
        Content::Json(map) => Received::Json { json: Value::Object(map).to_string() },
        Content::Bytes(bytes) => Received::Bytes { bytes },
        _ => Received::Bytes { bytes: Vec::new() },
    })
}

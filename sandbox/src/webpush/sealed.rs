//! A payload that nobody has looked into yet.

use super::ece;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// The key to a body that the log holds. No real service can look inside, so where the
/// profile would not refuse what it finds, the sandbox looks when somebody reads the log.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(super) keys: Arc<ece::Keys>,
    pub(super) coding: Coding,
}

/// How a body is encrypted.
#[derive(Clone)]
pub(super) enum Coding {
    Aes128gcm,
    /// The legacy one, with salt and sender's key in headers.
    Aesgcm {
        salt: Vec<u8>,
        dh: Vec<u8>,
    },
}

impl Sealed {
    /// The payload: JSON where it is JSON, else text, else base64.
    pub(super) fn open(&self, body: &[u8]) -> Result<Value, ece::Why> {
        let plain = match &self.coding {
            Coding::Aes128gcm => ece::aes128gcm(&self.keys, body)?,
            Coding::Aesgcm { salt, dh } => ece::aesgcm(&self.keys, salt, dh, body)?,
        };
        Ok(match plain.is_empty() {
            true => Value::String(String::new()),
            false => crate::record::readable(&plain),
        })
    }

    /// The payload, or why there is none; with the rule to warn of.
    pub(crate) fn shown(&self, body: &[u8]) -> (Value, Option<&'static str>) {
        match self.open(body) {
            Ok(payload) => (payload, None),
            Err(why) => (json!({ "undecryptable": why }), Some("webpush.body.decrypt")),
        }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

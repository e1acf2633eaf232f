//! Signing keys: made, read in every form, written in every form.

use pushcore::crypto::Es256Key;

use crate::bytes::Bytes;
use crate::error::ErrorObject;
use crate::guard::{Status, entry, give, value};
use crate::handle::{borrow, free, handles};
use crate::view::{View, no_such};

/// A P-256 key that signs: of a VAPID sender, or Apple's. Immutable; may be shared between threads.
pub struct SigningKey {
    pub(crate) key: Es256Key,
}

handles! {
    SigningKey = 3 "pushcore_signing_key",
}

/// PKCS#8 in PEM, as Apple's `.p8` files are.
pub const PUSHCORE_KEY_PKCS8_PEM: u32 = 1;
/// PKCS#8 in DER.
pub const PUSHCORE_KEY_PKCS8_DER: u32 = 2;
/// SEC 1 in PEM, as OpenSSL's `ec` command writes keys.
pub const PUSHCORE_KEY_SEC1_PEM: u32 = 3;
/// SEC 1 in DER.
pub const PUSHCORE_KEY_SEC1_DER: u32 = 4;
/// A JSON Web Key.
pub const PUSHCORE_KEY_JWK: u32 = 5;
/// The bare number in base64url without padding, as VAPID tools write keys; of a public key the uncompressed point, as browsers take
/// `applicationServerKey`.
pub const PUSHCORE_KEY_BASE64: u32 = 6;
/// A public key in PEM (SubjectPublicKeyInfo). For pushcore_signing_key_public only.
pub const PUSHCORE_KEY_PUBLIC_PEM: u32 = 7;
/// A public key in DER (SubjectPublicKeyInfo). For pushcore_signing_key_public only.
pub const PUSHCORE_KEY_PUBLIC_DER: u32 = 8;
/// A public key as the 65 bytes of its uncompressed point. For pushcore_signing_key_public only.
pub const PUSHCORE_KEY_PUBLIC_POINT: u32 = 9;

/// Makes a new key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_signing_key_generate(
    out: *mut *mut SigningKey,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        give(
            out,
            SigningKey {
                key: Es256Key::generate()?,
            },
        )
    })
}

/// Reads a key in any of the forms that PUSHCORE_KEY_ constants name; wrong kinds of key each have their own error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_signing_key_read(
    key: View,
    out: *mut *mut SigningKey,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let key = Es256Key::read(key.bytes("key")?)?;
        give(out, SigningKey { key })
    })
}

/// Writes the private key in one of the first six forms.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_signing_key_private(
    key: *const SigningKey,
    form: u32,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let key = &borrow(key, "key")?.key;
        let text = |secret: pushcore::Secret<String>| Bytes::new(secret.expose_secret().as_bytes());
        let written = match form {
            PUSHCORE_KEY_PKCS8_PEM => text(key.to_pkcs8_pem()),
            PUSHCORE_KEY_PKCS8_DER => Bytes::new(key.to_pkcs8_der().expose_secret().as_slice()),
            PUSHCORE_KEY_SEC1_PEM => text(key.to_sec1_pem()),
            PUSHCORE_KEY_SEC1_DER => Bytes::new(key.to_sec1_der().expose_secret().as_slice()),
            PUSHCORE_KEY_JWK => text(key.to_jwk()),
            PUSHCORE_KEY_BASE64 => text(key.to_base64()),
            _ => return Err(no_such("form")),
        };
        give(out, written)
    })
}

/// Writes the public key as PUSHCORE_KEY_BASE64, PUSHCORE_KEY_JWK, or in one of the PUSHCORE_KEY_PUBLIC_ forms.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_signing_key_public(
    key: *const SigningKey,
    form: u32,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let key = borrow(key, "key")?;
        let key = key.key.public_key();
        let written = match form {
            PUSHCORE_KEY_BASE64 => Bytes::new(key.to_base64()),
            PUSHCORE_KEY_JWK => Bytes::new(key.to_jwk()),
            PUSHCORE_KEY_PUBLIC_PEM => Bytes::new(key.to_pem()),
            PUSHCORE_KEY_PUBLIC_DER => Bytes::new(key.to_der()),
            PUSHCORE_KEY_PUBLIC_POINT => Bytes::new(key.as_bytes().as_slice()),
            _ => return Err(no_such("form")),
        };
        give(out, written)
    })
}

/// Gives the key back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_signing_key_free(key: *mut SigningKey) {
    value!((), { free(key) });
}

//! Web Push in an app: a subscription's keys, and what arrives.

use pushcore::webpush;

use crate::bytes::Bytes;
use crate::error::ErrorObject;
use crate::guard::{Status, entry, give, value, wanted};
use crate::handle::{borrow, free, handles};
use crate::view::View;

/// The key pair and the secret of one Web Push subscription. Immutable; may be shared between threads.
pub struct ReceiverKeys {
    keys: webpush::ReceiverKeys,
}

handles! {
    ReceiverKeys = 4 "pushcore_receiver_keys",
}

/// Makes the keys of a new subscription.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_generate(
    out: *mut *mut ReceiverKeys,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let keys = webpush::ReceiverKeys::generate()?;
        give(out, ReceiverKeys { keys })
    })
}

/// Reads a private key in any form, and `auth` in base64url.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_import(
    private_key: View,
    auth: View,
    out: *mut *mut ReceiverKeys,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let keys = webpush::ReceiverKeys::import(private_key.bytes("private_key")?, auth.text("auth")?)?;
        give(out, ReceiverKeys { keys })
    })
}

/// Writes the private key, to be stored and imported again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_export(
    keys: *const ReceiverKeys,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let keys = borrow(keys, "keys")?;
        give(out, Bytes::new(keys.keys.export().expose_secret().as_bytes()))
    })
}

/// Writes the public key, `p256dh` of the subscription, in base64url.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_p256dh(
    keys: *const ReceiverKeys,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        give(out, Bytes::new(borrow(keys, "keys")?.keys.p256dh()))
    })
}

/// Writes the secret `auth` of the subscription in base64url.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_auth(
    keys: *const ReceiverKeys,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        give(out, Bytes::new(borrow(keys, "keys")?.keys.auth()))
    })
}

/// Writes the subscription that the app gives to its server: a JSON object of the endpoint and the keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_subscription(
    keys: *const ReceiverKeys,
    endpoint: View,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let keys = borrow(keys, "keys")?;
        give(
            out,
            Bytes::new(keys.keys.subscription_json(endpoint.text("endpoint")?)),
        )
    })
}

/// Decrypts what arrived in the encoding `aes128gcm`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_decrypt(
    keys: *const ReceiverKeys,
    body: View,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let keys = borrow(keys, "keys")?;
        give(out, Bytes::new(keys.keys.decrypt(body.bytes("body")?)?))
    })
}

/// Decrypts what arrived in the legacy encoding `aesgcm`, with the two headers that came with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_decrypt_aesgcm(
    keys: *const ReceiverKeys,
    body: View,
    crypto_key: View,
    encryption: View,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let keys = borrow(keys, "keys")?;
        let (key, salt) = (crypto_key.text("crypto_key")?, encryption.text("encryption")?);
        give(
            out,
            Bytes::new(keys.keys.decrypt_aesgcm(body.bytes("body")?, key, salt)?),
        )
    })
}

/// Gives the keys back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_receiver_keys_free(keys: *mut ReceiverKeys) {
    value!((), { free(keys) });
}

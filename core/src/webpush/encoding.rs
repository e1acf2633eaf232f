//! How a payload is encrypted: what a body of it looks like, and which headers go with it.

use crate::crypto::ece;
#[cfg(feature = "aesgcm")]
use crate::crypto::{self, Es256PublicKey};
use crate::error::Error;
use crate::http::Request;
#[cfg(feature = "aesgcm")]
use crate::http::{Headers, Indexing};

/// How a payload is encrypted.
///
/// The legacy encoding `aesgcm` can be sent with the feature of that name only; what is
/// received in it is always read ([`ReceiverKeys::decrypt_aesgcm`](super::ReceiverKeys::decrypt_aesgcm)),
/// since an app cannot choose its senders' libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// RFC 8188 and RFC 8291. Every browser since 2018.
    #[default]
    Aes128Gcm,
    /// draft-ietf-webpush-encryption-04, for very old subscriptions; Apple refuses
    /// it. The draft's `Crypto-Key` header holds the VAPID public key too.
    #[cfg(feature = "aesgcm")]
    AesGcm {
        /// The public half of the credentials that the message is sent with.
        vapid: Es256PublicKey,
    },
}

impl Encoding {
    /// The value of `content-encoding`.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Encoding::Aes128Gcm => "aes128gcm",
            #[cfg(feature = "aesgcm")]
            Encoding::AesGcm { .. } => "aesgcm",
        }
    }

    /// How much longer a body is than the record in it.
    pub(super) const fn around_record(&self) -> usize {
        match self {
            Encoding::Aes128Gcm => ece::HEADER + ece::TAG,
            #[cfg(feature = "aesgcm")]
            Encoding::AesGcm { .. } => ece::TAG,
        }
    }

    /// How much longer a record is than the payload and the padding in it.
    pub(super) const fn in_record(&self) -> usize {
        match self {
            Encoding::Aes128Gcm => 1,
            #[cfg(feature = "aesgcm")]
            Encoding::AesGcm { .. } => 2,
        }
    }

    /// Returns the plaintext that is sealed: the payload, its delimiter or length, the padding.
    pub(super) fn record(&self, payload: &[u8], padding: usize) -> Box<[u8]> {
        let mut record = Vec::with_capacity(payload.len() + padding + self.in_record());
        match self {
            Encoding::Aes128Gcm => {
                record.extend_from_slice(payload);
                record.push(2); // the last record (RFC 8188 §2)
                record.resize(record.len() + padding, 0);
            }
            #[cfg(feature = "aesgcm")]
            Encoding::AesGcm { .. } => {
                let padding = u16::try_from(padding).unwrap_or(0);
                record.extend_from_slice(&padding.to_be_bytes());
                record.resize(2 + usize::from(padding), 0);
                record.extend_from_slice(payload);
            }
        }
        record.into()
    }

    /// The payload in a record that [`Encoding::record`] made.
    pub(super) fn payload<'a>(&self, record: &'a [u8]) -> &'a [u8] {
        match self {
            Encoding::Aes128Gcm => {
                let end = record.iter().rposition(|byte| *byte != 0).unwrap_or_default();
                record.get(..end).unwrap_or_default()
            }
            #[cfg(feature = "aesgcm")]
            Encoding::AesGcm { .. } => match record {
                [high, low, rest @ ..] => {
                    let padding = u16::from_be_bytes([*high, *low]);
                    rest.get(usize::from(padding)..).unwrap_or_default()
                }
                _ => &[],
            },
        }
    }

    /// Seals a record into the request's own body, and adds the headers that belong to
    /// this one message.
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub(super) fn seal(
        &self,
        receiver: &ece::ReceiverPublic,
        record: &[u8],
        request: &mut Request,
    ) -> Result<(), Error> {
        let body = request.body.own();
        match self {
            Encoding::Aes128Gcm => ece::seal_aes128gcm(receiver, record, body),
            #[cfg(feature = "aesgcm")]
            Encoding::AesGcm { vapid } => {
                let (salt, dh) = ece::seal_aesgcm(receiver, record, body)?;
                legacy_headers(&mut request.headers, &salt, &dh, vapid)
            }
        }
    }

    /// The key that the legacy encoding names in a header of its own, and whose credential
    /// goes into the draft's `WebPush` scheme.
    #[cfg(feature = "aesgcm")]
    pub(super) fn legacy_key(&self) -> Option<&Es256PublicKey> {
        match self {
            Encoding::Aes128Gcm => None,
            Encoding::AesGcm { vapid } => Some(vapid),
        }
    }
}

#[cfg(feature = "aesgcm")]
fn legacy_headers(
    headers: &mut Headers,
    salt: &[u8; 16],
    dh: &[u8; 65],
    vapid: &Es256PublicKey,
) -> Result<(), Error> {
    let salt = crypto::base64::encode(salt);
    headers.push("encryption", &format!("salt={salt}"), Indexing::Without)?;
    let (dh, vapid) = (crypto::base64::encode(dh), vapid.to_base64());
    headers.push(
        "crypto-key",
        &format!("dh={dh};p256ecdsa={vapid}"),
        Indexing::Without,
    )
}

#[cfg(test)]
#[cfg(feature = "aesgcm")]
mod tests;

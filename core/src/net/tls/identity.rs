//! Client certificates.

use std::fmt;
use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::secret::PemBlock;

/// No honest key or certificate bundle comes near this.
pub(super) const MAX_PEM: usize = 10 * 1024 * 1024;

/// A client certificate with its chain and its private key: how an APNs
/// connection may authenticate instead of a provider token.
///
/// Cheap to clone. The private key stays inside `ring`; see
/// `docs/decisions/0003-ring.md` for what that means for memory.
#[derive(Clone)]
pub struct ClientIdentity {
    pub(super) certified: Arc<CertifiedKey>,
}

impl ClientIdentity {
    /// From PEM: the certificates, and the private key in PKCS#8, PKCS#1 (RSA) or
    /// SEC1 (elliptic curve). Both arguments may be the same text. The certificate
    /// that belongs to the key may stand anywhere among the others.
    ///
    /// # Errors
    /// * `EncryptedKey`: the key has a password; decrypt it first (`openssl pkey`).
    /// * `InvalidKey`: no private key, more than one, or one that cannot be used.
    /// * `InvalidCredential`: no certificate, or broken PEM.
    /// * `KeyMismatch`: none of the certificates belongs to the key.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, Error> {
        if certificates.len() > MAX_PEM || key.len() > MAX_PEM {
            return Err(Error::new(
                ErrorKind::InvalidCredential,
                "pem text of the client certificate is larger than 10 MiB",
            ));
        }
        let blocks = PemBlock::all(certificates);
        let chain = blocks.iter().filter(|block| block.label() == "CERTIFICATE");
        let chain: Option<Vec<_>> = chain
            .map(|block| block.content().map(|der| CertificateDer::from(der.to_vec())))
            .collect();
        let chain = chain.ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidCredential,
                "pem text of the client certificate is broken",
            )
        })?;
        let (label, der) = private_key(key)?;
        let key = match label {
            "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(der.as_slice().into()),
            "EC PRIVATE KEY" => PrivateKeyDer::Sec1(der.as_slice().into()),
            _ => PrivateKeyDer::Pkcs8(der.as_slice().into()),
        };
        Self::new(chain, &key)
    }

    /// From a PKCS#12 file (`.p12`, `.pfx`): PBES2 or the legacy RC2 and triple-DES
    /// encryption, SHA-1 or SHA-2 integrity, at most 10 MiB and a million key-derivation
    /// rounds. An empty password is a password.
    ///
    /// # Errors
    /// * `WrongPassword`: the password does not open the file.
    /// * `InvalidKey`: no private key, more than one, or one that cannot be used.
    /// * `InvalidCredential`: not a PKCS#12 file, no certificate in it, an algorithm
    ///   that is not supported, or too many rounds.
    /// * `KeyMismatch`: none of the certificates belongs to the key.
    #[cfg(feature = "pkcs12")]
    pub fn from_pkcs12(file: &[u8], password: &str) -> Result<Self, Error> {
        let (chain, key) = super::pkcs12::open(file, password)?;
        Self::new(chain, &key)
    }

    /// The certificate itself in DER. For APNs, its subject and extensions say
    /// which topics it may push to.
    pub fn certificate(&self) -> &[u8] {
        self.certified.cert.first().map_or(&[], |leaf| leaf.as_ref())
    }

    /// The certificates as they are sent, in DER: [`certificate`](Self::certificate) first.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.certified.cert.iter().map(|certificate| certificate.as_ref())
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'_>) -> Result<Self, Error> {
        if chain.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidCredential,
                "no client certificate beside the private key",
            ));
        }
        let key = any_supported_type(key).map_err(|error| {
            Error::new(
                ErrorKind::InvalidKey,
                "private key of the client certificate is neither rsa, p-256, p-384 nor ed25519 in a complete form",
            )
            .with_source(error)
        })?;
        let certified = CertifiedKey::new(leaf_first(chain, &key)?, key);
        Ok(Self {
            certified: Arc::new(certified),
        })
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity")
            .field("certificates", &self.certified.cert.len())
            .finish_non_exhaustive()
    }
}

/// Moves the certificate that belongs to the key to the front; the others keep their order.
fn leaf_first(
    mut chain: Vec<CertificateDer<'static>>,
    key: &Arc<dyn SigningKey>,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let belongs = |certificate: &CertificateDer<'static>| {
        CertifiedKey::new(vec![certificate.clone()], Arc::clone(key)).keys_match()
    };
    let mut broken = None;
    for at in 0..chain.len() {
        let Some(certificate) = chain.get(at) else { break };
        match belongs(certificate) {
            Ok(()) => {
                let leaf = chain.remove(at);
                chain.insert(0, leaf);
                return Ok(chain);
            }
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {}
            Err(error) => broken = Some(error),
        }
    }
    Err(match broken {
        Some(error) => {
            Error::new(ErrorKind::InvalidCredential, "client certificate cannot be read").with_source(error)
        }
        None => Error::new(
            ErrorKind::KeyMismatch,
            "private key belongs to none of the client certificates",
        ),
    })
}

/// The label and the content of the private key in a PEM text.
fn private_key(pem: &[u8]) -> Result<(&str, Zeroizing<Vec<u8>>), Error> {
    let has = |needle: &[u8]| pem.windows(needle.len()).any(|window| window == needle);
    if has(b"-----BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(Error::new(
            ErrorKind::EncryptedKey,
            "private key of the client certificate has a password: decrypt it with `openssl pkey`",
        ));
    }
    let blocks = PemBlock::all(pem);
    let mut keys = blocks.iter().filter(|block| PRIVATE.contains(&block.label()));
    let Some(key) = keys.next() else {
        return Err(Error::new(
            ErrorKind::InvalidKey,
            "no private key for the client certificate",
        ));
    };
    let content = key
        .content()
        .ok_or_else(|| Error::new(ErrorKind::InvalidKey, "pem text of the private key is broken"))?;
    match keys.next() {
        None => Ok((key.label(), content)),
        Some(_) => Err(more_than_one_key()),
    }
}

/// The labels of private keys: PKCS#8 (RFC 7468 §10), PKCS#1, SEC1.
const PRIVATE: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

pub(super) fn more_than_one_key() -> Error {
    Error::new(
        ErrorKind::InvalidKey,
        "more than one private key for the client certificate: keep the one it belongs to",
    )
}

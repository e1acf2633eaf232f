//! Opening PKCS#12 files (RFC 7292).

use p12_keystore::error::Error as P12Error;
use p12_keystore::{Certificate, CertificateBag, Pkcs12Archive};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::identity::{MAX_PEM, more_than_one_key};
use crate::error::{Error, ErrorKind};

/// The certificates and the only private key of a PKCS#12 file. Certificates that
/// are no part of the key's chain (`-certfile` extras) come last.
pub(super) fn open(
    file: &[u8],
    password: &str,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    if file.len() > MAX_PEM {
        return Err(invalid("pkcs#12 file is larger than 10 MiB"));
    }
    let archive = Pkcs12Archive::from_pkcs12(file, password).map_err(|error| explain(error, file))?;
    let mut keys = archive.keys.into_iter();
    let key = keys
        .next()
        .ok_or_else(|| Error::new(ErrorKind::InvalidKey, "pkcs#12 file holds no private key"))?;
    if keys.next().is_some() {
        return Err(more_than_one_key());
    }
    if archive.certs.is_empty() {
        return Err(invalid("pkcs#12 file holds no certificate"));
    }
    let local_id = key.local_key_id.as_ref().map(AsRef::as_ref);
    let chain = in_chain_order(archive.certs, local_id);
    let der = PrivatePkcs8KeyDer::from(key.key.as_der().to_vec());
    Ok((chain, PrivateKeyDer::Pkcs8(der)))
}

/// The certificate that bears the key's local id, then each one's issuer, then the rest.
/// Without a local id the file's order stands: whoever matches the key to a
/// certificate decides.
fn in_chain_order(bags: Vec<CertificateBag>, local_id: Option<&[u8]>) -> Vec<CertificateDer<'static>> {
    let leaf = bags
        .iter()
        .position(|bag| local_id.is_some() && bag.local_key_id.as_deref() == local_id);
    let mut rest: Vec<Certificate> = bags.into_iter().map(|bag| bag.cert).collect();
    let mut chain = Vec::new();
    let mut next = leaf;
    while let Some(at) = next {
        let certificate = rest.remove(at);
        next = rest
            .iter()
            .position(|other| other.subject() == certificate.issuer());
        chain.push(certificate);
    }
    chain.append(&mut rest);
    chain
        .iter()
        .map(|certificate| CertificateDer::from(certificate.as_der().to_vec()))
        .collect()
}

fn explain(error: P12Error, file: &[u8]) -> Error {
    let wrong_password = |context| Error::new(ErrorKind::WrongPassword, context);
    match error {
        P12Error::InvalidParameters => invalid(
            "pkcs#12 file asks for more than a million key derivation rounds, or its parameters are broken",
        ),
        P12Error::UnsupportedEncryptionScheme | P12Error::UnsupportedMacAlgorithm => invalid(
            "pkcs#12 file uses an algorithm that is not supported: export it again with aes-256 and sha-256",
        ),
        // The integrity check depends on the password alone, and comes first.
        P12Error::MacError(_) => wrong_password("password does not open the pkcs#12 file"),
        _ if has_integrity_check(file) == Some(false) => wrong_password(
            "password does not open the pkcs#12 file, or the file, which has no integrity check, is damaged",
        ),
        P12Error::InvalidPrivateKey => {
            Error::new(ErrorKind::InvalidKey, "private key in the pkcs#12 file is broken")
        }
        other => invalid("not a readable pkcs#12 file").with_source(other),
    }
}

/// Whether something follows the version and the contents (RFC 7292 §4: `macData`). Without it
/// a wrong password shows as broken contents. `None` when this is no such file.
fn has_integrity_check(file: &[u8]) -> Option<bool> {
    let (0x30, fields, _) = element(file)? else {
        return None;
    };
    let (0x02, _, fields) = element(fields)? else {
        return None;
    };
    let (0x30, _, fields) = element(fields)? else {
        return None;
    };
    Some(!fields.is_empty())
}

/// The first DER element: its tag, its contents, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0u64, |length, byte| length << 8 | u64::from(*byte));
            (usize::try_from(length).ok()?, rest)
        }
        _ => return None,
    };
    let (contents, after) = rest.split_at_checked(length)?;
    Some((tag, contents, after))
}

fn invalid(context: &'static str) -> Error {
    Error::new(ErrorKind::InvalidCredential, context)
}

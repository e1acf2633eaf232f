//! Opening PKCS#12 files (RFC 7292).

mod der;
mod protection;

use der::{Broken, EXPLICIT_0, Element, INTEGER, OCTETS, OID, Reader, SEQUENCE, SET};
use protection::{Password, Refused};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::borrow::Cow;
use zeroize::Zeroizing;

use super::identity::{MAX_PEM, more_than_one_key};
use crate::error::{Error, ErrorKind};

// Content types (RFC 5652), pkcs-9 attributes and certificate types (RFC 2985), in DER.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
const X509_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
/// pkcs-12-pkcs-8, the bags' types (RFC 7292 §4.2), without the last byte.
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
/// Bags in bags that are followed; files that people have, have none.
const DEEPEST: usize = 8;
/// Protected parts that are opened: each may cost the most rounds. A file has two or three.
const MOST_PARTS: usize = 16;

/// Returns the certificates and the only private key of a PKCS#12 file. Certificates that
/// are no part of the key's chain (`-certfile` extras) come last.
pub(super) fn open(
    file: &[u8],
    password: &str,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    if file.len() > MAX_PEM {
        return Err(invalid("pkcs#12 file is larger than 10 MiB"));
    }
    let not_readable = || invalid("not a readable pkcs#12 file");
    let store = Store::read(file).map_err(|Broken| not_readable())?;
    let mut refused = Refused::Broken;
    let mut opened = None;
    for password in Password::forms(password) {
        match store.open(&password) {
            Ok(safe) => {
                opened = Some(safe);
                break;
            }
            Err(error) => refused = error,
        }
    }
    let Some(safe) = opened else {
        return Err(explain(&refused, store.mac_data.is_some()));
    };
    let mut keys = safe.keys.into_iter();
    let key = keys
        .next()
        .ok_or_else(|| Error::new(ErrorKind::InvalidKey, "pkcs#12 file holds no private key"))?;
    if keys.next().is_some() {
        return Err(more_than_one_key());
    }
    if safe.certificates.is_empty() {
        return Err(invalid("pkcs#12 file holds no certificate"));
    }
    let chain = in_chain_order(safe.certificates, key.local_id.as_deref());
    let chain = chain.ok_or_else(|| invalid("a certificate in the pkcs#12 file is broken"))?;
    let der = PrivatePkcs8KeyDer::from(key.pkcs8.to_vec());
    Ok((chain, PrivateKeyDer::Pkcs8(der)))
}

/// The outermost structure of a file.
struct Store<'a> {
    contents: Cow<'a, [u8]>,
    /// The integrity check; `None` in a file without one.
    mac_data: Option<Element<'a>>,
}

impl<'a> Store<'a> {
    /// Reads a `PFX` (RFC 7292 §4).
    fn read(file: &'a [u8]) -> Result<Self, Broken> {
        let mut whole = Reader::new(file);
        let mut fields = whole.expect(SEQUENCE)?.inside();
        if !whole.is_empty() || fields.expect(INTEGER)?.small() != Some(3) {
            return Err(Broken);
        }
        let mut content = fields.expect(SEQUENCE)?.inside();
        if content.expect(OID)?.contents != DATA {
            return Err(Broken);
        }
        let contents = content.expect(EXPLICIT_0)?.inside().expect(OCTETS)?.octets()?;
        let mac_data = fields.optional(SEQUENCE)?;
        Ok(Self { contents, mac_data })
    }

    /// Opens everything with this password.
    fn open(&self, password: &Password<'_>) -> Result<Safe, Refused> {
        if let Some(mac_data) = self.mac_data {
            password.check(mac_data, &self.contents)?;
        }
        let mut safe = Safe::default();
        let mut parts = Reader::new(&self.contents).expect(SEQUENCE)?.inside();
        while !parts.is_empty() {
            let mut part = parts.expect(SEQUENCE)?.inside();
            let kind = part.expect(OID)?.contents;
            let mut content = part.expect(EXPLICIT_0)?.inside();
            if kind == DATA {
                let bags = content.expect(OCTETS)?.octets()?;
                safe.read(Reader::new(&bags), password, DEEPEST)?;
            } else if kind == ENCRYPTED_DATA {
                // EncryptedData (RFC 5652 §8): version, then type, algorithm and [0] IMPLICIT OCTET STRING.
                let mut fields = content.expect(SEQUENCE)?.inside();
                fields.expect(INTEGER)?;
                let mut fields = fields.expect(SEQUENCE)?.inside();
                fields.expect(OID)?;
                let algorithm = fields.expect(SEQUENCE)?;
                let sealed = fields.next()?;
                if sealed.tag & 0xdf != 0x80 {
                    return Err(Refused::Broken);
                }
                safe.count_part()?;
                let bags = password.decrypt(algorithm, &sealed.octets()?)?;
                safe.read(Reader::new(&bags), password, DEEPEST)?;
            } else {
                // EnvelopedData, which no password opens.
                return Err(Refused::Unsupported);
            }
        }
        Ok(safe)
    }
}

/// A private key in PKCS#8 and its local id, where it has one.
struct Key {
    pkcs8: Zeroizing<Vec<u8>>,
    local_id: Option<Vec<u8>>,
}

/// A certificate in DER and its local id, where it has one.
struct Bag {
    certificate: Vec<u8>,
    local_id: Option<Vec<u8>>,
}

/// What was found in a file.
#[derive(Default)]
struct Safe {
    keys: Vec<Key>,
    certificates: Vec<Bag>,
    /// Protected parts opened so far.
    parts: usize,
}

impl Safe {
    fn count_part(&mut self) -> Result<(), Refused> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(Refused::Rounds);
        }
        Ok(())
    }

    /// Reads `SafeContents` (RFC 7292 §4.2).
    fn read(&mut self, mut reader: Reader<'_>, password: &Password<'_>, depth: usize) -> Result<(), Refused> {
        let mut bags = reader.expect(SEQUENCE)?.inside();
        while !bags.is_empty() {
            let mut bag = bags.expect(SEQUENCE)?.inside();
            let kind = bag.expect(OID)?.contents.strip_prefix(BAG);
            let mut value = bag.expect(EXPLICIT_0)?.inside();
            let local_id = local_key_id(bag)?;
            match kind {
                // keyBag, pkcs8ShroudedKeyBag, certBag, safeContentsBag; CRLs and secrets are of no use here.
                Some([1]) => {
                    let pkcs8 = Zeroizing::new(value.expect(SEQUENCE)?.whole.to_vec());
                    self.keys.push(Key { pkcs8, local_id });
                }
                Some([2]) => {
                    let mut fields = value.expect(SEQUENCE)?.inside();
                    let algorithm = fields.expect(SEQUENCE)?;
                    let sealed = fields.expect(OCTETS)?.octets()?;
                    self.count_part()?;
                    let pkcs8 = password.decrypt(algorithm, &sealed)?;
                    // A wrong password may leave a right padding: a key is a SEQUENCE and nothing behind it.
                    let mut reader = Reader::new(&pkcs8);
                    reader.expect(SEQUENCE)?;
                    if !reader.is_empty() {
                        return Err(Refused::Broken);
                    }
                    self.keys.push(Key { pkcs8, local_id });
                }
                Some([3]) => {
                    let mut fields = value.expect(SEQUENCE)?.inside();
                    if fields.expect(OID)?.contents == X509_CERTIFICATE {
                        let certificate = fields.expect(EXPLICIT_0)?.inside().expect(OCTETS)?;
                        let certificate = certificate.octets()?.into_owned();
                        self.certificates.push(Bag {
                            certificate,
                            local_id,
                        });
                    }
                }
                Some([6]) => {
                    let depth = depth.checked_sub(1).ok_or(Refused::Broken)?;
                    self.read(value, password, depth)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns the `localKeyId` among a bag's attributes; `None` when there is none.
fn local_key_id(mut bag: Reader<'_>) -> Result<Option<Vec<u8>>, Broken> {
    let Some(attributes) = bag.optional(SET)? else {
        return Ok(None);
    };
    let mut attributes = attributes.inside();
    while !attributes.is_empty() {
        let mut attribute = attributes.expect(SEQUENCE)?.inside();
        if attribute.expect(OID)?.contents == LOCAL_KEY_ID {
            let id = attribute.expect(SET)?.inside().expect(OCTETS)?;
            return Ok(Some(id.octets()?.into_owned()));
        }
    }
    Ok(None)
}

/// Returns the certificate that bears the key's local id, then each one's issuer, then the rest; `None` when
/// one cannot be read. Without a local id the file's order stands: whoever matches the key to a certificate decides.
fn in_chain_order(bags: Vec<Bag>, local_id: Option<&[u8]>) -> Option<Vec<CertificateDer<'static>>> {
    let leaf = bags
        .iter()
        .position(|bag| local_id.is_some() && bag.local_id.as_deref() == local_id);
    let mut rest: Vec<(Names, Vec<u8>)> = bags
        .into_iter()
        .map(|bag| Some((Names::of(&bag.certificate).ok()?, bag.certificate)))
        .collect::<Option<_>>()?;
    let mut chain = Vec::new();
    let mut next = leaf;
    while let Some(at) = next {
        let (names, certificate) = rest.remove(at);
        chain.push(certificate);
        next = rest.iter().position(|(other, _)| other.subject == names.issuer);
    }
    chain.extend(rest.into_iter().map(|(_, certificate)| certificate));
    Some(chain.into_iter().map(CertificateDer::from).collect())
}

/// The two names in a certificate, in DER.
struct Names {
    issuer: Vec<u8>,
    subject: Vec<u8>,
}

impl Names {
    /// Reads a certificate as far as its subject (RFC 5280 §4.1).
    fn of(certificate: &[u8]) -> Result<Self, Broken> {
        let mut fields = Reader::new(certificate).expect(SEQUENCE)?.inside();
        let mut fields = fields.expect(SEQUENCE)?.inside();
        fields.optional(EXPLICIT_0)?;
        fields.expect(INTEGER)?;
        fields.expect(SEQUENCE)?;
        let issuer = fields.expect(SEQUENCE)?.whole.to_vec();
        fields.expect(SEQUENCE)?;
        let subject = fields.expect(SEQUENCE)?.whole.to_vec();
        Ok(Self { issuer, subject })
    }
}

fn explain(refused: &Refused, has_integrity_check: bool) -> Error {
    let wrong_password = |context| Error::new(ErrorKind::WrongPassword, context);
    match refused {
        Refused::Rounds => {
            invalid("pkcs#12 file asks for more than a million key derivation rounds, or for none")
        }
        Refused::Unsupported => invalid(
            "pkcs#12 file uses an algorithm that is not supported: export it again with aes-256 and sha-256",
        ),
        // The integrity check depends on the password alone, and comes first.
        Refused::Integrity => wrong_password("password does not open the pkcs#12 file"),
        // Without it a wrong password shows as broken contents.
        Refused::Broken | Refused::Padding if !has_integrity_check => wrong_password(
            "password does not open the pkcs#12 file, or the file, which has no integrity check, is damaged",
        ),
        Refused::Broken | Refused::Padding => invalid("not a readable pkcs#12 file"),
    }
}

fn invalid(context: &'static str) -> Error {
    Error::new(ErrorKind::InvalidCredential, context)
}

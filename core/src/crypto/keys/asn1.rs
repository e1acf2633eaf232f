//! Keys in DER: SEC1 (RFC 5915), PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) and SPKI
//! (RFC 5480), told apart by their shape.

use zeroize::Zeroizing;

use super::der::{BIT_STRING, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, write};
use super::{Material, invalid, point};
use crate::error::{Error, ErrorKind};

const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

const CURVES: &[(&[u8], &str)] = &[
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], "p-384"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], "p-521"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x21], "p-224"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], "secp256k1"),
];

const ALGORITHMS: &[(&[u8], &str)] = &[
    (&[0x2b, 0x65, 0x70], "an ed25519 key"),
    (&[0x2b, 0x65, 0x71], "an ed448 key"),
    (&[0x2b, 0x65, 0x6e], "an x25519 key"),
    (&[0x2b, 0x65, 0x6f], "an x448 key"),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
        "an rsa-pss key",
    ),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "a dsa key"),
];

/// Reads one key and nothing after it.
pub(super) fn read(der: &[u8]) -> Result<Material, Error> {
    let mut outer = Reader::new(der);
    let body = outer
        .take(SEQUENCE)
        .ok_or_else(|| invalid("the key is not der, or cut short"))?;
    if !outer.is_empty() {
        return Err(invalid("there are bytes after the key"));
    }
    let mut reader = Reader::new(body);
    let (tag, first) = reader.next().ok_or_else(truncated)?;
    match (tag, first, reader.peek()) {
        (INTEGER, [0 | 1], Some(SEQUENCE)) => pkcs8(der, reader),
        (INTEGER, [3], Some(SEQUENCE)) => Err(Error::new(
            ErrorKind::EncryptedKey,
            "a pkcs#12 file where a key is needed: take the key out of it first",
        )),
        (INTEGER, [1], Some(OCTET_STRING)) => sec1(body, None),
        (INTEGER, [0], Some(INTEGER)) => Ok(Material::RsaPkcs1(Zeroizing::new(der.to_vec()))),
        (INTEGER, _, Some(INTEGER)) => Ok(Material::Other("an rsa public key")),
        (SEQUENCE, algorithm, Some(BIT_STRING)) => spki(algorithm, reader),
        (SEQUENCE, _, Some(OCTET_STRING)) => Err(encrypted()),
        (SEQUENCE, _, Some(SEQUENCE)) => Ok(Material::Other("a certificate")),
        _ => Err(invalid("der, but not a key in a known form")),
    }
}

/// The curve named by an `EC PARAMETERS` block: an error text if it is not P-256.
pub(super) fn curve_of_parameters(der: &[u8]) -> Option<&'static str> {
    let mut reader = Reader::new(der);
    match reader.next() {
        Some((OID, P256)) => None,
        other => Some(curve_name(other)),
    }
}

fn pkcs8(der: &[u8], mut reader: Reader<'_>) -> Result<Material, Error> {
    let algorithm = reader.take(SEQUENCE).ok_or_else(truncated)?;
    let private = reader.take(OCTET_STRING).ok_or_else(truncated)?;
    let mut public = None;
    while let Some((tag, content)) = reader.next() {
        match (tag, content) {
            (0xa0, _) => {} // attributes
            (0x81, [0, bits @ ..]) => public = Some(bits),
            _ => return Err(invalid("an unknown element in the pkcs#8 key")),
        }
    }
    if !reader.is_empty() {
        return Err(truncated());
    }
    let mut algorithm = Reader::new(algorithm);
    let id = algorithm.take(OID).ok_or_else(truncated)?;
    let parameters = algorithm.next();
    match id {
        EC_PUBLIC_KEY => match parameters {
            Some((OID, P256)) => {
                let mut inner = Reader::new(private);
                let body = inner.take(SEQUENCE).ok_or_else(truncated)?;
                if !inner.is_empty() {
                    return Err(invalid("there are bytes after the private key"));
                }
                sec1(body, public)
            }
            other => Ok(Material::OtherCurve(curve_name(other))),
        },
        RSA => Ok(Material::RsaPkcs8(Zeroizing::new(der.to_vec()))),
        other => Ok(Material::Other(algorithm_name(other))),
    }
}

/// The content of an `ECPrivateKey`; `outside` is a public key that PKCS#8 holds beside it.
fn sec1(body: &[u8], outside: Option<&[u8]>) -> Result<Material, Error> {
    let mut reader = Reader::new(body);
    let version = reader.take(INTEGER).ok_or_else(truncated)?;
    let scalar = reader.take(OCTET_STRING).ok_or_else(truncated)?;
    let mut public = outside.map(point).transpose()?;
    while let Some((tag, content)) = reader.next() {
        let mut inner = Reader::new(content);
        match tag {
            0xa0 => match inner.next() {
                Some((OID, P256)) if inner.is_empty() => {}
                other => return Ok(Material::OtherCurve(curve_name(other))),
            },
            0xa1 => match (inner.take(BIT_STRING), inner.is_empty()) {
                (Some([0, bits @ ..]), true) => {
                    let found = point(bits)?;
                    if public.is_some_and(|other| other != found) {
                        return Err(super::mismatch());
                    }
                    public = Some(found);
                }
                _ => return Err(invalid("the public part of the key is malformed")),
            },
            _ => return Err(invalid("an unknown element in the sec1 key")),
        }
    }
    if !reader.is_empty() || version != [1] {
        return Err(truncated());
    }
    if scalar.len() == 48 || scalar.len() == 66 {
        return Ok(Material::OtherCurve(if scalar.len() == 48 {
            "p-384"
        } else {
            "p-521"
        }));
    }
    Ok(Material::EcPrivate {
        scalar: super::scalar(scalar)?,
        public,
    })
}

fn spki(algorithm: &[u8], mut reader: Reader<'_>) -> Result<Material, Error> {
    let bits = reader.take(BIT_STRING).ok_or_else(truncated)?;
    if !reader.is_empty() {
        // Certificates are SEQUENCE, SEQUENCE, BIT STRING and never come here.
        return Err(invalid("der, but not a key in a known form"));
    }
    let mut algorithm = Reader::new(algorithm);
    let id = algorithm.take(OID).ok_or_else(truncated)?;
    match (id, algorithm.next(), bits) {
        (EC_PUBLIC_KEY, Some((OID, P256)), [0, bits @ ..]) => Ok(Material::EcPublic(point(bits)?)),
        (EC_PUBLIC_KEY, Some((OID, P256)), _) => Err(invalid("the public key is malformed")),
        (EC_PUBLIC_KEY, other, _) => Ok(Material::OtherCurve(curve_name(other))),
        (RSA, _, _) => Ok(Material::Other("an rsa public key")),
        (other, _, _) => Ok(Material::Other(algorithm_name(other))),
    }
}

fn curve_name(parameters: Option<(u8, &[u8])>) -> &'static str {
    match parameters {
        Some((OID, id)) => CURVES
            .iter()
            .find(|(oid, _)| *oid == id)
            .map_or("an unknown curve", |(_, name)| name),
        Some((SEQUENCE, _)) => "a curve given by explicit parameters",
        _ => "no named curve",
    }
}

fn algorithm_name(id: &[u8]) -> &'static str {
    ALGORITHMS
        .iter()
        .find(|(oid, _)| *oid == id)
        .map_or("a key of an unknown algorithm", |(_, name)| name)
}

fn truncated() -> Error {
    invalid("the key is malformed or cut short")
}

pub(super) fn encrypted() -> Error {
    Error::new(
        ErrorKind::EncryptedKey,
        "the key is encrypted with a password: decrypt it first (openssl pkcs8)",
    )
}

/// `ECPrivateKey` with the curve and the public key: 121 bytes.
pub(in crate::crypto) fn write_sec1(scalar: &[u8; 32], public: &[u8; 65]) -> Zeroizing<Vec<u8>> {
    sequence(|out| ec_private_key(out, scalar, public, true))
}

/// `PrivateKeyInfo` with the public key inside: 138 bytes.
pub(in crate::crypto) fn write_pkcs8(scalar: &[u8; 32], public: &[u8; 65]) -> Zeroizing<Vec<u8>> {
    let private = sequence(|out| ec_private_key(out, scalar, public, false));
    sequence(|out| {
        write(out, INTEGER, &[0]);
        write(out, SEQUENCE, &ec_algorithm());
        write(out, OCTET_STRING, &private);
    })
}

/// `SubjectPublicKeyInfo`: 91 bytes.
pub(in crate::crypto) fn write_spki(public: &[u8; 65]) -> Vec<u8> {
    let mut body = Vec::with_capacity(96);
    write(&mut body, SEQUENCE, &ec_algorithm());
    write(&mut body, BIT_STRING, &bits(public));
    let mut out = Vec::with_capacity(96);
    write(&mut out, SEQUENCE, &body);
    out
}

fn sequence(fill: impl FnOnce(&mut Vec<u8>)) -> Zeroizing<Vec<u8>> {
    // Never grows, so no copy of the key is left behind by a reallocation.
    let mut body = Zeroizing::new(Vec::with_capacity(192));
    fill(&mut body);
    let mut out = Zeroizing::new(Vec::with_capacity(192));
    write(&mut out, SEQUENCE, &body);
    out
}

fn ec_private_key(out: &mut Vec<u8>, scalar: &[u8; 32], public: &[u8; 65], with_curve: bool) {
    write(out, INTEGER, &[1]);
    write(out, OCTET_STRING, scalar);
    if with_curve {
        let mut curve = Vec::new();
        write(&mut curve, OID, P256);
        write(out, 0xa0, &curve);
    }
    let mut key = Vec::new();
    write(&mut key, BIT_STRING, &bits(public));
    write(out, 0xa1, &key);
}

fn ec_algorithm() -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, OID, EC_PUBLIC_KEY);
    write(&mut out, OID, P256);
    out
}

fn bits(public: &[u8; 65]) -> Vec<u8> {
    let mut out = vec![0];
    out.extend_from_slice(public);
    out
}

//! PEM (RFC 7468) as it comes out of files, environment variables and JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::asn1::encrypted;
use super::{Material, asn1, invalid};
use crate::error::{Error, ErrorKind};

/// Reads the one key of a PEM text. `EC PARAMETERS`, certificates and text
/// around the blocks are skipped; a `PUBLIC KEY` beside a private one must be its own.
pub(super) fn read(text: &str) -> Result<Material, Error> {
    let text = Zeroizing::new(unescape(text));
    let mut private: Option<Material> = None;
    let mut public: Option<Material> = None;
    let mut other_curve = None;
    let mut saw_certificate = false;
    let mut rest = text.as_str();
    while let Some(block) = next_block(&mut rest)? {
        let slot = match block.label {
            "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => &mut private,
            "PUBLIC KEY" | "RSA PUBLIC KEY" => &mut public,
            "ENCRYPTED PRIVATE KEY" => return Err(encrypted()),
            "EC PARAMETERS" => {
                other_curve = asn1::curve_of_parameters(&block.content()?);
                continue;
            }
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                saw_certificate = true;
                continue;
            }
            "OPENSSH PRIVATE KEY" => {
                return Err(Error::new(
                    ErrorKind::WrongKeyType,
                    "an openssh key: convert it first (ssh-keygen -p -m pkcs8)",
                ));
            }
            "DSA PRIVATE KEY" => return Ok(Material::Other("a dsa key")),
            _ => return Err(invalid("a pem block with an unknown label")),
        };
        if slot.is_some() {
            return Err(invalid("more than one key in one pem text"));
        }
        *slot = Some(asn1::read(&block.content()?)?);
    }
    match (private, public) {
        (Some(Material::EcPrivate { .. }), _) if other_curve.is_some() => {
            Ok(Material::OtherCurve(other_curve.unwrap_or_default()))
        }
        (Some(Material::EcPrivate { scalar, public: None }), Some(Material::EcPublic(beside))) => {
            Ok(Material::EcPrivate {
                scalar,
                public: Some(beside),
            })
        }
        (
            Some(Material::EcPrivate {
                public: Some(inside), ..
            }),
            Some(Material::EcPublic(beside)),
        ) if inside != beside => Err(super::mismatch()),
        (Some(Material::EcPrivate { .. }), Some(public)) if !matches!(public, Material::EcPublic(_)) => {
            Err(super::mismatch())
        }
        (Some(private), _) => Ok(private),
        (None, Some(public)) => Ok(public),
        (None, None) if saw_certificate => Ok(Material::Other("a certificate")),
        (None, None) => Err(invalid("no key in the pem text")),
    }
}

/// One block in PEM, lines of 64 characters, ending in a newline.
pub(super) fn write(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut out = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 96));
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

struct Block<'a> {
    label: &'a str,
    body: &'a str,
}

impl Block<'_> {
    fn content(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.body.contains("ENCRYPTED") && self.body.contains(':') {
            return Err(encrypted()); // Proc-Type: 4,ENCRYPTED (RFC 1421)
        }
        let mut body = Zeroizing::new(String::with_capacity(self.body.len()));
        body.extend(self.body.chars().filter(|c| !c.is_ascii_whitespace()));
        STANDARD
            .decode(body.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| invalid("the base64 of the pem block is broken"))
    }
}

fn next_block<'a>(rest: &mut &'a str) -> Result<Option<Block<'a>>, Error> {
    let Some((_, tail)) = rest.split_once("-----BEGIN ") else {
        return Ok(None);
    };
    let block = || {
        let (label, tail) = tail.split_once("-----")?;
        let (body, tail) = tail.split_once("-----END ")?;
        let (end, tail) = tail.split_once("-----")?;
        (label == end).then_some((Block { label, body }, tail))
    };
    let (block, tail) = block().ok_or_else(|| invalid("a pem block without its end line"))?;
    *rest = tail;
    Ok(Some(block))
}

/// Environment variables and JSON in shells turn a newline into two characters.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('\\') {
        out.push_str(head);
        rest = match tail.as_bytes().first() {
            Some(b'n' | b'r') => {
                out.push('\n');
                tail.get(1..).unwrap_or_default()
            }
            // `\\n`, escaped twice, and a backslash at the end of a line.
            _ => tail,
        };
    }
    out.push_str(rest);
    out
}

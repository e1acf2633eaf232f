//! JSON Web Keys (RFC 7517, RFC 7518 §6.2), and the JSON that Web Push libraries keep their keys in (`docs/other-libraries.md`).

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::{Material, invalid, point, scalar};
use crate::crypto::base64;
use crate::error::Error;

/// The members under which libraries keep an object with the keys: web-push for PHP, for .NET and a set of JSON Web Keys.
const AROUND: &[&str] = &["vapid", "vapiddetails", "vapidkeys", "keys"];

/// The ends of the names of the member with the private key: `privateKey` (node), `private_key` (Ruby), `PrivateKey` (.NET),
/// `VAPID_PRIVATE_KEY`; `primaryKey` is Swift's.
const PRIVATE: &[&str] = &["privatekey", "primarykey"];

/// Reads one key.
pub(super) fn read(text: &str) -> Result<Material, Error> {
    let map = crate::json::parse_object(super::plain_json(text).as_bytes())
        .map_err(|error| invalid("the key is not a json object").with_source(error))?;
    let map = Wiped(map);
    read_object(&map.0, 0)
}

/// A parsed object whose texts are overwritten when it is dropped, because one of them is the key.
struct Wiped(Map<String, Value>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(all) => all.iter_mut().for_each(wipe),
        Value::Object(all) => all.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The number of objects around the keys that are looked into.
const DEEPEST: u8 = 2;

fn read_object(map: &Map<String, Value>, depth: u8) -> Result<Material, Error> {
    match map.get("kty").and_then(Value::as_str) {
        Some("EC") => return elliptic(map),
        Some("RSA") => return Ok(Material::Other("an rsa key in jwk form")),
        Some("OKP") => return Ok(Material::Other("an edwards-curve key")),
        Some("oct") => return Ok(Material::Other("a symmetric key")),
        _ => {}
    }
    match of_any_name(map, PRIVATE) {
        Some(Value::String(private)) => {
            let private = private_text(private)?;
            let public = match of_any_name(map, &["publickey"]) {
                Some(Value::String(text)) => Some(public_text(text)?),
                _ => None,
            };
            return beside(private, public);
        }
        // Each of the two is a JSON Web Key (Deno's).
        Some(Value::Object(private)) => {
            let public = match of_any_name(map, &["publickey"]) {
                Some(Value::Object(public)) => match read_object(public, DEEPEST)? {
                    Material::EcPublic(point) => Some(point),
                    _ => None,
                },
                _ => None,
            };
            return beside(read_object(private, DEEPEST)?, public);
        }
        _ => {}
    }
    let inner = match map.iter().find(|(key, _)| AROUND.contains(&plain(key).as_str())) {
        Some((_, Value::Object(inner))) if depth < DEEPEST => Some(inner),
        Some((_, Value::Array(all))) if depth < DEEPEST => match all.as_slice() {
            [Value::Object(inner)] => Some(inner),
            [Value::String(text)] => return private_text(text),
            _ => return Err(invalid("a json object with another number of keys than one")),
        },
        _ => None,
    };
    match inner {
        Some(inner) => read_object(inner, depth + 1),
        None => Err(invalid(
            "a json object without the member kty of a jwk, or privateKey",
        )),
    }
}

/// The private key with the public one that stands beside it.
fn beside(private: Material, public: Option<[u8; 65]>) -> Result<Material, Error> {
    match (private, public) {
        (
            Material::EcPrivate {
                public: Some(inside), ..
            },
            Some(beside),
        ) if inside != beside => Err(super::mismatch()),
        (Material::EcPrivate { scalar, public }, beside) => Ok(Material::EcPrivate {
            scalar,
            public: beside.or(public),
        }),
        (other, _) => Ok(other),
    }
}

/// A private key as the text of a member: in base64, bare or in DER, or in PEM.
fn private_text(text: &str) -> Result<Material, Error> {
    match text.contains("-----BEGIN ") {
        true => super::pem::read(text),
        false => super::read_bytes(&Zeroizing::new(bytes(text)?)),
    }
}

/// A public key as the text of a member.
fn public_text(text: &str) -> Result<[u8; 65], Error> {
    let read = match text.contains("-----BEGIN ") {
        true => super::pem::read(text)?,
        false => super::read_bytes(&bytes(text)?)?,
    };
    match read {
        Material::EcPublic(point) => Ok(point),
        _ => Err(invalid("the member with the public key holds another key")),
    }
}

fn plain(key: &str) -> String {
    key.replace(['_', '-'], "").to_ascii_lowercase()
}

/// The member whose name ends so, in any library's spelling.
fn of_any_name<'a>(map: &'a Map<String, Value>, ends: &[&str]) -> Option<&'a Value> {
    map.iter()
        .find(|(key, _)| ends.iter().any(|end| plain(key).ends_with(end)))
        .map(|(_, value)| value)
}

/// The private key; members in the order of RFC 7517's examples.
pub(in crate::crypto) fn write(private: Option<&[u8; 32]>, public: &[u8; 65]) -> Zeroizing<String> {
    let (x, y) = public[1..].split_at(32);
    let mut out = Zeroizing::new(String::with_capacity(256));
    out.push_str(r#"{"kty":"EC","crv":"P-256","x":""#);
    out.push_str(&base64::encode(x));
    out.push_str(r#"","y":""#);
    out.push_str(&base64::encode(y));
    if let Some(private) = private {
        out.push_str(r#"","d":""#);
        out.push_str(&Zeroizing::new(base64::encode(private)));
    }
    out.push_str(r#""}"#);
    out
}

fn elliptic(map: &Map<String, Value>) -> Result<Material, Error> {
    match map.get("crv").and_then(Value::as_str) {
        Some("P-256") => {}
        Some("P-384") => return Ok(Material::OtherCurve("p-384")),
        Some("P-521") => return Ok(Material::OtherCurve("p-521")),
        Some("secp256k1") => return Ok(Material::OtherCurve("secp256k1")),
        _ => return Ok(Material::OtherCurve("an unknown curve")),
    }
    let member = |name| match map.get(name) {
        Some(Value::String(text)) => bytes(text).map(|bytes| Some(Zeroizing::new(bytes))),
        None => Ok(None),
        Some(_) => Err(invalid("a member of the jwk is not a string")),
    };
    let public = match (member("x")?, member("y")?) {
        (Some(x), Some(y)) => {
            let mut bytes = [0; 65];
            bytes[0] = 4;
            let (left, right) = bytes[1..].split_at_mut(32);
            for (half, coordinate) in [(left, x), (right, y)] {
                // RFC 7518 §6.2.1.2 wants full length; some writers drop leading zeros.
                let start = half
                    .len()
                    .checked_sub(coordinate.len())
                    .ok_or_else(|| invalid("a coordinate of the jwk is longer than 32 bytes"))?;
                half[start..].copy_from_slice(&coordinate);
            }
            Some(point(&bytes)?)
        }
        (None, None) => None,
        _ => return Err(invalid("the jwk has only one of x and y")),
    };
    match (member("d")?, public) {
        (Some(private), public) => Ok(Material::EcPrivate {
            scalar: scalar(&private)?,
            public,
        }),
        (None, Some(public)) => Ok(Material::EcPublic(public)),
        (None, None) => Err(invalid("the jwk holds no key")),
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, Error> {
    base64::decode(text).ok_or_else(|| invalid("a member of the jwk is not base64url"))
}

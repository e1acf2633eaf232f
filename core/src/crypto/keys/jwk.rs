//! JSON Web Keys (RFC 7517, RFC 7518 §6.2), and the JSON of `web-push generate-vapid-keys --json`.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Material, invalid, point, scalar};
use crate::crypto::base64;
use crate::error::Error;

/// Reads one key.
pub(super) fn read(text: &str) -> Result<Material, Error> {
    let map = crate::json::parse_object(text.as_bytes())
        .map_err(|error| invalid("the key is not a json object").with_source(error))?;
    if let Some(private) = of_any_name(&map, "privatekey") {
        let scalar = scalar(&Zeroizing::new(bytes(private)?))?;
        let public = of_any_name(&map, "publickey");
        let public = public.map(|text| point(&bytes(text)?)).transpose()?;
        return Ok(Material::EcPrivate { scalar, public });
    }
    match map.get("kty").and_then(Value::as_str) {
        Some("EC") => elliptic(&map),
        Some("RSA") => Ok(Material::Other("an rsa key in jwk form")),
        Some("OKP") => Ok(Material::Other("an edwards-curve key")),
        Some("oct") => Ok(Material::Other("a symmetric key")),
        _ => Err(invalid("a json object without the member kty of a jwk")),
    }
}

/// The text of a member in any library's spelling: `privateKey` (node), `private_key` (Ruby),
/// `PrivateKey` (.NET).
fn of_any_name<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let plain = |key: &str| key.replace(['_', '-'], "").to_ascii_lowercase();
    map.iter()
        .find(|(key, _)| plain(key) == name)
        .and_then(|(_, value)| value.as_str())
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

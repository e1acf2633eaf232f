//! `google.type.Color`: four numbers from 0 to 1.

use serde_json::{Map, Value};

use super::{Path, Wire};
use crate::error::{Error, ErrorKind};

/// A colour of eight bits a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
    /// 255 is opaque.
    pub alpha: u8,
}

impl Color {
    /// Reads `#rrggbb` (opaque) or `#rrggbbaa`.
    ///
    /// # Errors
    /// `InvalidValue` when it is anything else.
    pub fn from_hex(text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix('#').unwrap_or_default();
        let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let number = match digits.len() {
            6 if hex => u32::from_str_radix(digits, 16).ok().map(|rgb| rgb << 8 | 0xff),
            8 if hex => u32::from_str_radix(digits, 16).ok(),
            _ => None,
        };
        let [red, green, blue, alpha] = number
            .ok_or_else(|| Error::new(ErrorKind::InvalidValue, "not a colour like #rrggbb or #rrggbbaa"))?
            .to_be_bytes();
        Ok(Self {
            red,
            green,
            blue,
            alpha,
        })
    }
}

impl Wire for Color {
    fn to_value(&self, _at: &Path<'_>) -> Result<Value, Error> {
        let channel = |byte: u8| Value::from(f64::from(byte) / 255.0);
        let mut map = Map::new();
        map.insert("red".into(), channel(self.red));
        map.insert("green".into(), channel(self.green));
        map.insert("blue".into(), channel(self.blue));
        if self.alpha != 255 {
            map.insert("alpha".into(), channel(self.alpha));
        }
        Ok(Value::Object(map))
    }

    /// From an object, rounded to eight bits, or from `"#rrggbb"` text.
    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        let invalid = || at.error(ErrorKind::InvalidValue, "not a colour of channels from 0 to 1");
        if let Value::String(text) = &value {
            return Self::from_hex(text).map_err(|error| at.error(error.kind(), error.context()));
        }
        let Value::Object(map) = value else {
            return Err(invalid());
        };
        let known = |key: &&String| matches!(key.as_str(), "red" | "green" | "blue" | "alpha");
        if let Some(key) = map.keys().find(|key| !known(key)) {
            return Err(at.unknown(key));
        }
        let channel = |name: &str, default: u8| match map.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value.as_f64().and_then(to_byte).ok_or_else(invalid),
        };
        Ok(Self {
            red: channel("red", 0)?,
            green: channel("green", 0)?,
            blue: channel("blue", 0)?,
            alpha: channel("alpha", 255)?,
        })
    }

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"anyOf": [
            {"type": "string", "pattern": "^#([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$"},
            {"type": "object", "additionalProperties": false, "properties": {
                "red": {"type": "number", "minimum": 0, "maximum": 1},
                "green": {"type": "number", "minimum": 0, "maximum": 1},
                "blue": {"type": "number", "minimum": 0, "maximum": 1},
                "alpha": {"type": "number", "minimum": 0, "maximum": 1},
            }},
        ]})
    }

    #[cfg(test)]
    fn kind() -> String {
        "`\"#rrggbb\"`, `\"#rrggbbaa\"`, or an object of `red`, `green`, `blue`, `alpha` from 0 to 1"
            .to_owned()
    }
}

/// The byte nearest to a channel from 0 to 1.
fn to_byte(channel: f64) -> Option<u8> {
    if !(0.0..=1.0).contains(&channel) {
        return None;
    }
    (0..=255u8).find(|byte| (f64::from(*byte) - channel * 255.0).abs() <= 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        for byte in 0..=255u8 {
            let color = Color {
                red: byte,
                green: 255 - byte,
                blue: 10,
                alpha: byte,
            };
            let value = color.to_value(&Path::MESSAGE).unwrap();
            assert_eq!(Color::read(value, &Path::MESSAGE).unwrap(), color);
        }
        assert_eq!(
            Color::from_hex("#0AFF00").unwrap(),
            Color {
                red: 10,
                green: 255,
                blue: 0,
                alpha: 255
            }
        );
        assert_eq!(Color::from_hex("#00000080").unwrap().alpha, 128);
        for bad in [
            "", "#", "0AFF00", "#0AFF0", "#0AFF000", "#GGGGGG", "#+12345", "#é12345",
        ] {
            assert!(Color::from_hex(bad).is_err(), "{bad}");
        }
        for bad in [
            r#"{"red":1.1}"#,
            r#"{"red":-0.1}"#,
            r#"{"red":"x"}"#,
            r#"{"r":1}"#,
            "1",
        ] {
            let value = serde_json::from_str(bad).unwrap();
            assert!(Color::read(value, &Path::MESSAGE).is_err(), "{bad}");
        }
    }
}

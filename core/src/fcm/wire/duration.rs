//! `google.protobuf.Duration` in JSON: seconds with a suffix `s`. Integer
//! nanoseconds throughout; a float would turn 3.3 s into 3.299999999 s.

use std::time::Duration;

use serde_json::Value;

use super::{Path, Wire};
use crate::error::{Error, ErrorKind};

/// The longest duration that the type allows: about 10,000 years.
const LONGEST: u64 = 315_576_000_000;

impl Wire for Duration {
    fn to_value(&self, _at: &Path<'_>) -> Result<Value, Error> {
        Ok(Value::String(print(*self)))
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        value
            .as_str()
            .and_then(parse)
            .ok_or_else(|| at.error(ErrorKind::InvalidValue, "not a duration like \"3.5s\""))
    }

    fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        if self.as_secs() > LONGEST {
            return Err(at.error(ErrorKind::InvalidValue, "longer than a duration may be"));
        }
        Ok(())
    }

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "string", "pattern": "^[0-9]+([.][0-9]{1,9})?s$"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "duration, `\"3.5s\"`".to_owned()
    }
}

fn print(duration: Duration) -> String {
    format!("{}{}s", duration.as_secs(), fraction(duration.subsec_nanos()))
}

/// No fraction when zero, else 3, 6 or 9 digits, as proto3 JSON prints them.
pub(super) fn fraction(nanos: u32) -> String {
    if nanos == 0 {
        String::new()
    } else if nanos % 1_000_000 == 0 {
        format!(".{:03}", nanos / 1_000_000)
    } else if nanos % 1_000 == 0 {
        format!(".{:06}", nanos / 1_000)
    } else {
        format!(".{nanos:09}")
    }
}

fn parse(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (secs, nanos) = match number.split_once('.') {
        Some((secs, fraction)) => (secs, parse_fraction(fraction)?),
        None => (number, 0),
    };
    if secs.is_empty() || !secs.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let secs = secs.parse().ok().filter(|secs| *secs <= LONGEST)?;
    Some(Duration::new(secs, nanos))
}

/// 1 to 9 digits after the point, scaled to nanoseconds.
pub(super) fn parse_fraction(digits: &str) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_only() {
        for (text, secs, nanos, printed) in [
            ("0s", 0, 0, "0s"),
            ("3s", 3, 0, "3s"),
            ("3.5s", 3, 500_000_000, "3.500s"),
            ("3.3s", 3, 300_000_000, "3.300s"),
            ("1.001s", 1, 1_000_000, "1.001s"),
            ("3.000000001s", 3, 1, "3.000000001s"),
            ("3.000s", 3, 0, "3s"),
            ("0.000001s", 0, 1_000, "0.000001s"),
            ("2419200s", 2_419_200, 0, "2419200s"),
        ] {
            assert_eq!(parse(text), Some(Duration::new(secs, nanos)), "{text}");
            assert_eq!(print(Duration::new(secs, nanos)), printed);
        }
        for text in [
            "",
            "s",
            "3",
            "3 s",
            "-1s",
            "+1s",
            "1.s",
            ".5s",
            "1.0000000001s",
            "1e3s",
            "1,5s",
            "NaNs",
            "315576000001s",
            "99999999999999999999s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

//! `google.protobuf.Timestamp` in JSON: RFC 3339 in UTC.

use std::fmt;

use serde_json::Value;

use super::duration::{fraction, parse_fraction};
use super::{Path, Wire};
use crate::error::{Error, ErrorKind};
use crate::time::UnixTime;

/// A point in time with nanoseconds, 0001-01-01 to 9999-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970.
    secs: i64,
    nanos: u32,
}

const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;
const DAY: i64 = 86_400;

impl Timestamp {
    /// Reads RFC 3339 with `Z` or an offset, at most nine digits of fraction.
    ///
    /// # Errors
    /// `InvalidValue` when it is anything else, or outside the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidValue,
                "not an rfc 3339 date and time with a zone",
            )
        })
    }

    /// Returns the time in milliseconds since 1970; earlier times become 1970.
    pub fn to_unix(self) -> UnixTime {
        let millis = u64::from(self.nanos / 1_000_000);
        match u64::try_from(self.secs) {
            Ok(secs) => UnixTime::from_millis(secs.saturating_mul(1000).saturating_add(millis)),
            Err(_) => UnixTime::from_millis(0),
        }
    }
}

impl From<UnixTime> for Timestamp {
    fn from(time: UnixTime) -> Self {
        // Whole seconds of a u64 of milliseconds fit; a year above 9999 is refused by `check`.
        let millis = time.as_millis();
        Self {
            secs: i64::try_from(millis / 1000).unwrap_or(i64::MAX),
            nanos: u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000,
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.secs.div_euclid(DAY));
        let second = self.secs.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}Z",
            fraction(self.nanos)
        )
    }
}

impl Wire for Timestamp {
    fn to_value(&self, _at: &Path<'_>) -> Result<Value, Error> {
        Ok(Value::String(self.to_string()))
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        value
            .as_str()
            .and_then(parse)
            .ok_or_else(|| at.error(ErrorKind::InvalidValue, "not an rfc 3339 date and time"))
    }

    fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        if !(FIRST..=LAST).contains(&self.secs) {
            return Err(at.error(ErrorKind::InvalidValue, "outside the years 1 to 9999"));
        }
        Ok(())
    }

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "string", "format": "date-time"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "RFC 3339 time".to_owned()
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())
            .flatten()
    };
    let is = |at: usize, any: &[u8]| text.as_bytes().get(at).is_some_and(|b| any.contains(b));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_since_1970(year, month, day)?;
    let rest = text.get(19..)?;
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (digits, zone) = rest.split_at_checked(zone_at)?;
    let nanos = match digits.strip_prefix('.') {
        Some(digits) => parse_fraction(digits)?,
        None if digits.is_empty() => 0,
        None => return None,
    };
    let offset = match zone.as_bytes() {
        b"Z" | b"z" => 0,
        [sign, h1, h2, b':', m1, m2] => {
            let two = |a: &u8, b: &u8| -> Option<i64> {
                (a.is_ascii_digit() && b.is_ascii_digit())
                    .then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
            };
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let secs = days * DAY + hour * 3600 + minute * 60 + second - offset;
    (FIRST..=LAST)
        .contains(&secs)
        .then_some(Timestamp { secs, nanos })
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are
/// counted from March, so that the leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let year_from_march = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days =
        year_from_march.div_euclid(4) - year_from_march.div_euclid(100) + year_from_march.div_euclid(400);
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    let days = year_from_march * 365 + leap_days + day_of_year - 719_468;
    // A 31st of April counted on into May: only a real date comes back as itself.
    (civil(days) == (year, month, day)).then_some(days)
}

/// The date of a day counted from 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097; // days in 400 years
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_rfc_3339() {
        for (text, secs, printed) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("1985-04-12T23:20:50.52Z", 482_196_050, "1985-04-12T23:20:50.520Z"),
            ("1996-12-19T16:39:57-08:00", 851_042_397, "1996-12-20T00:39:57Z"),
            ("2000-02-29T12:00:00+00:00", 951_825_600, "2000-02-29T12:00:00Z"),
            (
                "2014-10-02T15:01:23.045123456Z",
                1_412_262_083,
                "2014-10-02T15:01:23.045123456Z",
            ),
            ("2038-01-19T03:14:08Z", 2_147_483_648, "2038-01-19T03:14:08Z"),
            ("0001-01-01T00:00:00Z", FIRST, "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", LAST, "9999-12-31T23:59:59Z"),
            ("1969-12-31T23:59:59.5Z", -1, "1969-12-31T23:59:59.500Z"),
        ] {
            let time = Timestamp::parse(text).unwrap();
            assert_eq!(time.secs, secs, "{text}");
            assert_eq!(time.to_string(), printed);
        }
        for text in [
            "",
            "2014",
            "2014-10-02",
            "2014-10-02T15:01:23",
            "2014-10-02 15:01:23Z",
            "2014-13-02T15:01:23Z",
            "2014-00-02T15:01:23Z",
            "2014-02-29T15:01:23Z",
            "1900-02-29T00:00:00Z",
            "2014-04-31T15:01:23Z",
            "2014-10-02T24:00:00Z",
            "2014-10-02T15:60:23Z",
            "2014-10-02T15:01:60Z",
            "2014-10-02T15:01:23.Z",
            "2014-10-02T15:01:23.1234567890Z",
            "2014-10-02T15:01:23+0100",
            "2014-10-02T15:01:23+25:00",
            "+014-10-02T15:01:23Z",
            "0000-12-31T23:59:59Z",
            "2014-10-02T15:01:23Zx",
            "2014-10-0éT15:01:23Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn unix_times_come_back() {
        let time = UnixTime::from_millis(1_412_262_083_045);
        assert_eq!(Timestamp::from(time).to_string(), "2014-10-02T15:01:23.045Z");
        assert_eq!(Timestamp::from(time).to_unix(), time);
        let far = Timestamp::from(UnixTime::from_millis(u64::MAX));
        assert!(far.check(&Path::MESSAGE).is_err());
        assert_eq!(
            Timestamp::parse("1960-01-01T00:00:00Z").unwrap().to_unix(),
            UnixTime::from_secs(0)
        );
    }
}

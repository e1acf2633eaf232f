//! Times as Pushpad's clients write them, and as Pushpad does.

use crate::time::UnixTime;

const DAY: i64 = 86_400;

/// Reads a time of ISO 8601: `2026-11-25T10:00:00+00:00`, `2026-11-25T10:00:00.000Z`, `2026-11-25T10:09`, and what Ruby
/// makes of a time, `2026-11-25 10:09:00 UTC`. A time without a zone is in UTC ("The API always uses UTC or the time zone
/// explicitly provided"). `None` for anything else and for times before 1970.
pub(super) fn read(text: &str) -> Option<UnixTime> {
    let mut rest = Rest(text.trim().as_bytes());
    let (year, month, day) = (rest.digits(4)?, rest.after(b"-", 2)?, rest.after(b"-", 2)?);
    let (hour, minute) = (rest.after(b"Tt ", 2)?, rest.after(b":", 2)?);
    let second = if rest.peek() == Some(b':') { rest.after(b":", 2)? } else { 0 };
    if matches!(rest.peek(), Some(b'.' | b',')) {
        rest.skip();
        let before = rest.0.len();
        while rest.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            rest.skip();
        }
        if rest.0.len() == before {
            return None;
        }
    }
    if rest.peek() == Some(b' ') {
        rest.skip();
    }
    let offset = match rest.0 {
        b"" | b"Z" | b"z" | b"UTC" => 0,
        _ => {
            let sign = match rest.peek()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            rest.skip();
            let hours = rest.digits(2)?;
            if rest.peek() == Some(b':') {
                rest.skip();
            }
            let minutes = if rest.0.is_empty() { 0 } else { rest.digits(2)? };
            if !rest.0.is_empty() || hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 3600 + minutes * 60)
        }
    };
    // 60 is a leap second, which is the first second of the next minute to a Unix clock.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let secs = days(year, month, day)? * DAY + hour * 3600 + minute * 60 + second - offset;
    u64::try_from(secs).ok().map(UnixTime::from_secs)
}

/// Writes a time as Pushpad does: `2016-07-06T10:09:14.835Z`.
pub(super) fn write(time: UnixTime) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let (secs, millis) = (millis / 1000, millis % 1000);
    let (year, month, day) = civil(secs / DAY);
    let (hour, minute, second) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn skip(&mut self) {
        self.0 = self.0.get(1..).unwrap_or_default();
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |value, byte| {
            byte.is_ascii_digit()
                .then(|| value * 10 + i64::from(byte - b'0'))
        })
    }

    fn after(&mut self, marks: &[u8], count: usize) -> Option<i64> {
        if !marks.contains(&self.peek()?) {
            return None;
        }
        self.skip();
        self.digits(count)
    }
}

/// Returns the days from 1970 on; `None` for a day that is in no calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    // Years begin in March here, because the leap day is their last day then.
    let from_march = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let leap_days = from_march.div_euclid(4) - from_march.div_euclid(100) + from_march.div_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    let days = from_march * 365 + leap_days + day_of_year - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

/// Returns year, month and day of a day counted from 1970 on.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_a_client_writes() {
        // Seconds by `date -u -d ... +%s`.
        for (text, secs) in [
            ("2026-11-25T10:00:00+00:00", 1_795_600_800),
            ("2026-11-25T10:00:00.000Z", 1_795_600_800),
            ("2025-11-20T23:15:00", 1_763_680_500),
            ("2026-11-25T10:09", 1_795_601_340),
            ("2026-11-25T10:09Z", 1_795_601_340),
            ("2026-11-25 10:09:00 UTC", 1_795_601_340),
            ("2026-11-25 12:09:00 +0200", 1_795_601_340),
            ("2026-11-25T12:09:00.123456+02:00", 1_795_601_340),
            ("2026-11-25T00:09:00-10", 1_795_601_340),
            ("2024-02-29T00:00:00Z", 1_709_164_800),
            ("1970-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(read(text).map(UnixTime::as_secs), Some(secs), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "", "now", "2026-11-25", "2026-11-25T", "2026-11-25T10", "2026-13-01T00:00", "2025-02-29T00:00",
            "2026-11-31T00:00", "2026-00-10T00:00", "2026-11-25T24:00", "2026-11-25T10:60", "2026-11-25T10:00:61",
            "2026-11-25T10:00:00X", "2026-11-25T10:00:00+24:00", "2026-11-25T10:00:00+1", "2026-11-25T10:00:00.",
            "1969-12-31T23:59:59Z", "26-11-25T10:00", "2026-11-25T10:00:00Z ja", "+026-11-25T10:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_pushpad_does() {
        assert_eq!(write(UnixTime::from_millis(1_467_799_754_835)), "2016-07-06T10:09:14.835Z");
        for day in (0..40_000).step_by(7) {
            let time = UnixTime::from_secs(day * 86_400 + 3_661);
            assert_eq!(read(&write(time)), Some(time));
        }
    }
}

//! `Retry-After` (RFC 9110 §10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use super::response::Response;
use crate::time::Now;

/// The longest wait that a service can impose: an hour, as Mozilla's own services do.
const LONGEST: Duration = Duration::from_secs(3600);

/// Returns the wait that the response's `Retry-After` asks for: delay-seconds, or an HTTP-date in
/// any of its three forms, relative to `now`. Clamped to an hour; a date in the
/// past is zero; anything unreadable is `None`.
pub fn retry_after(response: &Response, now: Now) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Details digits than a u64 holds is still a number: the longest wait.
        return Some(text.parse().map_or(LONGEST, Duration::from_secs).min(LONGEST));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(now.unix.as_millis());
    Some(since_epoch.saturating_sub(now).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;

    fn at(text: &str) -> Option<Duration> {
        // 1994-11-06 08:49:37 UTC, the date of RFC 9110's examples.
        let now = Now::new(Duration::ZERO, UnixTime::from_secs(784_111_777 - 30));
        retry_after(&Response::new(429, "").with_header("Retry-After", text), now)
    }

    #[test]
    fn reads_every_form_and_clamps() {
        let secs = |s| Some(Duration::from_secs(s));
        assert_eq!(at("0"), secs(0));
        assert_eq!(at("120"), secs(120));
        assert_eq!(at("10000000000"), secs(3600));
        assert_eq!(at("99999999999999999999999"), secs(3600));
        assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), secs(30));
        assert_eq!(at("Sunday, 06-Nov-94 08:49:37 GMT"), secs(30));
        assert_eq!(at("Sun Nov  6 08:49:37 1994"), secs(30));
        assert_eq!(
            at("Sun, 06 Nov 1993 08:49:37 GMT"),
            None,
            "the weekday is wrong: not a date"
        );
        assert_eq!(at("Sat, 06 Nov 1993 08:49:37 GMT"), secs(0));
        for garbage in ["-1", "+5", "1.5", "", "soon", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(at(garbage), None, "{garbage}");
        }
    }
}

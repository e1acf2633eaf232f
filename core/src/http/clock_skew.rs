//! `Date` (RFC 9110 §6.6.1): what the sender's clock says.

use std::time::UNIX_EPOCH;

use super::response::Response;
use crate::time::Now;

/// How many seconds the clock of the response's sender is ahead of ours; negative when it
/// is behind. `None` without a readable `date`.
pub fn clock_skew(response: &Response, now: Now) -> Option<i64> {
    let date = httpdate::parse_http_date(response.header("date")?.trim()).ok()?;
    let theirs = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    let ours = i64::try_from(now.unix.as_secs()).ok()?;
    Some(theirs.saturating_sub(ours))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::UnixTime;

    #[test]
    fn the_date_of_a_response_tells_the_difference() {
        // 1994-11-06 08:49:37 UTC, the date of RFC 9110's examples.
        let at = |secs: u64, text: &str| {
            let now = Now::new(Duration::ZERO, UnixTime::from_secs(secs));
            clock_skew(&Response::new(403, "").with_header("Date", text), now)
        };
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(at(784_111_777, date), Some(0));
        assert_eq!(at(784_111_777 + 3600, date), Some(-3600));
        assert_eq!(at(784_111_777 - 86_400, date), Some(86_400));
        assert!(at(u64::MAX, date).is_some_and(|skew| skew < 0), "the end of time");
        for garbage in ["", "now", "784111777", "Mon, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(at(0, garbage), None, "{garbage}");
        }
    }
}

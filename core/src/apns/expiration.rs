//! How long APNs keeps a push.

use std::time::Duration;

use crate::error::Error;
use crate::json::Item;
use crate::time::{Now, UnixTime};

/// How long APNs keeps a push that it cannot deliver at once (`apns-expiration`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[allow(clippy::exhaustive_enums, reason = "the header is absent, 0 or a date")]
pub enum Expiration {
    /// No header: APNs stores it as it likes, for 30 days at most.
    #[default]
    Absent,
    /// 0: one attempt, nothing stored.
    Once,
    /// Stored and tried again until then: a date from 2001 to 2299, in whole seconds.
    Until(UnixTime),
}

impl Expiration {
    /// The value in a form.
    pub(super) fn form(self) -> Item<'static> {
        match self {
            Expiration::Absent => Item::Text("absent"),
            Expiration::Once => Item::Text("once"),
            Expiration::Until(time) => Item::Number(time.as_secs()),
        }
    }

    /// The expiration of a push that is kept for `ttl` from `now` on; none is kept for less than a second, so
    /// that is [`Expiration::Once`].
    #[must_use]
    pub fn after(ttl: Duration, now: Now) -> Self {
        match ttl.as_secs() {
            0 => Expiration::Once,
            secs => Expiration::Until(now.unix.saturating_add(Duration::from_secs(secs))),
        }
    }

    /// The header's value, written into `room`.
    pub(crate) fn write(self, room: &mut [u8; 20]) -> Result<Option<&str>, Error> {
        match self {
            Expiration::Absent => Ok(None),
            Expiration::Once => Ok(Some("0")),
            Expiration::Until(time) => {
                time.check_date("expiration").map_err(|error| {
                    Error::new(error.kind(), format!("{} (BadExpirationDate)", error.context()))
                })?;
                Ok(Some(decimal(time.as_secs(), room)))
            }
        }
    }
}

/// Decimal digits without an allocation; 20 hold any `u64`.
fn decimal(mut number: u64, room: &mut [u8; 20]) -> &str {
    let mut start = room.len();
    for place in room.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        start -= 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    room.get(start..)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .unwrap_or_default()
}

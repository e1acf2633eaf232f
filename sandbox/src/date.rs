//! The `date` header of answers.

use crate::exchange::Reply;
use crate::fault::known;
use crate::http_date::imf_fixdate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the answers of a service say in `date`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateHeader {
    /// There is none.
    Absent,
    /// The sandbox's time.
    Right,
    /// A clock that is so many seconds ahead of the sandbox's, or behind it.
    OffsetS(i64),
}

/// The choice for each service. Without one HTTP/2 answers have no `date`, as recorded answers of Apple's have
/// none, and HTTP/1.1 answers have the machine's time.
#[derive(Debug, Default)]
pub(crate) struct Dates(BTreeMap<&'static str, DateHeader>);

impl Dates {
    /// Sets the choice for a service; `None` goes back to the default.
    pub(crate) fn set(&mut self, service: &str, date: Option<DateHeader>) -> Result<(), String> {
        let service = known(service)?;
        match date {
            Some(date) => self.0.insert(service, date),
            None => self.0.remove(service),
        };
        Ok(())
    }

    /// Writes the header, unless a script has written one.
    pub(crate) fn write(&self, service: &str, now_ms: i64, reply: &mut Reply) {
        let by_script = reply
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("date"));
        let ahead = match self.0.get(service) {
            _ if by_script => return,
            None => return,
            Some(DateHeader::Absent) => {
                reply.after.no_date = true;
                return;
            }
            Some(DateHeader::Right) => 0,
            Some(DateHeader::OffsetS(seconds)) => *seconds,
        };
        let shown = now_ms.saturating_add(ahead.saturating_mul(1000));
        reply.headers.push(("date".into(), imf_fixdate(shown)));
    }
}

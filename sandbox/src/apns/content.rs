//! Whether a body is what its push type says it is.

use super::{Apns, Refusal};
use crate::record::Record;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What to do about a body that is not of its push type. Apple: APNs "may return an
/// error, delay the delivery of the notification, or drop it altogether".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentMismatch {
    /// Accept it, with a warning in the log.
    #[default]
    Warn,
    /// Answer 200 and drop it; the log says so.
    Drop,
    /// Answer 200 and deliver it late; the log says so.
    Delay,
    /// Answer 400.
    Refuse,
}

impl Apns {
    pub(super) fn check_content(
        &self,
        kind: Option<&str>,
        body: &Map<String, Value>,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        let aps = body.get("aps");
        let has = |name: &str| aps.is_some_and(|aps| aps.get(name).is_some());
        let seen = ["alert", "badge", "sound"].into_iter().any(has);
        let silent = aps.is_some_and(|aps| aps["content-available"] == 1);
        let rule = match kind {
            Some("background") if seen || !silent => "apns.payload.background",
            Some("alert") if silent && !seen => "apns.payload.alert",
            _ => return Ok(()),
        };
        match self.content_mismatch {
            ContentMismatch::Refuse => return Err(Refusal::new(400, "InvalidPushType", rule)),
            ContentMismatch::Drop => record.dropped = true,
            ContentMismatch::Delay => record.delayed = true,
            ContentMismatch::Warn => {}
        }
        record.warnings.push(rule.to_owned());
        Ok(())
    }
}

//! Whether a body is what its push type says it is.

use super::{Apns, Refusal};
use crate::record::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// The treatment of a body that is not of its push type. Apple: APNs "may return an
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

/// The facts that the checks need about a body that is a JSON object.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Content {
    /// It shows or plays something.
    seen: bool,
    /// It wakes the app.
    silent: bool,
}

/// The latest body and what it is: most requests have the one before's.
pub(super) type Latest = (Arc<[u8]>, Content);

impl Content {
    /// `None` when the body is no JSON object.
    pub(super) fn read(body: &Arc<[u8]>, latest: &mut Option<Latest>) -> Option<Self> {
        match latest {
            Some((known, content)) if Arc::ptr_eq(known, body) => return Some(*content),
            _ => {}
        }
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
            return None;
        };
        let aps = object.get("aps");
        let has = |name: &str| aps.is_some_and(|aps| aps.get(name).is_some());
        let content = Self {
            seen: ["alert", "badge", "sound"].into_iter().any(has),
            silent: aps.is_some_and(|aps| aps["content-available"] == 1),
        };
        *latest = Some((body.clone(), content));
        Some(content)
    }
}

impl Apns {
    pub(super) fn check_content(
        &self,
        kind: Option<&str>,
        content: Content,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        let Content { seen, silent } = content;
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

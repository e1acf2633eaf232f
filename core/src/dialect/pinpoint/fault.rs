//! Refusals of a whole request, in Pinpoint's words.

use serde_json::{Map, Value};

use crate::crypto;
use crate::dialect::caller::Caller;
use crate::dialect::reply::Reply;
use crate::dialect::run::{Run, Stop};

/// A refusal of a whole request.
#[derive(Debug)]
pub(super) struct Fault {
    status: u16,
    name: &'static str,
    text: String,
}

impl Fault {
    pub(super) fn new(status: u16, name: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            name,
            text: text.into(),
        }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(400, "BadRequestException", text)
    }

    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self::new(404, "NotFoundException", text)
    }

    pub(super) fn reply(&self, run: &Run<'_>) -> Reply {
        let id = request_id(run);
        let mut body = Map::new();
        body.insert("Message".into(), self.text.as_str().into());
        body.insert("RequestID".into(), id.as_str().into());
        // botocore and the other SDKs read the error's name from this header.
        Reply::json(self.status, &Value::Object(body))
            .with_header("x-amzn-ErrorType", self.name)
            .with_header("x-amzn-RequestId", &id)
    }

    pub(super) fn stop(&self, run: &Run<'_>) -> Stop {
        self.reply(run).into()
    }
}

/// A reply with a JSON body.
pub(super) fn reply(run: &Run<'_>, status: u16, body: &Value) -> Reply {
    Reply::json(status, body).with_header("x-amzn-RequestId", &request_id(run))
}

/// Returns the id of the request: the same each time that the job is run, because it is made of the request itself.
pub(super) fn request_id(run: &Run<'_>) -> String {
    let mut text = format!("{}\n{}\n", run.began.as_millis(), run.incoming.target()).into_bytes();
    match run.caller {
        Caller::Signed(signed) => text.extend_from_slice(signed.signature.as_bytes()),
        _ => text.extend_from_slice(run.incoming.body()),
    }
    if let Some(invocation) = run.incoming.header("amz-sdk-invocation-id") {
        text.extend_from_slice(invocation.as_bytes());
    }
    let hex = crypto::hex(&crypto::sha256(&text));
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

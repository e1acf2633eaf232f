//! Google's error bodies.

use crate::exchange::Reply;
use crate::record::Record;
use serde_json::{Value, json};

/// A refusal in the shape of `google.rpc.Status`.
pub(super) struct Problem(Box<Parts>);

struct Parts {
    status: u16,
    word: &'static str,
    rule: &'static str,
    message: String,
    details: Vec<Value>,
    reason: Option<String>,
    /// An HTML page instead of JSON: what unknown URLs get.
    html: bool,
    retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: u16, word: &'static str, rule: &'static str, message: &str) -> Self {
        Self(Box::new(Parts {
            status,
            word,
            rule,
            message: message.to_owned(),
            details: Vec::new(),
            reason: None,
            html: false,
            retry_after: (status == 429).then_some(60),
        }))
    }

    /// The answer to a URL that is no method of the API.
    pub(super) fn no_such_page() -> Self {
        let mut problem = Self::new(
            404,
            "NOT_FOUND",
            "fcm.path",
            "The requested URL was not found on this server.",
        );
        problem.0.html = true;
        problem
    }

    /// Adds `google.firebase.fcm.v1.FcmError`.
    pub(super) fn fcm(mut self, code: &str) -> Self {
        self.0.reason = Some(code.to_owned());
        self.0.details.push(json!({
            "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
            "errorCode": code,
        }));
        self
    }

    /// Adds a `google.rpc.BadRequest` field violation.
    pub(super) fn violation(mut self, field: &str, description: &str) -> Self {
        self.0.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{ "field": field, "description": description }],
        }));
        self
    }

    /// Adds `google.rpc.ErrorInfo`.
    pub(super) fn info(mut self, reason: &str) -> Self {
        self.0.reason = Some(reason.to_owned());
        self.0.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
            "metadata": { "service": "fcm.googleapis.com" },
        }));
        self
    }

    pub(super) fn reply(self, record: &mut Record) -> Reply {
        let parts = *self.0;
        record.rule = Some(parts.rule.to_owned());
        record.reason = Some(parts.reason.unwrap_or_else(|| parts.word.to_owned()));
        let reply = if parts.html {
            Reply::status(parts.status)
                .with("content-type", "text/html; charset=UTF-8")
                .with_body(format!(
                    "<!DOCTYPE html><title>Error {0} (Not Found)!!1</title><p><b>{0}.</b> {1}</p>",
                    parts.status, parts.message
                ))
        } else {
            let mut error = json!({ "code": parts.status, "message": parts.message, "status": parts.word });
            if !parts.details.is_empty() {
                error["details"] = parts.details.into();
            }
            Reply::json(parts.status, &json!({ "error": error }))
        };
        match parts.retry_after {
            Some(seconds) => reply.with("retry-after", seconds.to_string()),
            None => reply,
        }
    }
}

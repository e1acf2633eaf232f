//! What FCM answered.
//!
//! The order in which an answer is read matters: the FCM error code, then Google's
//! `ErrorInfo`, then the fields of a `BadRequest`, then one exact text, then the
//! canonical status, then the HTTP status. Only `UNREGISTERED` may drop a device: a bare
//! 404 is a wrong project id, a bare 401 or 403 is about the sender, and a 400 that blames
//! the token may be about the payload.

use std::time::Duration;

use serde_json::Value;

use crate::http::{Response, retry_after};
use crate::outcome::{
    Accepted, Evidence, FixCredentials, MessageId, Outcome, Reason, Rejected, RetryLater, Scope, Suspect,
    TokenGone, TokenMismatch,
};
use crate::time::Now;

/// The wait after a 429 that names none (Google's guide to scaling).
const AFTER_QUOTA: Duration = Duration::from_secs(60);
/// The wait after a 5xx that names none.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(3600);

/// The text by which alone a malformed token can sometimes be told from a malformed message.
const INVALID_TOKEN: &str = "The registration token is not a valid FCM registration token";

/// Reads an answer to a send. Total: any status and any body give an outcome.
///
/// * A 2xx without a `name` is [`Outcome::RetryLater`]: FCM names every message that it takes.
/// * `UNREGISTERED` is [`Outcome::TokenGone`].
/// * `SENDER_ID_MISMATCH` is [`Outcome::TokenMismatch`], because a wrong project brings it for every
///   token; so is a 400 that blames the token, because FCM says the same of some malformed payloads.
/// * 429 waits for its `Retry-After`, else 60 s; 5xx likewise, else 10 s.
/// * 401 without an FCM reason is refreshable; `THIRD_PARTY_AUTH_ERROR` (the project's APNs
///   key or web push key) is not.
pub fn outcome(response: &Response, now: Now) -> Outcome {
    let accepted = |name: &str| {
        Outcome::Accepted(Accepted::new(
            Some(MessageId::new(name)),
            Evidence::new(response.status, None, &response.body),
        ))
    };
    let is_success = (200..300).contains(&response.status);
    if let Some(name) = only_name(&response.body).filter(|name| is_success && !name.is_empty()) {
        return accepted(name);
    }
    let answer = Answer::new(response, now);
    match (is_success, answer.name()) {
        (true, Some(name)) if !name.is_empty() => accepted(name),
        (true, _) => Outcome::without_id(response),
        (false, _) => classify(&answer),
    }
}

/// The name in `{"name":"projects/…"}`, as nearly every answer is: without taking JSON apart. What
/// is written in any other way (an escape, another member) is left to the parser.
fn only_name(body: &[u8]) -> Option<&str> {
    let inside = body
        .trim_ascii()
        .strip_prefix(b"{")?
        .strip_suffix(b"}")?
        .trim_ascii();
    let rest = inside.strip_prefix(b"\"name\"")?.trim_ascii();
    let name = rest.strip_prefix(b":")?.trim_ascii();
    let name = name.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let plain = |&byte: &u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    name.iter()
        .all(plain)
        .then(|| std::str::from_utf8(name).ok())
        .flatten()
}

/// An answer taken apart as far as it can be.
pub(super) struct Answer<'a> {
    response: &'a Response,
    now: Now,
    body: Value,
}

impl<'a> Answer<'a> {
    pub(super) fn new(response: &'a Response, now: Now) -> Self {
        Self {
            response,
            now,
            body: serde_json::from_slice(&response.body).unwrap_or_default(),
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.body.get("name")?.as_str()
    }

    fn error(&self, field: &str) -> Option<&str> {
        self.body.get("error")?.get(field)?.as_str()
    }

    /// The detail of the type whose name ends so.
    fn detail(&self, kind: &str) -> Option<&Value> {
        let details = self.body.get("error")?.get("details")?.as_array()?;
        details.iter().find(|detail| {
            let name = detail.get("@type").and_then(Value::as_str);
            name.is_some_and(|name| name.ends_with(kind))
        })
    }

    fn fcm_code(&self) -> Option<&str> {
        self.detail("google.firebase.fcm.v1.FcmError")?
            .get("errorCode")?
            .as_str()
    }

    fn info_reason(&self) -> Option<&str> {
        self.detail("google.rpc.ErrorInfo")?.get("reason")?.as_str()
    }

    /// Whether a `BadRequest` names fields, and whether one of them is the target.
    fn bad_field(&self) -> Option<bool> {
        let violations = self.detail("google.rpc.BadRequest")?.get("fieldViolations")?;
        let fields = violations.as_array()?;
        let mut named = fields
            .iter()
            .filter_map(|violation| violation.get("field")?.as_str())
            .peekable();
        named.peek()?;
        // Another field beside the target leaves it open whether the device is to blame.
        Some(named.all(|field| matches!(field, "message.token" | "message.fid")))
    }

    pub(super) fn evidence(&self, reason: Option<&str>) -> Evidence {
        Evidence::new(self.response.status, reason.map(word), &self.response.body)
    }

    /// `Retry-After`, else Google's `RetryInfo`, else `default`.
    fn wait(&self, default: Duration) -> Duration {
        let info = || {
            let delay = self.detail("google.rpc.RetryInfo")?.get("retryDelay")?.as_str()?;
            let secs: f64 = delay.strip_suffix('s')?.parse().ok()?;
            (secs >= 0.0).then(|| Duration::from_secs_f64(secs.min(LONGEST.as_secs_f64())))
        };
        retry_after(self.response, self.now)
            .or_else(info)
            .unwrap_or(default)
    }

    /// Returns the scope whose quota is used up: the project, a device or a topic. A `QuotaFailure` names the subject
    /// (`project:…`, `device:…`), an `ErrorInfo` the quota; without either the sentence has to do. Words that are part of an id
    /// say nothing, because a project may be called `smart-device`.
    fn quota_scope(&self) -> Scope {
        let violations = self
            .detail("google.rpc.QuotaFailure")
            .and_then(|failure| failure.get("violations")?.as_array());
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        for violation in violations.into_iter().flatten() {
            let subject = text(violation, "subject").unwrap_or_default();
            let kind = subject.split(':').next().unwrap_or_default();
            if let Some(scope) = scope_of(kind) {
                return scope;
            }
            let quota = ["quotaMetric", "quotaId"].map(|name| text(violation, name).unwrap_or_default());
            if let Some(scope) = quota.iter().find_map(|quota| scope_in_quota(quota)) {
                return scope;
            }
        }
        let metadata = self
            .detail("google.rpc.ErrorInfo")
            .and_then(|info| info.get("metadata"));
        let quota = metadata
            .map(|data| ["quota_metric", "quota_limit"].map(|name| text(data, name).unwrap_or_default()));
        if let Some(scope) = quota.iter().flatten().find_map(|quota| scope_in_quota(quota)) {
            return scope;
        }
        let described = violations.into_iter().flatten();
        let mut sentences = described
            .filter_map(|violation| text(violation, "description"))
            .chain(self.error("message").map(str::to_owned));
        sentences
            .find_map(|sentence| scope_in_words(&sentence))
            .unwrap_or(Scope::Project)
    }

    fn gone(&self, reason: &str) -> Outcome {
        Outcome::TokenGone(TokenGone {
            evidence: self.evidence(Some(reason)),
            ..TokenGone::default()
        })
    }

    fn mismatch(&self, suspect: Suspect, reason: &str) -> Outcome {
        Outcome::TokenMismatch(TokenMismatch {
            suspects: suspect.into(),
            evidence: self.evidence(Some(reason)),
        })
    }

    fn later(&self, reason: Option<&str>, scope: Scope, default: Duration) -> Outcome {
        Outcome::RetryLater(RetryLater {
            after: Some(self.wait(default)),
            scope,
            evidence: self.evidence(reason),
        })
    }

    fn credentials(&self, reason: Option<&str>, refreshable: bool) -> Outcome {
        Outcome::FixCredentials(FixCredentials {
            refreshable,
            evidence: self.evidence(reason),
            ..FixCredentials::default()
        })
    }

    fn rejected(&self, reason: Option<&str>) -> Outcome {
        Outcome::Rejected(Rejected {
            evidence: self.evidence(reason),
        })
    }
}

/// The scope that a word names alone.
fn scope_of(word: &str) -> Option<Scope> {
    match word.to_ascii_lowercase().as_str() {
        "device" | "devices" | "token" | "registration" => Some(Scope::Device),
        "topic" | "topics" => Some(Scope::Topic),
        "project" | "projects" | "consumer" => Some(Scope::Project),
        _ => None,
    }
}

/// The scope that the name of a quota ends with: `SendsPerMinutePerDevice`, `fcm.googleapis.com/sends_per_topic`.
fn scope_in_quota(name: &str) -> Option<Scope> {
    let name = name.to_ascii_lowercase();
    let (_, last) = name.rsplit_once("per").unwrap_or_default();
    scope_of(last.trim_start_matches(['_', '-']))
}

/// The scope that a sentence names by one of its own words; what is part of an id or quoted is not one.
fn scope_in_words(sentence: &str) -> Option<Scope> {
    let words = sentence
        .split_whitespace()
        .map(|word| word.trim_end_matches(['.', ',', ';', '!']));
    let plain = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    // "the project's quota of messages to a device" is about the device, and a sentence that names a device and a
    // topic is about the device, too: the narrower of the two waits.
    let (mut device, mut topic) = (false, false);
    for scope in plain.filter_map(scope_of) {
        device |= scope == Scope::Device;
        topic |= scope == Scope::Topic;
    }
    match (device, topic) {
        (true, _) => Some(Scope::Device),
        (false, true) => Some(Scope::Topic),
        (false, false) => None,
    }
}

/// A refusal, in the order that the module's head gives.
pub(super) fn classify(answer: &Answer<'_>) -> Outcome {
    let fcm = answer.fcm_code();
    by_fcm_code(answer, fcm)
        .or_else(|| by_error_info(answer))
        .or_else(|| by_field_or_text(answer, fcm))
        .or_else(|| by_status(answer, fcm))
        .unwrap_or_else(|| by_http(answer, fcm.or(answer.info_reason()).or(answer.error("status"))))
}

fn by_fcm_code(answer: &Answer<'_>, code: Option<&str>) -> Option<Outcome> {
    let code = code?;
    Some(match code {
        "UNREGISTERED" => answer.gone(code),
        "SENDER_ID_MISMATCH" => answer.mismatch(Suspect::Sender, code),
        "QUOTA_EXCEEDED" => answer.later(Some(code), answer.quota_scope(), AFTER_QUOTA),
        "UNAVAILABLE" | "INTERNAL" => answer.later(Some(code), Scope::Message, AFTER_FAILURE),
        "THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR" => answer.credentials(Some(code), false),
        // INVALID_ARGUMENT says too little, and an unknown code nothing: look further.
        _ => return None,
    })
}

fn by_error_info(answer: &Answer<'_>) -> Option<Outcome> {
    let reason = answer.info_reason()?;
    Some(match reason {
        // The last of them is said of a revoked token, which the service does not know any more, and
        // of a self-signed one where that is not taken: an access token of the endpoint may do.
        "ACCESS_TOKEN_EXPIRED"
        | "ACCESS_TOKEN_INVALID"
        | "CREDENTIALS_MISSING"
        | "ACCESS_TOKEN_TYPE_UNSUPPORTED" => answer.credentials(Some(reason), true),
        "SERVICE_DISABLED"
        | "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        | "IAM_PERMISSION_DENIED"
        | "BILLING_DISABLED"
        | "CONSUMER_INVALID"
        | "CONSUMER_SUSPENDED"
        | "ACCOUNT_STATE_INVALID"
        | "API_KEY_INVALID"
        | "API_KEY_SERVICE_BLOCKED" => answer.credentials(Some(reason), false),
        "RATE_LIMIT_EXCEEDED" | "RESOURCE_QUOTA_EXCEEDED" => {
            answer.later(Some(reason), answer.quota_scope(), AFTER_QUOTA)
        }
        _ => return None,
    })
}

fn by_field_or_text(answer: &Answer<'_>, fcm: Option<&str>) -> Option<Outcome> {
    if answer.response.status != 400 {
        return None;
    }
    let reason = fcm.or(answer.error("status"));
    if let Some(about_target) = answer.bad_field() {
        return Some(match about_target {
            true => answer.mismatch(Suspect::Payload, reason.unwrap_or("INVALID_ARGUMENT")),
            false => answer.rejected(reason),
        });
    }
    let text = answer.error("message")?.trim().trim_end_matches('.');
    (text == INVALID_TOKEN).then(|| answer.mismatch(Suspect::Payload, reason.unwrap_or("INVALID_ARGUMENT")))
}

fn by_status(answer: &Answer<'_>, fcm: Option<&str>) -> Option<Outcome> {
    let status = answer.error("status")?;
    let reason = fcm.or(answer.info_reason()).or(Some(status));
    Some(match status {
        "UNAUTHENTICATED" => answer.credentials(reason, true),
        "PERMISSION_DENIED" | "NOT_FOUND" => answer.credentials(reason, false),
        "RESOURCE_EXHAUSTED" => answer.later(reason, answer.quota_scope(), AFTER_QUOTA),
        "UNAVAILABLE" | "INTERNAL" | "DEADLINE_EXCEEDED" | "ABORTED" | "UNKNOWN" | "CANCELLED" => {
            answer.later(reason, Scope::Message, AFTER_FAILURE)
        }
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" | "UNIMPLEMENTED" | "ALREADY_EXISTS" => {
            answer.rejected(reason)
        }
        _ => return None,
    })
}

fn by_http(answer: &Answer<'_>, reason: Option<&str>) -> Outcome {
    match answer.response.status {
        401 => answer.credentials(reason, true),
        403 | 404 => answer.credentials(reason, false),
        429 => answer.later(reason, answer.quota_scope(), AFTER_QUOTA),
        // RFC 9110 §15.5.20: this connection is not for that host.
        421 => answer.later(reason, Scope::Connection, Duration::ZERO),
        408 | 500..=599 => answer.later(reason, Scope::Message, AFTER_FAILURE),
        _ => answer.rejected(reason),
    }
}

/// The service's words that this version knows the meaning of.
const KNOWN: &[&str] = &[
    "UNREGISTERED",
    "INVALID_ARGUMENT",
    "SENDER_ID_MISMATCH",
    "QUOTA_EXCEEDED",
    "UNAVAILABLE",
    "INTERNAL",
    "THIRD_PARTY_AUTH_ERROR",
    "APNS_AUTH_ERROR",
    "UNSPECIFIED_ERROR",
    "ACCESS_TOKEN_EXPIRED",
    "ACCESS_TOKEN_INVALID",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    "CREDENTIALS_MISSING",
    "SERVICE_DISABLED",
    "IAM_PERMISSION_DENIED",
    "BILLING_DISABLED",
    "CONSUMER_INVALID",
    "CONSUMER_SUSPENDED",
    "ACCOUNT_STATE_INVALID",
    "API_KEY_INVALID",
    "API_KEY_SERVICE_BLOCKED",
    "RATE_LIMIT_EXCEEDED",
    "RESOURCE_QUOTA_EXCEEDED",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
    "RESOURCE_EXHAUSTED",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "ALREADY_EXISTS",
    "FAILED_PRECONDITION",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "UNKNOWN",
    "CANCELLED",
];

fn word(text: &str) -> Reason {
    match KNOWN.iter().find(|known| **known == text) {
        Some(known) => Reason::known(known),
        None => Reason::other(text),
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;

//! What APNs answered: where a reason becomes an outcome.

use std::time::Duration;

use serde_json::Value;

use super::provider_token::SKEW_IGNORED;
use super::reasons::{self, Action, Row};
use crate::http::{Response, clock_skew, retry_after};
use crate::outcome::{
    Accepted, Details, Evidence, FixCredentials, MessageId, Outcome, Reason, Rejected, RetryLater, Scope,
    TokenGone, TokenMismatch,
};
use crate::time::{Now, UnixTime};

/// Apple: "retry after 15 minutes".
const AFTER_SERVER_TROUBLE: Duration = Duration::from_secs(15 * 60);

/// Reads the answer of APNs to a push or a broadcast, and says what to do now. Never
/// fails: an unknown reason, an HTML page or no body at all still becomes an outcome.
///
/// Then ask [`Message::judge`](super::Message::judge): an `Unregistered` older than
/// the token's registration is no reason to delete it. `BadDeviceToken` and
/// `DeviceTokenNotForTopic` are [`Outcome::TokenMismatch`], because a wrong environment or topic brings
/// them for every token: see [`Witness`](crate::outcome::Witness).
pub fn outcome(response: &Response, now: Now) -> Outcome {
    let status = response.status;
    if (200..300).contains(&status) {
        return Outcome::Accepted(accepted(response));
    }
    // What is not whole names no reason: the status alone decides.
    let error = if response.truncated {
        ErrorBody::default()
    } else {
        read(&response.body)
    };
    let row = error.reason.as_deref().and_then(reasons::find);
    let reason = match (row, error.reason) {
        (Some(row), _) => Some(Reason::known(row.reason)),
        (None, text) => text.map(Reason::other),
    };
    let evidence = Evidence::new(status, reason, &response.body);
    let action = action(status, row, response);
    let mut outcome = decide(action, evidence, error.since, retry_after(response, now));
    if let Outcome::FixCredentials(arm) = &mut outcome {
        let dated = matches!(
            row.map(|row| row.reason),
            Some("ExpiredProviderToken" | "InvalidProviderToken")
        );
        arm.clock_skew = clock_skew(response, now).filter(|skew| dated && skew.abs() > SKEW_IGNORED);
    }
    outcome
}

fn accepted(response: &Response) -> Accepted {
    let (mut id, mut request_id, mut unique_id) = (None, None, None);
    // In one go: every push that is accepted comes here.
    for (name, value, _) in response.headers.octets() {
        let place = match name {
            b"apns-id" => &mut id,
            b"apns-request-id" => &mut request_id,
            b"apns-unique-id" => &mut unique_id,
            _ => continue,
        };
        place.get_or_insert(value);
    }
    let evidence = Evidence::new(response.status, None, &response.body);
    let accepted = Accepted::new(id.or(request_id).map(MessageId::from_utf8), evidence);
    match unique_id {
        None => accepted,
        Some(id) => accepted.with_details(Details {
            unique_id: Some(String::from_utf8_lossy(id).into()),
            ..Details::default()
        }),
    }
}

/// By the reason where it is known and of the same kind as the status; else by the status alone.
fn action(status: u16, row: Option<&Row>, response: &Response) -> Action {
    if let Some(row) = row.filter(|row| row.status / 100 == status / 100) {
        return row.action;
    }
    match status {
        // A proxy's or a stranger's 410 says nothing of the token.
        410 if response.body.is_empty() || response.header("apns-id").is_some() => Action::DropToken,
        401 | 403 => Action::FixCredentials,
        421 => Action::NewConnection,
        408 | 429 => Action::SlowDown,
        500.. => Action::ServerTrouble,
        _ => Action::Reject,
    }
}

pub(super) fn decide(
    action: Action,
    evidence: Evidence,
    since: Option<UnixTime>,
    asked: Option<Duration>,
) -> Outcome {
    let retry = |scope, after, evidence| {
        Outcome::RetryLater(RetryLater {
            after,
            scope,
            evidence,
        })
    };
    let fix = |renew, evidence| {
        Outcome::FixCredentials(FixCredentials {
            refreshable: renew,
            reconnect: renew,
            clock_skew: None,
            evidence,
        })
    };
    match action {
        Action::Reject => Outcome::Rejected(Rejected { evidence }),
        Action::DropToken => Outcome::TokenGone(TokenGone {
            since: since.filter(|_| evidence.status == 410),
            replacement: None,
            evidence,
        }),
        Action::Doubt(suspect) => Outcome::TokenMismatch(TokenMismatch {
            suspects: suspect.into(),
            evidence,
        }),
        Action::FixCredentials => fix(false, evidence),
        Action::RenewToken => fix(true, evidence),
        Action::NewConnection => retry(Scope::Connection, None, evidence),
        Action::SlowDown => retry(Scope::Device, asked, evidence),
        Action::ServerTrouble => retry(Scope::Message, asked.or(Some(AFTER_SERVER_TROUBLE)), evidence),
    }
}

#[derive(Default)]
pub(super) struct ErrorBody {
    pub(super) reason: Option<String>,
    pub(super) since: Option<UnixTime>,
}

/// Reads `{"reason": …, "timestamp": …}`, each for itself: one broken never hides the other.
pub(super) fn read(body: &[u8]) -> ErrorBody {
    // A page of a proxy's is no object, and need not be parsed to know it.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return ErrorBody::default();
    }
    let Ok(Value::Object(map)) = serde_json::from_slice(body) else {
        return ErrorBody::default();
    };
    let reason = map.get("reason").and_then(Value::as_str).map(str::to_owned);
    ErrorBody {
        reason: reason.filter(|text| !text.is_empty()),
        since: map
            .get("timestamp")
            .and_then(millis)
            .map(UnixTime::from_millis)
            .filter(|time| time.is_believable()),
    }
}

/// Milliseconds as Apple sends them, or as text; what is neither is ignored.
fn millis(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! What ADM answered.

use std::time::Duration;

use serde_json::Value;

use super::registration_id::RegistrationId;
use crate::http::{Response, retry_after};
use crate::outcome::{
    Accepted, Details, Evidence, FixCredentials, MessageId, Outcome, Reason, Rejected, RetryLater, Scope,
    TokenGone,
};
use crate::time::Now;

/// The wait after a 429 that names none.
const AFTER_QUOTA: Duration = Duration::from_secs(60);
/// The wait after a 5xx that names none.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Reads an answer. Total: any status and any body give an outcome.
///
/// `sent_to` is the registration id that the message went to: ADM names the current one in
/// every acceptance, and one that differs has to be stored in its place
/// ([`Accepted::replacement`]).
pub fn outcome(response: &Response, sent_to: &RegistrationId, now: Now) -> Outcome {
    classify(response, Some(sent_to), now)
}

/// `sent_to` is `None` for what went to no single device.
pub(super) fn classify(response: &Response, sent_to: Option<&RegistrationId>, now: Now) -> Outcome {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let word = text("reason").or_else(|| text("error"));
    let evidence = Evidence::new(response.status, word.map(reason), &response.body);
    let later = |scope: Scope, default: Duration, evidence: Evidence| {
        Outcome::RetryLater(RetryLater {
            after: Some(retry_after(response, now).unwrap_or(default)),
            scope,
            evidence,
        })
    };
    match (response.status, word) {
        // Where one device was meant, ADM says in its body which; else it is not ADM that speaks.
        (200..=299, _) if sent_to.is_some() && text("registrationID").is_none() => {
            Outcome::without_id(response)
        }
        (200..=299, _) => {
            let id = response.header("x-amzn-requestid").map(MessageId::new);
            let replacement = text("registrationID")
                .filter(|id| !id.is_empty() && sent_to.is_some_and(|sent_to| *id != sent_to.as_str()))
                .map(Into::into);
            Outcome::Accepted(Accepted::new(id, evidence).with_details(Details {
                replacement,
                ..Details::default()
            }))
        }
        (400..=499, Some("InvalidRegistrationId" | "Unregistered")) if sent_to.is_some() => {
            Outcome::TokenGone(TokenGone {
                evidence,
                ..TokenGone::default()
            })
        }
        (401 | 403, _) => Outcome::FixCredentials(FixCredentials {
            refreshable: response.status == 401,
            evidence,
            ..FixCredentials::default()
        }),
        // The rate is that of the app: one message less does not help.
        (429, _) | (_, Some("MaxRateExceeded")) => later(Scope::Project, AFTER_QUOTA, evidence),
        (421, _) => later(Scope::Connection, Duration::ZERO, evidence),
        (408 | 500..=599, _) => later(Scope::Message, AFTER_FAILURE, evidence),
        _ => Outcome::Rejected(Rejected { evidence }),
    }
}

/// The reasons that Amazon documents.
const KNOWN: &[&str] = &[
    "InvalidRegistrationId",
    "Unregistered",
    "InvalidData",
    "InvalidConsolidationKey",
    "InvalidExpiration",
    "InvalidChecksum",
    "InvalidType",
    "AccessTokenExpired",
    "MessageTooLarge",
    "MaxRateExceeded",
];

fn reason(text: &str) -> Reason {
    match KNOWN.iter().find(|known| **known == text) {
        Some(known) => Reason::known(known),
        None => Reason::other(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;

    const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(784_111_747));

    fn read(response: &Response) -> Outcome {
        outcome(response, &RegistrationId::new("used").unwrap(), NOW)
    }

    #[test]
    fn every_reason() {
        for (status, body, name, known) in [
            (200, "<html>", "retry_later", true),
            (200, r#"{"registrationID":"used"}"#, "accepted", true),
            (200, "", "retry_later", true),
            (400, r#"{"reason":"InvalidRegistrationId"}"#, "token_gone", true),
            (400, r#"{"reason":"Unregistered"}"#, "token_gone", true),
            (400, r#"{"reason":"InvalidData"}"#, "rejected", true),
            (400, r#"{"reason":"InvalidConsolidationKey"}"#, "rejected", true),
            (400, r#"{"reason":"InvalidExpiration"}"#, "rejected", true),
            (400, r#"{"reason":"InvalidChecksum"}"#, "rejected", true),
            (400, r#"{"reason":"InvalidType"}"#, "rejected", true),
            (400, r#"{"reason":"SomethingNew"}"#, "rejected", false),
            (400, "{}", "rejected", true),
            (400, "<html>", "rejected", true),
            (401, r#"{"reason":"AccessTokenExpired"}"#, "fix_credentials", true),
            (401, "", "fix_credentials", true),
            (403, "", "fix_credentials", true),
            (404, "", "rejected", true),
            (302, "", "rejected", true),
            (421, "", "retry_later", true),
            (413, r#"{"reason":"MessageTooLarge"}"#, "rejected", true),
            (429, r#"{"reason":"MaxRateExceeded"}"#, "retry_later", true),
            (500, r#"{"reason":"Unregistered"}"#, "retry_later", true),
            (503, "\u{fffd}", "retry_later", true),
        ] {
            let outcome = read(&Response::new(status, body));
            assert_eq!(outcome.name(), name, "{status} {body}");
            assert_eq!(outcome.status(), status);
            assert_eq!(outcome.body(), body.as_bytes());
            if let Some(reason) = outcome.reason() {
                assert_eq!(reason.is_known(), known, "{reason}");
            }
        }
    }

    #[test]
    fn a_replacement_only_when_the_id_changed() {
        let accepted =
            |body: &str| match read(&Response::new(200, body).with_header("X-Amzn-RequestId", "r-1")) {
                Outcome::Accepted(accepted) => accepted,
                other => panic!("{other:?}"),
            };
        assert_eq!(accepted(r#"{"registrationID":"used"}"#).replacement(), None);
        assert_eq!(accepted(r#"{"registrationID":""}"#).replacement(), None);
        let changed = accepted(r#"{"registrationID":"next"}"#);
        assert_eq!(changed.replacement(), Some("next"));
        assert_eq!(changed.id.unwrap().as_str(), "r-1");
    }

    #[test]
    fn waits_as_long_as_it_is_told_in_either_form() {
        for (status, header, secs, scope) in [
            (429, Some("7"), 7, Scope::Project),
            (429, None, 60, Scope::Project),
            (503, Some("Sun, 06 Nov 1994 08:49:37 GMT"), 30, Scope::Message),
            (500, Some("99999999"), 3600, Scope::Message),
            (500, Some("soon"), 10, Scope::Message),
            (500, None, 10, Scope::Message),
        ] {
            let mut response = Response::new(status, "");
            if let Some(header) = header {
                response = response.with_header("Retry-After", header);
            }
            match read(&response) {
                Outcome::RetryLater(later) => {
                    assert_eq!(later.after, Some(Duration::from_secs(secs)), "{header:?}");
                    assert_eq!(later.scope, scope);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_401_is_refreshable_and_a_403_is_not() {
        for (status, refreshable) in [(401, true), (403, false)] {
            match read(&Response::new(status, "")) {
                Outcome::FixCredentials(fix) => assert_eq!(fix.refreshable, refreshable),
                other => panic!("{other:?}"),
            }
        }
    }
}

//! What Baidu Cloud Push answered.

use std::time::Duration;

use serde_json::Value;

use crate::http::{Response, retry_after};
use crate::outcome::{
    Accepted, Evidence, FixCredentials, MessageId, Outcome, Reason, Rejected, RetryLater, Scope, Suspect,
    TokenGone, TokenMismatch,
};
use crate::time::Now;

/// The meaning of an error code for the sender.
#[derive(Clone, Copy)]
enum Verdict {
    Gone,
    /// The token is blamed, but `deploy_status` may be that of the other environment.
    Doubt,
    /// Seconds to wait (0: nobody knows), and what waits.
    Later(u64, Scope),
    /// Whether signing anew may help.
    Credentials(bool),
    Rejected,
}

/// The documented error codes.
const CODES: &[(&str, Verdict)] = &[
    ("30600", Verdict::Later(10, Scope::Message)), // internal error
    ("30601", Verdict::Rejected),                  // method not allowed
    ("30602", Verdict::Rejected),                  // parameters invalid
    ("30603", Verdict::Credentials(false)),        // authentication failed
    ("30604", Verdict::Later(0, Scope::Project)),  // quota used up
    ("30605", Verdict::Rejected),                  // data not found
    ("30606", Verdict::Credentials(true)),         // request expired: the clock is off
    ("30607", Verdict::Rejected),                  // channel token timed out
    ("30608", Verdict::Gone),                      // the channel is bound no more
    ("30609", Verdict::Rejected),                  // too many binds
    ("30610", Verdict::Rejected),                  // duplicate operation
    ("30611", Verdict::Rejected),                  // tag not found
    ("30612", Verdict::Credentials(false)),        // app forbidden, or not on the white list
    ("30613", Verdict::Credentials(false)),        // initialise the app in the console first
    ("30616", Verdict::Credentials(false)),        // app not approved
    ("30617", Verdict::Credentials(false)),        // app may not broadcast
    ("30618", Verdict::Credentials(false)),        // app may not send to devices
    ("30619", Verdict::Rejected),                  // the default tag is reserved
    ("30620", Verdict::Rejected),                  // one platform per app
    ("30621", Verdict::Rejected),                  // package name invalid
    ("30699", Verdict::Later(60, Scope::Project)), // too frequent
    ("40001", Verdict::Doubt),                     // ios token invalid
    ("40002", Verdict::Rejected),                  // ios message invalid
    ("40003", Verdict::Doubt),                     // ios token invalid
    ("40004", Verdict::Credentials(false)),        // 40004 to 40012: the ios certificate
    ("40005", Verdict::Credentials(false)),
    ("40006", Verdict::Credentials(false)),
    ("40007", Verdict::Credentials(false)),
    ("40008", Verdict::Credentials(false)),
    ("40009", Verdict::Credentials(false)),
    ("40010", Verdict::Credentials(false)),
    ("40011", Verdict::Credentials(false)),
    ("40012", Verdict::Credentials(false)),
    ("41001", Verdict::Rejected), // 41001 to 41005: timers
    ("41002", Verdict::Rejected),
    ("41003", Verdict::Rejected),
    ("41004", Verdict::Rejected),
    ("41005", Verdict::Rejected),
];

/// Reads an answer. Total: any status and any body give an outcome. The reason is
/// Baidu's `error_code`. `request expired` (30606) is refreshable: the next request is
/// signed with the time of then, which helps if the clock is right by then.
pub fn outcome(response: &Response, now: Now) -> Outcome {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let code = match body.get("error_code") {
        Some(Value::Number(code)) => Some(code.to_string()),
        Some(Value::String(code)) => Some(code.clone()),
        _ => None,
    };
    let known = code
        .as_deref()
        .and_then(|code| CODES.iter().find(|(known, _)| *known == code));
    let reason = match (&code, known) {
        (_, Some((known, _))) => Some(Reason::known(known)),
        (Some(code), None) => Some(Reason::other(code)),
        (None, None) => None,
    };
    let evidence = Evidence::new(response.status, reason, &response.body);
    let verdict = match (known, code.as_deref()) {
        (Some((_, verdict)), _) => Some(*verdict),
        // The console's own errors of authentication.
        (None, Some(code)) if code.len() == 5 && code.starts_with("5000") => {
            Some(Verdict::Credentials(false))
        }
        (None, Some(_)) if response.status < 400 => Some(Verdict::Rejected),
        _ => match response.status {
            200..=299 => None,
            401 | 403 => Some(Verdict::Credentials(false)),
            429 => Some(Verdict::Later(60, Scope::Project)),
            421 => Some(Verdict::Later(0, Scope::Connection)),
            408 | 500..=599 => Some(Verdict::Later(10, Scope::Message)),
            _ => Some(Verdict::Rejected),
        },
    };
    match verdict {
        // Every answer of Baidu's has one of them at least.
        None if body.get("request_id").or(body.get("response_params")).is_none() => {
            Outcome::without_id(response)
        }
        None => {
            let id = body
                .get("response_params")
                .and_then(|params| params.get("msg_id"));
            let id = match id {
                Some(Value::String(id)) => Some(MessageId::new(id)),
                Some(Value::Number(id)) => Some(MessageId::new(&id.to_string())),
                _ => None,
            };
            Outcome::Accepted(Accepted::new(id, evidence))
        }
        Some(Verdict::Gone) => Outcome::TokenGone(TokenGone {
            evidence,
            ..TokenGone::default()
        }),
        Some(Verdict::Doubt) => Outcome::TokenMismatch(TokenMismatch {
            suspects: Suspect::Environment.into(),
            evidence,
        }),
        Some(Verdict::Later(secs, scope)) => {
            let default = (secs > 0).then(|| Duration::from_secs(secs));
            Outcome::RetryLater(RetryLater {
                after: retry_after(response, now).or(default),
                scope,
                evidence,
            })
        }
        Some(Verdict::Credentials(refreshable)) => Outcome::FixCredentials(FixCredentials {
            refreshable,
            evidence,
            ..FixCredentials::default()
        }),
        Some(Verdict::Rejected) => Outcome::Rejected(Rejected { evidence }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;

    const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_500_000_000));

    #[test]
    fn codes_give_their_verdict() {
        for (status, body, name, reason) in [
            (
                200,
                r#"{"request_id":1,"response_params":{"msg_id":"456","send_time":1500000000}}"#,
                "accepted",
                None,
            ),
            (
                400,
                r#"{"request_id":1,"error_code":30608,"error_msg":"x"}"#,
                "token_gone",
                Some("30608"),
            ),
            (421, "", "retry_later", None),
            // An unknown code: with a success it refuses, beside a refusal the status decides.
            (200, r#"{"error_code":77777}"#, "rejected", Some("77777")),
            (429, r#"{"error_code":77777}"#, "retry_later", Some("77777")),
            (400, r#"{"error_code":"40001"}"#, "token_mismatch", Some("40001")),
            (400, r#"{"error_code":40003}"#, "token_mismatch", Some("40003")),
            (400, r#"{"error_code":40002}"#, "rejected", Some("40002")),
            (500, r#"{"error_code":30600}"#, "retry_later", Some("30600")),
            (400, r#"{"error_code":30602}"#, "rejected", Some("30602")),
            (401, r#"{"error_code":30603}"#, "fix_credentials", Some("30603")),
            (403, r#"{"error_code":30604}"#, "retry_later", Some("30604")),
            (400, r#"{"error_code":30606}"#, "fix_credentials", Some("30606")),
            (400, r#"{"error_code":30699}"#, "retry_later", Some("30699")),
            (400, r#"{"error_code":40012}"#, "fix_credentials", Some("40012")),
            (400, r#"{"error_code":41005}"#, "rejected", Some("41005")),
            (400, r#"{"error_code":50003}"#, "fix_credentials", Some("50003")),
            (400, r#"{"error_code":77777}"#, "rejected", Some("77777")),
            (200, r#"{"error_code":77777}"#, "rejected", Some("77777")),
            (502, "<html>", "retry_later", None),
            (404, "", "rejected", None),
            (403, "", "fix_credentials", None),
            (429, "", "retry_later", None),
            (302, "", "rejected", None),
        ] {
            let outcome = outcome(&Response::new(status, body), NOW);
            assert_eq!(outcome.name(), name, "{status} {body}");
            assert_eq!(outcome.reason().map(Reason::as_str), reason);
            assert_eq!(outcome.status(), status);
        }
    }

    #[test]
    fn a_success_that_is_not_baidus() {
        for body in ["", "{}", "<html>please log in</html>", r#"{"request_id":1"#, "[]"] {
            let outcome = outcome(&Response::new(200, body), NOW);
            assert_eq!((outcome.name(), outcome.body()), ("retry_later", body.as_bytes()));
        }
        let taken = outcome(&Response::new(200, r#"{"request_id":1}"#), NOW);
        assert!(taken.is_accepted());
    }

    #[test]
    fn the_id_and_the_waits() {
        let body = r#"{"response_params":{"msg_id":123}}"#;
        match outcome(&Response::new(200, body), NOW) {
            Outcome::Accepted(accepted) => assert_eq!(accepted.id.unwrap().as_str(), "123"),
            other => panic!("{other:?}"),
        }
        let wait = |body: &str| match outcome(&Response::new(400, body), NOW) {
            Outcome::RetryLater(later) => (later.after.map(|after| after.as_secs()), later.scope),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(r#"{"error_code":30699}"#), (Some(60), Scope::Project));
        assert_eq!(wait(r#"{"error_code":30604}"#), (None, Scope::Project));
        assert_eq!(wait(r#"{"error_code":30600}"#), (Some(10), Scope::Message));
    }
}

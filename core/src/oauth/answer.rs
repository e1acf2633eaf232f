//! What a token endpoint answered (RFC 6749 §5).

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroize;

use crate::error::{Error, ErrorKind};
use crate::http::{Response, retry_after};
use crate::secret::Secret;
use crate::time::Now;

/// The longest life that is believed, whatever the answer says.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_secs(3600);

/// The life of a token whose answer names none (RFC 6749 §5.1 allows that).
const UNSTATED_LIFE: Duration = Duration::from_secs(300);

/// The longest access token that is taken. Google's and Amazon's stay below 2 KiB.
const LONGEST_TOKEN: usize = 4096;

/// An access token as an endpoint, or the host, gave it.
#[derive(Debug)]
pub struct Grant {
    token: Secret<String>,
    lifetime: Duration,
}

impl Grant {
    /// A token that lives for `lifetime` from the moment it was asked for,
    /// clamped to 1 second … 1 hour.
    ///
    /// # Errors
    /// `TokenAnswerInvalid` when the token is empty, longer than 4096 bytes, or
    /// holds anything but visible ASCII: it becomes a header.
    pub fn new(token: impl Into<String>, lifetime: Duration) -> Result<Self, Error> {
        let token = Secret::new(token.into());
        let text = token.expose_secret();
        if text.is_empty() || text.len() > LONGEST_TOKEN || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::new(
                ErrorKind::TokenAnswerInvalid,
                "the access token is empty, too long, or not visible ascii",
            ));
        }
        Ok(Self {
            lifetime: lifetime.clamp(Duration::from_secs(1), LONGEST_LIFE),
            token,
        })
    }

    /// The token.
    pub fn token(&self) -> &Secret<String> {
        &self.token
    }

    /// How long it lives, 1 second … 1 hour.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// Why an answer holds no token, and when to ask again.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// Asking again with the same credential may help.
    pub(crate) temporary: bool,
    /// How long the endpoint asks us to stay away.
    pub(crate) after: Option<Duration>,
}

/// Reads a token answer: `access_token`, `expires_in` as a number or a string, `token_type`.
pub(crate) fn grant(response: &Response, now: Now) -> Result<Grant, Failure> {
    if response.status != 200 {
        return Err(failure(response, now));
    }
    let invalid = |context: &'static str| Failure {
        error: Error::new(ErrorKind::TokenAnswerInvalid, context),
        temporary: true,
        after: None,
    };
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(&response.body) else {
        return Err(invalid("the token endpoint's answer is not a json object"));
    };
    if let Some(kind) = answer.get("token_type") {
        if !kind
            .as_str()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))
        {
            return Err(invalid("the token endpoint's token is not a bearer token"));
        }
    }
    let lifetime = match answer.get("expires_in") {
        None | Some(Value::Null) => Some(UNSTATED_LIFE),
        Some(Value::Number(number)) => seconds(number.as_f64()),
        Some(Value::String(text)) => seconds(text.trim().parse().ok()),
        Some(_) => None,
    };
    let lifetime = lifetime.ok_or_else(|| invalid("the token endpoint's expires_in is not a number"))?;
    let token = match answer.get_mut("access_token") {
        Some(Value::String(token)) => std::mem::take(token),
        _ => return Err(invalid("the token endpoint's answer has no access_token")),
    };
    Grant::new(token, lifetime).map_err(|error| Failure {
        error,
        temporary: true,
        after: None,
    })
}

/// Clamped to what is believed; negative becomes the shortest life. `None` for NaN.
fn seconds(value: Option<f64>) -> Option<Duration> {
    let value = value.filter(|value| !value.is_nan())?;
    Some(Duration::from_secs_f64(
        value.clamp(1.0, LONGEST_LIFE.as_secs_f64()),
    ))
}

/// Reads a refusal: `{"error":"invalid_grant","error_description":"…"}`, or
/// Google's `{"error":{"code":403,"status":"…","message":"…"}}`.
pub(crate) fn failure(response: &Response, now: Now) -> Failure {
    let mut body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let (word, description) = match body.get("error") {
        Some(Value::String(word)) => (Some(word.as_str()), body.get("error_description")),
        Some(Value::Object(error)) => (error.get("status").and_then(Value::as_str), error.get("message")),
        _ => (None, None),
    };
    let word = word.map(|word| printable(word, 60));
    let description = description
        .and_then(Value::as_str)
        .map(|text| printable(text, 100));
    let temporary = matches!(response.status, 408 | 429 | 500..=599)
        || word.as_deref().is_some_and(is_temporary)
        || (200..300).contains(&response.status);
    let mut context = match &word {
        Some(word) => format!("token endpoint refused: {word}"),
        None => format!("token endpoint refused with status {}", response.status),
    };
    if let Some(description) = description {
        context.push_str(" (");
        context.push_str(&description);
        context.push(')');
    }
    if let Some(hint) = word.as_deref().and_then(hint) {
        context.push_str(": ");
        context.push_str(hint);
    }
    // An answer that holds a token after all must not stay in memory.
    if let Some(Value::String(token)) = body.get_mut("access_token") {
        token.zeroize();
    }
    Failure {
        error: Error::new(ErrorKind::TokenRefused, Cow::Owned(context)),
        temporary,
        after: retry_after(response, now),
    }
}

fn is_temporary(word: &str) -> bool {
    matches!(
        word,
        "internal_failure"
            | "server_error"
            | "ServerError"
            | "temporarily_unavailable"
            | "UNAVAILABLE"
            | "INTERNAL"
            | "RESOURCE_EXHAUSTED"
    )
}

/// Returns the meaning of a documented word, for the person who has to act. Amazon writes the words in capitals.
fn hint(word: &str) -> Option<&'static str> {
    let hint = match word.to_ascii_lowercase().as_str() {
        "invalid_grant" => "the clock is minutes off, or the key or refresh token was revoked",
        "invalid_client" => "the client id or secret is wrong",
        "disabled_client" => "the client or account is disabled",
        "unauthorized_client" => "the client may not use this kind of grant",
        "invalid_scope" => "the scope is not allowed to this client",
        "unsupported_grant_type" => "the endpoint does not take this kind of grant",
        "invalid_request" => "the endpoint misses or does not know a parameter",
        "permission_denied" => "the identity may not do this",
        _ => return None,
    };
    Some(hint)
}

/// A peer's text fit for an error line: printable ASCII, at most `limit` bytes.
fn printable(text: &str, limit: usize) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .take(limit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;

    const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));

    fn read(status: u16, body: &str) -> Result<Grant, Failure> {
        grant(&Response::new(status, body), NOW)
    }

    /// RFC 6749 §5.2 has the words, and Google's `PERMISSION_DENIED` in capitals.
    #[test]
    fn each_word_of_a_refusal_is_explained() {
        for (word, said) in [
            ("invalid_grant", "clock"),
            ("INVALID_GRANT", "clock"),
            ("invalid_client", "id or secret"),
            ("disabled_client", "disabled"),
            ("unauthorized_client", "kind of grant"),
            ("invalid_scope", "scope"),
            ("unsupported_grant_type", "kind of grant"),
            ("invalid_request", "parameter"),
            ("permission_denied", "may not"),
        ] {
            let Err(failure) = read(400, &format!(r#"{{"error":"{word}","error_description":"d"}}"#)) else {
                panic!("{word}")
            };
            let text = failure.error.context().to_owned();
            let (head, hint) = text.split_once("): ").unwrap_or_default();
            assert_eq!(head, format!("token endpoint refused: {word} (d"));
            assert!(hint.contains(said), "{text}");
        }
        let Err(failure) = read(400, r#"{"error":"something_new"}"#) else {
            panic!()
        };
        assert_eq!(failure.error.context(), "token endpoint refused: something_new");
    }

    #[test]
    fn a_token_of_the_longest_length_is_taken() {
        let body = |length: usize| {
            format!(
                r#"{{"access_token":"{}","expires_in":60,"token_type":"bearer"}}"#,
                "t".repeat(length)
            )
        };
        assert!(read(200, &body(LONGEST_TOKEN)).is_ok());
        assert!(read(200, &body(LONGEST_TOKEN + 1)).is_err());
    }

    #[test]
    fn believes_one_second_to_one_hour() {
        for (expires_in, secs) in [
            ("3599", 3599.0),
            ("\"3599\"", 3599.0),
            ("\" 120 \"", 120.0),
            ("0", 1.0),
            ("-5", 1.0),
            ("1e300", 3600.0),
            ("\"99999999999999999999999\"", 3600.0),
            ("\"inf\"", 3600.0),
            ("86400", 3600.0),
            ("1799.5", 1799.5),
            ("null", 300.0),
        ] {
            let body =
                format!(r#"{{"access_token":"ya29.a","expires_in":{expires_in},"token_type":"Bearer"}}"#);
            let grant = read(200, &body).unwrap();
            assert_eq!(grant.lifetime(), Duration::from_secs_f64(secs), "{expires_in}");
            assert_eq!(grant.token().expose_secret(), "ya29.a");
        }
        assert_eq!(
            read(200, r#"{"access_token":"Atc|MQEB","token_type":"bearer"}"#)
                .unwrap()
                .lifetime(),
            Duration::from_secs(300)
        );
    }

    #[test]
    fn refuses_what_must_not_become_a_header() {
        let long = "a".repeat(4097);
        for token in ["", "a b", "a\\r\\nx-evil: 1", "\\u0000", "é", &long] {
            let body = format!(r#"{{"access_token":"{token}","expires_in":3600}}"#);
            let failure = read(200, &body).unwrap_err();
            assert_eq!(failure.error.kind(), ErrorKind::TokenAnswerInvalid);
            assert!(failure.temporary);
        }
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"access_token":1,"expires_in":1}"#,
            r#"{"access_token":"a","expires_in":"soon"}"#,
            r#"{"access_token":"a","expires_in":"nan"}"#,
            r#"{"access_token":"a","expires_in":[1]}"#,
            r#"{"access_token":"a","expires_in":1,"token_type":"mac"}"#,
        ] {
            let failure = read(200, body).unwrap_err();
            assert_eq!(failure.error.kind(), ErrorKind::TokenAnswerInvalid, "{body}");
        }
    }

    #[test]
    fn names_every_refusal() {
        for (status, word, temporary) in [
            (400, "invalid_grant", false),
            (400, "invalid_scope", false),
            (401, "unauthorized_client", false),
            (401, "invalid_client", false),
            (403, "disabled_client", false),
            (400, "INVALID_REQUEST", false),
            (400, "UNAUTHORIZED_CLIENT", false),
            (400, "UNSUPPORTED_GRANT_TYPE", false),
            (400, "INVALID_SCOPE", false),
            (401, "INVALID_CLIENT", false),
            (500, "ServerError", true),
            (400, "internal_failure", true),
            (400, "server_error", true),
            (400, "temporarily_unavailable", true),
            (429, "slow_down", true),
            (503, "invalid_grant", true),
        ] {
            let body = format!(r#"{{"error":"{word}","error_description":"Invalid JWT Signature."}}"#);
            let failure = read(status, &body).unwrap_err();
            assert_eq!(failure.error.kind(), ErrorKind::TokenRefused);
            let text = failure.error.to_string();
            assert!(
                text.starts_with(&format!(
                    "token endpoint refused: {word} (Invalid JWT Signature.)"
                )),
                "{text}"
            );
            assert_eq!(failure.temporary, temporary, "{word}");
        }
        let google = read(
            403,
            r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"no\nno"}}"#,
        );
        let failure = google.unwrap_err();
        assert!(failure.error.context().contains("PERMISSION_DENIED (no?no)"));
        assert!(!failure.temporary);
        let page = grant(&Response::new(503, "<html>").with_header("retry-after", "7"), NOW).unwrap_err();
        assert_eq!(page.error.context(), "token endpoint refused with status 503");
        assert_eq!((page.temporary, page.after), (true, Some(Duration::from_secs(7))));
        let noisy = format!(
            r#"{{"error":"{}","error_description":"{}"}}"#,
            "x".repeat(5000),
            "é".repeat(5000)
        );
        assert!(read(400, &noisy).unwrap_err().error.to_string().len() <= 256);
    }
}

//! The service's own sentence about a refusal, and the field that it names.

use serde_json::{Map, Value};

use super::{Evidence, Outcome};
use crate::printable::is_obeyed;

/// The most of the service's words that are told, in bytes.
const LONGEST: usize = 400;
/// The longest word that is told, in bytes: what is longer may be a token or an endpoint.
const LONGEST_WORD: usize = 64;
/// The most fields that are named.
const MOST_FIELDS: usize = 3;

impl Outcome {
    /// The service's own sentence about a refusal, one line of at most 400 bytes: FCM's `message` and
    /// `fieldViolations`, the `message` or `error` of push services, the first line of a plain text. Words that
    /// could be tokens are left out. `None` where the answer says nothing beside its reason, and for a web page.
    pub fn detail(&self) -> Option<String> {
        match self {
            Outcome::Accepted(_) => None,
            other => other.evidence().detail(),
        }
    }
}

impl Evidence {
    /// Returns the detail of an answer, as [`Outcome::detail`] does.
    pub fn detail(&self) -> Option<String> {
        let told = match serde_json::from_slice::<Value>(self.body()) {
            Ok(Value::Object(map)) => of_object(&map)?,
            Ok(Value::String(text)) => text,
            Ok(_) => return None,
            Err(_) => {
                let body = self.body().get(..LONGEST * 4).unwrap_or(self.body());
                let text = String::from_utf8_lossy(body).into_owned();
                let text = text.trim_start();
                if text.starts_with(['<', '{', '[']) {
                    return None;
                }
                text.lines().next().unwrap_or_default().to_owned()
            }
        };
        let told = cleaned(&told);
        let known = self.reason().map(super::Reason::as_str);
        (!told.is_empty() && known != Some(told.as_str())).then_some(told)
    }
}

fn of_object(map: &Map<String, Value>) -> Option<String> {
    let text =
        |map: &Map<String, Value>, name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let names = [
        "message",
        "error_description",
        "error_msg",
        "detail",
        "error",
        "reason",
    ];
    match map.get("error") {
        // Google's form.
        Some(Value::Object(error)) => {
            let mut told = text(error, "message").unwrap_or_default();
            for (field, description) in violations(error).into_iter().take(MOST_FIELDS) {
                let part = match told.contains(&description) {
                    true => format!(" ({field})"),
                    false => format!(" ({field}: {description})"),
                };
                if !told.contains(&field) || !told.contains(&description) {
                    told.push_str(&part);
                }
            }
            Some(told)
        }
        _ => names.iter().find_map(|name| text(map, name)),
    }
}

/// Returns what Google's `BadRequest` says about fields.
fn violations(error: &Map<String, Value>) -> Vec<(String, String)> {
    let details = error.get("details").and_then(Value::as_array);
    details
        .into_iter()
        .flatten()
        .filter_map(|detail| detail.get("fieldViolations")?.as_array())
        .flatten()
        .filter_map(|violation| {
            let text = |name: &str| violation.get(name).and_then(Value::as_str).unwrap_or_default();
            let field = text("field").to_owned();
            (!field.is_empty()).then(|| (field, text("description").to_owned()))
        })
        .collect()
}

/// One line of visible words, none long enough to be a token.
fn cleaned(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        let word = if word.len() > LONGEST_WORD && !is_path_of_a_field(word) {
            "[...]"
        } else {
            word
        };
        if out.len() + word.len() + 1 > LONGEST {
            out.push_str(" ...");
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !is_obeyed(*c)));
    }
    out
}

/// `message.android.notification.title`, however long.
fn is_path_of_a_field(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._[]():,'".contains(&b);
    word.len() <= 160 && word.contains("message.") && word.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use crate::outcome::{Outcome, Reason, Rejected};

    use super::*;

    fn told(reason: Option<Reason>, body: &str) -> Option<String> {
        let evidence = Evidence::new(400, reason, body.as_bytes());
        Outcome::Rejected(Rejected { evidence }).detail()
    }

    #[test]
    fn the_sentence_and_the_field_are_told() {
        let google = r#"{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"badge\" at 'message.android.notification': Cannot find field.",
            "status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[
            {"field":"message.android.notification","description":"Invalid JSON payload received. Unknown name \"badge\" at 'message.android.notification': Cannot find field."}]}]}}"#;
        assert_eq!(
            told(Some(Reason::known("INVALID_ARGUMENT")), google).unwrap(),
            "Invalid JSON payload received. Unknown name \"badge\" at 'message.android.notification': Cannot find field."
        );
        let other = r#"{"error":{"message":"Request contains an invalid argument.","details":[{"fieldViolations":[{"field":"message.data[0].key","description":"must not begin with google"}]}]}}"#;
        assert_eq!(
            told(None, other).unwrap(),
            "Request contains an invalid argument. (message.data[0].key: must not begin with google)"
        );
        for (body, text) in [
            (
                r#"{"code":50701,"http":507,"error":"cannot publish: no subscribers"}"#,
                "cannot publish: no subscribers",
            ),
            (
                r#"{"code":401,"errno":109,"error":"Unauthorized","message":"Request did not validate"}"#,
                "Request did not validate",
            ),
            (
                "push subscription has unsubscribed or expired.\nmore",
                "push subscription has unsubscribed or expired.",
            ),
            (
                r#"{"error_code":30602,"error_msg":"request params not valid"}"#,
                "request params not valid",
            ),
        ] {
            assert_eq!(told(None, body).unwrap(), text);
        }
    }

    #[test]
    fn pages_tokens_and_control_characters_are_not_told() {
        for body in [
            "",
            "<html>x",
            "  <!doctype html>",
            "[1]",
            "7",
            "{",
            "{}",
            "{\"error\":7}",
        ] {
            assert_eq!(told(None, body), None, "{body}");
        }
        let token = "x".repeat(150);
        let text = told(
            None,
            &format!("the token {token} is\u{1b}[31m wrong {}", "y ".repeat(500)),
        )
        .unwrap();
        assert!(text.starts_with("the token [...] is[31m wrong y"), "{text}");
        // Characters that change the direction of what follows are obeyed by terminals, too.
        let turned = told(None, "the \u{202e}token\u{2066} is\u{9b} wrong").unwrap();
        assert_eq!(turned, "the token is wrong");
        assert!(text.len() <= 404);
        assert_eq!(
            told(Some(Reason::known("BadTopic")), r#"{"reason":"BadTopic"}"#),
            None
        );
    }

    /// A word of 64 octets at most, a line of 400: both to the octet.
    #[test]
    fn words_and_lines_have_an_end() {
        let word = |length: usize| "w".repeat(length);
        let longest = word(LONGEST_WORD);
        assert_eq!(cleaned(&longest), longest);
        assert_eq!(cleaned(&word(LONGEST_WORD + 1)), "[...]");
        let line = |last: usize| {
            let mut words = vec![word(9); (LONGEST - 20) / 10];
            words.push(word(last));
            words.join(" ")
        };
        // 38 words of 9 octets with their blanks leave 20 octets.
        assert_eq!(line(20).len(), LONGEST);
        assert_eq!(cleaned(&line(20)), line(20));
        let cut = cleaned(&line(21));
        assert_eq!(cut, format!("{} ...", &line(21)[..379]));
    }

    /// The path of a field is told however long, up to 160 octets; what only looks like one is not.
    #[test]
    fn paths_of_fields_are_no_tokens() {
        let path = |length: usize| format!("message.{}", "a".repeat(length - "message.".len()));
        for (text, told) in [(path(160), true), (path(161), false), (path(60), true)] {
            assert_eq!(is_path_of_a_field(&text), told, "{text}");
        }
        assert!(is_path_of_a_field("'message.data[0].key_1':"));
        for text in [
            "message.APA91bHun4MxP5egoKMwt2KZFBaFUH",
            "a.b.c",
            "message.a/b",
            "Message.a",
        ] {
            assert!(!is_path_of_a_field(text), "{text}");
        }
        let long = path(150);
        assert_eq!(cleaned(&format!("at {long}")), format!("at {long}"));
    }

    /// A field is told once: it is left out only where the sentence names both it and its description.
    #[test]
    fn what_the_sentence_has_said_is_not_said_again() {
        let google = |message: &str| {
            format!(
                r#"{{"error":{{"message":"{message}","details":[{{"fieldViolations":[{{"field":"message.ttl","description":"too long"}}]}}]}}}}"#
            )
        };
        for (message, told_of) in [
            ("message.ttl is too long", "message.ttl is too long"),
            ("It is too long", "It is too long (message.ttl)"),
            ("message.ttl is bad", "message.ttl is bad (message.ttl: too long)"),
            ("No", "No (message.ttl: too long)"),
        ] {
            assert_eq!(told(None, &google(message)).unwrap(), told_of);
        }
    }

    #[test]
    fn an_accepted_message_has_no_detail() {
        let accepted = crate::outcome::Accepted::new(None, Evidence::new(200, None, b"all is well"));
        assert_eq!(Outcome::Accepted(accepted).detail(), None);
    }
}

//! Reading answers the short way.

use super::*;
use crate::time::UnixTime;

#[test]
fn the_short_way_says_what_the_parser_says() {
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
    for body in [
        r#"{"name":"projects/p/messages/0:1"}"#,
        "{\n  \"name\": \"projects/p/messages/0:1\"\n}\n",
        r#"{"name":""}"#,
        r#"{"name":"é"}"#,
        r#"{"name":"a\"b"}"#,
        r#"{"name":"a\u0041"}"#,
        r#"{"name":"a","name":"b"}"#,
        r#"{"name":"a","other":"b"}"#,
        r#"{"other":"b","name":"a"}"#,
        r#"{"name":1}"#,
        r#"{"name":"a"]"#,
        r#"{"name":"a}"#,
        r#"{"name""a"}"#,
        r#"{"name":"a"}}"#,
        "{\"name\":\"a\u{1}b\"}",
        "{}",
        "",
        "<html>",
    ] {
        let response = Response::new(200, body);
        let parsed = Answer::new(&response, now).name().map(str::to_owned);
        if let Some(name) = only_name(body.as_bytes()) {
            assert_eq!(Some(name), parsed.as_deref(), "{body}");
        }
        // FCM names every message that it takes: without a name it is not FCM that answered.
        if parsed.as_deref().unwrap_or_default().is_empty() {
            let outcome = outcome(&response, now);
            assert_eq!((outcome.name(), outcome.body()), ("retry_later", body.as_bytes()));
            continue;
        }
        let Outcome::Accepted(accepted) = outcome(&response, now) else {
            panic!("not accepted: {body}")
        };
        assert_eq!(
            accepted.id.as_ref().map(MessageId::as_str),
            parsed.as_deref(),
            "{body}"
        );
    }
    assert_eq!(only_name(b"{\"name\":\"\xff\"}"), None);
    assert_eq!(only_name(br#"{ "name" : "x" }"#), Some("x"));
}

//! The toy service from outside: what any user of the crate could write.

use std::time::Duration;

use pushcore::http::{Authority, Response};
use pushcore::service::{Kind, Message, Service, Target, Template};
use pushcore::{Now, UnixTime, toy};

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));

fn service() -> Service {
    toy::Service::new(Authority::parse("localhost:8443").expect("the toy works")).into()
}

fn a_toy_is_a_message_like_any_other() {
    let message = Message::from_json(Kind::Toy, br#"{"device":"bear","text":"hello"}"#).expect("the toy works");
    let request = service().request(&message, NOW).expect("the toy works");
    assert_eq!((request.path.as_str(), request.body.as_bytes()), ("/toys/bear", &b"hello"[..]));
    assert_eq!(message.to_json(), r#"{"device":"bear","text":"hello"}"#);
    let other = message.to(&Target::parse(Kind::Toy, "duck").expect("the toy works")).expect("the toy works");
    assert_eq!(other.to_json(), r#"{"device":"duck","text":"hello"}"#);
    let template = Template::from_json(Kind::Toy, br#"{"text":"hello"}"#).expect("the toy works");
    let third = template.to(&Target::parse(Kind::Toy, "duck").expect("the toy works")).expect("the toy works");
    assert_eq!((third.to_json(), third.kind()), (other.to_json(), Kind::Toy));
    let gone = service().outcome(&message, &Response::new(410, ""), NOW);
    assert_eq!(gone.name(), "token_gone");
}

fn a_session_sends_toys() {
    use pushcore::net::Security;
    use pushcore::session::{Action, SendOptions, Session, SessionConfig};
    let mut session = Session::new(service(), Security::Cleartext, SessionConfig::default(), NOW).expect("the toy works");
    let message = Message::from_json(Kind::Toy, br#"{"device":"bear","text":"hello"}"#).expect("the toy works");
    session.submit(&message, SendOptions::default(), NOW).expect("the toy works");
    session.flush(NOW);
    let Some(Action::Connect { authority, .. }) = session.poll_action() else {
        panic!("it dials");
    };
    assert_eq!(authority.to_string(), "localhost:8443");
}

fn a_toy_for_another_service_is_refused() {
    let apns = Target::parse(Kind::Apns, &"a1".repeat(32)).expect("the toy works");
    let message = Message::from_json(Kind::Toy, br#"{"device":"bear","text":"hello"}"#).expect("the toy works");
    assert!(message.to(&apns).is_err());
}

fn main() {
    a_toy_is_a_message_like_any_other();
    a_session_sends_toys();
    a_toy_for_another_service_is_refused();
    println!("3 passed");
}

//! What a client tells for logs and metrics: each kind of event, when it happens and no oftener.

use std::time::Duration;

use pushcore::ErrorKind;
use pushcore::outcome::Scope;
use pushcore::session::SessionEvent;
use pushcore_client::Client;
use pushcore_sandbox::{Action, Fault};
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::frame::{code, setting};
use pushcore_tests::sim::{Act, Answer, Last, Script, Server, fixture};
use serde_json::json;

use crate::world::{World, fault};

fn events(client: &Client) -> Vec<SessionEvent> {
    std::iter::from_fn(|| client.poll_event()).collect()
}

/// The name of an event, without what it is about.
fn name(event: &SessionEvent) -> &'static str {
    match event {
        SessionEvent::Dialling { .. } => "dialling",
        SessionEvent::Connected { .. } => "connected",
        SessionEvent::Disconnected { .. } => "disconnected",
        SessionEvent::SettingsChanged { .. } => "settings",
        SessionEvent::GoAway { .. } => "goaway",
        SessionEvent::TokenRenewed => "token",
        SessionEvent::TokenFailed { .. } => "token failed",
        SessionEvent::Requeued { .. } => "requeued",
        SessionEvent::Throttled { .. } => "throttled",
        SessionEvent::Wedged { .. } => "wedged",
        SessionEvent::MixUpSuspected { .. } => "mix-up",
        _ => "new",
    }
}

/// One stream at a time, so that everything happens in one order.
#[test]
fn the_story_of_a_connection() {
    let ca = Authority::new();
    let server = Server::start(1, Some(ca.server(&["h2"], |_| {})), |nth| {
        if nth > 1 {
            return Script::accepting().streams(1);
        }
        let streams = |count| Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, count)]);
        Script::new(move |seen, _| match seen.nth {
            1 => vec![streams(7), Act::Answer(Answer::ok())],
            2 => vec![Act::Reset(code::REFUSED_STREAM)],
            4 => vec![Act::Answer(
                Answer::refusal(429, "TooManyRequests").with_field("retry-after", "9"),
            )],
            5 => vec![
                Act::Answer(Answer::ok()),
                Act::GoAway(Last::Seen, code::NO_ERROR, br#"{"reason":"Shutdown"}"#.to_vec()),
                Act::Close,
            ],
            _ => vec![Act::Answer(Answer::ok())],
        })
        .streams(1)
    });
    let client = fixture::client(&ca, &format!("localhost:{}", server.address().port()), |_| {});
    for (number, message) in fixture::messages(64, 0..5) {
        let outcome = client.send(&message).expect("an answer");
        assert_eq!(outcome.is_accepted(), number != 2, "{number}: {outcome:?}");
    }
    let events = events(&client);
    let names: Vec<_> = events.iter().map(name).collect();
    let expected = [
        "dialling",
        "connected",
        "token",
        "settings",
        "requeued",
        "throttled",
        "goaway",
        "disconnected",
        "dialling",
        "connected",
    ];
    // The first SETTINGS are news as well, before or after the token.
    let mut told = names.clone();
    told.retain(|name| *name != "settings" && *name != "token");
    let mut in_order = expected.to_vec();
    in_order.retain(|name| *name != "settings" && *name != "token");
    assert_eq!(told, in_order, "{events:#?}");
    assert_eq!(names.iter().filter(|name| **name == "token").count(), 1);
    let found = |wanted: SessionEvent| assert!(events.contains(&wanted), "no {wanted:?}: {events:#?}");
    let first = events.iter().find_map(|event| match event {
        SessionEvent::Connected { link } => Some(*link),
        _ => None,
    });
    let link = first.expect("a connection");
    found(SessionEvent::SettingsChanged {
        link,
        max_concurrent_streams: 7,
    });
    found(SessionEvent::Requeued {
        error: ErrorKind::StreamReset,
    });
    found(SessionEvent::Throttled {
        scope: Scope::Device,
        after: Duration::from_secs(9),
    });
    found(SessionEvent::GoAway {
        link,
        code: 0,
        reason: "Shutdown".into(),
    });
    assert!(events.iter().any(|event| matches!(event,
        SessionEvent::Disconnected { link: over, error: None, .. } if *over == link)));
    assert_eq!(client.poll_event(), None);
}

/// One server error after the other: the connection is replaced, and that is told once.
#[test]
fn a_wedged_connection() {
    let world = World::new();
    world.sandbox.fault(Fault {
        connection: Some(1),
        ..fault(Action::Answer {
            status: 500,
            headers: Vec::new(),
            body: Some(json!({"reason": "InternalServerError"})),
        })
    });
    let client = world.apns(|config| config.session.max_connections = 1);
    let message = world.alert("valid");
    let mut wedged = 0;
    for _ in 0..30 {
        client.send(&message).expect("an answer");
        wedged += events(&client)
            .iter()
            .filter(|event| name(event) == "wedged")
            .count();
    }
    assert_eq!(wedged, 1);
    assert!(client.send(&message).expect("an answer").is_accepted());
}

#[test]
fn tokens_fetched_and_refused() {
    let world = World::new();
    let client = world.fcm();
    let message = world.fcm_message();
    for _ in 0..3 {
        assert!(client.send(&message).expect("an answer").is_accepted());
    }
    let told = events(&client);
    assert_eq!(
        told.iter().filter(|event| name(event) == "token").count(),
        1,
        "{told:?}"
    );

    world.sandbox.fault(Fault {
        contains: Some("grant_type".into()),
        ..fault(Action::Answer {
            status: 400,
            headers: Vec::new(),
            body: Some(json!({"error": "invalid_grant"})),
        })
    });
    let client = world.fcm();
    let error = client.send(&message).expect_err("no token");
    assert_eq!(error.kind(), ErrorKind::NotSent, "{error}");
    let told = events(&client);
    let failed = |event: &&SessionEvent| {
        matches!(event, SessionEvent::TokenFailed { error: ErrorKind::TokenRefused, text }
            if text.contains("invalid_grant"))
    };
    assert_eq!(told.iter().filter(failed).count(), 1, "{told:?}");
}

/// Whoever never asks loses the oldest, and no memory.
#[test]
fn events_that_nobody_fetches_are_bounded() {
    let ca = Authority::new();
    // Each message is refused once; there is one connection.
    let mut refused = vec![false; 1500];
    let server = Server::start(1, Some(ca.server(&["h2"], |_| {})), move |_| {
        let mut refused = std::mem::take(&mut refused);
        Script::new(move |seen, _| {
            let place = seen.number().and_then(|number| refused.get_mut(number));
            match place.map(|place| std::mem::replace(place, true)) {
                Some(false) => vec![Act::Reset(code::REFUSED_STREAM)],
                _ => vec![Act::Answer(Answer::ok())],
            }
        })
    });
    let client = fixture::client(&ca, &format!("localhost:{}", server.address().port()), |_| {});
    let accepted = client
        .send_many(fixture::messages(64, 0..1500))
        .filter(|(_, result)| result.as_ref().is_ok_and(|outcome| outcome.is_accepted()));
    assert_eq!(accepted.count(), 1500);
    assert_eq!(client.stats().requeued, 1500);
    assert_eq!(events(&client).len(), 1024);
}

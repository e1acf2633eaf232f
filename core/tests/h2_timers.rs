//! Timers: a server that never speaks, one that falls silent, and round trips.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use std::time::Duration;

use h2_support::*;
use pushcore::net::h2::{Config, PingPolicy};

fn due(client: &Client) -> Option<u64> {
    client.connection.poll_timeout().map(|due| due.as_secs())
}

#[test]
fn settings_must_come_and_be_acknowledged_in_time() {
    for server in [vec![], settings(&[])] {
        let mut client = Client::fresh(Config::default());
        client.receive(&server);
        assert_eq!(due(&client), Some(10));
        client.at(9).timeout();
        assert!(!client.connection.is_closed());
        client.at(10).timeout();
        assert_eq!(client.goaway(), Some(4));
        assert!(
            client
                .events
                .last()
                .unwrap()
                .starts_with("closed PeerSilent: server")
        );
        assert_eq!(due(&client), None);
    }
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[]));
    client.receive(&settings_ack());
    assert_eq!(due(&client), None, "no stream is open");
    client.at(1000).timeout();
    assert!(!client.connection.is_closed());
}

#[test]
fn a_silent_server_is_asked_and_given_up() {
    let mut client = Client::ready(Config::default());
    client.at(100);
    client.connection.send(&request(b""), client.now).unwrap();
    client.drain();
    client.forget();
    assert_eq!(due(&client), Some(115));
    client.at(114).timeout();
    assert!(client.out.is_empty());
    client.at(115).timeout();
    assert_eq!(client.sent().iter().map(|f| f.0).collect::<Vec<_>>(), [PING]);
    assert_eq!(due(&client), Some(125));
    client.at(125).timeout();
    assert_eq!(
        client.events,
        [
            "failed 1 Unknown PeerSilent: server does not answer a ping",
            "closed PeerSilent: server does not answer a ping"
        ]
    );
}

#[test]
fn any_sign_of_life_counts() {
    let mut client = Client::with_requests(Config::default(), 1);
    client.at(14).receive(&window_update(0, 1));
    assert_eq!(due(&client), Some(29));
    client.at(29).timeout();
    let ping = client.sent().pop().unwrap();
    client.at(35).receive(&window_update(0, 1));
    assert_eq!(due(&client), Some(45));
    client.at(36).receive(&frame(PING, ACK, 0, b"notmine!"));
    assert!(client.events.is_empty());
    client.at(37).receive(&frame(PING, ACK, 0, &ping.3));
    assert_eq!(client.events, ["round trip 8s"]);
    assert_eq!(due(&client), Some(52));
    client.receive(&answer(1));
    assert_eq!(due(&client), None, "nothing is in flight: nothing to ask for");
}

#[test]
fn pings_without_streams_only_where_wanted() {
    let mut config = Config::default();
    let mut ping = PingPolicy::default();
    ping.idle = Duration::from_secs(3600);
    ping.without_streams = true;
    config.ping = Some(ping);
    let client = Client::ready(config);
    assert_eq!(due(&client), Some(3600));
    let mut config = Config::default();
    config.ping = None;
    let mut client = Client::with_requests(config, 1);
    assert_eq!(due(&client), None);
    assert!(client.connection.ping(client.now));
    assert!(!client.connection.ping(client.now), "one at a time");
    assert_eq!(due(&client), None);
}

#[test]
fn time_does_not_run_backwards() {
    let mut client = Client::with_requests(Config::default(), 1);
    client.at(20).timeout();
    let ping = client.sent().pop().unwrap();
    client.at(5).receive(&frame(PING, ACK, 0, &ping.3));
    assert_eq!(client.events, ["round trip 0ns"]);
}

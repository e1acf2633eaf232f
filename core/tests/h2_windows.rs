//! Flow control both ways, and the server's SETTINGS as they change.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::http::{Body, Headers, Indexing};
use pushcore::net::SendError;
use pushcore::net::h2::Config;

/// DATA frames: stream, length, whether the stream ends.
fn data(client: &Client) -> Vec<(u32, usize, bool)> {
    client
        .sent()
        .iter()
        .filter(|f| f.0 == DATA)
        .map(|f| (f.2, f.3.len(), f.1 & END_STREAM != 0))
        .collect()
}

#[test]
fn bodies_wait_for_the_streams_window() {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(4, 10)]));
    for body in [Body::Own(vec![1; 25]), Body::Shared(vec![2; 25].into())] {
        let mut request = request(b"");
        request.body = body;
        client.connection.send(&request, client.now).unwrap();
    }
    client.drain();
    assert_eq!(data(&client), [(1, 10, false), (3, 10, false)]);
    client.forget();
    client.receive(&window_update(3, 1));
    client.receive(&window_update(1, 100));
    client.receive(&window_update(3, 14));
    assert_eq!(data(&client), [(3, 1, false), (1, 15, true), (3, 14, true)]);
    let all: Vec<u8> = client
        .sent()
        .iter()
        .filter(|f| f.2 == 3)
        .flat_map(|f| f.3.clone())
        .collect();
    assert_eq!(all, [2; 15]);
}

#[test]
fn bodies_wait_for_the_connections_window_oldest_first() {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(4, 1 << 20)]));
    for _ in 0..3 {
        client
            .connection
            .send(&request(&[7; 30_000]), client.now)
            .unwrap();
    }
    client.drain();
    assert_eq!(client.connection.window(), 0);
    let sent: usize = data(&client).iter().map(|d| d.1).sum();
    assert_eq!(sent, 65_535);
    assert_eq!(data(&client).last(), Some(&(5, 5_535, false)));
    client.forget();
    client.receive(&window_update(0, 24_464));
    client.receive(&window_update(0, 1));
    client.receive(&window_update(0, 9));
    assert_eq!(
        data(&client),
        [(5, 16_384, false), (5, 8_080, false), (5, 1, true)]
    );
    assert_eq!(client.connection.window(), 9);
}

#[test]
fn a_shrunken_window_may_be_negative() {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(4, 20)]));
    client.connection.send(&request(&[7; 50]), client.now).unwrap();
    client.drain();
    client.forget();
    client.receive(&settings(&[(4, 5)]));
    client.receive(&window_update(1, 15));
    assert!(data(&client).is_empty(), "the window is 0 now, after -15");
    client.receive(&window_update(1, 1));
    assert_eq!(data(&client), [(1, 1, false)]);
    client.forget();
    // And grows for streams that are open.
    client.receive(&settings(&[(4, 50)]));
    assert_eq!(data(&client), [(1, 29, true)]);
}

#[test]
fn settings_that_overflow_an_open_streams_window_are_an_error() {
    let mut client = Client::with_requests(Config::default(), 1);
    client.receive(&window_update(1, 0x7fff_0000 - 65_535));
    client.receive(&settings(&[(4, 0x7fff_ffff)]));
    assert_eq!(client.goaway(), Some(3));
}

#[test]
fn the_stream_limit_is_live() {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(3, 1)]));
    assert_eq!(client.connection.capacity(), 1);
    client.connection.send(&request(b""), client.now).unwrap();
    assert!(matches!(
        client.connection.send(&request(b""), client.now),
        Err(SendError::Full)
    ));
    client.receive(&settings(&[(3, 3)]));
    assert_eq!(client.connection.capacity(), 2);
    client.connection.send(&request(b""), client.now).unwrap();
    client.connection.send(&request(b""), client.now).unwrap();
    client.receive(&settings(&[(3, 1)]));
    client.receive(&settings(&[(3, 0)]));
    assert_eq!(
        (client.connection.capacity(), client.connection.in_flight()),
        (0, 3)
    );
    assert_eq!(client.events, ["ready", "settings 3", "settings 1", "settings 0"]);
    for id in [1, 3, 5] {
        client.receive(&answer(id));
    }
    assert_eq!(client.connection.capacity(), 0);
    client.receive(&settings(&[(3, 1000)]));
    assert_eq!(client.connection.capacity(), 1000);
}

#[test]
fn a_large_header_block_continues_in_frames_the_server_takes() {
    let mut client = Client::ready(Config::default());
    let mut request = request(b"{}");
    let mut headers = Headers::new();
    headers
        .push("x-large", &"~".repeat(40_000), Indexing::Without)
        .unwrap();
    request.headers = headers;
    client.connection.send(&request, client.now).unwrap();
    client.drain();
    let frames: Vec<_> = client
        .sent()
        .iter()
        .map(|f| (f.0, f.1, f.3.len().min(16_384)))
        .collect();
    assert_eq!(frames.len(), 4);
    assert_eq!(frames[0], (HEADERS, 0, 16_384));
    assert_eq!(frames[1], (CONTINUATION, 0, 16_384));
    assert_eq!((frames[2].0, frames[2].1), (CONTINUATION, END_HEADERS));
    assert_eq!(frames[3], (DATA, END_STREAM, 2));
    // The server may allow larger frames.
    client.forget();
    client.receive(&settings(&[(5, 100_000), (4, 100_000)]));
    request.body = Body::Own(vec![7; 50_000]);
    client.connection.send(&request, client.now).unwrap();
    client.drain();
    assert_eq!(
        client.sent().iter().map(|f| f.0).collect::<Vec<_>>(),
        [SETTINGS, HEADERS, DATA]
    );
}

#[test]
fn windows_are_given_back_also_for_error_bodies_and_dropped_streams() {
    let mut config = Config::default();
    config.connection_window = 65_535;
    config.max_response_body = 1 << 20;
    let mut client = Client::ready(config);
    let body = [b'x'; 8192];
    let mut granted = 65_535u64;
    let mut spent = 0u64;
    for n in 0..200u32 {
        let id = client.connection.send(&request(b""), client.now).unwrap();
        if n % 3 == 0 {
            client.connection.cancel(id, client.now);
        }
        let stream = 2 * n + 1;
        client.receive(&list(0, stream, &[(":status", "400")]));
        client.receive(&frame(DATA, END_STREAM, stream, &body));
        spent += 8192;
        assert!(spent <= granted, "the server would be stuck after {n}");
        granted = 65_535
            + client
                .sent()
                .iter()
                .filter(|f| f.0 == WINDOW_UPDATE && f.2 == 0)
                .map(|f| u64::from(u32::from_be_bytes(f.3[..].try_into().unwrap())))
                .sum::<u64>();
    }
    assert_eq!(client.goaway(), None);
    assert_eq!(client.events.len(), 200);
}

#[test]
fn a_long_body_gets_stream_windows() {
    let mut config = Config::default();
    config.initial_window = 65_535;
    config.max_response_body = 1 << 20;
    let mut client = Client::with_requests(config, 1);
    client.receive(&frame(HEADERS, END_HEADERS, 1, OK));
    for _ in 0..50 {
        client.receive(&frame(DATA, 0, 1, &[b'x'; 16_000]));
    }
    client.receive(&frame(DATA, END_STREAM, 1, b"!"));
    assert!(client.events[0].ends_with("x!\""), "{}", client.events.len());
    assert!(client.sent().iter().any(|f| f.0 == WINDOW_UPDATE && f.2 == 1));
}

//! Memory under attack stays flat: rows 25, 40, 42, 43 and 45 of the fault matrix, measured.
//!
//! One test, so that nothing else of this process allocates meanwhile. Linux only: `/proc/self/statm`.

#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::time::Duration;

use pushcore::http::{Authority, Request};
use pushcore::net::{Connection, ConnectionConfig, Event, Protocols, Security};
use pushcore::{Now, UnixTime};
use pushcore_tests::sim::frame::{self, flag, kind};
use pushcore_tests::sim::hpack;
use pushcore_tests::sim::log::path_of;

const MIB: u64 = 1 << 20;

/// Resident memory of this process, in octets.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages = text.split(' ').nth(1).and_then(|text| text.parse::<u64>().ok());
    pages.expect("a number of pages") * 4096
}

fn now() -> Now {
    Now::new(Duration::from_secs(1000), UnixTime::from_secs(1_790_000_000))
}

/// A connection with ten requests in flight.
fn connection() -> Connection {
    let mut config = ConnectionConfig::new(Security::Cleartext);
    config.protocols = Protocols::Http2Only;
    let authority = Authority::parse("localhost").expect("an authority");
    let mut connection = Connection::new(&Arc::new(config), &authority, now()).expect("a connection");
    connection.receive(&frame::settings(&[(3, 100)]), now());
    connection.receive(&frame::frame(kind::SETTINGS, flag::ACK, 0, &[]), now());
    for number in 0..10 {
        let mut request = Request::new();
        request.authority = Some(authority.clone());
        request.path = path_of(number);
        connection.send(&request, now()).expect("a stream");
    }
    connection
}

/// Feeds `count` times the same octets, `writes` or not what the client has to say to them (a server
/// that does not read lets answers pile up), and returns the requests that ended, and how much memory it took.
fn attacked(first: &[u8], again: &[u8], count: u32, writes: bool) -> (usize, u64) {
    let mut connection = connection();
    let shown = connection.transmit().len();
    connection.transmitted(shown);
    let before = resident();
    let mut most = before;
    let mut ended = 0;
    connection.receive(first, now());
    for round in 0..count {
        connection.receive(again, now());
        if writes {
            let shown = connection.transmit().len();
            connection.transmitted(shown);
        }
        while let Some(event) = connection.poll_event() {
            ended += usize::from(matches!(event, Event::Response { .. } | Event::Failed { .. }));
        }
        if round % 64 == 0 {
            most = most.max(resident());
        }
        assert!(
            connection.transmit().len() <= 64 * 1024,
            "{}",
            connection.transmit().len()
        );
    }
    assert!(connection.is_closed(), "after {count} times");
    (ended, most.max(resident()) - before)
}

fn flat_under_attack() {
    let begin = frame::headers(1, false, &[0x88]);
    let open = frame::frame(kind::HEADERS, 0, 1, &[0x88]);
    let mut field = Vec::new();
    hpack::literal(&mut field, b"x", &[b'y'; 16_000]);
    // 4,000 octets once, and 16,000 references to them: 64 MiB from 20 KiB.
    let mut bomb = vec![0x88];
    hpack::remembered(&mut bomb, b"x", &[b'y'; 4000]);
    bomb.extend(vec![0xbe; 12_000]);
    let settings: Vec<(u16, u32)> = vec![(4, 65_535); 2000];
    let attacks: [(&str, Vec<u8>, Vec<u8>); 10] = [
        ("row 25: pings", Vec::new(), frame::ping(false, [7; 8])),
        ("row 40: settings", Vec::new(), frame::settings(&[])),
        ("row 40: long settings", Vec::new(), frame::settings(&settings)),
        (
            "row 42: continuations, empty",
            open.clone(),
            frame::frame(kind::CONTINUATION, 0, 1, &[]),
        ),
        (
            "row 42: continuations, full",
            open,
            frame::frame(kind::CONTINUATION, 0, 1, &field),
        ),
        ("row 43: a bomb", Vec::new(), frame::headers(1, true, &bomb)),
        ("row 45: data, empty", begin.clone(), frame::data(1, false, &[])),
        (
            "row 45: data, padded",
            begin.clone(),
            frame::padded_data(1, false, &[], 255),
        ),
        ("row 45: data, one octet", begin, frame::data(1, false, b"x")),
        (
            "informational responses",
            Vec::new(),
            frame::headers(1, false, &[0x08, 3, b'1', b'0', b'3']),
        ),
    ];
    for writes in [true, false] {
        // What the first run of each allocates once, the second must not need again.
        for pass in 0..2 {
            for (what, first, again) in &attacks {
                let (ended, grown) = attacked(first, again, 100_000, writes);
                println!("{what}, pass {pass}: {grown} octets more");
                assert_eq!(ended, 10, "{what}: each request has one end");
                assert!(pass == 0 || grown < MIB, "{what}: {grown} octets more, {writes}");
            }
        }
    }
}

/// Thousands of connections, each attacked to its end: nothing of them stays.
fn nothing_stays_of_what_was_attacked() {
    let pings = frame::ping(false, [7; 8]);
    let mut after_warm_up = 0;
    for round in 0..3000 {
        attacked(&[], &pings, 300, true);
        if round == 1000 {
            after_warm_up = resident();
        }
    }
    let grown = resident().saturating_sub(after_warm_up);
    println!("2,000 connections: {grown} octets more");
    assert!(grown < MIB, "{grown} octets more");
}

#[test]
fn memory_stays_flat() {
    flat_under_attack();
    nothing_stays_of_what_was_attacked();
}

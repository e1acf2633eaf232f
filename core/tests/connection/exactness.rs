//! `Processed` says exactly what the server can have seen.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use pushcore::http::{Body, Indexing};
use pushcore::net::{Connection, Event, Processed, Protocols, RequestId};

use crate::certificates::Authority;
use crate::pair::{H2Server, Pair, client_config, client_tls, request, request_with_body, server_config};

const REQUESTS: usize = 200;
const RECORD: usize = 5 + 16 * 1024 + 17;

/// The ids that failed as `No`, those that failed as `Unknown`, and how many were answered.
fn ends(client: &mut Connection) -> (BTreeSet<RequestId>, BTreeSet<RequestId>, usize) {
    let (mut no, mut unknown, mut answered) = (BTreeSet::new(), BTreeSet::new(), 0);
    while let Some(event) = client.poll_event() {
        match event {
            Event::Failed {
                id,
                processed: Processed::No,
                ..
            } => assert!(no.insert(id)),
            Event::Failed { id, .. } => assert!(unknown.insert(id)),
            Event::Response { .. } => answered += 1,
            _ => {}
        }
    }
    (no, unknown, answered)
}

/// Two hundred requests of about 270 bytes, encrypted into records of 16 KiB; the transport
/// takes the first `cut` bytes and breaks. How it breaks must not matter.
fn broken_after(cut: usize, alert: bool) -> (usize, usize, usize) {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    let mut pair = Pair::new(
        &config,
        server_config(&ca.server(), &["h2"], None),
        H2Server::new(usize::MAX),
    );
    pair.drive();
    let before = pair.plaintext;
    for n in 0..REQUESTS {
        let mut request = request(&format!("/3/device/{n:0150}"));
        request
            .headers
            .push("apns-id", &format!("{n}"), Indexing::Without)
            .unwrap();
        request.body = Body::Own(vec![b'b'; 100]);
        pair.client.send(&request, pair.now).unwrap();
    }
    let piece = pair.client.transmit()[..cut].to_vec();
    pair.client.transmitted(piece.len());
    pair.server_receives(&piece);
    if alert {
        // A record that does not decrypt: TLS fails, and wants to say so.
        let mut garbage = vec![23, 3, 3, 0, 32];
        garbage.extend_from_slice(&[7; 32]);
        pair.client.receive(&garbage, pair.now);
    } else {
        pair.client.receive_eof(pair.now);
    }
    let (no, unknown, answered) = ends(&mut pair.client);
    assert_eq!(
        no.len() + unknown.len() + answered,
        REQUESTS,
        "each request ends once"
    );
    assert!(no.is_disjoint(&unknown));
    // Whatever is still to be sent finishes what was begun, and holds no request that failed as `No`.
    let rest = pair.client.transmit().to_vec();
    pair.client.transmitted(rest.len());
    pair.server_receives(&rest);
    assert!(pair.client.transmit().is_empty());
    (no.len(), unknown.len(), pair.plaintext - before)
}

#[test]
fn untouched_records_hold_requests_that_were_not_sent() {
    for alert in [false, true] {
        assert_eq!(broken_after(0, alert), (REQUESTS, 0, 0), "nothing was taken");
        for (cut, touched) in [(1, 1), (100, 1), (RECORD, 1), (RECORD + 1, 2), (2 * RECORD, 2)] {
            let (no, unknown, seen) = broken_after(cut, alert);
            assert!(no > 0 && unknown > 0, "{cut}: {no} no, {unknown} unknown");
            // A touched record is finished when TLS can still speak, so that its alert can be
            // read. The server never sees more than the touched records.
            assert!(seen <= touched * 16 * 1024, "{cut}: server saw {seen}");
            // The requests that begin in a touched record, and no other, are unknown.
            let per_request = 270;
            let expected = touched * 16 * 1024 / per_request;
            assert!(
                unknown.abs_diff(expected) <= expected / 10 + 1,
                "{cut}: {unknown} unknown, expected {expected}"
            );
        }
        let (no, unknown, _) = broken_after(3 * RECORD, alert);
        assert!(no + unknown == REQUESTS && unknown > 0);
    }
}

#[test]
fn the_server_never_sees_a_request_that_was_not_sent() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    let (mut total_no, mut total_unknown) = (0, 0);
    for round in 0..40 {
        let app = H2Server::new(usize::MAX);
        let seen = app.seen.clone();
        let mut pair = Pair::new(&config, server_config(&ca.server(), &["h2"], None), app);
        pair.drive();
        let mut paths = BTreeMap::new();
        for n in 0..random(300) + 1 {
            let path = format!("/{round}/{n}");
            let id = pair
                .client
                .send(&request_with_body(&path, random(400)), pair.now)
                .unwrap();
            paths.insert(id, path);
            // Some of it is encrypted early, some later; the transport takes odd pieces.
            if random(4) == 0 {
                let shown = pair.client.transmit();
                let piece = shown[..random(shown.len() + 1).min(2000)].to_vec();
                pair.client.transmitted(piece.len());
                pair.server_receives(&piece);
            }
        }
        let garbage = [
            23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
        ];
        match random(3) {
            0 => pair.client.receive_eof(pair.now),
            1 => pair.client.receive(&garbage, pair.now),
            _ => {
                // The server's HTTP/2 goes wrong.
                pair.server
                    .writer()
                    .write_all(&[0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
                    .unwrap();
                let mut out = Vec::new();
                while pair.server.wants_write() {
                    pair.server.write_tls(&mut out).unwrap();
                }
                pair.client.receive(&out, pair.now);
            }
        }
        let (no, unknown, answered) = ends(&mut pair.client);
        assert_eq!(no.len() + unknown.len() + answered, paths.len(), "round {round}");
        let rest = pair.client.transmit().to_vec();
        pair.client.transmitted(rest.len());
        pair.server_receives(&rest);
        assert!(pair.client.transmit().is_empty() && pair.client.is_closed());
        let seen = seen.lock().unwrap();
        for id in &no {
            assert!(
                !seen.contains(&paths[id]),
                "round {round}: {} was sent",
                paths[id]
            );
        }
        total_no += no.len();
        total_unknown += unknown.len();
    }
    assert!(
        total_no > 100 && total_unknown > 100,
        "{total_no} no, {total_unknown} unknown"
    );
}

#[test]
fn a_fault_in_http2_counts_what_tls_holds_back_as_not_sent() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    let mut pair = Pair::new(
        &config,
        server_config(&ca.server(), &["h2"], None),
        H2Server::new(usize::MAX),
    );
    pair.drive();
    for n in 0..REQUESTS {
        pair.client.send(&request(&format!("/{n}")), pair.now).unwrap();
    }
    assert!(!pair.client.transmit().is_empty(), "encrypted, and held back");
    // DATA on stream 0.
    pair.server
        .writer()
        .write_all(&[0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        .unwrap();
    let mut out = Vec::new();
    while pair.server.wants_write() {
        pair.server.write_tls(&mut out).unwrap();
    }
    pair.client.receive(&out, pair.now);
    let (no, unknown, _) = ends(&mut pair.client);
    assert_eq!((no.len(), unknown.len()), (REQUESTS, 0));
    assert!(pair.client.transmit().is_empty());
}

#[test]
fn a_touched_record_is_finished_wherever_it_lies() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    for (records, into) in [
        (0, 1),
        (3, 1),
        (7, 1),
        (7, 100),
        (11, 0),
        (11, 1),
        (11, RECORD - 1),
    ] {
        let mut pair = Pair::new(
            &config,
            server_config(&ca.server(), &["h2"], None),
            H2Server::new(usize::MAX),
        );
        pair.drive();
        for n in 0..300 {
            pair.client
                .send(&request_with_body(&format!("/{n}"), 1000), pair.now)
                .unwrap();
        }
        // The transport takes odd pieces, and the buffer is filled up again before each.
        let target = records * RECORD + into;
        let mut gone = 0;
        while gone < target {
            let shown = pair.client.transmit().len();
            let piece = shown.min(3001).min(target - gone);
            pair.client.transmitted(piece);
            gone += piece;
        }
        pair.client.transmit();
        pair.client.receive_eof(pair.now);
        let rest = pair.client.transmit().len();
        let expected = if into == 0 { 0 } else { RECORD - into };
        // Nothing behind it: an alert or close_notify could not be decrypted after the gap.
        assert_eq!(rest, expected, "{records} records and {into} bytes");
    }
}

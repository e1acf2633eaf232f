//! The cost of a frame does not depend on how many streams are open (`docs/faults.md`).

use super::*;
use crate::net::work;

const MANY: u32 = 10_000;

/// How the bodies of the open streams stand.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bodies {
    /// They are on their way.
    Sent,
    /// Their streams' own windows are used up.
    WaitForStream,
    /// The connection's window is used up.
    WaitForConnection,
}

/// An engine with streams 1, 3, 5 ... in flight, of which everything that may go has been transmitted.
fn with_streams(count: u32, bodies: Bodies) -> Engine {
    let mut engine = ready(Config {
        max_in_flight: count + 1,
        ..Config::default()
    });
    let window = if bodies == Bodies::WaitForStream {
        0
    } else {
        65_535
    };
    engine.receive(&settings(&[(4, window)]), at(0));
    if bodies == Bodies::WaitForConnection {
        engine.send(&request(&[7; 65_535]), 0, at(0)).unwrap();
        engine.receive(&answer(1), at(0));
    } else {
        engine.receive(&window_update(0, 0x7000_0000), at(0));
    }
    for _ in 0..count {
        engine.send(&request(b"{}"), 0, at(0)).unwrap();
    }
    drain(&mut engine);
    assert_eq!(engine.in_flight(), count as usize);
    engine
}

fn drain(engine: &mut Engine) {
    loop {
        let length = engine.transmit().len();
        if length == 0 {
            break;
        }
        engine.transmitted(length);
    }
    while engine.poll_event().is_some() {}
}

/// The work of some octets: their receipt, and all that is written and told because of them.
fn cost(engine: &mut Engine, octets: &[u8]) -> u64 {
    work::of(|| {
        engine.receive(octets, at(1));
        let _ = engine.poll_timeout();
        drain(engine);
    })
}

/// Each frame, with the id of an open stream and of one that has ended.
fn frames(bodies: Bodies, open: u32, ended: u32) -> Vec<(&'static str, Vec<u8>)> {
    let mut frames = vec![
        ("DATA on an ended stream", frame(DATA, END_STREAM, ended, b"")),
        ("HEADERS", answer(open)),
        ("HEADERS, interim", list(0, open - 2, &[(":status", "103")])),
        ("PRIORITY", frame(PRIORITY, 0, open - 2, &[0; 5])),
        ("RST_STREAM", reset(open - 2, 8)),
        ("RST_STREAM on an ended stream", reset(ended, 8)),
        ("SETTINGS, empty", settings(&[])),
        ("SETTINGS, streams", settings(&[(3, 5)])),
        ("SETTINGS, table", settings(&[(1, 100)])),
        ("SETTINGS, larger frames", settings(&[(5, 100_000)])),
        ("SETTINGS acknowledgement", settings_ack()),
        ("PING", frame(PING, 0, 0, &[0; 8])),
        ("PING acknowledgement", frame(PING, ACK, 0, &[0; 8])),
        ("WINDOW_UPDATE of a stream", window_update(open - 4, 1)),
        ("WINDOW_UPDATE of an ended stream", window_update(ended, 1)),
        ("unknown", frame(0xee, 0, 0, b"?")),
    ];
    if bodies != Bodies::WaitForStream {
        frames.push(("SETTINGS, no window", settings(&[(4, 0)])));
        frames.push(("SETTINGS, window of one octet", settings(&[(4, 1)])));
        frames.push(("SETTINGS, larger window", settings(&[(4, 100_000)])));
    }
    // Lets one octet go where bodies wait for it, and opens the way for nothing where not.
    frames.push(("WINDOW_UPDATE", window_update(0, 1)));
    frames.push(("GOAWAY above all", goaway(0x7fff_ffff, 0, b"bye")));
    frames.push(("GOAWAY below the last", goaway(open - 6, 0, b"bye")));
    frames
}

#[test]
fn no_frame_costs_more_where_more_streams_are_open() {
    let mut wrong = Vec::new();
    for bodies in [Bodies::Sent, Bodies::WaitForStream, Bodies::WaitForConnection] {
        let measure = |count: u32| -> Vec<_> {
            let mut engine = with_streams(count, bodies);
            // The stream that filled the connection's window had an id, too.
            let first = if bodies == Bodies::WaitForConnection { 3 } else { 1 };
            let last = first + 2 * (count - 1);
            let id = engine.send(&request(b""), 0, at(0)).unwrap();
            engine.cancel(id, at(0));
            drain(&mut engine);
            let costs = frames(bodies, last, last + 2)
                .into_iter()
                .map(|(name, octets)| (name, cost(&mut engine, &octets)))
                .collect();
            assert!(!engine.is_closed());
            costs
        };
        for ((name, few), (_, many)) in measure(5).into_iter().zip(measure(MANY)) {
            println!("{bodies:?}: {name}: {few} at 5 streams, {many} at {MANY}");
            if many > few + 4 {
                wrong.push(format!(
                    "{bodies:?}: {name}: {few} at 5 streams, {many} at {MANY}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Where a frame lets every stream go on, each turn looks at a bounded number of them.
#[test]
fn a_turn_is_bounded_where_a_frame_opens_every_window() {
    let mut engine = with_streams(MANY, Bodies::WaitForStream);
    let received = work::of(|| engine.receive(&settings(&[(4, 1)]), at(1)));
    assert!(received < 500, "{received}");
    let mut turns = 0;
    loop {
        let mut length = 0;
        let turn = work::of(|| length = engine.transmit().len());
        assert!(turn < 500, "{turn}");
        if length == 0 {
            break;
        }
        // One octet and a frame's head for each of 64 streams.
        assert!(length <= 2 * 64 * 10 + 9, "{length}");
        engine.transmitted(length);
        turns += 1;
    }
    assert!(turns >= MANY / 128, "{turns}");
    // And closed again: bodies that could go are found not to, 64 at a time, without a wait for anything.
    let mut engine = with_streams(MANY, Bodies::WaitForConnection);
    engine.receive(&settings(&[(4, 0)]), at(1));
    drain(&mut engine);
    assert_ne!(engine.poll_timeout(), Some(at(1).monotonic));
    let received = work::of(|| engine.receive(&window_update(0, 1000), at(1)));
    assert!(received < 500, "{received}");
    let mut turns = 0;
    while engine.poll_timeout() == Some(at(1).monotonic) {
        let turn = work::of(|| engine.handle_timeout(at(1)));
        assert!(turn < 500, "{turn}");
        turns += 1;
    }
    assert!((MANY / 64 - 2..=MANY / 64 + 2).contains(&turns), "{turns}");
    assert!(engine.transmit().is_empty());
}

/// GOAWAYs that lower the last stream one by one look for each stream once.
#[test]
fn many_goaways_cost_no_more_than_one() {
    let mut engine = with_streams(MANY, Bodies::Sent);
    let highest = 2 * MANY - 1;
    let work = work::of(|| {
        for n in 1..=20 {
            engine.receive(&goaway(highest - 2 * n, 0, b""), at(0));
        }
    });
    assert_eq!(engine.in_flight(), MANY as usize - 20);
    assert!(work < 20 * 10, "{work}");
}

/// The work of a whole read is bounded by its octets.
#[test]
fn a_read_costs_no_more_than_its_octets() {
    let mut engine = with_streams(MANY, Bodies::WaitForStream);
    let update = window_update(0, 1);
    let read = update.repeat(64 * 1024 / update.len());
    let work = work::of(|| engine.receive(&read, at(1)));
    assert!(!engine.is_closed());
    assert!(work <= read.len() as u64 / 9, "{work}");
    let mut small = with_streams(1, Bodies::WaitForStream);
    assert_eq!(work::of(|| small.receive(&read, at(1))), work);
}

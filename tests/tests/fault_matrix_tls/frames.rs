//! Rows 27 to 29: frames that RFC 9113 forbids a server, and some that it allows.

use pushcore::session::SendOptions;
use pushcore_client::Batch;
use pushcore_tests::sim::cases::Must::{Accept, Acknowledge, Close, Reset};
use pushcore_tests::sim::cases::{Case, One, cases};
use pushcore_tests::sim::frame::{self, code, flag, kind, setting};

use super::*;

/// In flight when it happens.
const OPEN: usize = 10;
/// All messages of a case.
const ALL: usize = 60;

/// Ten in flight, then this, then the answers of whatever is still open. When the ten have ended, the
/// rest is sent: over the same connection, or over one that accepts everything.
fn case(acts: &[Act], one: One) -> (Row, Stats) {
    let mut acts = acts.to_vec();
    if one != One::Open {
        acts.push(Act::Forget(1));
    }
    acts.extend([Act::Wait(millis(10)), Act::AnswerHeld(Answer::ok())]);
    let row = Row::first(move || {
        let acts = acts.clone();
        Script::new(move |seen, _| match seen.nth as usize {
            1 if one == One::Answered => vec![Act::Process],
            0..OPEN => Vec::new(),
            OPEN => acts.clone(),
            _ => vec![ok()],
        })
        .streams(OPEN as u32)
    });
    // A busy machine answers late, and then a second connection would be planned.
    let client = Arc::new(row.client(|config| config.session.max_connections = 1));
    let mut batch = Batch::new(Arc::clone(&client), None).expect("a batch");
    let all: Vec<_> = messages(0..ALL).map(|(_, message)| message).collect();
    let mut ended = 0;
    for (part, until) in [(&all[..OPEN], OPEN), (&all[OPEN..], ALL)] {
        let taken = batch.submit(part.iter().zip(0..), SendOptions::default(), |ticket| {
            assert!(ticket.is_ok())
        });
        assert!(taken.expect("an open client"), "there is room");
        eventually(
            || {
                ended += batch.wait(millis(5)).expect("a wait").count();
                ended == until
            },
            "all have ended",
        );
    }
    drop(batch);
    let stats = client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    (row, stats)
}

#[test]
fn row_27_all_57_client_cases() {
    for Case {
        name,
        acts,
        must,
        one,
    } in &cases()
    {
        let (row, stats) = case(acts, *one);
        let doubt = match must {
            Close(_) => OPEN as u64 - u64::from(*one == One::Answered),
            _ => u64::from(*one == One::Doubt),
        };
        assert_eq!(
            (stats.unknown, stats.accepted),
            (doubt, ALL as u64 - doubt),
            "{name}: {stats:?}"
        );
        let log = row.server.log();
        assert_eq!(log.duplicates(), 0, "{name}");
        match must {
            Close(code) => row.first_goaway(*code, name),
            Reset(code) => eventually(|| log.resets() == [*code], name),
            Acknowledge => eventually(|| log.acknowledgements() == 1, name),
            Accept => assert_eq!(log.resets(), [0; 0], "{name}"),
        }
        let connections = 1 + u32::from(matches!(must, Close(_)));
        assert_eq!(log.connections(), connections, "{name}");
    }
}

#[test]
fn row_28_too_large_and_unknown_frames() {
    let large = vec![Act::Raw(frame::data(1, false, &[0; 16_385]))];
    let row = Row::first(move || after_holding(10, large.clone()));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (10, N as u64 - 10), "{stats:?}");
    row.first_goaway(code::FRAME_SIZE_ERROR, "a large frame");

    let odd = [
        frame::frame(0xbe, 0xff, 0, b"a frame of a kind to come"),
        frame::frame(0xbe, 0xff, 1, b"the same on a stream"),
        frame::frame(kind::PING, 0xfe, 0, &[0; 8]),
        frame::frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 9]),
    ]
    .concat();
    let row = Row::new(move |_| {
        let odd = odd.clone();
        let greeting = vec![(setting::MAX_CONCURRENT_STREAMS, 100), (0xf00, 7), (9, 1)];
        Script::new(move |_, _| vec![Act::Raw(odd.clone()), ok()]).greeting([Act::Settings(greeting)])
    });
    let sent = row.send(100, |_| {});
    assert_eq!(sent.stats.accepted, 100, "{:?}", sent.stats);
    assert_eq!(row.server.log().connections(), 1);
}

#[test]
fn row_29_push_promise() {
    let promise = frame::frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &[0, 0, 0, 2, 0x88]);
    let row = Row::first(move || after_holding(50, vec![Act::Raw(promise.clone())]));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (50, N as u64 - 50), "{stats:?}");
    row.first_goaway(code::PROTOCOL_ERROR, "a promise");
}

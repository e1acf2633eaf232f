//! Rows 37 to 41: flow control, settings, slowness.

use pushcore_tests::sim::frame::{self, MAX_31, code, setting};

use super::*;

fn streams(count: u32) -> Act {
    Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, count)])
}

fn window(streams: u32, window: u32) -> Act {
    Act::Settings(vec![
        (setting::MAX_CONCURRENT_STREAMS, streams),
        (setting::INITIAL_WINDOW_SIZE, window),
    ])
}

#[test]
fn row_37_stream_limit_up_and_down() {
    let row = Row::new(|_| {
        Script::new(|seen, _| match seen.nth {
            200 => vec![streams(1), ok()],
            400 => vec![streams(100), ok()],
            _ => vec![ok()],
        })
    });
    let sent = row.send(N, |_| {});
    assert_eq!(sent.stats.accepted, N as u64, "{:?}", sent.stats);
    let limits: Vec<u32> = sent
        .events()
        .iter()
        .filter_map(|event| match event {
            SessionEvent::SettingsChanged {
                max_concurrent_streams,
                ..
            } => Some(*max_concurrent_streams),
            _ => None,
        })
        .collect();
    assert_eq!(limits[limits.len() - 2..], [1, 100]);
}

#[test]
fn row_38_no_streams_at_all() {
    let row = Row::new(|_| {
        let none = Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, 0)]);
        Script::accepting().greeting([none, Act::Ping([3; 8])])
    });
    let sent = row.send(N, |config| config.session.deadline = Duration::from_secs(2));
    let stats = &sent.stats;
    assert_eq!((stats.expired, stats.unknown), (N as u64, 0), "{stats:?}");
    eventually(|| row.server.log().acknowledgements() > 0, "an answered ping");
    assert_eq!(row.server.log().requests(), 0);
}

/// No window at first; then it opens an octet at a time.
#[test]
fn row_39_windows_of_one_octet() {
    let row = Row::new(|_| {
        let mut script = Script::accepting().greeting([window(10, 0)]);
        script.replenish = false;
        script.on_headers = Some(Box::new(|_, _| {
            let drop = [
                Act::Wait(Duration::from_micros(500)),
                Act::StreamWindow(1),
                Act::ConnectionWindow(1),
            ];
            (0..200).flat_map(|_| drop.clone()).collect()
        }));
        script
    });
    let sent = row.send(20, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (20, 0), "{stats:?}");
}

/// INITIAL_WINDOW_SIZE shrinks under bodies that have begun: windows become negative, then open again.
#[test]
fn row_39_negative_windows() {
    let row = Row::new(|_| {
        let mut script = Script::accepting().greeting([window(100, 60)]);
        script.replenish = false;
        let to = |size| Act::Settings(vec![(setting::INITIAL_WINDOW_SIZE, size)]);
        script.on_headers = Some(Box::new(move |seen, _| match seen.nth {
            1 => vec![
                Act::Wait(millis(50)),
                to(10),
                Act::Wait(millis(50)),
                to(50),
                Act::Wait(millis(50)),
                to(65_535),
            ],
            _ => Vec::new(),
        }));
        script
    });
    let sent = row.send(100, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (100, 0), "{stats:?}");
}

/// The window never opens: the message waits to its time, then RST_STREAM(CANCEL), and nobody
/// pretends that its HEADERS were not sent.
#[test]
fn row_39_window_that_never_opens() {
    let row = Row::new(|_| {
        let mut script = Script::accepting().greeting([window(10, 50)]);
        script.replenish = false;
        script
    });
    let sent = row.send(30, |config| config.session.response_timeout = millis(200));
    let stats = &sent.stats;
    assert_eq!(stats.unknown, 30, "{stats:?}");
    let log = row.server.log();
    eventually(|| log.resets().len() == 30, "thirty resets");
    assert!(log.resets().iter().all(|reset| *reset == code::CANCEL));
}

#[test]
fn row_40_window_and_settings_floods() {
    for (what, acts, expected) in [
        (
            "overflow",
            vec![Act::Raw(frame::window_update(0, MAX_31))],
            code::FLOW_CONTROL_ERROR,
        ),
        (
            "nothing",
            vec![Act::Raw(frame::window_update(0, 0))],
            code::PROTOCOL_ERROR,
        ),
        (
            "settings",
            vec![Act::Settings(Vec::new()); 20_000],
            code::ENHANCE_YOUR_CALM,
        ),
    ] {
        let row = Row::first(move || after_holding(20, acts.clone())).lenient();
        let sent = row.send(N / 10, |_| {});
        let stats = &sent.stats;
        assert_eq!(
            (stats.unknown, stats.accepted),
            (20, N as u64 / 10 - 20),
            "{what}: {stats:?}"
        );
        row.first_goaway(expected, what);
    }
}

#[test]
fn row_40_settings_never_acknowledged() {
    let row = Row::first(|| {
        let mut script = after_holding(20, Vec::new());
        script.acknowledge = false;
        script
    });
    let sent = row.send(N / 10, |config| {
        config.session.http2.get_or_insert_default().settings_timeout = millis(500);
    });
    let stats = &sent.stats;
    assert_eq!(
        (stats.unknown, stats.accepted),
        (20, N as u64 / 10 - 20),
        "{stats:?}"
    );
    row.first_goaway(code::SETTINGS_TIMEOUT, "no acknowledgement");
}

/// An octet of response at a time: the deadline is the request's, not the read's.
#[test]
fn row_41_slow_loris() {
    let row = Row::first(|| {
        Script::new(|_, _| {
            let mut bytes = frame::headers(1, false, &[0x88]);
            bytes.extend(frame::data(1, true, &[b' '; 200]));
            vec![Act::Process, Act::Trickle(bytes, millis(20))]
        })
        .streams(1)
    });
    let sent = row.send(1, |config| config.session.response_timeout = millis(300));
    assert_eq!(sent.stats.unknown, 1, "{:?}", sent.stats);
}

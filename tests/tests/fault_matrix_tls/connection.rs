//! Rows 16 to 26: faults of the whole connection.

use pushcore_client::Batch;
use pushcore_tests::sim::frame::{self, code};
use pushcore_tests::sim::{Last, Pings};

use super::*;

#[test]
fn row_16_no_settings_or_garbage() {
    for (greeting, cause) in [
        (Vec::new(), ErrorKind::ConnectTimeout),
        (
            vec![Act::Raw(
                b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n".to_vec(),
            )],
            ErrorKind::Http2Protocol,
        ),
        (vec![Act::Raw(vec![0xff; 64])], ErrorKind::Http2Protocol),
        (vec![Act::Ping([0; 8])], ErrorKind::Http2Protocol),
    ] {
        let row = Row::new(move |_| {
            let mut script = Script::accepting().greeting(greeting.clone());
            script.acknowledge = false;
            script
        });
        // Only who says nothing is waited for.
        let patience = match cause {
            ErrorKind::ConnectTimeout => millis(150),
            _ => LONG,
        };
        let sent = row.send(N, |config| config.session.connect_timeout = patience);
        let stats = &sent.stats;
        assert_eq!(
            (stats.not_sent + stats.expired, stats.unknown),
            (N as u64, 0),
            "{stats:?}"
        );
        assert_eq!(row.server.log().requests(), 0);
        assert!(
            sent.causes().iter().all(|found| *found == cause),
            "{:?}",
            sent.result(0)
        );
    }
}

/// A warning, then what was under way is finished, then the last word.
#[test]
fn row_17_graceful_goaway() {
    let row = Row::first(|| {
        Script::new(|seen, _| match seen.nth {
            300 => vec![
                Act::GoAway(Last::Max, code::NO_ERROR, Vec::new()),
                Act::Wait(millis(100)),
                Act::GoAway(Last::Seen, code::NO_ERROR, Vec::new()),
                Act::AnswerHeld(Answer::ok()),
                Act::Close,
            ],
            nth if nth > 300 => vec![Act::Wait(millis(20)), ok()],
            _ => vec![ok()],
        })
    });
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
    assert_eq!(row.server.log().connections(), 2);
}

/// 60 open, none answered, the first 41 may have been processed (30 were).
#[test]
fn row_18_abrupt_goaway() {
    let row = Row::first(|| {
        Script::new(|seen, _| match seen.nth {
            1..=30 => vec![Act::Process],
            60 => vec![Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()), Act::Close],
            _ => Vec::new(),
        })
    });
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (41, N as u64 - 41), "{stats:?}");
    assert_eq!(row.server.log().total_processed(), N as u64 - 41 + 30);
}

#[test]
fn row_19_goaway_zero_with_a_reason() {
    for (code, debug, reason) in [
        (code::NO_ERROR, &br#"{"reason":"Shutdown"}"#[..], "Shutdown"),
        (
            code::INTERNAL_ERROR,
            br#"{"reason":"IdleTimeout"}"#,
            "IdleTimeout",
        ),
        (code::NO_ERROR, b"", ""),
    ] {
        let acts = vec![Act::GoAway(Last::Id(0), code, debug.to_vec()), Act::Close];
        let row = Row::first(move || after_holding(100, acts.clone()));
        let sent = row.send(N, |_| {});
        let stats = &sent.stats;
        assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
        let told = |event: &SessionEvent| {
            matches!(event, SessionEvent::GoAway { reason: text, code: told, .. }
                if **text == *reason && *told == code)
        };
        assert!(sent.events().iter().any(told), "{reason}");
    }
}

#[test]
fn row_20_enhance_your_calm() {
    let calm = || {
        let debug = b"too_many_pings".to_vec();
        let acts = vec![
            Act::GoAway(Last::Id(0), code::ENHANCE_YOUR_CALM, debug),
            Act::Close,
        ];
        after_holding(10, acts)
    };
    // Three times, then it is well again.
    let row = Row::new(move |nth| if nth <= 3 { calm() } else { Script::accepting() });
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
    assert_eq!(row.server.log().connections(), 4);
    // For ever: no loop without end.
    let row = Row::new(move |_| calm());
    let sent = row.send(N, |config| config.session.deadline = Duration::from_secs(1));
    let stats = &sent.stats;
    assert_eq!(
        (stats.not_sent + stats.expired, stats.unknown),
        (N as u64, 0),
        "{stats:?}"
    );
    // 10 ms, 20 ms, 40 ms ... of 1 s, shortened by a fifth at most.
    let connections = row.server.log().connections();
    assert!((3..=10).contains(&connections), "{connections}");
}

#[test]
fn row_21_two_goaways() {
    let smaller = vec![
        Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()),
        Act::Wait(millis(20)),
        Act::GoAway(Last::Id(41), code::NO_ERROR, Vec::new()),
        Act::Close,
    ];
    let row = Row::first(move || after_holding(60, smaller.clone()));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (21, N as u64 - 21), "{stats:?}");

    let larger = vec![
        Act::GoAway(Last::Id(41), code::NO_ERROR, Vec::new()),
        Act::Wait(millis(20)),
        Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()),
    ];
    let row = Row::first(move || after_holding(60, larger.clone()));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (21, N as u64 - 21), "{stats:?}");
    row.first_goaway(code::PROTOCOL_ERROR, "a larger last id");
}

/// Every connection ends after 1 to 100 answers. The long form is `storm_tls.rs`.
#[test]
fn row_22_goaway_on_every_connection() {
    let mut rng = Rng::new(22);
    let row = Row::new(move |_| {
        let answers = rng.between(1, 100) as u32;
        Script::new(move |seen, _| match seen.nth {
            nth if nth == answers => vec![
                ok(),
                Act::GoAway(Last::Processed, code::NO_ERROR, Vec::new()),
                Act::Close,
            ],
            _ => vec![ok()],
        })
    });
    let sent = row.send(N, |config| config.session.max_requeues = u8::MAX);
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
}

/// FIN and RST with 50 in flight. After any number of octets, below TLS: `roads.rs`.
#[test]
fn row_23_lost_without_goaway() {
    for end in [Act::Close, Act::Abort] {
        let row = Row::first(move || after_holding(50, vec![end.clone()]));
        let sent = row.send(N, |_| {});
        let stats = &sent.stats;
        assert_eq!((stats.unknown, stats.accepted), (50, N as u64 - 50), "{stats:?}");
        assert_eq!(row.server.log().total_processed(), N as u64 - 50);
    }
}

/// The server hangs up while the caller's iterator takes its time: the next message is not lost on a
/// connection whose end is there to be read.
#[test]
fn row_23_lost_while_the_caller_was_busy() {
    let row = Row::first(|| Script::new(|_, _| vec![ok(), Act::Wait(millis(50)), Act::Close]));
    let client = row.client(|_| {});
    let mut all = messages(0..2);
    let (_, first) = all.next().expect("a message");
    assert!(client.send(&first).expect("an answer").is_accepted());
    let log = row.server.log();
    let slowly = all.inspect(|_| eventually(|| log.ended() == 1, "the end of the connection"));
    let results: Results = client.send_many(slowly).collect();
    assert_eq!(results.len(), 1);
    let stats = client.stats();
    assert!(stats.is_balanced());
    assert_eq!((stats.accepted, stats.unknown), (2, 0), "{stats:?}");
    assert_eq!((log.total_processed(), log.duplicates()), (2, 0));
}

/// Silence with 50 in flight, and an open socket: the time of the APNs profile (15 s and 10 s) is the
/// simulator's to show, what follows it is shown here.
#[test]
fn row_24_half_open() {
    let row = Row::first(|| after_holding(50, vec![Act::Silence]));
    let sent = row.send(N, impatient);
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (50, N as u64 - 50), "{stats:?}");
    assert!(
        sent.causes().iter().all(|cause| *cause == ErrorKind::PeerSilent),
        "{:?}",
        sent.causes()
    );
}

#[test]
fn row_25_ping_acknowledgements_late_or_wrong_and_ping_floods() {
    // Late, but in time: nothing is lost.
    let row =
        Row::new(|_| Script::new(|_, _| vec![Act::Wait(millis(400)), ok()]).pings(Pings::Late(millis(100))));
    let sent = row.send(N / 10, |config| fixture::ping(config, millis(100), LONG));
    let stats = &sent.stats;
    assert_eq!(stats.accepted, N as u64 / 10, "{stats:?}");
    assert!(row.server.log().pings() > 0);

    // Wrong: as good as none, or an error of its own. Each message ends once.
    let row = Row::first(|| Script::new(|_, _| vec![Act::Wait(LONG), ok()]).pings(Pings::Wrong));
    let sent = row.send(N / 10, |config| {
        impatient(config);
        config.session.response_timeout = Duration::from_secs(1);
    });
    let stats = &sent.stats;
    assert_eq!(stats.accepted + stats.unknown, N as u64 / 10, "{stats:?}");

    let flood: Vec<u8> = (0..5000).flat_map(|_| frame::ping(false, [7; 8])).collect();
    let row = Row::first(move || after_holding(10, vec![Act::Raw(flood.clone())]));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (10, N as u64 - 10), "{stats:?}");
    row.first_goaway(code::ENHANCE_YOUR_CALM, "a flood of pings");
    assert!(row.server.log().acknowledgements() <= 1000);
}

/// Requests in flight are what makes a silent connection worth asking: with none, it is left alone,
/// however long it is driven.
#[test]
fn row_26_no_ping_without_streams() {
    let row = Row::new(|_| Script::accepting());
    let client = Arc::new(row.client(|config| fixture::ping(config, millis(20), LONG)));
    for (_, message) in messages(0..20) {
        assert!(client.send(&message).expect("an answer").is_accepted());
    }
    let mut idle = Batch::new(Arc::clone(&client), None).expect("a batch");
    assert_eq!(idle.wait(millis(300)).expect("a wait").count(), 0);
    assert_eq!((row.server.log().pings(), row.server.log().connections()), (0, 1));
}

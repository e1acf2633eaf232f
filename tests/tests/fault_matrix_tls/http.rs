//! Rows 16 to 51 over real sockets and TLS: the same scripts as in the simulator, the same counts.

use pushcore::net::h2;
use pushcore_tests::sim::frame::{self, MAX_31, flag, kind, setting};
use pushcore_tests::sim::hpack;

use super::*;

const ALL: u64 = 300;

/// The first connection does this, the others accept everything.
fn first_does(
    script: impl Fn() -> Script + Send + 'static,
    change: impl FnOnce(&mut ClientConfig),
) -> (Stats, Results, Server) {
    let ca = Authority::new();
    let server = faulty(&ca, script);
    let client = client(&ca, &address(&server), change);
    let (stats, results) = send(&client, &server, ALL as usize);
    drop(client);
    (stats, results, server)
}

fn plain(script: impl Fn() -> Script + Send + 'static) -> (Stats, Results, Server) {
    first_does(script, |_| {})
}

/// Ten in flight, then these octets: the ten are in doubt, all others are taken.
fn ten_in_doubt(what: &str, bytes: Vec<u8>, code: u32) {
    let (stats, _, server) = plain(move || after_holding(10, vec![Act::Raw(bytes.clone())]));
    assert_eq!(
        (stats.unknown, stats.accepted),
        (10, ALL - 10),
        "{what}: {stats:?}"
    );
    // GOAWAY may still be under way.
    let said = server.log().goaways();
    assert!(said.first().is_none_or(|said| *said == code), "{what}: {said:?}");
}

#[test]
fn row_16_no_settings_or_garbage() {
    for (greeting, cause) in [
        (Vec::new(), ErrorKind::ConnectTimeout),
        (
            vec![Act::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())],
            ErrorKind::Http2Protocol,
        ),
    ] {
        let ca = Authority::new();
        let server = Server::start(1, Some(ca.server(H2, |_| {})), move |_| {
            let mut script = Script::accepting().greeting(greeting.clone());
            script.acknowledge = false;
            script
        });
        let client = client(&ca, &address(&server), |config| {
            // Time enough for a handshake on a machine that has other things to do.
            if cause == ErrorKind::ConnectTimeout {
                config.session.connect_timeout = Duration::from_millis(200);
            }
        });
        let (stats, results) = send(&client, &server, 100);
        assert_eq!((stats.not_sent, server.log().requests()), (100, 0), "{stats:?}");
        assert_eq!(
            deepest(results[0].1.as_ref().expect_err("nothing is sent")),
            cause
        );
    }
}

#[test]
fn row_20_enhance_your_calm() {
    let calm = vec![
        Act::GoAway(Last::Id(0), code::ENHANCE_YOUR_CALM, Vec::new()),
        Act::Close,
    ];
    let (stats, ..) = plain(move || after_holding(10, calm.clone()));
    assert_eq!((stats.accepted, stats.unknown), (ALL, 0), "{stats:?}");
}

#[test]
fn row_21_two_goaways() {
    let smaller = vec![
        Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()),
        Act::Wait(Duration::from_millis(20)),
        Act::GoAway(Last::Id(41), code::NO_ERROR, Vec::new()),
        Act::Close,
    ];
    let (stats, ..) = plain(move || after_holding(60, smaller.clone()));
    assert_eq!((stats.unknown, stats.accepted), (21, ALL - 21), "{stats:?}");
    let larger = vec![
        Act::GoAway(Last::Id(41), code::NO_ERROR, Vec::new()),
        Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()),
    ];
    let (stats, ..) = plain(move || after_holding(60, larger.clone()));
    assert_eq!((stats.unknown, stats.accepted), (21, ALL - 21), "{stats:?}");
}

#[test]
fn row_22_goaway_on_every_connection() {
    let ca = Authority::new();
    let server = Server::start(1, Some(ca.server(H2, |_| {})), |nth| {
        let answers = 1 + nth % 40;
        Script::new(move |seen, _| match seen.nth == answers {
            true => vec![
                ok(),
                Act::GoAway(Last::Processed, code::NO_ERROR, Vec::new()),
                Act::Close,
            ],
            false => vec![ok()],
        })
    });
    let client = client(&ca, &address(&server), |config| {
        config.session.max_requeues = u8::MAX
    });
    let (stats, _) = send(&client, &server, ALL as usize);
    assert_eq!((stats.accepted, stats.unknown), (ALL, 0), "{stats:?}");
}

/// Two seconds instead of 25.
#[test]
fn row_24_half_open() {
    let silent = || {
        Script::new(|seen, _| match seen.nth {
            101 => vec![Act::Silence],
            _ => vec![ok()],
        })
        .streams(50)
    };
    let start = Instant::now();
    let (stats, results, _) = first_does(silent, |config| {
        let mut http2 = h2::Config::default();
        http2.ping = Some(h2::PingPolicy {
            idle: Duration::from_secs(1),
            acknowledge: Duration::from_secs(1),
            without_streams: false,
        });
        config.session.http2 = Some(http2);
    });
    assert_eq!((stats.unknown, stats.accepted), (50, ALL - 50), "{stats:?}");
    assert!(start.elapsed() >= Duration::from_secs(2));
    let causes = results.iter().filter_map(|(_, result)| result.as_ref().err());
    assert!(causes.map(deepest).all(|cause| cause == ErrorKind::PeerSilent));
}

#[test]
fn row_25_ping_flood() {
    let flood: Vec<u8> = frame::ping(false, [7; 8]).repeat(5000);
    let (stats, _, server) = plain(move || after_holding(10, vec![Act::Raw(flood.clone())]));
    assert_eq!((stats.unknown, stats.accepted), (10, ALL - 10), "{stats:?}");
    assert!(server.log().acknowledgements() <= 1000);
}

#[test]
fn rows_27_to_29_broken_frames() {
    ten_in_doubt(
        "data on stream 0",
        frame::data(0, true, b"x"),
        code::PROTOCOL_ERROR,
    );
    ten_in_doubt(
        "a broken block",
        frame::headers(1, true, b"\x40\x0a:"),
        code::COMPRESSION_ERROR,
    );
    ten_in_doubt(
        "too large",
        frame::data(1, false, &[0; 16_385]),
        code::FRAME_SIZE_ERROR,
    );
    let promise = frame::frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &[0, 0, 0, 2, 0x88]);
    ten_in_doubt("push promise", promise, code::PROTOCOL_ERROR);
}

#[test]
fn row_28_unknown_frames_are_ignored() {
    let odd = [
        frame::frame(0xbe, 0xff, 0, b"a frame of a kind to come"),
        frame::frame(kind::PING, 0xfe, 0, &[0; 8]),
        frame::frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 9]),
    ]
    .concat();
    let (stats, _, server) = plain(move || {
        let odd = odd.clone();
        let mut nth = 0;
        Script::new(move |_, _| {
            nth += 1;
            // A PING each would be a flood.
            match nth % 10 {
                0 => vec![Act::Raw(odd.clone()), ok()],
                _ => vec![ok()],
            }
        })
    });
    assert_eq!(
        (stats.accepted, server.log().connections()),
        (ALL, 1),
        "{stats:?}"
    );
}

#[test]
fn row_30_stream_ids_run_out() {
    let (stats, _, server) = first_does(Script::accepting, |config| {
        let mut http2 = h2::Config::default();
        http2.initial_stream_id = MAX_31 - 2 * 99;
        config.session.http2 = Some(http2);
    });
    assert_eq!((stats.accepted, stats.requeued), (ALL, 0), "{stats:?}");
    assert_eq!(u64::from(server.log().connections()), ALL / 100);
}

#[test]
fn row_32_all_streams_refused_for_ever() {
    let ca = Authority::new();
    let refusing = |_| Script::new(|_, _| vec![Act::Reset(code::REFUSED_STREAM)]);
    let server = Server::start(1, Some(ca.server(H2, |_| {})), refusing);
    let client = client(&ca, &address(&server), |_| {});
    let (stats, results) = send(&client, &server, ALL as usize);
    assert_eq!(
        (stats.not_sent, server.log().requests()),
        (ALL, 4 * ALL),
        "{stats:?}"
    );
    let codes = results
        .iter()
        .map(|(_, result)| result.as_ref().err().and_then(Error::http2_code));
    assert!(codes.into_iter().all(|code| code == Some(code::REFUSED_STREAM)));
}

#[test]
fn row_33_every_other_reset_code() {
    let codes: Vec<u32> = (0..=0xd)
        .filter(|code| ![code::REFUSED_STREAM, code::ENHANCE_YOUR_CALM].contains(code))
        .chain([0xff])
        .collect();
    let count = codes.len() as u64;
    let (stats, ..) = plain(move || {
        let codes = codes.clone();
        Script::new(move |seen, _| match codes.get(seen.nth as usize - 1) {
            Some(code) => vec![Act::Process, Act::Reset(*code)],
            None => vec![ok()],
        })
    });
    assert_eq!(
        (stats.unknown, stats.rejected, stats.accepted),
        (count - 1, 1, ALL - count),
        "{stats:?}"
    );
}

#[test]
fn rows_34_and_35_resets_after_the_end() {
    let (stats, ..) = plain(|| {
        Script::new(|_, _| {
            let mut answer = Answer::ok();
            answer.resets = vec![code::NO_ERROR];
            vec![Act::Answer(answer)]
        })
    });
    assert_eq!((stats.accepted, stats.unknown), (ALL, 0), "{stats:?}");
    let (stats, _, server) = plain(|| {
        Script::new(|seen, _| match seen.nth {
            1..=50 => vec![
                Act::Reset(code::STREAM_CLOSED),
                Act::RawFor(|id| frame::reset(id, code::REFUSED_STREAM)),
            ],
            _ => vec![ok()],
        })
    });
    assert_eq!(
        (stats.unknown, stats.accepted, stats.requeued),
        (50, ALL - 50, 0),
        "{stats:?}"
    );
    assert_eq!(server.log().requests(), ALL);
}

#[test]
fn row_37_stream_limit_up_and_down() {
    let streams = |count| Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, count)]);
    let (stats, _, server) = plain(move || {
        Script::new(move |seen, _| match seen.nth {
            60 => vec![streams(1), ok()],
            120 => vec![streams(100), ok()],
            _ => vec![ok()],
        })
    });
    assert_eq!(
        (stats.accepted, server.log().connections()),
        (ALL, 1),
        "{stats:?}"
    );
}

#[test]
fn row_38_no_streams_at_all() {
    let (stats, _, server) = first_does(
        || Script::accepting().streams(0),
        |config| config.session.deadline = Duration::from_millis(300),
    );
    assert_eq!((stats.expired, server.log().requests()), (ALL, 0), "{stats:?}");
}

#[test]
fn row_39_windows_of_one_octet() {
    let (stats, ..) = plain(|| {
        let mut script = Script::accepting().greeting([Act::Settings(vec![
            (setting::MAX_CONCURRENT_STREAMS, 100),
            (setting::INITIAL_WINDOW_SIZE, 0),
        ])]);
        script.replenish = false;
        script.on_headers = Some(Box::new(|_, _| {
            (0..200)
                .flat_map(|_| [Act::StreamWindow(1), Act::ConnectionWindow(1)])
                .collect()
        }));
        script
    });
    assert_eq!((stats.accepted, stats.unknown), (ALL, 0), "{stats:?}");
}

#[test]
fn row_40_window_and_settings_floods() {
    ten_in_doubt(
        "overflow",
        frame::window_update(0, MAX_31),
        code::FLOW_CONTROL_ERROR,
    );
    ten_in_doubt("nothing", frame::window_update(0, 0), code::PROTOCOL_ERROR);
    let flood = vec![Act::Settings(Vec::new()); 10_000];
    let (stats, ..) = plain(move || after_holding(10, flood.clone()));
    assert_eq!((stats.unknown, stats.accepted), (10, ALL - 10), "{stats:?}");
}

#[test]
fn rows_42_to_45_abuse() {
    let begin = frame::frame(kind::HEADERS, 0, 1, &[0x88]);
    let empty = frame::frame(kind::CONTINUATION, 0, 1, &[]).repeat(10_000);
    ten_in_doubt("continuations", [begin, empty].concat(), code::ENHANCE_YOUR_CALM);
    let mut block = vec![0x88];
    hpack::remembered(&mut block, b"x", &[b'y'; 4000]);
    block.extend(vec![0xbe; 12_000]);
    ten_in_doubt("a bomb", frame::headers(1, true, &block), code::ENHANCE_YOUR_CALM);
    let data = [
        frame::data(3, false, b"early"),
        frame::data(1, false, &[]).repeat(20_000),
    ];
    // On streams without a response: the first is an error of its stream, the rest a flood.
    let (stats, ..) = plain(move || after_holding(10, vec![Act::Raw(data.concat())]));
    assert_eq!((stats.unknown, stats.accepted), (10, ALL - 10), "{stats:?}");
}

/// One of them is odd, and that one alone is in doubt.
#[test]
fn row_44_header_sections_that_are_not_allowed() {
    for block in [
        hpack::block(&[(&b":status"[..], &b"200"[..]), (b"x", b"a\r\nb: c")]),
        hpack::block(&[(&b":status"[..], &b"200"[..]), (b"X-Upper", b"a")]),
        hpack::block(&[(&b"x"[..], &b"a"[..])]),
    ] {
        let (stats, _, server) = plain(move || {
            let block = block.clone();
            Script::new(move |seen, _| {
                let mut answer = Answer::ok();
                if seen.nth == 5 {
                    answer.block = Some(block.clone());
                }
                vec![Act::Answer(answer)]
            })
        });
        assert_eq!((stats.unknown, stats.accepted), (1, ALL - 1), "{stats:?}");
        assert_eq!(server.log().connections(), 1);
    }
}

#[test]
fn rows_46_to_49_what_http_means() {
    let bad = || Answer::refusal(400, "BadDeviceToken");
    let answers: Vec<(Answer, &str, u16)> = vec![
        (
            Answer::ok().after(&[100, 103]).with_trailers(&[("x", "y")]),
            "accepted",
            200,
        ),
        (bad().in_pieces(1), "token_gone", 400),
        (bad().with_field("content-length", "7000"), "rejected", 400),
        (Answer::status(400), "rejected", 400),
        (Answer::status(400).with_body(vec![b'x'; 70_000]), "rejected", 400),
        (
            Answer::status(400).with_body(b"\xff\xfe{".to_vec()),
            "rejected",
            400,
        ),
        (Answer::status(400).with_body(vec![b'['; 60_000]), "rejected", 400),
        (
            Answer::status(502).with_body("<html>Bad Gateway</html>"),
            "retry_later",
            502,
        ),
        (
            Answer::status(307).with_field("location", "https://127.0.0.1/steal"),
            "rejected",
            307,
        ),
    ];
    for (answer, name, status) in answers {
        let every = answer.clone();
        let (stats, results, server) = plain(move || {
            let answer = every.clone();
            Script::new(move |_, _| vec![Act::Answer(answer.clone())])
        });
        assert_eq!(
            (stats.unknown, server.log().connections()),
            (0, 1),
            "{answer:?}: {stats:?}"
        );
        for (_, result) in &results {
            let outcome = result.as_ref().expect("an answer");
            assert_eq!((outcome.name(), outcome.status()), (name, status), "{answer:?}");
        }
    }
}

/// The token is refused as too old, on the clock that the server shows: one new token, one new connection.
#[test]
fn row_50_clock_skew() {
    let ahead = std::time::SystemTime::now() + Duration::from_secs(70 * 60);
    let date = httpdate::fmt_http_date(ahead);
    let (stats, _, server) = plain(move || {
        let date = date.clone();
        Script::new(move |_, _| {
            vec![Act::Answer(
                Answer::refusal(403, "ExpiredProviderToken").with_field("date", date.clone()),
            )]
        })
    });
    assert_eq!((stats.accepted, stats.unknown), (ALL, 0), "{stats:?}");
    assert_eq!(
        (server.log().authorizations(), server.log().connections()),
        (2, 2)
    );
}

#[test]
fn row_51_retry_after() {
    let (stats, results, server) =
        plain(|| Script::new(|_, _| vec![Act::Answer(Answer::status(503).with_field("retry-after", "120"))]));
    assert_eq!(
        (stats.retry_later, server.log().requests()),
        (ALL, ALL),
        "{stats:?}"
    );
    for (_, result) in &results {
        let Ok(Outcome::RetryLater(later)) = result else {
            panic!("{result:?}")
        };
        assert_eq!(later.after, Some(Duration::from_secs(120)));
    }
}

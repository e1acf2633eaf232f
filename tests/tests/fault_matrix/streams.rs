//! Rows 30 to 36: faults of single streams.

use std::collections::HashMap;
use std::sync::Arc;

use pushcore::Now;
use pushcore::http::{Authority, Request};
use pushcore::net::{Connection, ConnectionConfig, Event, Security};
use pushcore_tests::sim::frame::{self, MAX_31, code, setting};
use pushcore_tests::sim::log::path_of;
use pushcore_tests::sim::{Log, Peer};

use super::*;

/// Three ids are left: three requests go out, are answered, and the connection ends by itself; the
/// fourth needs another one.
#[test]
fn row_30_stream_ids_run_out() {
    let mut config = ConnectionConfig::new(Security::Cleartext);
    config.http2.initial_stream_id = MAX_31 - 4;
    let authority = Authority::parse("localhost").expect("an authority");
    let now = Now::new(Duration::ZERO, pushcore::UnixTime::from_secs(1_790_000_000));
    let mut connection = Connection::new(&Arc::new(config), &authority, now).expect("a connection");
    let log = Log::default();
    let mut peer = Peer::new(Script::accepting(), log.clone(), Rng::new(1), Duration::ZERO);
    let (mut sent, mut answered, mut failed) = (0, 0, 0);
    for _ in 0..100 {
        while sent < 10 && connection.capacity() > 0 {
            let mut request = Request::new();
            request.authority = Some(authority.clone());
            request.path = path_of(sent);
            connection.send(&request, now).expect("what capacity promised");
            sent += 1;
        }
        let bytes = connection.transmit().to_vec();
        connection.transmitted(bytes.len());
        peer.receive(&bytes, Duration::ZERO);
        connection.receive(&peer.take_output(), now);
        while let Some(event) = connection.poll_event() {
            match event {
                Event::Response { .. } => answered += 1,
                Event::Failed { .. } => failed += 1,
                _ => {}
            }
        }
    }
    assert_eq!((sent, answered, failed, log.total_processed()), (3, 3, 0, 3));
    assert!(connection.is_draining() || connection.is_closed());
    assert_eq!(log.violations(), Vec::<String>::new());
}

/// Each message for which `refused` says so is refused that many times before it is taken.
fn refuse(refused: impl Fn(usize) -> u32 + Send + 'static) -> Script {
    let mut times: HashMap<usize, u32> = HashMap::new();
    Script::new(move |seen, _| {
        let number = seen.number().unwrap_or(0);
        let count = times.entry(number).or_default();
        *count += 1;
        if *count <= refused(number) {
            vec![Act::Reset(code::REFUSED_STREAM)]
        } else {
            vec![ok()]
        }
    })
}

#[test]
fn row_31_some_streams_refused() {
    for seed in seeds(SEEDS) {
        let every_tenth = |number: usize| {
            if number % 10 == 3 {
                1 + (number as u32 / 10) % 3
            } else {
                0
            }
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| refuse(every_tenth).into(),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.unknown, world.log.duplicates()),
            (N, 0, 0),
            "{stats:?}"
        );
        assert_eq!(world.dials().len(), 1);
    }
}

#[test]
fn row_32_all_streams_refused_for_ever() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            |_, _| refuse(|_| u32::MAX).into(),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.not_sent, stats.unknown), (N, 0), "{stats:?}");
        // The first time, and three times more.
        assert_eq!(world.log.requests(), 4 * N);
        assert!(
            causes(&world)
                .iter()
                .all(|cause| *cause == ErrorKind::StreamReset)
        );
    }
}

#[test]
fn row_33_every_other_reset_code() {
    let codes: Vec<u32> = (0..=0xd)
        .filter(|code| *code != code::REFUSED_STREAM)
        .chain([0xff, u32::MAX])
        .collect();
    for seed in seeds(SEEDS) {
        let script_codes = codes.clone();
        let respond = move |seen: &Seen, _: &mut Rng| match script_codes.get(seen.nth as usize - 1) {
            Some(code) => vec![Act::Process, Act::Reset(*code)],
            None => vec![ok()],
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(move || Script::new(respond.clone())),
        );
        world.submit(N);
        let stats = world.finish();
        let count = codes.len() as u64;
        assert_eq!(
            (stats.unknown + stats.rejected, stats.accepted),
            (count, N - count),
            "{stats:?}"
        );
        assert_eq!(world.log.duplicates(), 0);
        for (number, code) in codes.iter().enumerate() {
            let error = result(&world, number).as_ref().expect_err("no answer");
            let text = error.to_string();
            let named = text.contains(&code.to_string())
                || text.contains(&format!("{code:#x}"))
                || names(*code, &text);
            assert!(named, "{code}: {text}");
        }
    }
}

/// The code by its name in RFC 9113 §7.
fn names(code: u32, text: &str) -> bool {
    let names = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    names
        .get(code as usize)
        .is_some_and(|name| text.to_uppercase().contains(name))
}

/// The response wins: after a whole request, and early, while the body is still held back.
#[test]
fn row_34_reset_after_the_response() {
    for seed in seeds(SEEDS) {
        for reset in [code::NO_ERROR, code::CANCEL, code::STREAM_CLOSED] {
            let respond = move |_: &Seen, _: &mut Rng| {
                let mut answer = Answer::ok();
                answer.resets = vec![reset];
                vec![Act::Answer(answer)]
            };
            let mut world = world(seed, move |_, _| Script::new(respond).into());
            world.submit(N);
            let stats = world.finish();
            assert_eq!((stats.accepted, stats.unknown), (N, 0), "{stats:?}");
        }
        let early = || {
            let mut script = Script::new(|_, _| Vec::new()).greeting([Act::Settings(vec![
                (setting::MAX_CONCURRENT_STREAMS, 100),
                (setting::INITIAL_WINDOW_SIZE, 0),
            ])]);
            script.on_headers = Some(Box::new(|_, _| {
                let mut answer = Answer::refusal(413, "PayloadTooLarge");
                answer.resets = vec![code::NO_ERROR];
                // Then the stream is gone, whatever the client still says on it.
                vec![Act::Answer(answer), Act::Reset(code::NO_ERROR)]
            }));
            script
        };
        let mut world = world(seed, move |_, _| early().into());
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.rejected, stats.unknown), (N, 0), "{stats:?}");
    }
}

#[test]
fn row_35_two_resets_for_one_stream() {
    for seed in seeds(SEEDS) {
        // 7 decides, 5 says nothing more: once more, and only once.
        let mut times: HashMap<usize, u32> = HashMap::new();
        let twice = move |seen: &Seen, _: &mut Rng| {
            let count = times.entry(seen.number().unwrap_or(0)).or_default();
            *count += 1;
            match *count {
                1 => vec![
                    Act::Reset(code::REFUSED_STREAM),
                    Act::RawFor(|id| frame::reset(id, code::STREAM_CLOSED)),
                ],
                _ => vec![ok()],
            }
        };
        let script = Script::new(twice);
        let mut script = Some(script);
        let mut first = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| script.take().map_or(Dial::BlackHole, Dial::from),
        );
        first.submit(50);
        let stats = first.finish();
        assert_eq!(
            (stats.accepted, stats.requeued, first.log.requests()),
            (50, 50, 100),
            "{stats:?}"
        );
        assert_eq!(first.log.duplicates(), 0);

        // 5 decides: nobody may send it again, whatever 7 says.
        let twice = |seen: &Seen, _: &mut Rng| match seen.nth {
            1..=50 => vec![
                Act::Reset(code::STREAM_CLOSED),
                Act::RawFor(|id| frame::reset(id, code::REFUSED_STREAM)),
            ],
            _ => vec![ok()],
        };
        let mut second = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| Script::new(twice).into(),
        );
        second.submit(100);
        let stats = second.finish();
        assert_eq!(
            (stats.unknown, stats.accepted, stats.requeued),
            (50, 50, 0),
            "{stats:?}"
        );
        assert_eq!(second.log.requests(), 100);
    }
}

/// The answers are under way when the caller cancels.
#[test]
fn row_36_response_to_a_cancelled_request() {
    for seed in seeds(SEEDS) {
        let at_once = || after_holding(100, vec![Act::AnswerHeld(Answer::ok())]);
        let mut world = world(seed, move |_, _| at_once().into());
        world.submit(100);
        world.run_until(|world| world.log.total_processed() == 100);
        assert_eq!(world.stats().open, 100);
        for number in 0..40 {
            assert!(world.cancel(number));
            assert!(!world.cancel(number), "a message ends once");
        }
        let stats = world.finish();
        assert_eq!(
            (stats.cancelled, stats.accepted, stats.unknown),
            (40, 60, 0),
            "{stats:?}"
        );
    }
}

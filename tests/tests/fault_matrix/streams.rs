//! Rows 30 to 36: faults of single streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pushcore::net::h2;
use pushcore::outcome::Scope;
use pushcore::session::SessionEvent;
use pushcore_tests::sim::frame::{self, MAX_31, code, setting};

use super::*;

/// A hundred ids are left on each connection: it ends by itself when they are used up and answered,
/// and nothing is lost.
#[test]
fn row_30_stream_ids_run_out() {
    for seed in seeds(SEEDS) {
        for streams in [7, 100] {
            let mut world = World::new(
                seed,
                |config| {
                    config.max_connections = 1;
                    let mut http2 = h2::Config::default();
                    http2.initial_stream_id = MAX_31 - 2 * 99;
                    config.http2 = Some(http2);
                },
                move |_, _| Script::accepting().streams(streams).into(),
            );
            world.submit(N);
            let stats = world.finish();
            assert_eq!((stats.accepted, stats.requeued), (N, 0), "{stats:?}");
            assert_eq!(world.log.duplicates(), 0);
            assert_eq!(world.dials().len() as u64, N / 100);
        }
    }
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

/// At once the first time, then after 50 ms, then after 100 ms, give or take a fifth.
#[test]
fn row_31_some_streams_refused() {
    for seed in seeds(SEEDS) {
        let times = |number: usize| {
            if number % 10 == 3 {
                1 + (number as u32 / 10) % 3
            } else {
                0
            }
        };
        let attempts: Arc<Mutex<HashMap<usize, Vec<Duration>>>> = Arc::default();
        let mut script = {
            let attempts = attempts.clone();
            Some(Script::new(move |seen, _| {
                let number = seen.number().unwrap_or(0);
                let mut attempts = attempts.lock().expect("a lock");
                let made = attempts.entry(number).or_default();
                made.push(seen.at);
                match made.len() <= times(number) as usize {
                    true => vec![Act::Reset(code::REFUSED_STREAM)],
                    false => vec![ok()],
                }
            }))
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| script.take().map_or(Dial::BlackHole, Dial::from),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.unknown, world.log.duplicates()),
            (N, 0, 0),
            "{stats:?}"
        );
        assert_eq!(world.dials().len(), 1);
        let round_trip = 2 * world.latency;
        for (number, made) in attempts.lock().expect("a lock").iter() {
            assert_eq!(made.len(), 1 + times(*number) as usize);
            for (again, pair) in made.windows(2).enumerate() {
                let waited = (pair[1] - pair[0]).saturating_sub(round_trip);
                let wait = [0, 50, 100][again];
                // What is refused a little later comes back with what was refused before it.
                let least = millis(wait) * 74 / 100;
                // A little more for the bytes before it on the wire, and where all streams are in use.
                let most = millis(wait) * 121 / 100 + round_trip + millis(20);
                assert!(
                    (least..=most).contains(&waited),
                    "{number}, refusal {again}: {waited:?}"
                );
            }
        }
    }
}

/// What is refused again and again waits apart from the queue: there it can be cancelled, expire, and
/// be abandoned, and holds nobody else up.
#[test]
fn row_31_refused_and_withdrawn_while_it_rests() {
    for seed in seeds(SEEDS) {
        let resting = |deadline| {
            let mut world = World::new(
                seed,
                |config| {
                    config.max_connections = 1;
                    config.max_requeues = u8::MAX;
                    config.deadline = deadline;
                    config.first_backoff = seconds(1);
                },
                |_, _| refuse(|number| if number < 10 { u32::MAX } else { 0 }).into(),
            );
            world.submit(N);
            // The waits double: after two seconds the ten are hardly ever on a stream.
            world.run_for(seconds(2));
            let stats = world.stats();
            assert_eq!(
                (stats.accepted, stats.queued + stats.open),
                (N - 10, 10),
                "{stats:?}"
            );
            world
        };
        let mut world = resting(seconds(60));
        for number in 0..4 {
            assert!(world.cancel(number));
            assert!(!world.cancel(number));
        }
        let stats = world.finish();
        assert_eq!((stats.cancelled, stats.expired), (4, 6), "{stats:?}");

        let mut world = resting(seconds(3));
        let stats = world.finish();
        assert_eq!((stats.expired, stats.unknown), (10, 0), "{stats:?}");
        assert!(world.log.requests() < N + 10 * 12, "{}", world.log.requests());

        let mut world = resting(seconds(60));
        world.run_until(|world| world.stats().open == 0);
        world.abandon();
        let stats = world.finish();
        assert_eq!((stats.not_sent, stats.unknown), (10, 0), "{stats:?}");
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
        let codes = world
            .results()
            .iter()
            .map(|(_, result)| result.as_ref().err().and_then(Error::http2_code));
        assert!(codes.into_iter().all(|code| code == Some(code::REFUSED_STREAM)));
        assert!(
            causes(&world)
                .iter()
                .all(|cause| *cause == ErrorKind::StreamReset)
        );
    }
}

/// Every code but REFUSED_STREAM: `Unknown`, with the code; HTTP_1_1_REQUIRED is a refusal, because
/// APNs has no HTTP/1.1.
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
            (stats.unknown, stats.rejected, stats.accepted),
            (count - 1, 1, N - count),
            "{stats:?}"
        );
        assert_eq!((world.log.duplicates(), world.dials().len()), (0, 1));
        for (number, code) in codes.iter().enumerate() {
            match result(&world, number) {
                Ok(outcome) => {
                    assert_eq!(*code, code::HTTP_1_1_REQUIRED, "{outcome:?}");
                    let reason = outcome.reason().map(|reason| reason.as_str());
                    assert_eq!(reason, Some("HTTP_1_1_REQUIRED"), "{outcome:?}");
                }
                Err(error) => {
                    assert_ne!(*code, code::HTTP_1_1_REQUIRED);
                    let (kind, cause) = (error.kind(), deepest(error));
                    assert_eq!((kind, cause), (ErrorKind::Unknown, ErrorKind::StreamReset));
                    assert_eq!(error.http2_code(), Some(*code), "{error}");
                }
            }
        }
    }
}

/// 100 in flight, one of them is reset with ENHANCE_YOUR_CALM (a burst of five resets is one
/// complaint): nothing new for a second, then half as many at a time, slowly more.
#[test]
fn row_33_enhance_your_calm_backs_off() {
    for seed in seeds(SEEDS) {
        let seen: Arc<Mutex<Vec<(Duration, usize)>>> = Arc::default();
        let respond = {
            let seen = seen.clone();
            move |request: &Seen, _: &mut Rng| {
                seen.lock().expect("a lock").push((request.at, request.open));
                match request.nth {
                    96..=100 => vec![Act::Reset(code::ENHANCE_YOUR_CALM)],
                    _ => vec![Act::Wait(millis(100)), ok()],
                }
            }
        };
        let mut script = Some(Script::new(respond));
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| script.take().map_or(Dial::BlackHole, Dial::from),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (5, N - 5), "{stats:?}");
        let seen = seen.lock().expect("a lock");
        let complaint = seen[95].0;
        // What is on its way when the complaint arrives, still comes.
        let arrived = complaint + 2 * world.latency + millis(5);
        let (before, after): (Vec<_>, Vec<_>) = seen.iter().partition(|(at, _)| *at <= arrived);
        assert!(before.iter().any(|(_, open)| *open > 90));
        let resumed = after.first().expect("it goes on").0;
        assert!(resumed - complaint >= millis(790), "{:?}", resumed - complaint);
        let most = after.iter().take(100).map(|(_, open)| *open).max();
        assert!(most.is_some_and(|most| (2..=52).contains(&most)), "{most:?}");
        let last = after.last().expect("it goes on").1;
        assert!(
            after.iter().all(|(_, open)| *open <= 70),
            "it grows slowly: {last}"
        );
        let told = |event: &&SessionEvent| matches!(event, SessionEvent::Throttled { scope: Scope::Connection, after } if *after >= millis(790));
        assert_eq!(world.events().iter().filter(told).count(), 1, "one complaint");
    }
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

//! Row 50: credentials and clocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use pushcore::session::SessionEvent;
use pushcore_tests::sim::Last;

use super::*;

const EXPIRED: &str = "ExpiredProviderToken";

/// The token of the first connection is refused from message 100 on; that connection never takes
/// another one, whatever it carries.
#[test]
fn row_50_expired_provider_token() {
    for seed in seeds(SEEDS) {
        let wedged = || {
            let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                1..=100 => vec![ok()],
                _ => vec![Act::Wait(millis(5)), Act::Answer(Answer::refusal(403, EXPIRED))],
            };
            Script::new(respond)
        };
        let mut world = World::new(seed, |config| config.max_connections = 1, first_then_good(wedged));
        world.submit(100);
        world.run();
        world.run_for(seconds(30 * 60));
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.unknown, world.log.duplicates()),
            (100 + N, 0, 0),
            "{stats:?}"
        );
        assert_eq!(world.log.authorizations(), 2, "one token before, one after");
        assert_eq!(world.dials().len(), 2);
        assert!(
            world
                .events()
                .iter()
                .any(|event| matches!(event, SessionEvent::Wedged { .. }))
        );
    }
}

/// A token that is minutes old cannot have expired: none is made, a few messages are refused, and the others are not
/// sent to be refused, too.
#[test]
fn row_50_refusal_of_a_young_token() {
    for seed in seeds(SEEDS) {
        let respond = |_: &Seen, _: &mut Rng| vec![Act::Answer(Answer::refusal(403, EXPIRED))];
        let mut world = world(seed, move |_, _| Script::new(respond).into());
        world.submit(N / 10);
        let stats = world.finish();
        assert_eq!(
            (stats.fix_credentials, stats.not_sent),
            (4, N / 10 - 4),
            "{stats:?}"
        );
        assert_eq!(world.log.authorizations(), 1);
        assert_eq!((world.log.requests(), world.dials().len()), (4, 1));
        let refused = causes(&world)
            .iter()
            .filter(|cause| **cause == ErrorKind::CredentialsRefused)
            .count();
        assert_eq!(refused as u64, N / 10 - 4);
    }
}

/// Our clock is 70 minutes off, this way or that; `date` says so. The token is dated anew, once, at
/// once. (One in 20 minutes, says the matrix; but the first one was never good.)
#[test]
fn row_50_clock_skew() {
    // The world's calendar begins on 2026-09-21 at 14:13:20.
    for date in ["Mon, 21 Sep 2026 15:23:20 GMT", "Mon, 21 Sep 2026 13:03:20 GMT"] {
        for seed in seeds(SEEDS) {
            let skewed = move || {
                let respond = move |_: &Seen, _: &mut Rng| {
                    vec![Act::Answer(
                        Answer::refusal(403, EXPIRED).with_field("date", date),
                    )]
                };
                Script::new(respond)
            };
            let mut world = World::new(seed, |config| config.max_connections = 1, first_then_good(skewed));
            world.submit(N);
            let stats = world.finish();
            assert_eq!((stats.accepted, stats.unknown), (N, 0), "{date}: {stats:?}");
            assert_eq!(
                (world.log.authorizations(), world.log.duplicates()),
                (2, 0),
                "{date}"
            );
            assert_eq!(
                world.dials().len(),
                2,
                "{date}: a refused token spoils its connection"
            );
        }
    }
}

/// More than a day off is no skew, but nonsense: the `date` is not believed.
#[test]
fn row_50_clock_skew_has_a_bound() {
    for date in ["Tue, 22 Sep 2026 15:23:20 GMT", "Sun, 20 Sep 2026 13:03:20 GMT"] {
        for seed in seeds(SEEDS) {
            let respond = move |_: &Seen, _: &mut Rng| {
                vec![Act::Answer(
                    Answer::refusal(403, EXPIRED).with_field("date", date),
                )]
            };
            let mut world = world(seed, move |_, _| Script::new(respond).into());
            world.submit(N / 10);
            let stats = world.finish();
            assert_eq!(
                (stats.fix_credentials, stats.not_sent),
                (4, N / 10 - 4),
                "{date}: {stats:?}"
            );
            assert_eq!(world.log.authorizations(), 1, "{date}");
        }
    }
}

/// The connection is put on hold for good (another one carries the same token: `docs/apns.md`), the
/// message goes out again, because the refusal was not about it, and no token is made for
/// 20 minutes: the next one comes at 55 minutes, where it would have come at 50.
#[test]
fn row_50_too_many_token_updates() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            1101 => vec![Act::Answer(Answer::refusal(429, "TooManyProviderTokenUpdates"))],
            _ => vec![ok()],
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(move || Script::new(respond)),
        );
        world.own_tokens();
        world.submit(N);
        world.run();
        let mut submitted = N;
        let start = world.now().monotonic;
        for minute in 1..=59 {
            // The 1,101st after 35 minutes, then one a minute.
            let count = match minute {
                0..35 => 0,
                35 => 101,
                _ => 1,
            };
            world.run_for((start + seconds(60 * minute)).saturating_sub(world.now().monotonic));
            world.submit(count);
            submitted += count;
            world.run();
        }
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, world.log.duplicates()),
            (submitted, 0),
            "{stats:?}"
        );
        assert_eq!(world.dials().len(), 2);
        let times = world.log.authorization_times();
        assert_eq!(times.len(), 2);
        let apart = times[1].0 - times[0].0;
        assert!(
            (seconds(55 * 60)..seconds(56 * 60 + 1)).contains(&apart),
            "{apart:?}"
        );
    }
}

/// For five hours: a token is never sent older than an hour, never made within 20 minutes.
#[test]
fn row_50_tokens_made_over_five_hours() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            |_, _| Script::accepting().into(),
        );
        world.own_tokens();
        for _ in 0..60 {
            world.submit(5);
            world.run();
            world.run_for(seconds(300));
        }
        let stats = world.finish();
        assert_eq!(stats.accepted, 300);
        let times = world.log.authorization_times();
        assert!(
            times.iter().all(|(first, last)| *last - *first <= seconds(3600)),
            "{times:?}"
        );
        let apart = times
            .windows(2)
            .all(|pair| pair[1].0 - pair[0].0 >= seconds(20 * 60));
        assert!(apart && times.len() >= 5, "{times:?}");
    }
}

/// FCM says 401 to what is in flight: one fetch, however many say it; then the same messages again.
#[test]
fn row_50_fcm_refuses_the_access_token() {
    for seed in seeds(SEEDS) {
        let fetched = Arc::new(AtomicU32::new(0));
        let counter = fetched.clone();
        let mut world = World::fcm(
            seed,
            |_| {},
            move |_, token, _| {
                if token {
                    let counter = counter.clone();
                    let answer = move |_: &Seen, _: &mut Rng| {
                        let nth = counter.fetch_add(1, Ordering::Relaxed) + 1;
                        vec![
                            Act::Wait(millis(200)),
                            Act::Answer(access_token(&format!("token{nth}"))),
                        ]
                    };
                    return Script::new(answer).into();
                }
                let respond = |seen: &Seen, _: &mut Rng| match seen
                    .field("authorization")
                    .is_some_and(|value| value.ends_with("token1"))
                {
                    true if seen.nth > 100 => vec![Act::Wait(millis(5)), Act::Answer(Answer::status(401))],
                    _ => vec![Act::Answer(fcm_ok())],
                };
                Script::new(respond).into()
            },
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(stats.accepted, N, "{stats:?}");
        assert_eq!((fetched.load(Ordering::Relaxed), world.log.duplicates()), (2, 0));
    }
}

/// What a connection to the token endpoint meets.
type Trouble = fn() -> Dial;

/// The token endpoint is down, slow, or answers nonsense, and then is well again: messages wait, and
/// the endpoint is not hammered.
#[test]
fn row_50_oauth_endpoint_in_trouble() {
    let troubles: [(&str, Trouble); 5] = [
        ("down", || Dial::Fails(ErrorKind::ConnectRefused)),
        ("lost", || Script::new(|_, _| vec![Act::Abort]).into()),
        ("slow", || {
            let late =
                |_: &Seen, _: &mut Rng| vec![Act::Wait(seconds(20)), Act::Answer(access_token("late"))];
            Script::new(late).into()
        }),
        ("garbage", || {
            let html = || Answer::ok().with_body("<html>down for maintenance</html>");
            Script::new(move |_, _| vec![Act::Answer(html())]).into()
        }),
        ("503", || {
            Script::new(|_, _| vec![Act::Answer(Answer::status(503))]).into()
        }),
    ];
    for (what, trouble) in troubles {
        for seed in seeds(SEEDS) {
            let dialled = Arc::new(AtomicU32::new(0));
            let counter = dialled.clone();
            let began = Arc::new(AtomicBool::new(true));
            let in_trouble = began.clone();
            let mut world = World::fcm(
                seed,
                |_| {},
                move |_, token, _| {
                    if !token {
                        return Script::new(|_, _| vec![Act::Answer(fcm_ok())]).into();
                    }
                    counter.fetch_add(1, Ordering::Relaxed);
                    match in_trouble.load(Ordering::Relaxed) {
                        true => trouble(),
                        false => oauth().into(),
                    }
                },
            );
            world.submit(N);
            world.run_for(seconds(15));
            began.store(false, Ordering::Relaxed);
            let stats = world.finish();
            assert_eq!((stats.accepted, stats.not_sent), (N, 0), "{what}: {stats:?}");
            assert_eq!(world.log.duplicates(), 0, "{what}");
            // Within a quarter of a minute, with waits that double from a second.
            let dialled = dialled.load(Ordering::Relaxed);
            assert!(
                dialled <= 7,
                "{what}: {dialled} connections to the token endpoint"
            );
        }
    }
}

/// For ever: not one push goes out, none is in doubt, and each hears why.
#[test]
fn row_50_oauth_endpoint_gone() {
    for seed in seeds(SEEDS) {
        let mut world = World::fcm(
            seed,
            |_| {},
            |_, token, _| match token {
                true => Dial::Fails(ErrorKind::ConnectRefused),
                false => Script::new(|_, _| vec![Act::Answer(fcm_ok())]).into(),
            },
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(stats.expired, N, "{stats:?}");
        assert_eq!(world.log.requests(), 0);
        assert!(
            causes(&world)
                .iter()
                .all(|cause| *cause == ErrorKind::ConnectRefused)
        );
        assert!(world.dials().len() <= 9, "{:?}", world.dials());
    }
}

/// The connection is told to be at fault: another one does it, and the message is not lost.
#[test]
fn row_50_shutdown_answer_moves_to_another_connection() {
    for seed in seeds(SEEDS) {
        let leaving = || {
            let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                1..=100 => vec![ok()],
                101 => vec![
                    Act::Answer(Answer::refusal(503, "Shutdown")),
                    Act::GoAway(Last::Seen, 0, Vec::new()),
                ],
                _ => vec![Act::Answer(Answer::refusal(503, "Shutdown"))],
            };
            Script::new(respond)
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(leaving),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.unknown, world.log.duplicates()),
            (N, 0, 0),
            "{stats:?}"
        );
    }
}

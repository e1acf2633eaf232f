//! Rows 50 and 51: credentials, throttling, clocks.

use pushcore::UnixTime;
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

/// A token that is minutes old cannot have expired: none is made, and the refusal is told.
#[test]
fn row_50_refusal_of_a_young_token() {
    for seed in seeds(SEEDS) {
        let respond = |_: &Seen, _: &mut Rng| vec![Act::Answer(Answer::refusal(403, EXPIRED))];
        let mut world = world(seed, move |_, _| Script::new(respond).into());
        world.submit(N / 10);
        let stats = world.finish();
        assert_eq!(stats.fix_credentials + stats.expired, N / 10, "{stats:?}");
        assert_eq!((stats.unknown, world.log.authorizations()), (0, 1), "{stats:?}");
        assert!(world.log.requests() <= 2 * N / 10, "{}", world.log.requests());
    }
}

/// Our clock is 70 minutes off; `date` says so. The token is dated anew, once.
#[test]
fn row_50_clock_skew() {
    for seed in seeds(SEEDS) {
        let skewed = || {
            let respond = |_: &Seen, _: &mut Rng| {
                // The world's calendar begins on 2026-09-21 at 14:13:20.
                let answer =
                    Answer::refusal(403, EXPIRED).with_field("date", "Mon, 21 Sep 2026 15:23:20 GMT");
                vec![Act::Answer(answer)]
            };
            Script::new(respond)
        };
        let mut world = World::new(seed, |config| config.max_connections = 1, first_then_good(skewed));
        world.submit(N / 10);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.unknown), (N / 10, 0), "{stats:?}");
        assert_eq!(world.log.authorizations(), 2);
    }
}

#[test]
fn row_50_too_many_token_updates() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            10 => vec![Act::Answer(Answer::refusal(429, "TooManyProviderTokenUpdates"))],
            _ => vec![ok()],
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(move || Script::new(respond)),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.accepted + 1 >= N, stats.unknown), (true, 0), "{stats:?}");
        assert_eq!(world.log.authorizations(), 1, "no token is made");
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
        for _ in 0..60 {
            world.submit(5);
            world.run();
            world.run_for(seconds(300));
        }
        let stats = world.finish();
        assert_eq!(stats.accepted, 300);
        assert!(
            (5..=15).contains(&world.log.authorizations()),
            "{}",
            world.log.authorizations()
        );
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

/// Every form of Retry-After, with what has to come of it. The calendar stands at
/// 2026-09-21 14:13:20 when the message is sent, and less than a second later when it is answered.
#[test]
fn row_51_retry_after_in_every_form() {
    let default = None;
    let cases: [(&str, Option<u64>); 12] = [
        ("120", Some(120)),
        ("0", Some(0)),
        ("3600", Some(3600)),
        ("10000000000", Some(3600)),
        ("Mon, 21 Sep 2026 14:15:20 GMT", Some(120)),
        ("Monday, 21-Sep-26 14:15:20 GMT", Some(120)),
        ("Mon Sep 21 14:15:20 2026", Some(120)),
        ("Mon, 21 Sep 2020 14:15:20 GMT", Some(0)),
        ("Wed, 21 Sep 2033 14:15:20 GMT", Some(3600)),
        ("-5", default),
        ("soon", default),
        ("", default),
    ];
    for (text, expected) in cases {
        for seed in seeds(SEEDS) {
            for status in [429, 503, 500] {
                let respond = move |_: &Seen, _: &mut Rng| {
                    vec![Act::Answer(
                        Answer::status(status).with_field("retry-after", text),
                    )]
                };
                let mut world = world(seed, move |_, _| Script::new(respond).into());
                world.set_calendar(UnixTime::from_secs(1_790_000_000));
                world.submit(10);
                let stats = world.finish();
                assert_eq!((stats.retry_later, stats.unknown), (10, 0), "{text}: {stats:?}");
                assert_eq!(
                    world.log.requests(),
                    10,
                    "at most once: nothing is sent again by itself"
                );
                let Ok(Outcome::RetryLater(outcome)) = result(&world, 4) else {
                    panic!("{:?}", result(&world, 4))
                };
                let after = outcome.after.map(|after| after.as_secs_f64().round() as u64);
                match expected {
                    Some(expected) => assert!(
                        after.is_some_and(|after| after.abs_diff(expected) <= 1),
                        "{text}: {after:?}"
                    ),
                    None => assert!(after.is_none_or(|after| after <= 3600), "{text}: {after:?}"),
                }
            }
        }
    }
}

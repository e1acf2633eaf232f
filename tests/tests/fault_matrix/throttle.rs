//! Row 51: services that ask for a pause.

use std::sync::{Arc, Mutex};

use pushcore::http::Response;
use pushcore::{UnixTime, apns};
use pushcore_tests::sim::fixture;

use super::*;

/// Every form of Retry-After, with what has to come of it. The calendar stands at
/// 2026-09-21 14:13:20 when the message is sent, and less than a second later when it is answered.
#[test]
fn row_51_retry_after_in_every_form() {
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
        ("-5", None),
        ("soon", None),
        ("", None),
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
                // What makes no sense is as good as nothing.
                let plain = apns::outcome(&Response::new(status, ""), world.now());
                let Outcome::RetryLater(plain) = plain else {
                    panic!("{plain:?}")
                };
                match expected {
                    Some(expected) => {
                        let after = outcome.after.map(|after| after.as_secs_f64().round() as u64);
                        assert!(
                            after.is_some_and(|after| after.abs_diff(expected) <= 1),
                            "{text}: {after:?}"
                        );
                    }
                    None => assert_eq!(outcome.after, plain.after, "{text}"),
                }
            }
        }
    }
}

/// FCM's quota is the project's: one 429, and everything waits, as long as it says, or a minute where it says
/// nothing; a little longer (up to a fifth), never shorter, every single id.
#[test]
fn row_51_a_paused_project_waits_in_whole() {
    for (header, wait) in [(Some("30"), 30), (None, 60)] {
        for seed in seeds(SEEDS) {
            let seen: Arc<Mutex<Vec<Duration>>> = Arc::default();
            let log = seen.clone();
            let mut world = World::fcm(
                seed,
                |config| config.deadline = seconds(200),
                move |_, token, _| {
                    if token {
                        return oauth().into();
                    }
                    let log = log.clone();
                    let respond = move |seen: &Seen, _: &mut Rng| {
                        let mut log = log.lock().expect("a lock");
                        log.push(seen.at);
                        match (log.len(), header) {
                            (1, Some(text)) => {
                                vec![Act::Answer(Answer::status(429).with_field("retry-after", text))]
                            }
                            (1, None) => vec![Act::Answer(Answer::status(429))],
                            _ => vec![Act::Answer(fcm_ok())],
                        }
                    };
                    Script::new(respond).into()
                },
            );
            world.submit(1);
            world.run();
            let refused = world.now().monotonic;
            world.submit(N);
            let stats = world.finish();
            assert_eq!((stats.retry_later, stats.accepted), (1, N), "{stats:?}");
            let seen = seen.lock().expect("a lock");
            assert_eq!(seen.len() as u64, 1 + N);
            let sooner = seen[1..]
                .iter()
                .filter(|at| **at - refused < seconds(wait))
                .count();
            assert_eq!(sooner, 0, "{wait}");
            let first = seen[1] - refused;
            assert!(
                first <= seconds(wait) * 121 / 100 + seconds(1),
                "{wait}: {first:?}"
            );
        }
    }
}

/// Web Push: a push service that wants to be left alone (WNS says so with 406) does not stop another
/// one. 429 is about one subscription, and Mozilla's 503 about one message: those stop nobody.
#[test]
fn row_51_a_pause_is_the_origins() {
    for seed in seeds(SEEDS) {
        let seen: Arc<Mutex<Vec<(bool, Duration)>>> = Arc::default();
        let log = seen.clone();
        let mut world = World::of(
            seed,
            |_| {},
            fixture::web_push_session,
            |number| fixture::web_push_message(fixture::PUSH_HOSTS[number % 2], number).into(),
            move |_, to, _| {
                let busy = to.host() == fixture::PUSH_HOSTS[0];
                let log = log.clone();
                let respond = move |seen: &Seen, _: &mut Rng| {
                    let mut log = log.lock().expect("a lock");
                    log.push((busy, seen.at));
                    match busy && log.iter().filter(|(busy, _)| *busy).count() == 1 {
                        true => vec![Act::Answer(Answer::status(406).with_field("retry-after", "40"))],
                        false => vec![Act::Answer(Answer::status(201))],
                    }
                };
                Script::new(respond).into()
            },
        );
        world.submit(1);
        world.run();
        let refused = world.now().monotonic;
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.retry_later, stats.accepted), (1, N), "{stats:?}");
        let seen = seen.lock().expect("a lock");
        let (busy, free): (Vec<(bool, Duration)>, Vec<_>) = seen.iter().copied().partition(|(busy, _)| *busy);
        let first = busy[1].1 - refused;
        assert!(first >= seconds(40), "{first:?} {:?}", result(&world, 0));
        assert!(free.iter().all(|(_, at)| *at - refused < seconds(5)));
    }
}

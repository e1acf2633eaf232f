//! What a session makes of many answers together: which tokens are dead, whether the key is good, and when the service
//! wants to be left alone. The lists are those of reported cases: a wrong environment, topic, sender, VAPID key or
//! payload once cost whole tables of good tokens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pushcore::outcome::{OnSuspicion, Outcome, Suspect};
use pushcore::session::{SendOptions, SessionEvent, Stats};
use pushcore::{Error, ErrorKind};
use pushcore_tests::sim::{Act, Answer, Dial, Rng, Script, Seen, World, fixture};

/// Whole buffers are moved: these are long lists.
const SEED: u64 = 3;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const SENDER: &str = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"SENDER_ID_MISMATCH"}]}}"#;
const BLAMED: &str = r#"{"error":{"code":400,"message":"The registration token is not a valid FCM registration token","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"}]}}"#;
const OTHER_KEY: &str = "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.";
const FCM_OK: &str = r#"{"name":"projects/p/messages/1"}"#;
const TOKEN: &str = r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#;
const UNAUTHENTICATED: &str = r#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#;

/// The service of a world.
#[derive(Clone, Copy, Debug, PartialEq)]
enum To {
    Apns,
    Fcm,
    WebPush,
}

impl To {
    /// A world of this service in which a message with this number is answered so. `requests` counts those that came.
    fn world(
        self,
        configure: impl FnOnce(&mut pushcore::session::SessionConfig),
        answer: impl FnMut(usize, Duration) -> Answer + Send + 'static,
    ) -> (World, Arc<Mutex<Vec<Duration>>>) {
        let came: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let log = came.clone();
        let answer = Arc::new(Mutex::new(answer));
        let script = move || {
            let (log, answer) = (log.clone(), answer.clone());
            Script::new(move |seen: &Seen, _: &mut Rng| {
                log.lock().expect("a lock").push(seen.at);
                let number = seen.number().expect("a message");
                vec![Act::Answer(answer.lock().expect("a lock")(number, seen.at))]
            })
        };
        let mut world = match self {
            To::Apns => World::new(SEED, configure, move |_, _| script().into()),
            To::Fcm => World::fcm(SEED, configure, move |_, token, _| match token {
                true => Script::new(|_, _| vec![Act::Answer(Answer::ok().with_body(TOKEN))]).into(),
                false => script().into(),
            }),
            To::WebPush => World::web_push(SEED, configure, move |_, _| script().into()),
        };
        world.send_as_bulk(SendOptions::default());
        (world, came)
    }

    fn good(self) -> Answer {
        match self {
            To::Apns => Answer::ok(),
            To::Fcm => Answer::ok().with_body(FCM_OK),
            To::WebPush => Answer::status(201),
        }
    }
}

/// The five mistakes of a configuration, as the services answer them for every token.
fn mistakes() -> [(To, Suspect, Answer); 5] {
    [
        (
            To::Apns,
            Suspect::Environment,
            Answer::refusal(400, "BadDeviceToken"),
        ),
        (
            To::Apns,
            Suspect::Topic,
            Answer::refusal(400, "DeviceTokenNotForTopic"),
        ),
        (To::Fcm, Suspect::Sender, Answer::status(403).with_body(SENDER)),
        (
            To::WebPush,
            Suspect::Key,
            Answer::status(403).with_body(OTHER_KEY),
        ),
        (To::Fcm, Suspect::Payload, Answer::status(400).with_body(BLAMED)),
    ]
}

fn suspicions(world: &World) -> Vec<Vec<Suspect>> {
    let told = world.events().iter().filter_map(|event| match event {
        SessionEvent::MixUpSuspected { suspects, answers } => {
            assert_eq!(*answers, 16);
            Some(suspects.iter().collect())
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn a_wrong_configuration_deletes_nothing() {
    for (to, suspect, wrong) in mistakes() {
        let (mut world, _) = to.world(|_| {}, move |_, _| wrong.clone());
        world.submit(10_000);
        let stats = world.finish();
        assert_eq!(
            (stats.token_gone, stats.token_mismatch),
            (0, 10_000),
            "{suspect:?}: {stats:?}"
        );
        assert_eq!(suspicions(&world), [[suspect]], "{suspect:?}");
    }
}

#[test]
fn the_dead_among_good_ones_are_all_found() {
    for (to, suspect, dead) in mistakes() {
        let (mut world, _) = to.world(
            |_| {},
            // The first of all is one of them.
            move |number, _| match number % 100 == 0 {
                true => dead.clone(),
                false => to.good(),
            },
        );
        world.submit(10_000);
        let stats = world.finish();
        // A token of another app is alive.
        let expected = match suspect {
            Suspect::Topic => (0, 100),
            _ => (100, 0),
        };
        assert_eq!(
            (stats.token_gone, stats.token_mismatch),
            expected,
            "{suspect:?}: {stats:?}"
        );
        assert_eq!(suspicions(&world), [[]; 0], "{suspect:?}");
        for (number, result) in world.results() {
            assert_eq!(
                matches!(result, Ok(Outcome::Accepted(_))),
                number % 100 != 0,
                "{suspect:?}: {number}"
            );
        }
    }
}

/// The first is blamed, the second gets no answer for ten seconds.
fn one_blamed_and_one_unanswered() -> World {
    World::new(
        SEED,
        |_| {},
        |_, _| {
            let respond = |seen: &Seen, _: &mut Rng| match seen.number() {
                Some(0) => vec![Act::Answer(Answer::refusal(400, "BadDeviceToken"))],
                _ => vec![Act::Wait(seconds(10)), Act::Answer(Answer::ok())],
            };
            Script::new(respond).into()
        },
    )
}

/// A lone message waits for no other, and is judged by those before it.
#[test]
fn a_lone_message_is_never_held() {
    let mut world = one_blamed_and_one_unanswered();
    world.submit(2);
    world.run_for(seconds(1));
    let stats = world.stats();
    assert_eq!(
        (stats.held, stats.token_mismatch, stats.open),
        (0, 1, 1),
        "{stats:?}"
    );
}

#[test]
fn a_doubtful_answer_is_held_for_five_seconds_at_most() {
    let mut world = one_blamed_and_one_unanswered();
    world.send_as_bulk(SendOptions::default());
    world.submit(2);
    world.run_for(Duration::from_millis(4900));
    let stats = world.stats();
    assert_eq!(
        (stats.held, stats.token_mismatch, stats.open),
        (1, 0, 1),
        "{stats:?}"
    );
    world.run_for(Duration::from_millis(400));
    let stats = world.stats();
    assert_eq!(
        (stats.held, stats.token_mismatch, stats.open),
        (0, 1, 1),
        "{stats:?}"
    );
}

#[test]
fn stop_on_suspicion_sends_no_more() {
    for (to, suspect, wrong) in mistakes() {
        let (mut world, came) = to.world(|_| {}, move |_, _| wrong.clone());
        world.send_as_bulk(SendOptions::default().on_suspicion(OnSuspicion::Stop));
        world.submit(2000);
        let stats = world.finish();
        let sent = came.lock().expect("a lock").len() as u64;
        assert_eq!(
            (stats.token_gone, stats.token_mismatch, stats.not_sent),
            (0, sent, 2000 - sent),
            "{suspect:?}: {stats:?}"
        );
        assert!((16..=1100).contains(&sent), "{suspect:?}: {sent}");
        let causes = causes(&world);
        assert!(
            causes.iter().all(|cause| *cause == ErrorKind::MixUpSuspected),
            "{suspect:?}"
        );
        let named = world
            .results()
            .iter()
            .filter_map(|(_, result)| result.as_ref().err());
        let text = named.map(ToString::to_string).next().expect("one was stopped");
        assert!(text.contains(suspect.name()), "{text}");
    }
}

fn causes(world: &World) -> Vec<ErrorKind> {
    let errors = world
        .results()
        .iter()
        .filter_map(|(_, result)| result.as_ref().err());
    errors
        .filter_map(|error| error.cause().map(Error::kind))
        .collect()
}

/// The answers that refuse a key, as each service gives them for every message.
fn refusals() -> [(To, Answer, u64); 4] {
    [
        (To::Apns, Answer::refusal(403, "InvalidProviderToken"), 4),
        (To::Apns, Answer::refusal(403, "ExpiredProviderToken"), 4),
        // Each of the few is sent once more, with another access token.
        (To::Fcm, Answer::status(401).with_body(UNAUTHENTICATED), 8),
        (
            To::WebPush,
            Answer::status(401).with_field("x-wns-error-description", "JWT Authentication Failed"),
            4,
        ),
    ]
}

#[test]
fn a_refused_key_costs_a_handful_of_requests() {
    for (to, refusal, most) in refusals() {
        let words = format!("{to:?} {refusal:?}");
        let (mut world, came) = to.world(|_| {}, move |_, _| refusal.clone());
        world.submit(20_000);
        let stats = world.finish();
        let requests = came.lock().expect("a lock").len() as u64;
        assert!(requests <= most, "{words}: {requests} {stats:?}");
        assert_eq!(
            (stats.fix_credentials, stats.not_sent),
            (4, 19_996),
            "{words}: {stats:?}"
        );
        assert!(
            causes(&world)
                .iter()
                .all(|cause| *cause == ErrorKind::CredentialsRefused),
            "{words}"
        );
        assert!(world.dials().len() <= 3, "{words}: {:?}", world.dials());
        let told = |event: &&SessionEvent| matches!(event, SessionEvent::CredentialsRefused { .. });
        assert_eq!(world.events().iter().filter(told).count(), 1, "{words}");
        let renewable = world
            .results()
            .iter()
            .any(|(_, result)| matches!(result, Ok(Outcome::FixCredentials(arm)) if arm.refreshable));
        assert!(!renewable, "{words}: what could be renewed was");
    }
}

/// The key was put right on the other side: one message tries it after a pause, and the next ones go out.
#[test]
fn a_key_that_works_again_is_used_again() {
    for (to, refusal, _) in refusals() {
        let words = format!("{to:?} {refusal:?}");
        let begun = seconds(1000);
        let (mut world, came) = to.world(
            |_| {},
            move |_, at| match at < begun + seconds(30) {
                true => refusal.clone(),
                false => to.good(),
            },
        );
        world.submit(100);
        world.run();
        let sent = |came: &Mutex<Vec<Duration>>| came.lock().expect("a lock").len();
        let first = sent(&came);
        // Asked each second, it is tried ever more rarely.
        for _ in 0..28 {
            world.run_for(seconds(1));
            world.submit(5);
        }
        world.run();
        let early = |at: &&Duration| **at < begun + seconds(30);
        let probes = came.lock().expect("a lock")[first..].iter().filter(early).count();
        assert!((3..=10).contains(&probes), "{words}: {probes}");
        world.run_for(seconds(60));
        world.submit(1000);
        let stats = world.finish();
        // With FCM some of the earlier ones waited for an access token until then.
        assert!((1000..1100).contains(&stats.accepted), "{words}: {stats:?}");
        let again = |event: &&SessionEvent| matches!(event, SessionEvent::CredentialsAccepted);
        assert_eq!(world.events().iter().filter(again).count(), 1, "{words}");
    }
}

/// One refusal among many acceptances is no reason to stop.
#[test]
fn a_refusal_among_acceptances_stops_nothing() {
    // A 401 of FCM is about the access token that all share, and not about one message.
    for (to, refusal, _) in refusals().into_iter().filter(|(to, ..)| *to != To::Fcm) {
        let words = format!("{to:?} {refusal:?}");
        let (mut world, _) = to.world(
            |_| {},
            move |number, _| match number % 500 == 250 {
                true => refusal.clone(),
                false => to.good(),
            },
        );
        world.submit(5000);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.not_sent), (4990, 0), "{words}: {stats:?}");
    }
}

/// Each answer spoils its connection, for ever: the connections come ever more rarely, and every message has an end.
#[test]
fn answers_that_spoil_connections_make_no_storm_of_them() {
    for refusal in [
        Answer::refusal(429, "TooManyProviderTokenUpdates"),
        Answer::refusal(503, "Shutdown"),
        Answer::status(421),
    ] {
        let words = format!("{refusal:?}");
        let (mut world, came) = To::Apns.world(|_| {}, move |_, _| refusal.clone());
        world.set_deadline(seconds(60));
        world.submit(20);
        let stats = world.finish();
        let requests = came.lock().expect("a lock").len();
        assert!(world.dials().len() <= 9, "{words}: {:?}", world.dials());
        let gaps: Vec<Duration> = world.dials().windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(
            gaps.iter().skip(2).all(|gap| *gap >= Duration::from_millis(790)),
            "{words}: {gaps:?}"
        );
        assert!(requests <= 16, "{words}: {requests}");
        assert_eq!(
            (stats.retry_later + stats.expired, stats.unknown),
            (20, 0),
            "{words}: {stats:?}"
        );
        let typed = causes(&world).iter().all(|cause| *cause == ErrorKind::GoAway);
        assert!(typed, "{words}: {:?}", causes(&world));
    }
}

/// What the field saw: the clock an hour behind, no `date` in the answers, 300 pushes one after the other.
#[test]
fn a_wrong_clock_makes_no_storm_of_connections() {
    let (mut world, came) = To::Apns.world(|_| {}, |_, _| Answer::refusal(403, "ExpiredProviderToken"));
    for _ in 0..300 {
        world.submit(1);
        world.run_for(Duration::from_millis(13));
    }
    let stats: Stats = world.finish();
    let requests = came.lock().expect("a lock").len();
    assert!(
        requests <= 6 && world.dials().len() <= 6,
        "{requests} {:?}",
        world.dials()
    );
    assert_eq!(stats.fix_credentials + stats.not_sent, 300, "{stats:?}");
    let advice: Vec<_> = world
        .results()
        .iter()
        .filter_map(|(_, result)| result.as_ref().ok())
        .collect();
    assert!(
        advice.iter().all(|outcome| outcome.advice().contains("clock")),
        "{:?}",
        advice[0].advice()
    );
    let errors = world
        .results()
        .iter()
        .filter_map(|(_, result)| result.as_ref().err());
    assert!(errors.map(ToString::to_string).all(|text| text.contains("clock")));
}

/// Every documented throttle with every default: nothing that waits for the service's own pause expires.
#[test]
fn no_default_expires_what_waits_for_the_services_pause() {
    let fcm = |status: u16, code: &str| {
        let body = format!(r#"{{"error":{{"code":{status},"status":"{code}"}}}}"#);
        Answer::status(status).with_body(body)
    };
    let throttles: Vec<(To, Answer, u64)> = vec![
        // A minute where nothing is said: Google's guide.
        (To::Fcm, fcm(429, "RESOURCE_EXHAUSTED"), 60),
        (
            To::Fcm,
            fcm(429, "RESOURCE_EXHAUSTED").with_field("retry-after", "3600"),
            3600,
        ),
        (To::Fcm, fcm(503, "UNAVAILABLE"), 0),
        (To::Apns, Answer::refusal(429, "TooManyRequests"), 0),
        (To::Apns, Answer::refusal(503, "ServiceUnavailable"), 0),
        (
            To::WebPush,
            Answer::status(429).with_field("retry-after", "120"),
            0,
        ),
        (
            To::WebPush,
            Answer::status(503).with_field("retry-after", "120"),
            0,
        ),
        (
            To::WebPush,
            Answer::status(406).with_field("retry-after", "600"),
            600,
        ),
    ];
    for (to, throttle, pause) in throttles {
        let words = format!("{to:?} {throttle:?}");
        let mut count = 0;
        let (mut world, _) = to.world(
            |_| {},
            move |_, _| {
                count += 1;
                match count == 1000 {
                    true => throttle.clone(),
                    false => to.good(),
                }
            },
        );
        let start = world.now().monotonic;
        world.submit(3000);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.retry_later, stats.expired),
            (2999, 1, 0),
            "{words}: {stats:?}"
        );
        let took = (world.now().monotonic - start).as_secs();
        assert!((pause..pause * 6 / 5 + 3700).contains(&took), "{words}: {took}");
    }
}

/// A deadline of the caller's own is the caller's, and the error names the pause.
#[test]
fn a_deadline_of_the_callers_own_is_kept_in_a_pause() {
    let mut count = 0;
    let (mut world, _) = To::Fcm.world(
        |_| {},
        move |_, _| {
            count += 1;
            match count == 100 {
                true => Answer::status(429),
                false => To::Fcm.good(),
            }
        },
    );
    world.set_deadline(seconds(30));
    let start = world.now().monotonic;
    world.submit(3000);
    world.run_until(|world| world.stats().expired > 0);
    let took = (world.now().monotonic - start).as_secs();
    assert!((29..=31).contains(&took), "{took}");
    assert!(
        causes(&world).iter().all(|cause| *cause == ErrorKind::Paused),
        "{:?}",
        causes(&world)
    );
}

/// While the project is paused no more is taken than waits already.
#[test]
fn a_bulk_send_takes_no_more_in_a_pause() {
    let mut count = 0;
    let (mut world, came) = To::Fcm.world(
        |_| {},
        move |_, _| {
            count += 1;
            match count == 100 {
                true => Answer::status(429),
                false => To::Fcm.good(),
            }
        },
    );
    world.submit(20_000);
    world.run_for(seconds(50));
    let (stats, sent) = (world.stats(), came.lock().expect("a lock").len() as u64);
    // A place is free in the queue beside the eighth that is kept for interactive messages, and none for a bulk send.
    assert!(
        world
            .session
            .cancel(world.ticket(sent as usize + 1000), world.now())
    );
    assert_eq!(
        (world.session.capacity(), world.session.bulk_capacity()),
        (251, 0)
    );
    assert!(stats.submitted <= sent + 2000, "{stats:?}");
    let stats = world.finish();
    assert_eq!(
        (stats.accepted, stats.retry_later, stats.cancelled),
        (19_998, 1, 1),
        "{stats:?}"
    );
}

/// A mistake in one push service's key stops nobody else's messages.
#[test]
fn a_vapid_key_is_judged_by_each_origin() {
    let mut world = World::of(
        SEED,
        |_| {},
        fixture::web_push_session,
        |number| fixture::web_push_message(fixture::PUSH_HOSTS[number % 2], number).into(),
        |_, to, _| -> Dial {
            let refuses = to.host() == fixture::PUSH_HOSTS[0];
            Script::new(move |_, _| {
                vec![Act::Answer(match refuses {
                    true => {
                        Answer::status(401).with_field("x-wns-error-description", "JWT Authentication Failed")
                    }
                    false => Answer::status(201),
                })]
            })
            .into()
        },
    );
    world.send_as_bulk(SendOptions::default());
    world.submit(1000);
    let stats = world.finish();
    assert_eq!(
        (stats.accepted, stats.fix_credentials, stats.not_sent),
        (500, 4, 496),
        "{stats:?}"
    );
}

//! Which silence a connection is asked about, and how long an idle one is kept, by service.

use super::*;
use crate::backend::Traffic;
use crate::crypto::Es256Key;
use crate::net::h2::{self, PingPolicy};
use crate::{apns, webpush};

fn policies(session: &Session) -> [Option<PingPolicy>; 2] {
    let host = authority("host.example");
    [Traffic::Main, Traffic::Token].map(|traffic| {
        session
            .shared()
            .service
            .connection_config(traffic, &host)
            .http2
            .ping
    })
}

fn sessions(config: &SessionConfig) -> [Session; 2] {
    let key = || Es256Key::generate().unwrap();
    let vapid = webpush::Credentials::with_any_subject(key(), "mailto:a@example.com").unwrap();
    let (id, team) = (
        apns::KeyId::parse("ABC123DEFG").unwrap(),
        apns::TeamId::parse("DEF123GHIJ").unwrap(),
    );
    let token = apns::Credentials::token(id, team, key());
    let hosts = apns::Environment::Sandbox.hosts();
    let policy = webpush::EndpointPolicy::default();
    let plain = Security::Cleartext;
    [
        Session::new(
            apns::Service::new(token, hosts),
            plain.clone(),
            config.clone(),
            start(),
        )
        .unwrap(),
        Session::new(
            webpush::Service::new(vapid, policy),
            plain,
            config.clone(),
            start(),
        )
        .unwrap(),
    ]
}

/// A dead peer is found within 25 s on APNs; nobody else is asked more than once a minute.
#[test]
fn each_service_has_its_habit() {
    let [apns, web_push] = sessions(&SessionConfig::default()).map(|session| {
        let [push, _] = policies(&session);
        push.unwrap()
    });
    assert_eq!((apns.idle, apns.acknowledge), (secs(15), secs(10)));
    assert_eq!((web_push.idle, web_push.acknowledge), (secs(60), secs(10)));
    assert!(!apns.without_streams && !web_push.without_streams);
}

/// Apple asks to keep connections; elsewhere they go after ten minutes, and those for tokens at once.
#[test]
fn idle_connections_are_kept_as_the_service_likes() {
    let [apns, web_push] = sessions(&SessionConfig::default());
    let idle = |session: &Session, traffic, chosen| session.shared().service.idle_timeout(traffic, chosen);
    assert_eq!(idle(&apns, Traffic::Main, None), None);
    assert_eq!(idle(&web_push, Traffic::Main, None), Some(secs(600)));
    for session in [&apns, &web_push] {
        assert_eq!(idle(session, Traffic::Token, None), Some(secs(10)));
        assert_eq!(idle(session, Traffic::Token, Some(secs(99))), Some(secs(10)));
        assert_eq!(idle(session, Traffic::Main, Some(secs(3))), Some(secs(3)));
    }
}

/// The gateways of clouds forget a flow after four minutes at the earliest.
#[test]
fn connections_are_trusted_as_long_as_the_service_likes() {
    let [apns, web_push] = sessions(&SessionConfig::default());
    let trusted = |session: &Session, chosen| session.shared().service.probe_after(chosen);
    assert_eq!(trusted(&apns, None), Some(secs(60)));
    assert_eq!(trusted(&web_push, None), Some(secs(180)));
    assert_eq!(trusted(&web_push, Some(secs(3))), Some(secs(3)));
}

/// A server that says for how long it keeps an idle connection (`Keep-Alive: timeout`) has it ended before it does so
/// itself: a push that meets the server's end on its way would be in doubt.
#[test]
fn idle_connections_end_before_the_servers_time() {
    let table = [
        ("keep-alive: timeout=5\r\n", 4000),
        ("Keep-Alive: timeout=30, max=100\r\n", 29_000),
        ("keep-alive: max=7, Timeout = 10\r\n", 9000),
        ("keep-alive: timeout=1\r\n", 500),
        ("keep-alive: timeout=0\r\n", 0),
        // Nothing to be read there: the habit of ten minutes.
        ("keep-alive: timeout=soon\r\n", 600_000),
        ("keep-alive: 5\r\n", 600_000),
        ("", 600_000),
    ];
    for (header, millis) in table {
        let mut world = World::fcm(|_| {}, move |_, _| answer(200, header, FCM_OK));
        world.submit(1);
        let limit = Duration::from_millis(millis);
        if let Some(before) = limit.checked_sub(Duration::from_millis(1)) {
            world.run_for(before);
            assert_eq!(world.inboxes.len(), 1, "{header}");
        }
        world.run_for(Duration::from_millis(1));
        assert_eq!(world.inboxes.len(), 0, "{header}");
        world.submit(1);
        assert_eq!((world.ends().len(), world.dials.len()), (2, 2), "{header}");
    }
}

/// HTTP/1.1 cannot ask a connection whether it still works: after a pause another one takes its place. The timer that
/// ends an idle one may be late, because the process slept.
#[test]
fn an_old_connection_of_http1_is_replaced() {
    for (header, slept, dials) in [
        ("", 170, 1),
        ("", 190, 2),
        ("keep-alive: timeout=60\r\n", 50, 1),
        ("keep-alive: timeout=60\r\n", 61, 2),
    ] {
        let mut world = World::fcm(|_| {}, move |_, _| answer(200, header, FCM_OK));
        world.submit(1);
        world.at(world.now.monotonic + secs(slept));
        world.submit(1);
        assert_eq!((world.ends().len(), world.dials.len()), (2, dials), "{slept}");
    }
}

/// The monotonic clock stands still while the machine sleeps, but the calendar does not.
#[test]
fn sleep_that_only_the_calendar_saw_counts() {
    let mut world = World::fcm(|_| {}, |_, _| answer(200, "", FCM_OK));
    world.submit(1);
    let calendar = UnixTime::from_secs(world.now.unix.as_secs() + 600);
    world.now = Now::new(world.now.monotonic, calendar);
    world.submit(1);
    assert_eq!((world.ends().len(), world.dials.len()), (2, 2));
}

/// Where pushes are carried; tokens are fetched as ever.
#[test]
fn the_owner_has_the_last_word() {
    let wish = PingPolicy {
        idle: secs(3),
        acknowledge: secs(2),
        without_streams: false,
    };
    let http2 = h2::Config {
        ping: Some(wish),
        ..h2::Config::default()
    };
    let config = configured(|config| config.http2 = Some(http2));
    for session in sessions(&config) {
        assert_eq!(policies(&session)[0], Some(wish));
    }
}

//! Which silence a connection is asked about, and how long an idle one is kept, by service.

use super::*;
use crate::crypto::Es256Key;
use crate::net::h2::{self, PingPolicy};
use crate::session::pool::Lane;
use crate::{apns, webpush};

fn policies(session: &Session) -> [Option<PingPolicy>; 2] {
    let host = authority("host.example");
    [Lane::Main, Lane::Token].map(|lane| session.service.connection_config(lane, &host).http2.ping)
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
    let idle = |session: &Session, lane, chosen| session.service.idle_timeout(lane, chosen);
    assert_eq!(idle(&apns, Lane::Main, None), None);
    assert_eq!(idle(&web_push, Lane::Main, None), Some(secs(600)));
    for session in [&apns, &web_push] {
        assert_eq!(idle(session, Lane::Token, None), Some(secs(10)));
        assert_eq!(idle(session, Lane::Token, Some(secs(99))), Some(secs(10)));
        assert_eq!(idle(session, Lane::Main, Some(secs(3))), Some(secs(3)));
    }
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

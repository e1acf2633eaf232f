//! Access tokens that come late, or never.

use super::*;

#[test]
fn a_token_endpoint_that_recovers_delays_and_loses_nothing() {
    let begun = start().monotonic;
    let mut world = World::adm(
        |_| {},
        move |line, at| match line.contains("O2/token") && at < begun + secs(4) {
            true => answer(503, "", "<html>busy</html>"),
            false => adm_ok(line),
        },
    );
    world.submit(5);
    world.run_for(secs(30));
    let ends = world.ends();
    assert!(
        ends.len() == 5 && ends.iter().all(|end| matches!(end, Ok("accepted"))),
        "{ends:?}"
    );
    let asked = world
        .requests
        .iter()
        .filter(|(_, line)| line.contains("O2/token"))
        .count();
    assert!((3..=4).contains(&asked), "{asked}: back-off, not a storm");
}

#[test]
fn a_refused_credential_is_told_at_once() {
    let mut world = World::adm(|_| {}, |_, _| answer(400, "", r#"{"error":"invalid_client"}"#));
    world.submit(3);
    world.run_for(secs(5));
    let ends = world.ends();
    assert_eq!(ends.len(), 3);
    for end in ends {
        let error = end.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSent);
        assert_eq!(
            error.cause().map(Error::kind),
            Some(ErrorKind::TokenRefused),
            "{error}"
        );
    }
    assert_eq!((world.requests.len(), world.pushes().len()), (1, 0));
}

/// A key that Google or Amazon has revoked: what is submitted later hears of it at once too, and the endpoint is asked
/// again after 30 s, 60 s and so on, by what is submitted then.
#[test]
fn a_refused_credential_stays_refused_until_the_endpoint_may_be_asked_again() {
    let mut world = World::adm(|_| {}, |_, _| answer(400, "", r#"{"error":"invalid_grant"}"#));
    for (after, requests) in [
        (0, 1),
        (1, 1),
        (20, 1),
        (29, 1),
        (31, 2),
        (60, 2),
        (90, 2),
        (92, 3),
    ] {
        world.run_for(start().monotonic + secs(after) - world.now.monotonic);
        world.submit(100);
        let ends = world.ends();
        assert_eq!(ends.len(), 100, "after {after} s");
        for end in ends {
            let error = end.unwrap_err();
            let kinds = (error.kind(), error.cause().map(Error::kind));
            assert_eq!(
                kinds,
                (ErrorKind::NotSent, Some(ErrorKind::TokenRefused)),
                "after {after} s"
            );
        }
        assert_eq!(world.requests.len(), requests, "after {after} s");
    }
}

#[test]
fn a_token_endpoint_out_of_reach_is_the_cause_of_expiry() {
    let mut world = World::adm(|_| {}, |line, _| adm_ok(line));
    // The push service can be reached, its token endpoint answers with rubbish.
    world.respond = Box::new(|_, _| answer(200, "", "not json"));
    world.submit(2);
    world.run_for(secs(61));
    for end in world.ends() {
        let error = end.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Expired);
        assert_eq!(
            error.cause().map(Error::kind),
            Some(ErrorKind::TokenAnswerInvalid),
            "{error}"
        );
    }
    assert_eq!((world.pushes().len(), world.session.stats().expired), (0, 2));
}

/// The keep-alive race: the server closes the connection as the request is on its way.
#[test]
fn a_token_request_that_is_lost_is_sent_again() {
    let mut first = true;
    let mut world = World::adm(
        |_| {},
        move |line, _| match std::mem::take(&mut first) {
            // A response head that is cut off by the end of the connection.
            true => "HTTP/1.1 ".into(),
            false => adm_ok(line),
        },
    );
    world.submit(1);
    let links: Vec<_> = world.inboxes.keys().copied().collect();
    for link in links {
        world.inboxes.remove(&link);
        world.session.receive_eof(link, world.now);
    }
    world.run_for(secs(10));
    let ends = world.ends();
    assert!(matches!(ends.as_slice(), [Ok("accepted")]), "{ends:?}");
}

#[test]
fn the_connection_to_the_token_endpoint_does_not_stay() {
    let mut world = World::adm(|_| {}, |line, _| adm_ok(line));
    world.submit(1);
    assert_eq!(world.inboxes.len(), 2);
    world.run_for(secs(11));
    assert_eq!(world.inboxes.len(), 1, "the one for pushes");
    world.run_for(secs(600));
    assert_eq!(world.inboxes.len(), 0);
    // An end of our own making is no reason to hold back.
    world.submit(1);
    assert_eq!(world.pushes().len(), 2);
}

#[test]
fn a_metadata_server_is_asked_plainly_and_directly() {
    let project = fcm::ProjectId::new("project").unwrap();
    let service = fcm::Service::new(fcm::Credentials::metadata_server(project), fcm::Hosts::default());
    let security = Security::Tls(crate::net::tls::TlsConfig::builder().build().unwrap());
    let now = start();
    let mut session = Session::new(service, security, configured(|_| {}), now).unwrap();
    session.submit(&fcm_message(), Default::default(), now).unwrap();
    session.flush(now);
    let mut dialled = Vec::new();
    while let Some(action) = session.poll_action() {
        let Action::Connect { link, authority } = action else {
            continue;
        };
        session.connected(link, now);
        let said = session.transmit(link).to_vec();
        dialled.push((authority.to_string(), session.is_direct(link), said));
    }
    dialled.sort();
    let [(push, false, hello), (metadata, true, asked)] = &dialled[..] else {
        panic!("{dialled:?}")
    };
    assert!(
        push.starts_with("fcm.googleapis.com") && hello.starts_with(&[22, 3]),
        "TLS"
    );
    assert!(metadata.starts_with("metadata.google.internal"));
    let asked = String::from_utf8(asked.clone()).unwrap();
    assert!(
        asked.starts_with("GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A"),
        "{asked}"
    );
    assert!(asked.contains("\r\nmetadata-flavor: Google\r\n") && !asked.contains("authorization"));
}

/// An access token that is refused however fresh, and a signature that is wrong: a few requests, and the rest is not sent.
#[test]
fn a_refused_key_stops_everything_that_uses_it() {
    let credentials = crate::baidu::Credentials::new("key", "secret").unwrap();
    let service = crate::baidu::Service::new(credentials, authority("push.example"));
    let refusal = |_: &str, _| {
        answer(
            403,
            "",
            r#"{"error_code":30603,"error_msg":"authentication failed"}"#,
        )
    };
    let mut baidu = World::new(service, configured(|_| {}), start(), refusal);
    let message = crate::baidu::Message::android_raw(br#"{"a":1}"#)
        .unwrap()
        .build(crate::baidu::Target::device("1").unwrap())
        .unwrap();
    for _ in 0..100 {
        let now = baidu.now;
        baidu.session.submit(&message, Default::default(), now).unwrap();
    }
    let mut adm = World::adm(
        |_| {},
        |line, _| match line.contains("O2/token") {
            true => answer(200, "", TOKEN),
            false => answer(401, "", r#"{"reason":"AccessTokenExpired"}"#),
        },
    );
    for _ in 0..100 {
        let now = adm.now;
        adm.session
            .submit(&adm_message(), Default::default(), now)
            .unwrap();
    }
    for (name, mut world, most) in [("baidu", baidu, 5), ("adm", adm, 8)] {
        world.run_for(secs(30));
        assert!(world.pushes().len() <= most, "{name}: {}", world.pushes().len());
        let ends = world.ends();
        let (answered, kept): (Vec<_>, Vec<_>) = ends.into_iter().partition(Result::is_ok);
        assert!((3..=5).contains(&answered.len()), "{name}: {answered:?}");
        assert_eq!(answered.len() + kept.len(), 100, "{name}");
        for error in kept.into_iter().map(Result::unwrap_err) {
            assert_eq!(error.kind(), ErrorKind::NotSent, "{name}: {error}");
            assert_eq!(
                error.cause().map(Error::kind),
                Some(ErrorKind::CredentialsRefused),
                "{name}"
            );
        }
    }
}

/// A service that answers 401 to some messages, whatever the token: they end so, and the others keep their token.
#[test]
fn a_message_that_is_always_refused_costs_the_others_nothing() {
    for every in [4, 10, 100] {
        let mut world = World::adm(
            |_| {},
            |line, _| match line {
                line if line.contains("O2/token") => answer(200, "", TOKEN),
                line if line.contains("refused") => answer(401, "", r#"{"reason":"AccessTokenExpired"}"#),
                _ => answer(200, "", ADM_OK),
            },
        );
        let begun = world.now.monotonic;
        for number in 0..1000 {
            let id = match number % every {
                0 => "refused",
                _ => "good",
            };
            let message = adm::Message::builder().data("k", "v");
            let message = message.build(adm::RegistrationId::new(id).unwrap()).unwrap();
            world
                .session
                .submit(&message, Default::default(), world.now)
                .unwrap();
        }
        world.run_for(secs(50));
        let ends = world.ends();
        let count = |name| {
            ends.iter()
                .filter(|end| matches!(end, Ok(found) if *found == name))
                .count()
        };
        let expected = (1000 - 1000 / every, 1000 / every);
        assert_eq!((count("accepted"), count("fix_credentials")), expected, "{every}");
        let asked = world
            .requests
            .iter()
            .filter(|(_, line)| line.contains("O2/token"))
            .count();
        assert!(asked <= 4, "{every}: {asked} tokens");
        let last = world.pushes().last().copied().unwrap_or_default() - begun;
        assert!(last < secs(3), "{every}: {last:?}");
    }
}

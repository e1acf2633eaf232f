use std::time::Duration;

use super::*;
use crate::apns::outcome;
use crate::time::UnixTime;

const START: u64 = 1_700_000_000;

fn at(minutes: u64) -> Now {
    Now::new(
        Duration::from_secs(minutes * 60),
        UnixTime::from_secs(START + minutes * 60),
    )
}

fn token(key_id: &str, team_id: &str) -> Credentials {
    Credentials::token(
        KeyId::parse(key_id).unwrap(),
        TeamId::parse(team_id).unwrap(),
        Es256Key::from_scalar(&[7; 32]).unwrap(),
    )
}

fn credentials() -> Credentials {
    token("ABC123DEFG", "DEF123GHIJ")
}

fn answer(status: u16, reason: &str) -> Response {
    Response::new(status, format!(r#"{{"reason":"{reason}"}}"#))
}

fn react(credentials: &Credentials, status: u16, reason: &str, now: Now) -> Reaction {
    credentials.react(&outcome(&answer(status, reason), now), now)
}

fn block(credentials: &Credentials, now: Now) -> u64 {
    credentials.authorization(now).unwrap().unwrap().id()
}

#[test]
fn an_expired_token_is_renewed_for_all_clones() {
    let one = credentials();
    let other = one.clone();
    let first = block(&one, at(0));
    assert_eq!(react(&one, 403, "ExpiredProviderToken", at(19)), Reaction::Keep);
    assert_eq!(block(&one, at(19)), first);
    assert_eq!(
        react(&one, 403, "ExpiredProviderToken", at(20)),
        Reaction::Renewed
    );
    let second = block(&other, at(20));
    assert_ne!(second, first);
    assert_eq!(react(&other, 403, "ExpiredProviderToken", at(20)), Reaction::Keep);
    assert_eq!(block(&one, at(20)), second);
}

#[test]
fn a_clock_70_minutes_off_costs_one_refusal() {
    for (wrong, reason) in [(-4200i64, "ExpiredProviderToken"), (4200, "InvalidProviderToken")] {
        let credentials = credentials();
        let ours = Now::new(
            Duration::ZERO,
            UnixTime::from_secs(START.saturating_add_signed(wrong)),
        );
        let first = block(&credentials, ours);
        let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(START));
        credentials.observe_date(&answer(403, reason).with_header("date", &date), ours);
        assert_eq!(
            react(&credentials, 403, reason, ours),
            Reaction::Renewed,
            "{reason}"
        );
        let second = block(&credentials, ours);
        assert_ne!(second, first);
        assert_eq!(
            react(&credentials, 403, "InvalidProviderToken", ours),
            Reaction::Stop
        );
        assert_eq!(block(&credentials, ours), second);
    }
}

#[test]
fn too_many_updates_keep_the_token() {
    let credentials = credentials();
    let first = block(&credentials, at(0));
    let reaction = react(&credentials, 429, "TooManyProviderTokenUpdates", at(49));
    assert_eq!(reaction, Reaction::Keep);
    assert_eq!(block(&credentials, at(59)), first);
    assert_ne!(block(&credentials, at(69)), first);
}

#[test]
fn only_refused_credentials_stop() {
    for (status, reason, expected) in [
        (403, "InvalidProviderToken", Reaction::Stop),
        (403, "MissingProviderToken", Reaction::Stop),
        (403, "BadEnvironmentKeyInToken", Reaction::Stop),
        (403, "BadEnvironmentKeyIdInToken", Reaction::Stop),
        (403, "BadCertificate", Reaction::Stop),
        (403, "Novelty", Reaction::Stop),
        (403, "Forbidden", Reaction::Keep),
        (403, "TopicMismatch", Reaction::Keep),
        (403, "UnrelatedKeyIdInToken", Reaction::Keep),
        (400, "TopicDisallowed", Reaction::Keep),
        (400, "BadDeviceToken", Reaction::Keep),
        (410, "Unregistered", Reaction::Keep),
        (500, "InternalServerError", Reaction::Keep),
    ] {
        let credentials = credentials();
        block(&credentials, at(0));
        assert_eq!(react(&credentials, status, reason, at(1)), expected, "{reason}");
    }
}

#[test]
fn a_token_passes_from_one_process_to_another() {
    let keyed = credentials();
    let keyless = Credentials::imported(
        KeyId::parse("ABC123DEFG").unwrap(),
        TeamId::parse("DEF123GHIJ").unwrap(),
    );
    assert_eq!(
        keyless.authorization(at(0)).unwrap_err().kind(),
        ErrorKind::TokenNeeded
    );
    let token = keyed.provider_token(at(0)).unwrap();
    assert!(
        keyless
            .import_token(&format!("{}\n", token.expose_secret()), at(1))
            .unwrap()
    );
    let value = |credentials: &Credentials| {
        let block = credentials.authorization(at(1)).unwrap().unwrap();
        block.headers().get("authorization").unwrap().to_owned()
    };
    assert_eq!(value(&keyless), value(&keyed));
    assert!(!format!("{keyed:?} {keyless:?}").contains(token.expose_secret().as_str()));
}

use std::time::Duration;

use super::*;
use crate::crypto::base64;
use crate::error::ErrorKind::InvalidCredential;

const KEY: &str = "IQ9Ur0ykXoHS9gzfYX0aBjy9lvdrjx_PFUXmie9YRcY";

fn credentials() -> Credentials {
    Credentials::new(Es256Key::read(KEY.as_bytes()).unwrap(), "mailto:push@example.com").unwrap()
}

fn at(secs: u64) -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(secs))
}

fn origin(text: &str) -> Authority {
    Authority::parse(text).unwrap()
}

/// Claims of a header whose signature is right.
fn verified(credentials: &Credentials, block: &HeaderBlock) -> Value {
    let header = block.headers().get("authorization").unwrap();
    let (token, key) = header
        .strip_prefix("vapid t=")
        .unwrap()
        .split_once(", k=")
        .unwrap();
    assert_eq!(key.len(), 87);
    assert_eq!(key, credentials.public_key().to_base64());
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = base64::decode(signature).unwrap();
    assert_eq!(signature.len(), 64);
    assert!(credentials.public_key().verifies(input.as_bytes(), &signature));
    let (head, claims) = input.split_once('.').unwrap();
    assert_eq!(base64::decode(head).unwrap(), br#"{"typ":"JWT","alg":"ES256"}"#);
    serde_json::from_slice(&base64::decode(claims).unwrap()).unwrap()
}

#[test]
fn rfc8292_section_2_4_verifies() {
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA";
    let key = Es256PublicKey::read(
        b"BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs",
    )
    .unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    assert!(key.verifies(input.as_bytes(), &base64::decode(signature).unwrap()));
    // Ours has the same header and claims, byte for byte, for the same facts.
    let credentials = credentials();
    let block = credentials
        .authorization(&origin("push.example.net"), at(1_453_523_768 - LIFETIME))
        .unwrap();
    let ours = block.headers().get("authorization").unwrap();
    assert!(ours.starts_with(&format!("vapid t={input}.")), "{ours}");
    verified(&credentials, &block);
}

#[test]
fn audience_is_the_origin() {
    let credentials = credentials();
    for (host, aud) in [
        ("fcm.googleapis.com", "https://fcm.googleapis.com"),
        ("Push.Example.NET:443", "https://push.example.net"),
        ("push.example.net:8443", "https://push.example.net:8443"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("[2001:db8::1]", "https://[2001:db8::1]"),
    ] {
        let claims = verified(
            &credentials,
            &credentials.authorization(&origin(host), at(1000)).unwrap(),
        );
        assert_eq!(claims["aud"], aud);
        assert_eq!(claims["exp"], 1000 + 12 * 3600);
        assert_eq!(claims["sub"], "mailto:push@example.com");
    }
}

#[test]
fn one_token_for_half_its_life() {
    let credentials = credentials();
    let fcm = origin("fcm.googleapis.com");
    let start = 1_800_000_000;
    let id = |secs| credentials.authorization(&fcm, at(secs)).unwrap().id();
    let first = id(start);
    assert_eq!(id(start + 6 * 3600 - 1), first);
    assert_eq!(id(start - 3600), first, "a clock that goes back a little");
    assert_ne!(
        credentials
            .authorization(&origin("web.push.apple.com"), at(start))
            .unwrap()
            .id(),
        first
    );
    let second = id(start + 6 * 3600);
    assert_ne!(second, first);
    let third = id(start - 6 * 3600);
    assert_ne!(third, second, "exp would be 24 hours ahead");
    // The end of time neither panics nor wraps.
    let block = credentials.authorization(&fcm, at(u64::MAX)).unwrap();
    verified(&credentials, &block);
}

#[test]
fn a_clock_13_hours_off_costs_one_refusal_at_that_service() {
    for wrong in [-13i64, 13, -24, 24] {
        let credentials = credentials();
        let (fcm, apple) = (origin("fcm.googleapis.com"), origin("web.push.apple.com"));
        let theirs = 1_800_000_000u64;
        let ours = at(theirs.saturating_add_signed(wrong * 3600));
        let refusal = |secs| {
            let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(secs));
            Response::new(403, "").with_header("date", &date)
        };
        let exp = |origin, now| {
            let block = credentials.authorization(origin, now).unwrap();
            (
                block.id(),
                verified(&credentials, &block)["exp"].as_u64().unwrap(),
            )
        };
        let first = exp(&fcm, ours);
        let elsewhere = exp(&apple, ours);
        credentials.observe_date(&fcm, &refusal(theirs), ours);
        let second = exp(&fcm, ours);
        assert_eq!(second.1, theirs + LIFETIME, "dated by their clock");
        assert_ne!(second.0, first.0);
        assert_eq!(
            exp(&apple, ours),
            elsewhere,
            "another service has a clock of its own"
        );
        // The refusals of what was under way with the first token, and of anything a second later.
        credentials.observe_date(&fcm, &refusal(theirs + 2), ours.after(Duration::from_secs(1)));
        assert_eq!(exp(&fcm, ours), second);
        // It holds for the next token too ...
        let later = ours.after(Duration::from_secs(7 * 3600));
        assert_eq!(exp(&fcm, later).1, theirs + 7 * 3600 + LIFETIME);
        // ... until somebody sets our clock, which costs one more refusal.
        let set = at(theirs + 8 * 3600);
        credentials.observe_date(&fcm, &refusal(theirs + 8 * 3600), set);
        assert_eq!(exp(&fcm, set).1, theirs + 8 * 3600 + LIFETIME);
    }
}

#[test]
fn a_date_that_proves_nothing_changes_nothing() {
    let credentials = credentials();
    let fcm = origin("fcm.googleapis.com");
    let now = at(1_800_000_000);
    credentials.observe_date(&fcm, &Response::new(403, ""), now);
    let first = credentials.authorization(&fcm, now).unwrap().id();
    let start = 1_800_000_000;
    for secs in [
        start + 6 * 3600 - 1,
        start - 12 * 3600 + 1,
        start + 24 * 3600 + 1,
        0,
    ] {
        let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(secs));
        credentials.observe_date(&fcm, &Response::new(403, "").with_header("date", &date), now);
        assert_eq!(
            credentials.authorization(&fcm, now).unwrap().id(),
            first,
            "{secs}"
        );
    }
    credentials.observe_date(&fcm, &Response::new(403, "").with_header("date", "noon"), now);
    assert_eq!(credentials.authorization(&fcm, now).unwrap().id(), first);
}

#[test]
fn threads_share_one_token() {
    let credentials = credentials();
    let fcm = origin("fcm.googleapis.com");
    let ids: std::collections::HashSet<u64> = std::thread::scope(|scope| {
        let ask = || {
            (0..500)
                .map(|_| credentials.authorization(&fcm, at(5)).unwrap().id())
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(ids.len(), 1);
}

#[test]
fn the_cache_is_bounded_and_keeps_what_is_used() {
    let credentials = credentials();
    let fcm = origin("fcm.googleapis.com");
    let first = credentials.authorization(&fcm, at(5)).unwrap().id();
    for n in 0..CACHED + 100 {
        credentials
            .authorization(&origin(&format!("h{n}.example.net")), at(5))
            .unwrap();
        assert_eq!(credentials.authorization(&fcm, at(5)).unwrap().id(), first);
    }
    // The half that was not used for longest is forgotten at once when there is no room for another.
    let kept = credentials.tokens.lock().unwrap().entries.len();
    assert!((CACHED / 2..=CACHED / 2 + 101).contains(&kept), "{kept}");
}

#[test]
fn subjects_that_apple_refuses() {
    let key = || Es256Key::read(KEY.as_bytes()).unwrap();
    for good in [
        "mailto:push@example.com",
        "mailto:a.b+c@mail.example.co.uk",
        "https://example.com",
        "https://example.com/contact?x=1",
        "https://example.com:8443/",
    ] {
        assert!(Credentials::new(key(), good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "push@example.com",
        "mailto:",
        "mailto:push",
        "mailto:@example.com",
        "mailto:push@",
        "mailto:push@localhost",
        "mailto:push@host.local",
        "mailto:push@host.invalid",
        "mailto: push@example.com",
        "mailto:mailto:push@example.com",
        "mailto:<push@example.com>",
        "mailto:push@example.com,other@example.com",
        "mailto:push@exam ple.com",
        "mailto:push@example.com\r\nx: y",
        "mailto:push@example..com",
        "http://example.com",
        "https://",
        "https://localhost",
        "https://localhost:8443/",
        "https://user@example.com/",
        "https://exämple.com",
    ] {
        assert_eq!(
            Credentials::new(key(), bad).unwrap_err().kind(),
            InvalidCredential,
            "{bad:?}"
        );
    }
    assert!(Credentials::with_any_subject(key(), "mailto:me@localhost").is_ok());
    assert!(Credentials::with_any_subject(key(), "mailto:me@local host").is_err());
}

#[test]
fn debug_holds_no_key() {
    assert!(!format!("{:?}", credentials()).contains("IQ9U"));
}

use std::collections::HashSet;
use std::sync::Barrier;

use super::*;
use crate::time::UnixTime;

const START: u64 = 1_700_000_000;

fn authority() -> Authority {
    let key = Es256Key::from_scalar(&[7; 32]).unwrap();
    with_key(Some(key))
}

fn with_key(key: Option<Es256Key>) -> Authority {
    let (key_id, team_id) = (KeyId::parse("ABC123DEFG"), TeamId::parse("DEF123GHIJ"));
    Authority::new(key_id.unwrap(), team_id.unwrap(), key, HeaderPolicy::default())
}

/// Both clocks, `secs` after the start.
fn at(secs: u64) -> Now {
    clocks(secs, START + secs)
}

fn clocks(monotonic: u64, unix: u64) -> Now {
    Now::new(Duration::from_secs(monotonic), UnixTime::from_secs(unix))
}

fn token(authority: &Authority, now: Now) -> String {
    authority.token(now).unwrap().expose_secret().clone()
}

fn issued_at(token: &str) -> u64 {
    read(
        token,
        KeyId::parse("ABC123DEFG").unwrap(),
        TeamId::parse("DEF123GHIJ").unwrap(),
    )
    .unwrap()
}

fn http_date(unix: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(unix))
}

#[test]
fn the_token_is_the_minimal_strict_form() {
    let token = token(&authority(), at(5));
    let parts: Vec<Vec<u8>> = token
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
        .collect();
    assert_eq!(parts[0], br#"{"alg":"ES256","kid":"ABC123DEFG"}"#);
    assert_eq!(parts[1], br#"{"iss":"DEF123GHIJ","iat":1700000005}"#);
    assert_eq!((parts.len(), parts[2].len()), (3, 64));
    assert!(!token.contains('='));
}

#[test]
fn a_token_is_reused_for_50_minutes_and_one_block_serves_all() {
    let authority = authority();
    let first = authority.header(at(0)).unwrap();
    assert_eq!(authority.header(at(50 * 60 - 1)).unwrap().id(), first.id());
    let second = authority.header(at(50 * 60)).unwrap();
    assert_ne!(second.id(), first.id());
    assert_eq!(authority.header(at(50 * 60)).unwrap().id(), second.id());
}

#[test]
fn sixteen_threads_make_one_token_every_50_minutes() {
    let authority = authority();
    let steps: Vec<Now> = (0..240).map(|minute| at(minute * 60)).collect();
    let barrier = Barrier::new(16);
    let seen = Mutex::new(HashSet::new());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for now in &steps {
                    // All threads stand at the same minute, as connections sharing a clock do.
                    barrier.wait();
                    let block = authority.header(*now).unwrap();
                    seen.lock().unwrap().insert(block.id());
                }
            });
        }
    });
    // At minutes 0, 50, 100, 150 and 200.
    assert_eq!(seen.into_inner().unwrap().len(), 5);
}

#[test]
fn an_expired_token_is_renewed_once_and_not_before_20_minutes() {
    let authority = authority();
    let first = token(&authority, at(0));
    assert!(!authority.expired(at(20 * 60 - 1)), "too young to have expired");
    assert_eq!(token(&authority, at(20 * 60 - 1)), first);
    assert!(authority.expired(at(20 * 60)));
    let second = token(&authority, at(20 * 60));
    assert_ne!(second, first);
    // The other requests that were under way with the old token.
    for _ in 0..100 {
        assert!(!authority.expired(at(20 * 60 + 1)));
        assert_eq!(token(&authority, at(20 * 60 + 1)), second);
    }
    assert_eq!(
        token(&authority, at(69 * 60)),
        second,
        "one refusal renews one token"
    );
}

#[test]
fn after_too_many_updates_none_is_made_for_20_minutes() {
    let authority = authority();
    let first = token(&authority, at(0));
    authority.hold_on(at(45 * 60));
    assert_eq!(
        token(&authority, at(59 * 60)),
        first,
        "old, but the only one allowed"
    );
    let error = authority.header(at(61 * 60)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenNeeded);
    assert_ne!(token(&authority, at(65 * 60)), first);
}

#[test]
fn no_clock_makes_two_tokens_in_20_minutes_or_an_old_one_used() {
    // A deterministic walk of both clocks: steps forward, calendar jumps both ways.
    let authority = authority();
    let (mut monotonic, mut unix) = (0u64, START);
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut made: Vec<u64> = Vec::new();
    let mut last = String::new();
    for _ in 0..20_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let step = random % 120;
        monotonic += step;
        unix += step;
        if random % 100 == 7 {
            // Less than what proves a token misdated.
            unix = unix + 300 - (random >> 8) % 600;
        }
        if let Ok(token) = authority.token(clocks(monotonic, unix)) {
            let token = token.expose_secret().clone();
            let age = unix.saturating_sub(issued_at(&token));
            assert!(age < 3600, "{age}");
            if token != last {
                made.push(monotonic);
                last = token;
            }
        }
    }
    assert!(made.len() > 100);
    let closest = made.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
    assert!(closest >= 1200, "{closest}");
}

#[test]
fn a_clock_jumping_wildly_makes_at_most_two_tokens_in_20_minutes() {
    let authority = authority();
    let made: HashSet<String> = (0..1200)
        .filter_map(|second| {
            let jump = if second % 2 == 0 { second * 7200 } else { 0 };
            authority.token(clocks(second, START + jump)).ok()
        })
        .map(|token| token.expose_secret().clone())
        .collect();
    assert!(made.len() <= 2, "{}", made.len());
}

#[test]
fn a_machine_that_slept_makes_a_new_token() {
    let authority = authority();
    let first = token(&authority, clocks(0, START));
    let second = token(&authority, clocks(60, START + 8 * 3600));
    assert_ne!(second, first);
    assert_eq!(issued_at(&second), START + 8 * 3600);
}

#[test]
fn a_wrong_clock_is_corrected_by_the_services_date() {
    for wrong in [-70 * 60i64, 70 * 60] {
        let authority = authority();
        let ours = |secs: u64| clocks(secs, (START + secs).saturating_add_signed(wrong));
        let first = token(&authority, ours(0));
        assert_eq!(issued_at(&first), START.saturating_add_signed(wrong));
        assert!(!authority.renews(ours(1)));
        authority.observe_date(&http_date(START + 1), ours(1));
        assert!(
            authority.expired(ours(1)),
            "misdated, so it may be replaced early"
        );
        let second = token(&authority, ours(2));
        assert_eq!(issued_at(&second), START + 2);
        // Only once.
        authority.observe_date(&http_date(START + 3 + 7200), ours(3));
        assert_eq!(
            authority.token(ours(3)).unwrap_err().kind(),
            ErrorKind::TokenNeeded
        );
    }
}

#[test]
fn small_and_absurd_differences_of_clocks_are_ignored() {
    for (date, corrected) in [
        (http_date(START + 60), false),
        (http_date(START + 61), true),
        (http_date(START + 24 * 3600), true),
        (http_date(START + 24 * 3600 + 1), false),
        (http_date(0), false),
        ("tomorrow".to_owned(), false),
        (String::new(), false),
    ] {
        let authority = authority();
        authority.observe_date(&date, at(0));
        let issued = issued_at(&token(&authority, at(0)));
        assert_eq!(issued != START, corrected, "{date}");
    }
}

#[test]
fn a_token_made_elsewhere_is_taken_over() {
    let elsewhere = authority();
    let here = authority();
    let old = token(&here, at(0));
    let new = token(&elsewhere, at(30 * 60));
    assert!(here.import(&new, at(31 * 60)).unwrap());
    assert_eq!(token(&here, at(32 * 60)), new);
    assert!(
        !here.import(&old, at(33 * 60)).unwrap(),
        "older than the present one"
    );
    assert!(
        !here.expired(at(40 * 60)),
        "its age counts from where it was made"
    );
    assert_ne!(token(&here, at(80 * 60)), new);

    let keyless = with_key(None);
    assert_eq!(keyless.header(at(0)).unwrap_err().kind(), ErrorKind::TokenNeeded);
    keyless.import(&new, at(31 * 60)).unwrap();
    assert_eq!(token(&keyless, at(89 * 60)), new);
    assert_eq!(
        keyless.header(at(90 * 60)).unwrap_err().kind(),
        ErrorKind::TokenNeeded
    );
    assert!(keyless.import(&new, at(91 * 60)).is_ok_and(|taken| !taken));
    keyless
        .import(&token(&elsewhere, at(85 * 60)), at(85 * 60))
        .unwrap();
    assert!(!keyless.expired(at(110 * 60)), "nothing here makes a new one");
    assert!(
        keyless.header(at(110 * 60)).is_err(),
        "and the expired one is not used again"
    );
}

#[test]
fn only_a_token_of_this_key_and_team_is_taken_over() {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let good_header = r#"{"alg":"ES256","kid":"ABC123DEFG"}"#;
    let good_claims = r#"{"iss":"DEF123GHIJ","iat":1700000000}"#;
    let made = |header: &str, claims: &str| {
        format!(
            "{}.{}.{}",
            encode(header),
            encode(claims),
            URL_SAFE_NO_PAD.encode([1; 64])
        )
    };
    assert!(
        authority()
            .import(&made(good_header, good_claims), at(0))
            .unwrap()
    );
    for bad in [
        String::new(),
        "a.b".into(),
        "a.b.c.d".into(),
        "é.é.é".into(),
        format!(
            "{}.{}.{}",
            encode(good_header),
            encode(good_claims),
            encode("short")
        ),
        made(r#"{"alg":"none","kid":"ABC123DEFG"}"#, good_claims),
        made(r#"{"alg":"ES256","kid":"XXX123DEFG"}"#, good_claims),
        made(good_header, r#"{"iss":"XXX123GHIJ","iat":1700000000}"#),
        made(good_header, r#"{"iss":"DEF123GHIJ","iat":"1700000000"}"#),
        made(good_header, r#"{"iss":"DEF123GHIJ"}"#),
        made(good_header, r#"{"iss":"DEF123GHIJ","iat":1699996400}"#),
        made("[]", good_claims),
    ] {
        let error = authority().import(&bad, at(0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCredential);
        assert!(bad.is_empty() || !error.to_string().contains(&bad));
    }
}

/// APNs refuses a token that is dated ahead of its clock; five minutes are what the two clocks may differ.
#[test]
fn a_token_dated_ahead_of_the_service_is_replaced() {
    for (ahead, renewed) in [(301, false), (302, true), (3600, true)] {
        let authority = authority();
        // Our clock is ahead by so much, and the date of an answer, a second later, tells.
        let ours = |secs: u64| clocks(secs, START + secs + ahead);
        let first = token(&authority, ours(0));
        authority.observe_date(&http_date(START + 1), ours(1));
        assert_eq!(authority.renews(ours(1)), renewed, "{ahead}");
        let second = token(&authority, ours(1));
        assert_eq!(second != first, renewed, "{ahead}");
        if renewed {
            assert_eq!(issued_at(&second), START + 1);
        }
    }
}

/// An imported token was dated by the service's clock: its age is what that clock says.
#[test]
fn the_age_of_an_imported_token_is_by_the_services_clock() {
    let elsewhere = authority();
    let new = token(&elsewhere, at(0));
    for (late, taken) in [(29 * 60, true), (30 * 60, false)] {
        // Half an hour by our clock, and half an hour that our clock is behind.
        let here = with_key(None);
        let now = at(late);
        here.observe_date(&http_date(START + late + 30 * 60), now);
        match here.import(&new, now) {
            Ok(new) => assert!(new && taken, "{late}"),
            Err(error) => {
                assert_eq!(
                    (error.kind(), taken),
                    (ErrorKind::InvalidCredential, false),
                    "{late}"
                );
            }
        }
    }
}

/// The age that an imported token has already counts when a clock jumps back.
#[test]
fn an_imported_token_ages_by_the_monotonic_clock_too() {
    let new = token(&authority(), at(0));
    let here = authority();
    assert!(here.import(&new, at(30 * 60)).unwrap());
    // Twenty minutes later the calendar says half an hour less than it should.
    let jumped = |minutes: u64| clocks(minutes * 60, START + (minutes - 30) * 60);
    assert_eq!(token(&here, jumped(49)), new);
    assert_ne!(token(&here, jumped(50)), new, "50 minutes old");
}

/// "Too many updates" says that there is a newer token: the wish for another is over with it.
#[test]
fn too_many_updates_end_the_wish_for_another_token() {
    let authority = authority();
    let first = token(&authority, at(0));
    assert!(authority.expired(at(21 * 60)), "old enough to have expired");
    authority.hold_on(at(21 * 60));
    for minutes in [22, 41, 42, 49] {
        assert!(!authority.renews(at(minutes * 60)), "{minutes}");
        assert_eq!(token(&authority, at(minutes * 60)), first, "{minutes}");
    }
    assert_ne!(token(&authority, at(50 * 60)), first);
}

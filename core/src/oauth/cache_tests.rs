use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn at(secs: u64) -> Now {
    Now::new(
        Duration::from_secs(secs),
        UnixTime::from_secs(1_700_000_000 + secs),
    )
}

fn cache() -> TokenCache {
    TokenCache::new().without_spread()
}

fn grant(token: &str, secs: u64) -> Grant {
    Grant::new(token, Duration::from_secs(secs)).unwrap()
}

fn poll(cache: &TokenCache, secs: u64) -> (Option<String>, bool) {
    let state = cache.poll(Fetch::Request, at(secs));
    let token = state
        .authorization()
        .and_then(|block| block.headers().get("authorization"))
        .map(str::to_owned);
    (token, state.fetch().is_some())
}

fn bearer(token: &str, fetch: bool) -> (Option<String>, bool) {
    (Some(format!("Bearer {token}")), fetch)
}

#[test]
fn fetches_once_serves_the_old_token_and_refreshes_early() {
    let cache = cache();
    assert_eq!(poll(&cache, 0), (None, true));
    assert_eq!(poll(&cache, 0), (None, false), "the second caller waits");
    cache.accept(&grant("a", 3600), at(2)).unwrap();
    assert_eq!(poll(&cache, 3), bearer("a", false));
    // A tenth of an hour is 360 s, counted from the start of the fetch.
    assert_eq!(poll(&cache, 3239), bearer("a", false));
    assert_eq!(poll(&cache, 3240), bearer("a", true));
    assert_eq!(
        poll(&cache, 3241),
        bearer("a", false),
        "old token, no second fetch"
    );
    cache.accept(&grant("b", 3600), at(3242)).unwrap();
    assert_eq!(poll(&cache, 3243), bearer("b", false));
}

#[test]
fn the_margin_never_eats_more_than_half_of_the_life() {
    for (life, refresh) in [(3600, 3240), (2000, 1700), (600, 300), (120, 60), (2, 1)] {
        let cache = cache();
        cache.accept(&grant("a", life), at(0)).unwrap();
        assert_eq!(poll(&cache, refresh - 1), bearer("a", false), "{life}");
        assert_eq!(poll(&cache, refresh), bearer("a", true), "{life}");
        assert_eq!(poll(&cache, life - 1).0, bearer("a", false).0, "{life}");
        assert_eq!(poll(&cache, life).0, None, "{life}: dead");
    }
}

#[test]
fn the_spread_only_delays_and_by_a_tenth_of_the_margin_at_most() {
    let mut cache = cache();
    cache.spread = 255;
    let margin = cache.margin(Duration::from_secs(3600));
    assert!(margin < Duration::from_secs(360) && margin >= Duration::from_secs(324));
    assert!(cache.margin(Duration::from_secs(1)) > Duration::ZERO);
}

#[test]
fn failures_back_off_and_the_endpoint_may_ask_for_more() {
    let cache = cache();
    let mut now = 0;
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(poll(&cache, now), (None, true), "{wait}");
        cache.fail(true, None, at(now));
        assert_eq!(poll(&cache, now + wait - 1), (None, false), "{wait}");
        match cache.poll(Fetch::Request, at(now)) {
            TokenState::Wait { until } => assert_eq!(until, Duration::from_secs(now + wait)),
            other => panic!("{other:?}"),
        }
        now += wait;
    }
    assert_eq!(poll(&cache, now), (None, true));
    cache.fail(true, Some(Duration::from_secs(500)), at(now));
    assert_eq!(poll(&cache, now + 499), (None, false));
    assert_eq!(poll(&cache, now + 500), (None, true));
    cache.accept(&grant("a", 3600), at(now + 500)).unwrap();
    cache.invalidate(0, at(now + 500));
    assert_eq!(poll(&cache, now + 501), bearer("a", false));
}

#[test]
fn a_refused_credential_is_left_alone_longer() {
    let cache = cache();
    assert_eq!(poll(&cache, 0), (None, true));
    cache.fail(false, None, at(0));
    assert_eq!(poll(&cache, 29), (None, false));
    assert_eq!(poll(&cache, 30), (None, true));
}

#[test]
fn a_failed_refresh_keeps_the_old_token() {
    let cache = cache();
    cache.accept(&grant("a", 600), at(0)).unwrap();
    assert_eq!(poll(&cache, 300), bearer("a", true));
    cache.fail(true, None, at(300));
    assert_eq!(poll(&cache, 300), bearer("a", false));
    assert_eq!(poll(&cache, 301), bearer("a", true));
}

#[test]
fn a_lost_fetch_is_handed_out_again() {
    let cache = cache();
    assert_eq!(poll(&cache, 0), (None, true));
    assert_eq!(poll(&cache, 59), (None, false));
    assert_eq!(poll(&cache, 60), (None, true));
}

#[test]
fn only_the_current_token_is_invalidated() {
    let cache = cache();
    cache.accept(&grant("a", 3600), at(0)).unwrap();
    let first = cache.current(at(100)).unwrap();
    assert!(cache.invalidate(first.id(), at(100)));
    assert!(
        !cache.invalidate(first.id(), at(100)),
        "the second refusal of the same token"
    );
    assert!(cache.current(at(100)).is_none());
    assert_eq!(poll(&cache, 100), (None, true));
    cache.accept(&grant("b", 3600), at(101)).unwrap();
    assert!(
        !cache.invalidate(first.id(), at(102)),
        "a late refusal of the old token"
    );
    assert_eq!(poll(&cache, 102), bearer("b", false));
}

#[test]
fn a_service_that_refuses_every_token_is_not_answered_with_a_flood() {
    let cache = cache();
    let mut fetches = 0;
    for secs in 0..300 {
        if poll(&cache, secs).1 {
            fetches += 1;
            cache.accept(&grant("a", 3600), at(secs)).unwrap();
        }
        if let Some(block) = cache.current(at(secs)) {
            cache.invalidate(block.id(), at(secs));
        }
    }
    assert!((5..=12).contains(&fetches), "{fetches}");
}

#[test]
fn either_clock_ends_a_token() {
    let cache = cache();
    cache.accept(&grant("a", 3600), at(0)).unwrap();
    let asleep = Now::new(Duration::from_secs(1), UnixTime::from_secs(1_700_003_600));
    assert!(
        cache.current(asleep).is_none(),
        "the machine slept, the monotonic clock did not"
    );
    let set_back = Now::new(Duration::from_secs(3600), UnixTime::from_secs(0));
    assert!(cache.current(set_back).is_none());
}

#[test]
fn a_clock_that_goes_backwards_stands_still() {
    let cache = cache();
    assert_eq!(poll(&cache, 100), (None, true));
    cache.fail(true, None, at(100));
    assert_eq!(poll(&cache, 0), (None, false));
    assert_eq!(poll(&cache, 101), (None, true));
}

#[test]
fn many_threads_fetch_once() {
    let cache = cache();
    let fetches = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..200 {
                    if cache.poll(Fetch::Request, at(5)).fetch().is_some() {
                        fetches.fetch_add(1, Ordering::SeqCst);
                        cache.accept(&grant("a", 3600), at(5)).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[test]
fn debug_shows_no_token() {
    let cache = cache();
    cache.accept(&grant("ya29.secret", 3600), at(0)).unwrap();
    let shown = format!("{cache:?} {:?}", cache.poll(Fetch::Request, at(1)));
    assert!(!shown.contains("ya29"), "{shown}");
    assert!(!format!("{:?}", grant("ya29.secret", 60)).contains("ya29"));
}

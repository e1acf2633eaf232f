//! Rows 50 and 51: credentials and throttling, as far as they need no passing of hours.

use pushcore_tests::sim::Last;

use super::*;

/// A token that is seconds old cannot have expired: none is made, and the refusal is told.
#[test]
fn row_50_refusal_of_a_young_token() {
    let refusal = || Answer::refusal(403, "ExpiredProviderToken");
    let row = Row::new(move |_| Script::new(move |_, _| vec![Act::Answer(refusal())]));
    let sent = row.send(N / 10, |config| config.session.deadline = Duration::from_secs(2));
    let stats = &sent.stats;
    // What waits behind a handful of refusals is not sent to be refused (decision 14).
    assert!((1..=8).contains(&stats.fix_credentials), "{stats:?}");
    assert_eq!(
        (stats.fix_credentials + stats.not_sent, stats.unknown),
        (N as u64 / 10, 0),
        "{stats:?}"
    );
    assert_eq!(row.server.log().authorizations(), 1);
}

/// The token is refused as too old, on the clock that the server shows: one new token, one new
/// connection.
#[test]
fn row_50_clock_skew() {
    let ahead = std::time::SystemTime::now() + Duration::from_secs(70 * 60);
    let date = httpdate::fmt_http_date(ahead);
    let row = Row::first(move || {
        let refusal = Answer::refusal(403, "ExpiredProviderToken").with_field("date", date.clone());
        Script::new(move |_, _| vec![Act::Answer(refusal.clone())])
    });
    let sent = row.send(N / 10, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (N as u64 / 10, 0), "{stats:?}");
    let log = row.server.log();
    assert_eq!((log.authorizations(), log.connections()), (2, 2));
}

#[test]
fn row_50_too_many_token_updates() {
    let row = Row::first(|| {
        Script::new(|seen, _| match seen.nth {
            10 => vec![Act::Answer(Answer::refusal(429, "TooManyProviderTokenUpdates"))],
            _ => vec![ok()],
        })
    });
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert!(stats.accepted + 1 >= N as u64 && stats.unknown == 0, "{stats:?}");
    assert_eq!(row.server.log().authorizations(), 1, "no token is made");
}

/// The connection is told to be at fault: another one does it, and the message is not lost.
#[test]
fn row_50_shutdown_answer_moves_to_another_connection() {
    let row = Row::first(|| {
        Script::new(|seen, _| match seen.nth {
            1..=100 => vec![ok()],
            101 => vec![
                Act::Answer(Answer::refusal(503, "Shutdown")),
                Act::GoAway(Last::Seen, 0, Vec::new()),
            ],
            _ => vec![Act::Answer(Answer::refusal(503, "Shutdown"))],
        })
    });
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
}

/// At most once: nothing is sent again by itself, and the caller is told how long to wait. Every form
/// of the field is the simulator's.
#[test]
fn row_51_retry_after() {
    for status in [429, 503, 500] {
        let row = Row::new(move |_| {
            Script::new(move |_, _| {
                vec![Act::Answer(
                    Answer::status(status).with_field("retry-after", "120"),
                )]
            })
        });
        let sent = row.send(10, |_| {});
        let stats = &sent.stats;
        assert_eq!((stats.retry_later, stats.unknown), (10, 0), "{stats:?}");
        assert_eq!(row.server.log().requests(), 10);
        let Ok(Outcome::RetryLater(outcome)) = sent.result(4) else {
            panic!("{:?}", sent.result(4))
        };
        assert_eq!(outcome.after, Some(Duration::from_secs(120)));
    }
}

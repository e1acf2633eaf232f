//! Decisions as tables: each line is one case.

use super::*;
use crate::outcome::{FixCredentials, RetryLater};

use Processed::{No, Unknown};
use Purpose::{Call, Push, Token};
use Withdrawal::{Abandoned, Cancelled, TimedOut};

fn config(delivery: Delivery) -> SessionConfig {
    SessionConfig {
        delivery,
        max_requeues: 3,
        ..SessionConfig::default()
    }
}

fn fresh(purpose: Purpose) -> Attempt {
    Attempt {
        purpose,
        withdrawal: None,
        in_time: true,
        requeues: 0,
        answers_seen: 0,
        replays: 0,
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::ConnectionLost, "lost")
}

fn reset(code: u32) -> Error {
    Error::new(ErrorKind::StreamReset, "reset").with_http2_code(code)
}

fn go_away(code: u32) -> Error {
    Error::new(ErrorKind::GoAway, "going away").with_http2_code(code)
}

const ONCE: Delivery = Delivery::AtMostOnce;
const AGAIN: Delivery = Delivery::AtLeastOnce;

/// For a reason that is the connection's, and not the message's.
fn of_the_connection(reported: ErrorKind) -> Again {
    Again {
        counts: false,
        ..sent_again(reported)
    }
}

fn decide(delivery: Delivery, attempt: Attempt, processed: Processed, error: &Error) -> AfterFailure {
    after_failure(&attempt, processed, error, false, &config(delivery))
}

fn sent_again(reported: ErrorKind) -> Again {
    Again {
        counts: true,
        in_doubt: false,
        refused: false,
        reported,
    }
}

/// A request that was not processed goes out again, whatever it is; one that may have been processed goes out
/// again only where its caller has allowed that, or where a token is asked for.
#[test]
fn which_requests_are_sent_again() {
    let unprocessed = AfterFailure::SendAgain(of_the_connection(ErrorKind::ConnectionLost));
    let doubted = AfterFailure::SendAgain(Again {
        in_doubt: true,
        ..sent_again(ErrorKind::ConnectionLost)
    });
    let table = [
        (ONCE, Push, No, unprocessed),
        (ONCE, Push, Unknown, AfterFailure::End),
        (ONCE, Call, No, unprocessed),
        (ONCE, Call, Unknown, AfterFailure::End),
        (ONCE, Token, No, unprocessed),
        (ONCE, Token, Unknown, doubted),
        (AGAIN, Push, No, unprocessed),
        (AGAIN, Push, Unknown, doubted),
        (AGAIN, Call, No, unprocessed),
        (AGAIN, Call, Unknown, AfterFailure::End),
        (AGAIN, Token, No, unprocessed),
        (AGAIN, Token, Unknown, doubted),
    ];
    for (delivery, purpose, processed, expected) in table {
        assert_eq!(
            decide(delivery, fresh(purpose), processed, &lost()),
            expected,
            "{delivery:?} {purpose:?} {processed:?}"
        );
    }
}

/// Three attempts more, as long as there is time; then the end.
#[test]
fn how_often_a_message_is_sent_again() {
    let again = AfterFailure::SendAgain(sent_again(ErrorKind::Http2Protocol));
    let table = [
        (Push, 0, true, again),
        (Push, 2, true, again),
        (Push, 3, true, AfterFailure::End),
        (Push, u8::MAX, true, AfterFailure::End),
        (Push, 0, false, AfterFailure::End),
        (Call, 3, true, AfterFailure::End),
        (Token, 3, true, AfterFailure::TokenFailed),
        (Token, 0, false, AfterFailure::TokenFailed),
    ];
    for (purpose, requeues, in_time, expected) in table {
        let attempt = Attempt {
            requeues,
            in_time,
            ..fresh(purpose)
        };
        let error = Error::new(ErrorKind::Http2Protocol, "the server broke HTTP/2");
        assert_eq!(
            decide(ONCE, attempt, No, &error),
            expected,
            "{purpose:?} {requeues} {in_time}"
        );
    }
}

/// The codes are RFC 9113's: 7 is REFUSED_STREAM, 11 ENHANCE_YOUR_CALM.
#[test]
fn the_codes_of_the_server_are_heeded() {
    let spent = Attempt {
        requeues: 3,
        ..fresh(Push)
    };
    let refused = Again {
        refused: true,
        ..sent_again(ErrorKind::StreamReset)
    };
    let calm = of_the_connection(ErrorKind::GoAway);
    let fault = sent_again(ErrorKind::GoAway);
    let table = [
        (fresh(Push), No, reset(7), AfterFailure::SendAgain(refused)),
        (
            fresh(Push),
            No,
            reset(8),
            AfterFailure::SendAgain(sent_again(ErrorKind::StreamReset)),
        ),
        (spent, No, reset(7), AfterFailure::End),
        (fresh(Push), No, go_away(11), AfterFailure::SendAgain(calm)),
        // How often a server leaves, or asks for calm, is bounded by the back-off, not by the count.
        (spent, No, go_away(11), AfterFailure::SendAgain(calm)),
        (spent, No, go_away(0), AfterFailure::SendAgain(calm)),
        (
            spent,
            No,
            lost(),
            AfterFailure::SendAgain(of_the_connection(ErrorKind::ConnectionLost)),
        ),
        // PROTOCOL_ERROR may be about this message, which is not to end one connection after the other.
        (fresh(Push), No, go_away(1), AfterFailure::SendAgain(fault)),
        (spent, No, go_away(1), AfterFailure::End),
        (spent, Unknown, go_away(11), AfterFailure::End),
    ];
    for (attempt, processed, error, expected) in table {
        assert_eq!(
            decide(ONCE, attempt, processed, &error),
            expected,
            "{attempt:?} {error:?}"
        );
    }
}

/// A stream that is refused while others are answered is refused by a busy server; where nothing is answered, the
/// message may be to blame.
#[test]
fn refused_streams_count_where_nothing_is_answered() {
    let spent = Attempt {
        requeues: 3,
        ..fresh(Push)
    };
    let decide = |progress, error: &Error| after_failure(&spent, No, error, progress, &config(ONCE));
    let refused = Again {
        refused: true,
        ..of_the_connection(ErrorKind::StreamReset)
    };
    assert_eq!(decide(true, &reset(7)), AfterFailure::SendAgain(refused));
    assert_eq!(decide(false, &reset(7)), AfterFailure::End);
    assert_eq!(decide(true, &reset(8)), AfterFailure::End);
}

#[test]
fn only_an_absent_server_is_tried_again_soon() {
    let of = |kind| is_absence(&Error::new(kind, "failed"));
    assert!(of(ErrorKind::ConnectRefused) && of(ErrorKind::ConnectionLost));
    assert!(!of(ErrorKind::ConnectTimeout) && !of(ErrorKind::NameNotResolved) && !of(ErrorKind::TlsAlert));
}

#[test]
fn what_was_withdrawn_ends_unless_only_the_attempt_was_too_slow() {
    let once_more = AfterFailure::SendAgain(Again {
        in_doubt: true,
        ..sent_again(ErrorKind::Unknown)
    });
    let table = [
        (ONCE, Cancelled, true, AfterFailure::Withdrawn(Cancelled)),
        (AGAIN, Cancelled, true, AfterFailure::Withdrawn(Cancelled)),
        (AGAIN, Abandoned, true, AfterFailure::Withdrawn(Abandoned)),
        (ONCE, TimedOut, true, AfterFailure::Withdrawn(TimedOut)),
        (AGAIN, TimedOut, false, AfterFailure::Withdrawn(TimedOut)),
        (AGAIN, TimedOut, true, once_more),
    ];
    for (delivery, withdrawal, in_time, expected) in table {
        let attempt = Attempt {
            withdrawal: Some(withdrawal),
            in_time,
            ..fresh(Push)
        };
        assert_eq!(
            decide(delivery, attempt, Unknown, &lost()),
            expected,
            "{delivery:?} {withdrawal:?} {in_time}"
        );
    }
}

#[test]
fn how_a_withdrawn_message_ends() {
    let table = [
        (Cancelled, No, ErrorKind::Cancelled, false),
        (Cancelled, Unknown, ErrorKind::Cancelled, false),
        (TimedOut, No, ErrorKind::Expired, true),
        (TimedOut, Unknown, ErrorKind::Unknown, false),
        (Abandoned, No, ErrorKind::NotSent, false),
        (Abandoned, Unknown, ErrorKind::Unknown, false),
    ];
    for (withdrawal, processed, kind, has_cause) in table {
        let error = withdrawn(withdrawal, processed, || Some(lost())).into_error();
        assert_eq!(
            (error.kind(), error.cause().is_some()),
            (kind, has_cause),
            "{withdrawal:?} {processed:?}"
        );
    }
    let error = withdrawn(TimedOut, No, || None).into_error();
    assert!(error.cause().is_none());
}

#[test]
fn how_a_message_ends_whose_last_attempt_failed() {
    for (processed, kind) in [(No, ErrorKind::NotSent), (Unknown, ErrorKind::Unknown)] {
        let error = no_answer(processed, reset(2)).into_error();
        assert_eq!((error.kind(), error.http2_code()), (kind, Some(2)));
    }
}

#[test]
fn which_answers_ask_for_another_attempt() {
    let credentials = |refreshable, reconnect| {
        Outcome::FixCredentials(FixCredentials {
            refreshable,
            reconnect,
            ..FixCredentials::default()
        })
    };
    let later = |scope| {
        Outcome::RetryLater(RetryLater {
            scope,
            ..RetryLater::default()
        })
    };
    let table = [
        (credentials(false, false), Remedy::None),
        (credentials(true, false), Remedy::Reauthorize { reconnect: false }),
        (credentials(true, true), Remedy::Reauthorize { reconnect: true }),
        (credentials(false, true), Remedy::Reconnect),
        (later(Scope::Connection), Remedy::Leave),
        (later(Scope::Message), Remedy::None),
        (later(Scope::Device), Remedy::None),
        (later(Scope::Topic), Remedy::None),
        (later(Scope::Project), Remedy::None),
    ];
    for (outcome, expected) in table {
        assert_eq!(after_answer(&outcome), expected, "{outcome:?}");
    }
}

#[test]
fn an_answered_message_is_sent_again_once_and_only_where_it_is_wanted() {
    assert!(may_replay(&fresh(Push)));
    let unwanted = [
        Attempt {
            replays: 1,
            ..fresh(Push)
        },
        Attempt {
            withdrawal: Some(Cancelled),
            ..fresh(Push)
        },
        Attempt {
            withdrawal: Some(TimedOut),
            ..fresh(Push)
        },
        Attempt {
            in_time: false,
            ..fresh(Push)
        },
    ];
    for attempt in unwanted {
        assert!(!may_replay(&attempt), "{attempt:?}");
    }
    let requeued = Attempt {
        requeues: 3,
        ..fresh(Push)
    };
    assert!(may_replay(&requeued));
}

/// 50 ms from the second refusal in a row on, doubled with each, up to the longest wait.
#[test]
fn how_long_a_refused_message_rests() {
    let longest = Duration::from_secs(60);
    let table = [
        (0, 0),
        (1, 0),
        (2, 50),
        (3, 100),
        (4, 200),
        (12, 51_200),
        (13, 60_000),
        (u8::MAX, 60_000),
    ];
    for (times, millis) in table {
        assert_eq!(
            rest_after_refusals(times, longest),
            Duration::from_millis(millis),
            "{times}"
        );
    }
    assert_eq!(
        rest_after_refusals(9, Duration::from_secs(1)),
        Duration::from_secs(1)
    );
}

#[test]
fn only_a_reset_stream_asks_for_calm() {
    assert!(asks_for_calm(&reset(11)));
    assert!(!asks_for_calm(&reset(7)) && !asks_for_calm(&go_away(11)) && !asks_for_calm(&lost()));
}

/// The alerts are RFC 8446's: 44 is certificate_revoked, 116 certificate_required, 80 internal_error.
#[test]
fn which_failures_to_connect_will_not_go_away() {
    let alert = |number| Error::new(ErrorKind::TlsAlert, "alert").with_tls_alert(number);
    let of = |kind| Error::new(kind, "failed");
    let table = [
        (alert(44), true),
        (alert(116), true),
        (alert(80), false),
        (alert(47), false),
        (of(ErrorKind::CertificateExpired), true),
        (of(ErrorKind::CertificateWrongName), true),
        (of(ErrorKind::NoApplicationProtocol), true),
        (of(ErrorKind::AddressNotAllowed), true),
        (of(ErrorKind::ConnectRefused), false),
        (of(ErrorKind::NameNotResolved), false),
        (of(ErrorKind::ConnectTimeout), false),
        (of(ErrorKind::ConnectionLost), false),
    ];
    for (error, expected) in table {
        assert_eq!(is_permanent(&error), expected, "{error:?}");
    }
}

/// A connection whose credential was refused, or which the service asks to leave, is of no use; another
/// authorization alone needs no other connection.
#[test]
fn which_answers_spoil_a_connection() {
    let table = [
        (Remedy::None, false),
        (Remedy::Reauthorize { reconnect: false }, false),
        (Remedy::Reauthorize { reconnect: true }, true),
        (Remedy::Reconnect, true),
        (Remedy::Leave, true),
    ];
    for (remedy, spoiled) in table {
        assert_eq!(remedy.spoils_connection(), spoiled, "{remedy:?}");
    }
}

//! Rows 6 to 15: TLS.

use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;

use pushcore::session::{Ended, SendOptions};
use pushcore_client::Batch;
use pushcore_tests::sim::Last;
use pushcore_tests::sim::frame::code;

use super::*;

/// Nothing reaches the server, not one octet of HTTP and no token; everybody hears why.
fn refuses(ca: &Authority, config: Arc<ServerConfig>, expected: ErrorKind) {
    let server = start(config, |_| Script::accepting());
    let client = client(ca, &format!("localhost:{}", server.address().port()), |_| {});
    let results = send(&client, &[&server], N);
    let sent = Sent::new(client, results);
    let stats = &sent.stats;
    assert_eq!((stats.not_sent, stats.unknown), (N as u64, 0), "{stats:?}");
    let log = server.log();
    assert_eq!((log.requests(), log.authorizations()), (0, 0));
    assert!(
        sent.causes().iter().all(|cause| *cause == expected),
        "{:?}",
        sent.result(0)
    );
    // Once for those who waited, perhaps once more for those who came later: no loop.
    assert!((1..=4).contains(&log.connections()), "{log:?}");
}

#[test]
fn row_06_expired_certificate() {
    let ca = Authority::new();
    let config = ca.server(H2, |params| params.not_after = date_time_ymd(2025, 6, 1));
    refuses(&ca, config, ErrorKind::CertificateExpired);
}

#[test]
fn row_07_certificate_not_valid_yet() {
    let ca = Authority::new();
    let config = ca.server(H2, |params| params.not_before = date_time_ymd(2034, 1, 1));
    refuses(&ca, config, ErrorKind::CertificateNotYetValid);
}

#[test]
fn row_08_certificate_for_another_name() {
    let ca = Authority::new();
    let config = ca.server(H2, |params| {
        let names = rcgen::CertificateParams::new(vec!["push.example".to_owned()]).expect("a name");
        params.subject_alt_names = names.subject_alt_names;
    });
    refuses(&ca, config, ErrorKind::CertificateWrongName);
}

#[test]
fn row_09_unknown_issuer() {
    let stranger = Authority::named("Another CA").server(H2, |_| {});
    refuses(&Authority::new(), stranger, ErrorKind::CertificateUnknownIssuer);
    // Of the same name, with another key: the signature does not fit.
    let impostor = Authority::new().server(H2, |_| {});
    refuses(&Authority::new(), impostor, ErrorKind::CertificateInvalid);
}

#[test]
fn row_10_wrong_purpose_an_authority_as_a_server_or_a_bad_signature() {
    let ca = Authority::new();
    let config = ca.server(H2, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]
    });
    refuses(&ca, config, ErrorKind::CertificateInvalid);
    refuses(&ca, ca.server_with_ca_as_leaf(H2), ErrorKind::CertificateInvalid);
}

/// A server that says these things instead of TLS.
fn instead(greeting: &[Act], patience: Duration) -> Sent {
    let ca = Authority::new();
    let greeting = greeting.to_vec();
    let server = Server::start(1, None, move |_| {
        let mut script = Script::accepting().greeting(greeting.clone());
        script.deaf = true;
        script
    });
    let client = client(&ca, &format!("localhost:{}", server.address().port()), |config| {
        config.session.connect_timeout = patience;
    });
    let results = send(&client, &[&server], 100);
    let sent = Sent::new(client, results);
    let stats = &sent.stats;
    assert_eq!(
        (stats.not_sent + stats.expired, stats.unknown),
        (100, 0),
        "{stats:?}"
    );
    assert!(server.log().connections() <= 4, "no loop without end");
    sent
}

/// A ServerHello of TLS 1.1, and the alert of a server that has nothing newer. A whole server of
/// TLS 1.1 (`openssl s_server`) is in core/tests/connection/sockets.rs.
#[test]
fn row_11_old_tls() {
    let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([0x11; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    let alert = vec![0x15, 3, 1, 0, 2, 2, 70];
    for bytes in [hello, alert] {
        let sent = instead(&[Act::Raw(bytes)], LONG);
        assert!(
            sent.causes()
                .iter()
                .all(|cause| *cause == ErrorKind::TlsIncompatible),
            "{:?}",
            sent.result(0)
        );
    }
}

#[test]
fn row_12_no_http2_by_alpn() {
    let ca = Authority::new();
    for alpn in [&[][..], &["http/1.1"], &["h3", "spdy/3"]] {
        refuses(&ca, ca.server(alpn, |_| {}), ErrorKind::NoApplicationProtocol);
    }
}

/// With TLS 1.3 the alert comes when the client believes that all is well. No request goes out
/// before SETTINGS, so that none is in doubt.
#[test]
fn row_13_client_certificate_required() {
    let ca = Authority::new();
    refuses(&ca, ca.server_with(H2, true, |_| {}), ErrorKind::TlsAlert);
}

/// A server that looks whether the certificate was revoked only when it has requests: those are in
/// doubt, all others were not sent, the alert is named, and nobody tries it again. Another alert is
/// only the end of its connection.
#[test]
fn row_13_alert_after_the_first_write() {
    for (alert, accepted) in [(44, 0), (116, 0), (80, N as u64 - 50)] {
        let row = Row::first(move || after_holding(50, vec![Act::Alert(alert)]));
        let client = Arc::new(row.client(|_| {}));
        let mut batch = Batch::new(Arc::clone(&client), None).expect("a batch");
        let all: Vec<_> = messages(0..N).map(|(_, message)| message).collect();
        // All of them are waiting when it comes.
        let taken = batch.submit(all.iter().zip(0..), SendOptions::default(), |ticket| {
            assert!(ticket.is_ok())
        });
        assert!(taken.expect("an open client"), "there is room");
        let mut ended = 0;
        eventually(
            || {
                for result in batch.wait(millis(5)).expect("a wait").map(Ended::into_result) {
                    ended += 1;
                    if let Err(error) = result {
                        assert_eq!(error.tls_alert(), Some(alert), "{error}");
                        assert_eq!(deepest(&error), ErrorKind::TlsAlert, "{error}");
                    }
                }
                ended == N
            },
            "all have ended",
        );
        let stats = client.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert_eq!(
            (stats.unknown, stats.accepted, stats.not_sent),
            (50, accepted, N as u64 - 50 - accepted),
            "{alert}: {stats:?}"
        );
    }
}

#[test]
fn row_14_handshake_cut_short() {
    let close_notify = vec![0x15, 3, 3, 0, 2, 1, 0];
    let partial = vec![0x16, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3, 1, 2, 3];
    for (greeting, expected) in [
        (vec![Act::Close], ErrorKind::ConnectionLost),
        (vec![Act::Abort], ErrorKind::ConnectionLost),
        (
            vec![Act::Raw(partial.clone()), Act::Close],
            ErrorKind::ConnectionLost,
        ),
        (vec![Act::Raw(partial)], ErrorKind::ConnectTimeout),
        (
            vec![Act::Raw(close_notify.clone()), Act::Close],
            ErrorKind::ConnectionLost,
        ),
        (vec![Act::Raw(close_notify)], ErrorKind::ConnectTimeout),
        (
            vec![Act::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())],
            ErrorKind::TlsProtocol,
        ),
        (
            vec![Act::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())],
            ErrorKind::TlsProtocol,
        ),
        (vec![Act::Silence], ErrorKind::ConnectTimeout),
    ] {
        // Only those who say nothing are waited for.
        let patience = match expected {
            ErrorKind::ConnectTimeout => millis(100),
            _ => LONG,
        };
        let sent = instead(&greeting, patience);
        assert!(
            sent.causes().iter().all(|cause| *cause == expected),
            "{greeting:?}: {:?}",
            sent.result(0)
        );
    }
}

/// Graceful GOAWAY, the last answers, then TCP's end without close_notify.
#[test]
fn row_15_end_without_close_notify_after_goaway() {
    let row = Row::first(|| {
        Script::new(|seen, _| match seen.nth {
            300 => vec![
                Act::GoAway(Last::Seen, code::NO_ERROR, Vec::new()),
                Act::AnswerHeld(Answer::ok()),
                Act::Close,
            ],
            nth if nth > 250 => Vec::new(),
            _ => vec![ok()],
        })
    });
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
    assert_eq!(row.server.log().connections(), 2);
    let failed = |event: &SessionEvent| matches!(event, SessionEvent::Disconnected { error: Some(_), .. });
    assert!(!sent.events().iter().any(failed));
}

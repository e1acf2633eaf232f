//! Rows 6 to 15: TLS, with real TLS on both sides and no socket.

use std::sync::Arc;

use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore_tests::sim::Last;
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::frame::code;
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;

use super::*;

const H2: &[&str] = &["h2"];

/// Clients that trust `ca` and nobody else.
fn trusting(ca: &Authority) -> Security {
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(ca.pem())
        .build();
    Security::Tls(tls.expect("a configuration"))
}

fn tls_world(seed: u64, ca: &Authority, network: impl FnMut(u32, &mut Rng) -> Dial + 'static) -> World {
    World::with_security(seed, trusting(ca), |config| config.max_connections = 1, network)
}

/// Not one request, not one octet of HTTP; everybody hears why, and nobody tries again and again.
fn refuses(ca: &Authority, server: Arc<ServerConfig>, expected: &[ErrorKind], dials: usize) {
    for seed in seeds(SEEDS) {
        let server = server.clone();
        let mut world = tls_world(seed, ca, move |_, _| {
            Dial::Tls(server.clone(), Script::accepting())
        });
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.not_sent, stats.unknown), (N, 0), "{stats:?}");
        assert_eq!((world.log.requests(), world.log.authorizations()), (0, 0));
        let causes = causes(&world);
        assert!(
            causes.iter().all(|cause| expected.contains(cause)),
            "{:?}",
            result(&world, 0)
        );
        assert_eq!(causes.len() as u64, N);
        assert!(world.dials().len() <= dials, "{:?}", world.dials());
    }
}

#[test]
fn row_06_expired_certificate() {
    let ca = Authority::new();
    let server = ca.server(H2, |params| params.not_after = date_time_ymd(2026, 1, 1));
    refuses(&ca, server, &[ErrorKind::CertificateExpired], 1);
}

#[test]
fn row_07_certificate_not_valid_yet() {
    let ca = Authority::new();
    let server = ca.server(H2, |params| params.not_before = date_time_ymd(2030, 1, 1));
    refuses(&ca, server, &[ErrorKind::CertificateNotYetValid], 1);
}

#[test]
fn row_08_certificate_for_another_name() {
    let ca = Authority::new();
    let server = ca.server(H2, |params| {
        let names = rcgen::CertificateParams::new(vec!["api.push.example".to_owned()]).expect("a name");
        params.subject_alt_names = names.subject_alt_names;
    });
    refuses(&ca, server, &[ErrorKind::CertificateWrongName], 1);
}

#[test]
fn row_09_unknown_issuer() {
    let server = Authority::named("Another Authority").server(H2, |_| {});
    refuses(
        &Authority::new(),
        server,
        &[ErrorKind::CertificateUnknownIssuer],
        1,
    );
}

#[test]
fn row_10_wrong_purpose_an_authority_as_a_server_or_a_bad_signature() {
    let ca = Authority::new();
    let server = ca.server(H2, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]
    });
    let invalid = [ErrorKind::CertificateInvalid];
    refuses(&ca, server, &invalid, 1);
    refuses(&ca, ca.server_with_ca_as_leaf(H2), &invalid, 1);
    refuses(&ca, ca.server_with_bad_signature(H2), &invalid, 1);
}

/// What a server says instead of a handshake.
fn instead(greeting: Vec<Act>) -> impl FnMut(u32, &mut Rng) -> Dial {
    move |_, _| {
        let mut script = Script::accepting().greeting(greeting.clone());
        script.deaf = true;
        script.into()
    }
}

/// A ServerHello of TLS 1.1, and the alert of a server that has nothing newer.
#[test]
fn row_11_old_tls() {
    let ca = Authority::new();
    let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([0x11; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    let alert = vec![0x15, 3, 1, 0, 2, 2, 70];
    for (bytes, expected) in [
        (hello, ErrorKind::TlsIncompatible),
        (alert, ErrorKind::TlsIncompatible),
    ] {
        for seed in seeds(SEEDS) {
            let mut world = tls_world(seed, &ca, instead(vec![Act::Raw(bytes.clone())]));
            world.submit(N);
            let stats = world.finish();
            assert_eq!(stats.not_sent, N, "{stats:?}");
            assert_eq!((world.log.authorizations(), world.dials().len()), (0, 1));
            let found = causes(&world);
            assert!(
                found.iter().all(|cause| *cause == expected),
                "{:?}",
                result(&world, 0)
            );
        }
    }
}

#[test]
fn row_12_no_http2_by_alpn() {
    let ca = Authority::new();
    refuses(
        &ca,
        ca.server(&[], |_| {}),
        &[ErrorKind::NoApplicationProtocol],
        1,
    );
    refuses(
        &ca,
        ca.server(&["http/1.1"], |_| {}),
        &[ErrorKind::NoApplicationProtocol],
        1,
    );
}

/// TLS 1.3 asks after the client's last message; the alert comes when the client believes that all
/// is well. No request goes out before SETTINGS, so none is in doubt.
#[test]
fn row_13_client_certificate_required() {
    let ca = Authority::new();
    let server = ca.server_with(H2, true, |_| {});
    refuses(&ca, server, &[ErrorKind::TlsAlert], 1);
}

/// A server that looks whether the certificate was revoked only when it has requests: those are in
/// doubt, all others were not sent, the alert is named, and nobody tries it again.
#[test]
fn row_13_alert_after_the_first_write() {
    let ca = Authority::new();
    let server = ca.server(H2, |_| {});
    for alert in [44, 116] {
        for seed in seeds(SEEDS) {
            let server = server.clone();
            let mut world = tls_world(seed, &ca, move |_, _| {
                Dial::Tls(server.clone(), after_holding(50, vec![Act::Alert(alert)]))
            });
            world.submit(N);
            let stats = world.finish();
            assert_eq!((stats.unknown, stats.not_sent), (50, N - 50), "{stats:?}");
            assert_eq!((world.log.requests(), world.dials().len()), (50, 1));
            for (number, result) in world.results() {
                let error = result.as_ref().expect_err("no answer");
                assert_eq!(error.tls_alert(), Some(alert), "{number}: {error}");
                assert_eq!(deepest(error), ErrorKind::TlsAlert, "{number}: {error}");
            }
        }
    }
}

/// An alert that is not about the certificate: another connection may do better.
#[test]
fn row_13_another_alert_is_only_the_end_of_its_connection() {
    let ca = Authority::new();
    let server = ca.server(H2, |_| {});
    for seed in seeds(SEEDS) {
        let server = server.clone();
        let mut world = tls_world(seed, &ca, move |nth, _| {
            let script = match nth {
                1 => after_holding(50, vec![Act::Alert(80)]),
                _ => Script::accepting(),
            };
            Dial::Tls(server.clone(), script)
        });
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (50, N - 50), "{stats:?}");
        assert_eq!(world.log.duplicates(), 0);
    }
}

#[test]
fn row_14_handshake_cut_short() {
    let ca = Authority::new();
    let close_notify = vec![0x15, 3, 3, 0, 2, 1, 0];
    let partial = vec![0x16, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3, 1, 2, 3];
    for greeting in [
        vec![Act::Close],
        vec![Act::Abort],
        vec![Act::Raw(partial.clone()), Act::Close],
        vec![Act::Raw(partial)],
        vec![Act::Raw(close_notify.clone())],
        vec![Act::Raw(close_notify), Act::Close],
        vec![Act::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())],
        vec![Act::Silence],
    ] {
        for seed in seeds(SEEDS) {
            let mut world = tls_world(seed, &ca, instead(greeting.clone()));
            world.submit(N);
            let stats = world.finish();
            assert_eq!(stats.not_sent, N, "{greeting:?}: {stats:?}");
            assert_eq!((world.log.requests(), world.log.authorizations()), (0, 0));
            assert_eq!(world.dials().len(), 3, "{greeting:?}: {:?}", world.dials());
        }
    }
}

/// GOAWAY, the last answers, then TCP's end without close_notify.
#[test]
fn row_15_end_without_close_notify_after_goaway() {
    let ca = Authority::new();
    let server = ca.server(H2, |_| {});
    for seed in seeds(SEEDS) {
        let server = server.clone();
        let mut world = tls_world(seed, &ca, move |nth, _| {
            let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                300 => vec![
                    Act::GoAway(Last::Max, code::NO_ERROR, Vec::new()),
                    Act::Wait(millis(200)),
                    Act::GoAway(Last::Seen, code::NO_ERROR, Vec::new()),
                    Act::AnswerHeld(Answer::ok()),
                    Act::Close,
                ],
                _ => vec![ok()],
            };
            let script = if nth == 1 {
                Script::new(respond)
            } else {
                Script::accepting()
            };
            Dial::Tls(server.clone(), script)
        });
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.unknown, world.log.duplicates()),
            (N, 0, 0),
            "{stats:?}"
        );
    }
}

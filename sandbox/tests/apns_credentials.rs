//! APNs credentials beyond one key: certificates, scoped and related keys, and what a
//! connection remembers.

mod common;

use common::{Client, at, es256, last, now, run, start};
use pushcore_sandbox::{Coding, ContentMismatch, EnvironmentKeyReason, Sandbox};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const BODY: &str = r#"{"aps":{"alert":"hello"}}"#;

fn token(ready: &Value, key: &str) -> String {
    let header = json!({"alg": "ES256", "kid": at(ready, &format!("/apns/{key}key_id"))});
    let claims = json!({"iss": at(ready, "/apns/team_id"), "iat": now()});
    let file = at(ready, &format!("/apns/{key}p8_file"));
    format!("bearer {}", es256(file, &header, &claims))
}

/// A connection that presents a certificate.
async fn presenting(sandbox: &Sandbox, name: &str) -> Client {
    Client::over(tls(sandbox, name).await, at(sandbox.ready(), "/apns/authority")).await
}

async fn tls(sandbox: &Sandbox, name: &str) -> TlsStream<TcpStream> {
    let ready = sandbox.ready();
    let read = |what: &str| {
        std::fs::read(at(ready, &format!("/apns/certificates/{name}/{what}_file"))).expect("file")
    };
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes()).expect("CA"))
        .expect("CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(&read("certificate")).expect("certificate")],
            PrivateKeyDer::from_pem_slice(&read("key")).expect("key"),
        )
        .expect("identity");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let port = sandbox.ports().apns;
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.expect("connect");
    let name = ServerName::try_from("localhost").expect("name");
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .expect("TLS")
}

/// What the server says on its own account until it closes.
async fn last_words(sandbox: &Sandbox, name: &str) -> Vec<u8> {
    let mut words = Vec::new();
    let mut tls = tls(sandbox, name).await;
    tls.read_to_end(&mut words).await.expect("a clean end");
    words
}

struct Push<'a> {
    kind: &'a str,
    topic: Option<&'a str>,
    auth: Option<&'a str>,
}

async fn push(client: &mut Client, sandbox: &Sandbox, push: Push<'_>) -> (u16, Option<String>) {
    let path = format!("/3/device/{}", at(sandbox.ready(), "/apns/tokens/valid"));
    let mut headers = vec![("apns-push-type", push.kind)];
    headers.extend(push.topic.map(|topic| ("apns-topic", topic)));
    headers.extend(push.auth.map(|auth| ("authorization", auth)));
    let answer = client.send("POST", &path, &headers, BODY).await.expect("answer");
    (answer.status, last(sandbox).rule)
}

fn refused(rule: &str) -> (u16, Option<String>) {
    (400, Some(rule.to_owned()))
}

#[test]
fn a_certificate_is_good_for_what_it_lists() {
    let sandbox = start();
    run(async {
        let mut client = presenting(&sandbox, "universal").await;
        // No stream limit for a connection that is known, and no token is looked at.
        let mut ask = async |kind, topic, auth| push(&mut client, &sandbox, Push { kind, topic, auth }).await;
        let app = Some("com.example.app");
        assert_eq!(ask("alert", app, Some("bearer nonsense")).await, (200, None));
        assert_eq!(ask("voip", Some("com.example.app.voip"), None).await, (200, None));
        assert_eq!(
            ask("alert", None, None).await,
            refused("apns.header.topic.missing")
        );
        assert_eq!(
            ask("alert", Some("com.example.other"), None).await,
            refused("apns.certificate.topic")
        );
        assert_eq!(
            ask("location", Some("com.example.app.location-query"), None).await,
            refused("apns.certificate.location")
        );
        assert_eq!(client.sender.current_max_send_streams(), 1000);
        let mut client = presenting(&sandbox, "single").await;
        let mut ask = async |kind, topic, auth| push(&mut client, &sandbox, Push { kind, topic, auth }).await;
        assert_eq!(ask("alert", None, None).await, (200, None));
        assert_eq!(
            ask("voip", Some("com.example.app.voip"), None).await,
            refused("apns.certificate.topic")
        );
    });
    assert_eq!(sandbox.log().iter().filter(|record| record.accepted).count(), 3);
}

#[test]
fn mdm_pushes_go_to_the_uid_of_an_mdm_certificate() {
    let sandbox = start();
    let uid = at(sandbox.ready(), "/apns/certificates/mdm/topics/0").to_owned();
    let token = "ab".repeat(32);
    sandbox.register_apns(pushcore_sandbox::DeviceToken {
        token: token.clone(),
        bundle: uid.clone(),
        environment: pushcore_sandbox::Environment::Development,
        unregistered_at: None,
        gone: pushcore_sandbox::Gone::Unregistered,
        throttled: false,
    });
    run(async {
        let mut client = presenting(&sandbox, "mdm").await;
        for (kind, topic, rule) in [
            ("mdm", Some(uid.as_str()), None),
            ("mdm", None, None),
            ("alert", Some(uid.as_str()), Some("apns.header.topic.mdm")),
        ] {
            let mut headers = vec![("apns-push-type", kind)];
            headers.extend(topic.map(|topic| ("apns-topic", topic)));
            let path = format!("/3/device/{token}");
            let body = r#"{"mdm":"00000000-1111-3333-4444-555555555555"}"#;
            client.send("POST", &path, &headers, body).await.expect("answer");
            assert_eq!(last(&sandbox).rule.as_deref(), rule, "{kind} {topic:?}");
        }
    });
}

#[test]
fn bad_certificates_end_the_connection_with_a_reason() {
    let sandbox = start();
    run(async {
        for (name, reason, rule) in [
            ("untrusted", "BadCertificate", "apns.certificate.issuer"),
            (
                "other_environment",
                "BadCertificateEnvironment",
                "apns.certificate.environment",
            ),
        ] {
            // Empty SETTINGS, then GOAWAY: last stream 0, no error.
            let debug = format!(r#"{{"reason":"{reason}"}}"#);
            let length = u8::try_from(8 + debug.len()).expect("short");
            let expected = [
                &[0, 0, 0, 4, 0, 0, 0, 0, 0][..],
                &[0, 0, length, 7, 0, 0, 0, 0, 0],
                &[0; 8],
                debug.as_bytes(),
            ];
            assert_eq!(last_words(&sandbox, name).await, expected.concat());
            assert_eq!(last(&sandbox).reason.as_deref(), Some(reason));
            assert_eq!(last(&sandbox).rule.as_deref(), Some(rule));
        }
        // It ages by the sandbox's clock.
        sandbox.set_clock_offset_ms(-100 * 365 * 86_400_000);
        let words = last_words(&sandbox, "single").await;
        assert!(words.ends_with(br#"{"reason":"BadCertificate"}"#));
        assert_eq!(last(&sandbox).rule.as_deref(), Some("apns.certificate.issuer"));
    });
}

#[test]
fn keys_keep_to_their_topics_and_their_relations() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let [team, second, topic, related] =
        ["", "second_", "topic_", "topic_related_"].map(|key| token(&ready, key));
    let (app, other) = ("com.example.app", "com.example.other");
    run(async {
        let authority = at(&ready, "/apns/authority");
        let unrelated = (403, Some("apns.auth.connection.key".to_owned()));
        let mut client = Client::connect(&sandbox, authority).await;
        let mut ask = async |auth: &str, name| {
            let wanted = Push {
                kind: "alert",
                topic: Some(name),
                auth: Some(auth),
            };
            push(&mut client, &sandbox, wanted).await
        };
        assert_eq!(ask(&team, app).await, (200, None));
        assert_eq!(ask(&second, app).await, unrelated);
        assert_eq!(ask(&topic, app).await, unrelated);
        // A bundle that comes later is for later connections.
        sandbox.add_apns_bundle("com.example.late");
        assert_eq!(
            ask(&team, "com.example.late").await,
            refused("apns.auth.connection.bundles")
        );
        let mut client = Client::connect(&sandbox, authority).await;
        let mut ask = async |auth: &str, name| {
            let wanted = Push {
                kind: "alert",
                topic: Some(name),
                auth: Some(auth),
            };
            push(&mut client, &sandbox, wanted).await
        };
        assert_eq!(ask(&topic, other).await, refused("apns.auth.key.topics"));
        assert_eq!(ask(&topic, app).await, (200, None));
        // The related key comes along, with its own topics; its token is no update of the first.
        assert_eq!(ask(&related, app).await, refused("apns.auth.key.topics"));
        assert_eq!(ask(&related, other).await, refused("apns.token.topic"));
        assert_eq!(ask(&team, app).await, unrelated);
        assert_eq!(ask(&topic, app).await, (200, None));
    });
}

#[test]
fn both_spellings_of_the_wrong_environment_can_be_had() {
    let sandbox = start();
    let auth = token(sandbox.ready(), "other_environment_");
    run(async {
        for (reason, text) in [
            (None, "BadEnvironmentKeyIdInToken"),
            (
                Some(EnvironmentKeyReason::BadEnvironmentKeyInToken),
                "BadEnvironmentKeyInToken",
            ),
        ] {
            sandbox.set_apns_environment_key_reason(reason);
            let mut client = Client::connect(&sandbox, at(sandbox.ready(), "/apns/authority")).await;
            let wanted = Push {
                kind: "alert",
                topic: Some("com.example.app"),
                auth: Some(&auth),
            };
            assert_eq!(push(&mut client, &sandbox, wanted).await.0, 403);
            assert_eq!(last(&sandbox).reason.as_deref(), Some(text));
        }
    });
}

#[test]
fn one_notification_is_stored_for_each_app_and_device() {
    let sandbox = start();
    let auth = token(sandbox.ready(), "");
    let path = format!("/3/device/{}", at(sandbox.ready(), "/apns/tokens/valid"));
    let soon = (now() + 60).to_string();
    run(async {
        let mut client = Client::connect(&sandbox, at(sandbox.ready(), "/apns/authority")).await;
        let mut ask = async |body: &str, more: &[(&str, &str)]| {
            let mut headers = vec![
                ("authorization", auth.as_str()),
                ("apns-push-type", "alert"),
                ("apns-topic", "com.example.app"),
            ];
            headers.extend_from_slice(more);
            let answer = client
                .send("POST", &path, &headers, body.to_owned())
                .await
                .expect("answer");
            assert_eq!(answer.status, 200);
            sandbox.apns_stored()
        };
        // Zero is "now or never".
        assert_eq!(ask(r#"{"n":0}"#, &[("apns-expiration", "0")]).await, []);
        let score = ("apns-collapse-id", "score");
        ask(r#"{"n":1}"#, &[score]).await;
        let stored = ask(r#"{"n":2}"#, &[score]).await;
        assert_eq!((stored.len(), &stored[0].body), (1, &json!({"n": 2})));
        assert_eq!((stored[0].collapsed, stored[0].replaced), (1, 0));
        // Thirty days without an expiration.
        assert_eq!(stored[0].expires_at_ms - stored[0].at_ms, 30 * 86_400_000);
        let stored = ask(r#"{"n":3}"#, &[("apns-expiration", &soon)]).await;
        assert_eq!((stored.len(), &stored[0].body), (1, &json!({"n": 3})));
        assert_eq!((stored[0].collapsed, stored[0].replaced), (0, 2));
        // What is not stored takes no place.
        assert_eq!(ask(r#"{"n":4}"#, &[("apns-expiration", "0")]).await, stored);
    });
    sandbox.set_clock_offset_ms(61_000);
    assert_eq!(sandbox.apns_stored(), []);
}

#[test]
fn bodies_that_are_not_of_their_push_type_are_warned_of_dropped_or_refused() {
    let sandbox = start();
    let auth = token(sandbox.ready(), "");
    let path = format!("/3/device/{}", at(sandbox.ready(), "/apns/tokens/valid"));
    let silent = r#"{"aps":{"content-available":1}}"#;
    let cases = [
        ("alert", silent, "apns.payload.alert"),
        ("background", BODY, "apns.payload.background"),
        ("background", "{}", "apns.payload.background"),
    ];
    run(async {
        let mut client = Client::connect(&sandbox, at(sandbox.ready(), "/apns/authority")).await;
        let mut ask = async |kind: &str, body: &'static str| {
            let headers = [
                ("authorization", auth.as_str()),
                ("apns-push-type", kind),
                ("apns-topic", "com.example.app"),
                ("apns-priority", "5"),
            ];
            let answer = client.send("POST", &path, &headers, body).await.expect("answer");
            (answer.status, last(&sandbox))
        };
        for (kind, body, rule) in cases {
            sandbox.set_apns_content_mismatch(ContentMismatch::Drop);
            let (status, record) = ask(kind, body).await;
            assert!(status == 200 && record.dropped && sandbox.apns_stored().is_empty());
            sandbox.set_apns_content_mismatch(ContentMismatch::Refuse);
            let (status, record) = ask(kind, body).await;
            assert_eq!((status, record.rule.as_deref()), (400, Some(rule)));
            sandbox.set_apns_content_mismatch(ContentMismatch::Warn);
            let (status, record) = ask(kind, body).await;
            assert_eq!((status, record.warnings), (200, vec![rule.to_owned()]));
            sandbox.reset();
        }
        assert_eq!(ask("background", silent).await.1.warnings, [""; 0]);
        assert_eq!(ask("alert", BODY).await.1.warnings, [""; 0]);
    });
}

#[test]
fn the_log_says_how_headers_were_coded() {
    let sandbox = start();
    let auth = token(sandbox.ready(), "");
    let path = format!("/3/device/{}", at(sandbox.ready(), "/apns/tokens/valid"));
    run(async {
        let mut client = Client::connect(&sandbox, at(sandbox.ready(), "/apns/authority")).await;
        for _ in 0..2 {
            let wanted = Push {
                kind: "alert",
                topic: Some("com.example.app"),
                auth: Some(&auth),
            };
            assert_eq!(push(&mut client, &sandbox, wanted).await.0, 200);
        }
        let log = sandbox.log();
        let [first, second] = [&log[0], &log[1]].map(|record| record.hpack.expect("an audit"));
        // What the `h2` crate is known to do: neither of the two ever goes into the table.
        assert_eq!(first.path, Some(Coding::Without));
        assert_eq!(second.authorization, Some(Coding::Without));
        assert!(first.inserted > 0 && second.inserted == 0 && second.evicted == 0);
        assert!(log[1].header_block < log[0].header_block);
        // More than the announced MAX_HEADER_LIST_SIZE.
        let long = "x".repeat(8000);
        let headers = [("authorization", auth.as_str()), ("x-long", long.as_str())];
        let answer = client.send("POST", &path, &headers, BODY).await.expect("answer");
        assert_eq!(
            (answer.status, last(&sandbox).rule.as_deref()),
            (431, Some("apns.header.list"))
        );
    });
}

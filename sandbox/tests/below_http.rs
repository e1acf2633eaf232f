//! What is refused before it is a request is in the log, under a rule.

mod common;

use common::{at, run, start, tls};
use pushcore_sandbox::{Config, Profile, Record, Sandbox};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const NO_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short frame");
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// `:method: POST`, `:scheme: https:` as firebase-admin for Node writes it, `:path: /x`, `:authority: a`: each
/// but the method written out and put into the dynamic table (RFC 7541 §6.2.1).
const ODD_SCHEME: &[u8] = b"\x83\x46\x06https:\x44\x02/x\x41\x01a";
/// The same again, from the table: the newest entry is 62.
const ODD_SCHEME_AGAIN: &[u8] = b"\x83\xc0\xbf\xbe";

/// The record of this rule, which may take a moment: what refuses a connection ends it first.
async fn logged(sandbox: &Sandbox, rule: &str) -> Record {
    for _ in 0..500 {
        let found = sandbox
            .log()
            .into_iter()
            .find(|record| record.rule.as_deref() == Some(rule));
        if let Some(record) = found {
            return record;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing under {rule}: {:?}", sandbox.log());
}

/// Sends bytes over TLS and reads until the server has no more to say for a while.
async fn exchange(sandbox: &Sandbox, authority: &str, bytes: &[u8]) -> Vec<u8> {
    let mut tls = tls(sandbox, authority, &[b"h2"]).await.expect("TLS");
    tls.write_all(bytes).await.expect("written");
    let mut answer = Vec::new();
    let reading = async { while tls.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {} };
    let _ = tokio::time::timeout(Duration::from_millis(700), reading).await;
    answer
}

#[test]
fn a_client_without_alpn_is_refused_by_apns_and_told_how_not_to_be() {
    let sandbox = start();
    run(async {
        let authority = at(sandbox.ready(), "/apns/authority");
        let mut tls = tls(&sandbox, authority, &[]).await.expect("TLS");
        let mut nothing = Vec::new();
        let _ = tls.read_to_end(&mut nothing).await;
        assert_eq!(nothing, b"");
        let record = logged(&sandbox, "tls.alpn").await;
        assert_eq!(
            (record.service.as_str(), record.operation.as_str()),
            ("apns", "connection")
        );
        assert!(!record.accepted);
        assert!(record.hint.expect("a hint").contains("--profile lenient"));
        sandbox.reset();
        // HTTP/1.1 only: no profile of APNs speaks it.
        assert!(common::tls(&sandbox, authority, &[b"http/1.1"]).await.is_err());
        logged(&sandbox, "tls.alpn").await;
    });
}

#[test]
fn what_is_no_handshake_and_no_request_is_named() {
    let sandbox = start();
    run(async {
        for (authority, rule) in [
            ("/apns/authority", "tls.handshake"),
            ("/fcm/metadata", "http1.request"),
        ] {
            let authority = at(sandbox.ready(), authority);
            let (_, port) = authority.rsplit_once(':').expect("a port");
            let address = ("127.0.0.1", port.parse::<u16>().expect("a port"));
            let mut tcp = TcpStream::connect(address).await.expect("connects");
            tcp.write_all(b"HELO mail.example.com\r\n\r\n")
                .await
                .expect("written");
            let mut answer = Vec::new();
            let _ = tcp.read_to_end(&mut answer).await;
            logged(&sandbox, rule).await;
        }
        // Who connects and goes has refused nothing.
        sandbox.reset();
        let (_, port) = at(sandbox.ready(), "/fcm/authority")
            .rsplit_once(':')
            .expect("a port");
        let address = ("127.0.0.1", port.parse::<u16>().expect("a port"));
        drop(TcpStream::connect(address).await.expect("connects"));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(sandbox.log().len(), 0);
    });
}

#[test]
fn malformed_frames_and_pseudo_headers_are_named() {
    let sandbox = start();
    run(async {
        let authority = at(sandbox.ready(), "/apns/authority");
        // SETTINGS of five octets (RFC 9113 §6.5).
        let bytes = [PREFACE, &frame(4, 0, 0, &[0; 5])].concat();
        exchange(&sandbox, authority, &bytes).await;
        let record = logged(&sandbox, "http2.connection").await;
        let reason = record.reason.unwrap_or_default();
        // RFC 9113 says FRAME_SIZE_ERROR; the code is the choice of the `h2` crate.
        assert!(reason.contains("_ERROR: "), "{reason}");
        // A scheme that is none: stream 1 is reset, and no service saw it.
        let bytes = [PREFACE, NO_SETTINGS, &frame(1, 5, 1, ODD_SCHEME)].concat();
        exchange(&sandbox, authority, &bytes).await;
        let record = logged(&sandbox, "http2.request").await;
        assert_eq!((record.service.as_str(), record.stream), ("apns", 1));
        // A scripted reset is not one of these.
        sandbox.reset();
        let script = r#"{"service": "apns", "action": {"kind": "rst", "code": 1}}"#;
        sandbox.fault(serde_json::from_str(script).expect("a script"));
        let good = b"\x83\x87\x44\x02/x\x41\x01a";
        let bytes = [PREFACE, NO_SETTINGS, &frame(1, 5, 1, good)].concat();
        exchange(&sandbox, authority, &bytes).await;
        let log = sandbox.log();
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!(log[0].fault.as_deref(), Some("rst"));
    });
}

#[test]
fn fcm_takes_the_scheme_that_googles_sdk_for_node_sends() {
    let sandbox = start();
    run(async {
        let authority = at(sandbox.ready(), "/fcm/authority");
        let mut bytes = [PREFACE, NO_SETTINGS].concat();
        bytes.extend(frame(1, 5, 1, ODD_SCHEME));
        // With padding and priority around the block.
        let padded = [&[3_u8][..], &[0; 5], ODD_SCHEME_AGAIN, &[0; 3]].concat();
        bytes.extend(frame(1, 5 | 8 | 0x20, 3, &padded));
        let padded = [&[2_u8][..], &[0; 5], ODD_SCHEME, &[0; 2]].concat();
        bytes.extend(frame(1, 5 | 8 | 0x20, 5, &padded));
        exchange(&sandbox, authority, &bytes).await;
        let log = sandbox.log();
        // Google's answer to a path that is none of its: each of the three reached the service.
        let seen: Vec<_> = log
            .iter()
            .map(|record| (record.stream, record.rule.as_deref()))
            .collect();
        assert_eq!(seen, [1, 3, 5].map(|stream| (stream, Some("fcm.path"))));
        // What was counted is what the client sent.
        assert_eq!(log[0].header_block, ODD_SCHEME.len());
    });
}

#[test]
fn lenient_profiles_give_no_hints() {
    let config = Config {
        profile: Profile::Lenient,
        ..Config::default()
    };
    let sandbox = Sandbox::start(config).expect("starts");
    run(async {
        let authority = at(sandbox.ready(), "/apns/authority");
        let bytes = [
            PREFACE,
            NO_SETTINGS,
            &frame(1, 5, 1, b"\x83\x87\x44\x02/x\x41\x01a"),
        ]
        .concat();
        exchange(&sandbox, authority, &bytes).await;
        let log = sandbox.log();
        assert_eq!((log.len(), log[0].hint), (1, None));
    });
}

//! Answers to what came together leave together: counted in TLS records, not in time.

#![allow(missing_docs)]

mod common;

use common::{run, tls};
use pushcore_sandbox::{Config, Sandbox};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const REQUESTS: u32 = 100;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Passes one connection on to the sandbox, and counts the records of application data that come back.
async fn counted(to: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let authority = listener.local_addr().expect("an address").to_string();
    let records = Arc::new(AtomicUsize::new(0));
    let count = records.clone();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.expect("the client");
        let port = to
            .rsplit_once(':')
            .expect("a port")
            .1
            .parse::<u16>()
            .expect("a port");
        let server = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("the sandbox");
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let mut head = [0; 5];
        while from_server.read_exact(&mut head).await.is_ok() {
            let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            from_server.read_exact(&mut body).await.expect("a record");
            count.fetch_add(usize::from(head[0] == 23), Ordering::SeqCst);
            to_client.write_all(&head).await.expect("the client reads");
            to_client.write_all(&body).await.expect("the client reads");
        }
    });
    (authority, records)
}

#[test]
fn a_hundred_requests_of_one_read_are_answered_in_a_few_records() {
    let sandbox = Sandbox::start(Config {
        governor: false,
        ..Config::default()
    });
    let sandbox = sandbox.expect("the sandbox starts");
    run(async {
        let apns = common::at(sandbox.ready(), "/apns/authority").to_owned();
        let (authority, records) = counted(apns).await;
        let mut tls = tls(&sandbox, &authority, &[b"h2"]).await.expect("TLS");
        let hello = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(),
            &frame(4, 0, 0, &[]),
        ]
        .concat();
        tls.write_all(&hello).await.expect("written");
        let mut frames = Frames::default();
        while frames.next(&mut tls).await != (4, 0) {}
        let before = records.load(Ordering::SeqCst);
        // POST https :path=/3/device/ab without a token, and without a body: END_STREAM, END_HEADERS.
        let fields = [b"\x83\x87\x04\x0c/3/device/ab".as_slice(), b"\x01\x09localhost"].concat();
        let mut all = frame(4, 1, 0, &[]);
        for at in 0..REQUESTS {
            all.extend(frame(1, 5, 2 * at + 1, &fields));
        }
        // One record, which no reader can see a part of.
        assert!(all.len() < 16_384);
        tls.write_all(&all).await.expect("written");
        let mut answered = 0;
        while answered < REQUESTS {
            let (kind, flags) = frames.next(&mut tls).await;
            answered += u32::from(kind <= 1 && flags & 1 == 1);
        }
        let used = records.load(Ordering::SeqCst) - before;
        assert!((1..=6).contains(&used), "{used} records");
    });
    let log = sandbox.log();
    assert_eq!(log.len(), 100);
    assert!(
        log.iter()
            .all(|record| record.rule.as_deref() == Some("apns.auth.missing"))
    );
    assert!(
        log.iter().all(|record| record.header_block == 27),
        "{}",
        log[0].header_block
    );
}

/// What came and was not looked at yet.
#[derive(Default)]
struct Frames(Vec<u8>);

impl Frames {
    /// Kind and flags of the next frame.
    async fn next(&mut self, from: &mut (impl AsyncReadExt + Unpin)) -> (u8, u8) {
        loop {
            if let [a, b, c, kind, flags, ..] = *self.0 {
                let whole = 9 + usize::from(a) * 65_536 + usize::from(b) * 256 + usize::from(c);
                if self.0.len() >= whole {
                    self.0.drain(..whole);
                    return (kind, flags);
                }
            }
            assert!(from.read_buf(&mut self.0).await.expect("the sandbox answers") > 0);
        }
    }
}

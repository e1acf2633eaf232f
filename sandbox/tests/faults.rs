//! Fault scripts, seen frame by frame: a client that speaks raw HTTP/2.

mod common;

use common::{Client, at, last, provider_token, run, start};
use pushcore_sandbox::{Action, CloseHow, Config, ConnectFault, Fault, LastStream, Sandbox};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

struct Raw {
    tls: TlsStream<TcpStream>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("length").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header block of literals without indexing.
fn block(authority: &str, path: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", authority),
        (":path", path),
    ] {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).expect("short"));
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

impl Raw {
    async fn connect(sandbox: &Sandbox, authority: &str) -> Self {
        let mut tls = common::tls(sandbox, authority, &[b"h2"]).await.expect("TLS");
        tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .expect("write");
        tls.write_all(&frame(SETTINGS, 0, 0, &[])).await.expect("write");
        Self { tls }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.tls.write_all(bytes).await.expect("write");
        self.tls.flush().await.expect("flush");
    }

    async fn frame(&mut self) -> io::Result<Option<Frame>> {
        let mut head = [0; 9];
        if self.tls.read(&mut head[..1]).await? == 0 {
            return Ok(None);
        }
        self.tls.read_exact(&mut head[1..]).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).expect("length")];
        self.tls.read_exact(&mut payload).await?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Ok(Some(Frame {
            kind: head[3],
            flags: head[4],
            stream,
            payload,
        }))
    }

    /// Frames up to the end of stream 1, its reset, a GOAWAY's successor or the connection's end.
    async fn answer(&mut self) -> (Vec<Frame>, io::Result<()>) {
        let mut frames = Vec::new();
        loop {
            match self.frame().await {
                Ok(Some(frame)) => {
                    let ends = (frame.kind == DATA || frame.kind == HEADERS) && frame.flags & 1 != 0;
                    let ends = ends || frame.kind == RST;
                    frames.push(frame);
                    if ends {
                        return (frames, Ok(()));
                    }
                }
                Ok(None) => return (frames, Ok(())),
                Err(error) => return (frames, Err(error)),
            }
        }
    }
}

/// One request to FCM (it gets a 404 with a body) under one fault.
async fn under(sandbox: &Sandbox, fault: Fault) -> (Vec<Frame>, io::Result<()>) {
    sandbox.fault(fault);
    let authority = at(sandbox.ready(), "/fcm/authority").to_owned();
    let mut raw = Raw::connect(sandbox, &authority).await;
    raw.write(&frame(HEADERS, 4 | 1, 1, &block(&authority, "/push/nobody")))
        .await;
    raw.answer().await
}

fn of(frames: &[Frame], kind: u8) -> Vec<&Frame> {
    frames.iter().filter(|frame| frame.kind == kind).collect()
}

fn fault(action: Action) -> Fault {
    Fault::new("fcm", 1, action)
}

#[test]
fn goaway_carries_what_the_script_says() {
    let sandbox = start();
    run(async {
        let cases = [
            (LastStream::This, 1_u32),
            (LastStream::Before, 0),
            (LastStream::Zero, 0),
            (LastStream::Max, 0x7fff_ffff),
            (LastStream::Id(77), 77),
        ];
        for (last, id) in cases {
            let debug = r#"{"reason":"Shutdown"}"#.to_owned();
            let action = Action::Goaway {
                last,
                code: 11,
                debug: debug.clone(),
                close: true,
                answer: false,
            };
            let (frames, end) = under(&sandbox, fault(action)).await;
            let goaway = of(&frames, GOAWAY)[0].payload.clone();
            assert_eq!(goaway[..8], [id.to_be_bytes(), 11_u32.to_be_bytes()].concat());
            assert_eq!(&goaway[8..], debug.as_bytes());
            assert!(end.is_ok() && of(&frames, HEADERS).is_empty());
            assert_eq!(common::last(&sandbox).operation, "fault");
        }
        let action = Action::Goaway {
            last: LastStream::This,
            code: 0,
            debug: String::new(),
            close: true,
            answer: true,
        };
        let (frames, _) = under(&sandbox, fault(action)).await;
        let kinds: Vec<u8> = frames.iter().map(|frame| frame.kind).collect();
        let (goaway, data) = (
            kinds.iter().position(|kind| *kind == GOAWAY),
            kinds.iter().position(|kind| *kind == DATA),
        );
        assert!(
            goaway.is_some() && goaway < data,
            "the answer follows the GOAWAY: {kinds:?}"
        );
    });
}

#[test]
fn answers_are_replaced_reset_and_reshaped() {
    let sandbox = start();
    run(async {
        for code in [0, 5, 7, 8, 11, 13, 255] {
            let (frames, _) = under(&sandbox, fault(Action::Rst { code })).await;
            assert_eq!(of(&frames, RST)[0].payload, code.to_be_bytes());
        }
        let plain = under(
            &sandbox,
            Fault {
                skip: 9,
                ..fault(Action::NoAnswer)
            },
        )
        .await
        .0;
        let body = of(&plain, DATA)[0].payload.clone();
        assert!(body.len() > 20 && of(&plain, DATA).len() == 1);
        sandbox.reset();

        let (frames, _) = under(
            &sandbox,
            fault(Action::Shape {
                data: Some(1),
                pad: None,
                fragment: None,
            }),
        )
        .await;
        let data = of(&frames, DATA);
        assert!(data.len() == body.len() && data.iter().all(|frame| frame.payload.len() == 1));
        assert_eq!(
            data.iter()
                .flat_map(|frame| frame.payload.clone())
                .collect::<Vec<_>>(),
            body
        );

        let (frames, _) = under(
            &sandbox,
            fault(Action::Shape {
                data: None,
                pad: Some(255),
                fragment: Some(2),
            }),
        )
        .await;
        let data = of(&frames, DATA)[0];
        assert_eq!(
            (data.flags & 8, data.payload[0], data.payload.len()),
            (8, 255, body.len() + 256)
        );
        assert_eq!(data.payload[1..=body.len()], body[..]);
        let (head, rest) = (of(&frames, HEADERS)[0], of(&frames, CONTINUATION));
        assert_eq!((head.flags & 4, rest.last().expect("continuation").flags), (0, 4));
        let whole: Vec<u8> = [head]
            .into_iter()
            .chain(rest)
            .flat_map(|frame| frame.payload.clone())
            .collect();
        assert_eq!(whole, of(&plain, HEADERS)[0].payload, "the same block in pieces");

        let (frames, _) = under(
            &sandbox,
            fault(Action::Interim {
                statuses: vec![103, 102],
            }),
        )
        .await;
        assert_eq!(of(&frames, HEADERS).len(), 3);
        let (frames, _) = under(
            &sandbox,
            fault(Action::Settings {
                values: vec![(3, 1), (4, 10)],
            }),
        )
        .await;
        let settings = of(&frames, SETTINGS);
        assert!(
            settings
                .iter()
                .any(|frame| frame.payload == [0, 3, 0, 0, 0, 1, 0, 4, 0, 0, 0, 10])
        );
        let ping = "000008 06 00 {stream} 0102030405060708".replace("{stream}", "00000000");
        let (frames, _) = under(&sandbox, fault(Action::Raw { hex: ping, repeat: 3 })).await;
        assert_eq!(of(&frames, PING).len(), 3);
        let answer = Action::Answer {
            status: 599,
            headers: vec![("x-a".into(), "b".into())],
            body: None,
        };
        let (frames, _) = under(&sandbox, fault(answer)).await;
        assert!(of(&frames, DATA).is_empty() && of(&frames, HEADERS)[0].flags & 1 == 1);
        assert_eq!(last(&sandbox).status, 599);
    });
}

#[test]
fn connections_end_in_every_way() {
    let sandbox = start();
    run(async {
        let (_, end) = under(&sandbox, fault(Action::Close { how: CloseHow::Clean })).await;
        assert!(end.is_ok(), "close_notify");
        let (_, end) = under(&sandbox, fault(Action::Close { how: CloseHow::Fin })).await;
        assert_eq!(
            end.map_err(|error| error.kind()),
            Err(io::ErrorKind::UnexpectedEof)
        );
        for how in [CloseHow::Reset, CloseHow::ResetMidFrame] {
            let (frames, end) = under(&sandbox, fault(Action::Close { how })).await;
            assert_eq!(
                end.map_err(|error| error.kind()),
                Err(io::ErrorKind::ConnectionReset),
                "{how:?}"
            );
            assert!(of(&frames, DATA).is_empty());
        }
    });
}

#[test]
fn a_starved_window_is_never_refilled() {
    let sandbox = start();
    let authority = at(sandbox.ready(), "/fcm/authority").to_owned();
    run(async {
        for starve in [false, true] {
            if starve {
                sandbox.fault(fault(Action::StarveWindow));
            }
            let mut raw = Raw::connect(&sandbox, &authority).await;
            raw.write(&frame(HEADERS, 4 | 1, 1, &block(&authority, "/push/nobody")))
                .await;
            raw.answer().await.1.expect("answer");
            raw.write(&frame(HEADERS, 4, 3, &block(&authority, "/push/nobody")))
                .await;
            for _ in 0..3 {
                raw.write(&frame(DATA, 0, 3, &[b'x'; 16_000])).await;
            }
            raw.write(&frame(DATA, 1, 3, b"end")).await;
            let (frames, _) = raw.answer().await;
            assert_eq!(of(&frames, WINDOW_UPDATE).is_empty(), starve, "{frames:?}");
        }
    });
}

#[test]
fn scripts_choose_their_requests_and_keep_the_oracle() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    let auth = provider_token(&ready);
    let (first, second) = (
        at(&ready, "/apns/tokens/valid"),
        at(&ready, "/apns/tokens/valid_2"),
    );
    sandbox.fault(Fault {
        contains: Some(second.to_owned()),
        skip: 1,
        every: 2,
        probability: None,
        seed: None,
        times: Some(2),
        ..Fault::new(
            "apns",
            0,
            Action::Answer {
                status: 503,
                headers: Vec::new(),
                body: Some("down".into()),
            },
        )
    });
    // The answer is lost, the push is not: a retry is a duplicate, and the log says so.
    sandbox.fault(Fault {
        contains: Some(first.to_owned()),
        processed: true,
        ..Fault::new("apns", 1, Action::Rst { code: 2 })
    });
    run(async {
        let mut client = Client::connect(&sandbox, at(&ready, "/apns/authority")).await;
        let headers = [
            ("authorization", auth.as_str()),
            ("apns-topic", "com.example.app"),
            ("apns-push-type", "alert"),
        ];
        let mut statuses = Vec::new();
        for _ in 0..7 {
            let answer = client
                .send("POST", &format!("/3/device/{second}"), &headers, "{}")
                .await
                .expect("answer");
            statuses.push(answer.status);
        }
        assert_eq!(statuses, [200, 200, 503, 200, 503, 200, 200]);
        assert_eq!(sandbox.accepted("apns", second), 5);
        let path = format!("/3/device/{first}");
        assert!(client.send("POST", &path, &headers, "{}").await.is_err());
        assert_eq!(
            (sandbox.accepted("apns", first), last(&sandbox).fault.as_deref()),
            (1, Some("rst"))
        );
        client.send("POST", &path, &headers, "{}").await.expect("answer");
        assert_eq!(sandbox.accepted("apns", first), 2);
    });
}

#[test]
fn a_goaway_disowns_no_processed_stream_and_processes_no_disowned_one() {
    let sandbox = start();
    let authority = at(sandbox.ready(), "/fcm/authority").to_owned();
    let goaway = Action::Goaway {
        last: LastStream::Before,
        code: 0,
        debug: String::new(),
        close: false,
        answer: false,
    };
    sandbox.fault(Fault {
        skip: 1,
        ..fault(goaway)
    });
    run(async {
        let mut raw = Raw::connect(&sandbox, &authority).await;
        let request = |stream| frame(HEADERS, 4 | 1, stream, &block(&authority, "/push/nobody"));
        raw.write(&request(1)).await;
        raw.answer().await.1.expect("answer");
        raw.write(&request(3)).await;
        let goaway = loop {
            let frame = raw.frame().await.expect("frame").expect("frame");
            if frame.kind == GOAWAY {
                break frame;
            }
        };
        assert_eq!(goaway.payload[..4], [0, 0, 0, 1]);
        // Disowned: ignored. The PING's answer shows that it was read.
        raw.write(&request(5)).await;
        raw.write(&frame(PING, 0, 0, &[7; 8])).await;
        while raw.frame().await.expect("frame").expect("frame").kind != PING {}
        assert_eq!(
            sandbox
                .log()
                .iter()
                .map(|record| record.stream)
                .collect::<Vec<_>>(),
            [1, 3]
        );
    });
}

#[test]
fn the_stream_limit_is_enforced_and_falls_after_a_rejection() {
    let sandbox = Sandbox::start(Config {
        governor_penalty: true,
        ..Config::default()
    })
    .expect("start");
    let ready = sandbox.ready().clone();
    let authority = at(&ready, "/apns/authority").to_owned();
    let auth = provider_token(&ready);
    run(async {
        let mut raw = Raw::connect(&sandbox, &authority).await;
        // Stream 1 stays open; stream 3 is one too many.
        raw.write(&frame(HEADERS, 4, 1, &block(&authority, "/3/device/00")))
            .await;
        raw.write(&frame(HEADERS, 4 | 1, 3, &block(&authority, "/3/device/00")))
            .await;
        let (frames, _) = raw.answer().await;
        let reset = of(&frames, RST)[0];
        assert_eq!((reset.stream, &reset.payload[..]), (3, &[0, 0, 0, 7][..]));
        assert_eq!((sandbox.refused_streams(), sandbox.log().len()), (1, 0));

        let mut client = Client::connect(&sandbox, &authority).await;
        let headers = [
            ("authorization", auth.as_str()),
            ("apns-topic", "com.example.app"),
            ("apns-push-type", "alert"),
        ];
        for (name, status, limit) in [
            ("valid", 200, 1000),
            ("unknown", 400, 1),
            ("unregistered", 410, 1000),
            ("other_topic", 400, 1),
            ("valid", 200, 1000),
        ] {
            let path = format!("/3/device/{}", at(&ready, &format!("/apns/tokens/{name}")));
            let answer = client.send("POST", &path, &headers, "{}").await.expect("answer");
            assert_eq!(
                (answer.status, client.sender.current_max_send_streams()),
                (status, limit),
                "{name}"
            );
        }
    });
}

#[test]
fn connections_can_go_wrong_from_the_start() {
    let sandbox = start();
    let authority = at(sandbox.ready(), "/apns/authority").to_owned();
    run(async {
        for fault in [
            ConnectFault::Close,
            ConnectFault::Garbage {
                hex: "485454502f312e31".into(),
            },
        ] {
            sandbox.connect_fault("apns", fault);
            assert!(common::tls(&sandbox, &authority, &[b"h2"]).await.is_err());
        }
        sandbox.connect_fault("apns", ConnectFault::AfterTls { hex: "474f".into() });
        let mut tls = common::tls(&sandbox, &authority, &[b"h2"]).await.expect("TLS");
        let mut bytes = [0; 2];
        tls.read_exact(&mut bytes).await.expect("bytes");
        assert_eq!(&bytes, b"GO");
        // One connection each: the next is served.
        let mut raw = Raw::connect(&sandbox, &authority).await;
        assert_eq!(raw.frame().await.expect("frame").expect("frame").kind, SETTINGS);
        assert_eq!(sandbox.connections(), 4);
    });
}

#[test]
fn a_silent_connection_leaves_the_others_alone() {
    let sandbox = start();
    let authority = at(sandbox.ready(), "/fcm/authority").to_owned();
    sandbox.fault(fault(Action::Silence));
    run(async {
        let request = frame(HEADERS, 4 | 1, 1, &block(&authority, "/push/nobody"));
        let mut silent = Raw::connect(&sandbox, &authority).await;
        silent.write(&request).await;
        // The log tells when the fault has struck; nothing but SETTINGS may have come.
        while sandbox.log().is_empty() {
            tokio::task::yield_now().await;
        }
        let mut other = Raw::connect(&sandbox, &authority).await;
        other.write(&request).await;
        assert_eq!(of(&other.answer().await.0, DATA).len(), 1);
        silent.write(&frame(PING, 0, 0, &[7; 8])).await;
        let wait = std::time::Duration::from_millis(50);
        while let Ok(frame) = tokio::time::timeout(wait, silent.frame()).await {
            assert!(frame.expect("open").expect("open").kind == SETTINGS);
        }
    });
}

#[test]
fn what_a_client_does_to_its_connection_is_noted() {
    let sandbox = start();
    let ready = sandbox.ready().clone();
    run(async {
        let authority = at(&ready, "/apns/authority").to_owned();
        let mut raw = Raw::connect(&sandbox, &authority).await;
        // ENABLE_PUSH 0, then two values of INITIAL_WINDOW_SIZE, the latter of which counts.
        raw.write(&frame(SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 0, 0, 4, 0, 2, 0, 0]))
            .await;
        raw.write(&frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])).await;
        raw.write(&frame(2, 0, 3, &[0, 0, 0, 0, 16])).await;
        raw.write(&frame(PING, 0, 0, &[1; 8])).await;
        raw.write(&frame(HEADERS, 4 | 1, 1, &block(&authority, "/3/device/00")))
            .await;
        let (frames, _) = raw.answer().await;
        assert!(
            of(&frames, PING).iter().any(|ping| ping.flags & 1 != 0),
            "acknowledged"
        );
        let note = sandbox.connection_notes().pop().expect("a connection");
        assert_eq!(
            (note.service.as_str(), note.alpn.as_deref()),
            ("apns", Some("h2"))
        );
        assert_eq!(note.server_name.as_deref(), Some("localhost"));
        assert_eq!(note.tls.as_deref(), Some("TLSv1_3"));
        assert_eq!(note.settings, [(2, 0), (4, 65_536)]);
        assert_eq!((note.priority_frames, note.pings, note.closed), (1, 1, false));
        assert!(!note.client_certificate);
    });
}

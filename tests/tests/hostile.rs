//! Servers that send anything: random octets, and the octets of a server with some of them changed.
//! Whatever comes: no panic, no busy loop, every request and every message has exactly one end, and
//! nothing grows without a bound.
//!
//! Seeded. The short form runs always; `PUSHCORE_HOSTILE_SEEDS=100000 cargo test --release -p
//! pushcore-tests --test hostile` is the long one; `PUSHCORE_SEED` runs one seed again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pushcore::http::{Authority, Request};
use pushcore::net::{Connection, ConnectionConfig, Event, Protocols, RequestId, Security, SendError};
use pushcore::{Now, UnixTime};
use pushcore_tests::sim::certificates;
use pushcore_tests::sim::log::path_of;
use pushcore_tests::sim::mutate::{mutate, noise, some_frame};
use pushcore_tests::sim::{Act, Answer, Dial, Last, Log, Peer, Rng, Script, Seen, World, seeds};

/// How many seeds: `short`, or what the environment wants.
fn runs(short: u64) -> Vec<u64> {
    match std::env::var("PUSHCORE_HOSTILE_SEEDS") {
        Ok(text) => seeds(text.trim().parse().expect("a number")),
        Err(_) => seeds(short),
    }
}

/// The most that may wait to be written: sixty small requests, and answers to what the server sent.
const MOST_TO_WRITE: usize = 256 * 1024;
const REQUESTS: usize = 60;

/// A server with some of everything, so that there is something to change.
fn lively(rng: &mut Rng) -> Script {
    let life = rng.between(1, 80) as u32;
    let respond = move |seen: &Seen, rng: &mut Rng| {
        if seen.nth == life {
            return match rng.below(4) {
                0 => vec![Act::GoAway(
                    Last::Processed,
                    0,
                    b"{\"reason\":\"Shutdown\"}".to_vec(),
                )],
                1 => vec![Act::Close],
                2 => vec![Act::Abort],
                _ => vec![Act::Silence],
            };
        }
        let refusal = || Answer::refusal(400, "BadDeviceToken");
        match rng.below(12) {
            0 => vec![Act::Reset(rng.below(14) as u32)],
            1 => vec![Act::Answer(refusal().in_pieces(rng.between(1, 20) as usize))],
            2 => vec![Act::Answer(refusal().with_trailers(&[("a", "b")]))],
            3 => vec![Act::Answer(Answer::ok().after(&[103]))],
            4 => vec![
                Act::Wait(Duration::from_millis(rng.below(20_000))),
                Act::Answer(Answer::ok()),
            ],
            5 => vec![Act::Settings(vec![(
                rng.below(7) as u16,
                rng.below(70_000) as u32,
            )])],
            6 => vec![Act::Ping([1; 8]), Act::Answer(Answer::ok())],
            7 => {
                let mut answer = refusal();
                answer.header_chunk = 3;
                vec![Act::Answer(answer.with_field("apns-id", "x".repeat(50)))]
            }
            _ => vec![Act::Answer(Answer::ok())],
        }
    };
    Script::new(respond).streams(rng.between(1, 100) as u32)
}

/// One connection, and the books of its requests.
struct Books {
    connection: Connection,
    now: Now,
    sent: Vec<RequestId>,
    ends: HashMap<RequestId, u32>,
    closed: u32,
}

impl Books {
    fn new(config: &Arc<ConnectionConfig>) -> Self {
        let now = Now::new(Duration::from_secs(1000), UnixTime::from_secs(1_790_000_000));
        let authority = Authority::parse("localhost").expect("an authority");
        Self {
            connection: Connection::new(config, &authority, now).expect("a connection"),
            now,
            sent: Vec::new(),
            ends: HashMap::new(),
            closed: 0,
        }
    }

    fn send(&mut self) {
        while self.sent.len() < REQUESTS && self.connection.capacity() > 0 {
            let mut request = Request::new();
            request.authority = self.connection.authority().clone().into();
            request.path = path_of(self.sent.len());
            request.body = vec![b'x'; self.sent.len() * 7].into();
            match self.connection.send(&request, self.now) {
                Ok(id) => self.sent.push(id),
                // The server's SETTINGS_MAX_HEADER_LIST_SIZE may have become too small for it.
                Err(SendError::Invalid(_)) => break,
                Err(other) => panic!("capacity promised more: {other:?}"),
            }
        }
    }

    /// What the server is to see, all or a part of it.
    fn write(&mut self, rng: &mut Rng) -> Vec<u8> {
        let shown = self.connection.transmit();
        assert!(shown.len() <= MOST_TO_WRITE, "{} octets to write", shown.len());
        let count = match rng.chance(800) {
            true => shown.len(),
            false => rng.below(shown.len() as u64 + 1) as usize,
        };
        let bytes = shown[..count].to_vec();
        self.connection.transmitted(count);
        bytes
    }

    fn receive(&mut self, mut bytes: &[u8], rng: &mut Rng) {
        while !bytes.is_empty() {
            let most = if rng.chance(500) { 20 } else { bytes.len() as u64 };
            let count = (rng.between(1, most) as usize).min(bytes.len());
            let (piece, rest) = bytes.split_at(count);
            self.connection.receive(piece, self.now);
            bytes = rest;
            if rng.chance(300) {
                self.poll();
            }
        }
        self.poll();
    }

    fn wait(&mut self, rng: &mut Rng) {
        if rng.chance(200) {
            self.now = self.now.after(Duration::from_millis(rng.below(4000)));
        }
        if self
            .connection
            .poll_timeout()
            .is_some_and(|at| at <= self.now.monotonic)
        {
            self.connection.handle_timeout(self.now);
            let again = self.connection.poll_timeout();
            assert!(again.is_none_or(|at| at > self.now.monotonic), "a busy loop");
        }
        if rng.chance(20) && !self.sent.is_empty() {
            let id = self.sent[rng.below(self.sent.len() as u64) as usize];
            let ended = self.ends.contains_key(&id);
            assert!(
                !(self.connection.cancel(id, self.now) && ended),
                "{id:?} ends twice"
            );
        }
        self.poll();
    }

    fn poll(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            assert_eq!(self.closed, 0, "{event:?} after the end");
            match event {
                Event::Response { id, response } => {
                    assert!((200..1000).contains(&response.status), "{response:?}");
                    *self.ends.entry(id).or_default() += 1;
                }
                Event::Failed { id, .. } => *self.ends.entry(id).or_default() += 1,
                Event::Closed(_) => self.closed += 1,
                _ => {}
            }
        }
        assert_eq!(self.connection.in_flight(), self.sent.len() - self.ends.len());
        assert_eq!(self.connection.is_closed(), self.closed == 1);
    }

    /// The transport ends, and with it every request.
    fn finish(mut self) {
        self.connection.receive_eof(self.now);
        self.poll();
        assert_eq!(self.closed, 1);
        assert_eq!(self.ends.len(), self.sent.len());
        assert!(self.sent.iter().all(|id| self.ends.get(id) == Some(&1)));
        assert_eq!(
            (self.connection.capacity(), self.connection.poll_timeout()),
            (0, None)
        );
    }
}

/// A real server, of whose octets some are changed.
fn garbled(seed: u64, config: &Arc<ConnectionConfig>, garble: &mut dyn FnMut(&mut Vec<u8>, &mut Rng)) {
    let mut rng = Rng::new(seed);
    let mut books = Books::new(config);
    let mut peer = Peer::new(lively(&mut rng), Log::default(), rng.fork(), books.now.monotonic);
    for _ in 0..200 {
        books.send();
        let bytes = books.write(&mut rng);
        peer.receive(&bytes, books.now.monotonic);
        peer.handle_timeout(books.now.monotonic);
        let mut said = peer.take_output();
        if !said.is_empty() {
            garble(&mut said, &mut rng);
        }
        books.receive(&said, &mut rng);
        books.wait(&mut rng);
        if books.closed > 0 || peer.end().is_some() {
            break;
        }
    }
    books.finish();
}

fn cleartext(protocols: Protocols) -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::new(Security::Cleartext);
    config.protocols = protocols;
    Arc::new(config)
}

#[test]
fn http2_with_changed_octets() {
    let config = cleartext(Protocols::Http2Only);
    for seed in runs(1500) {
        garbled(seed, &config, &mut |bytes, rng| {
            if rng.chance(150) {
                mutate(bytes, rng);
            }
        });
    }
}

#[test]
fn http2_with_frames_of_any_kind() {
    let config = cleartext(Protocols::Http2Only);
    for seed in runs(1500) {
        garbled(seed, &config, &mut |bytes, rng| {
            while rng.chance(300) {
                bytes.extend(some_frame(rng));
            }
        });
    }
}

#[test]
fn random_octets() {
    for protocols in [Protocols::Http2Only, Protocols::Http1Only] {
        let config = cleartext(protocols);
        for seed in runs(500) {
            let mut rng = Rng::new(seed);
            let mut books = Books::new(&config);
            if rng.chance(700) {
                books.receive(&pushcore_tests::sim::frame::settings(&[(3, 100)]), &mut rng);
            }
            for _ in 0..30 {
                books.send();
                books.write(&mut rng);
                let length = rng.below(400);
                let bytes = noise(&mut rng, length);
                books.receive(&bytes, &mut rng);
                books.wait(&mut rng);
            }
            books.finish();
        }
    }
}

/// Responses of HTTP/1.1, whole and odd, with octets changed.
#[test]
fn http1_with_changed_octets() {
    const RESPONSES: [&str; 8] = [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\na: b\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n",
        "HTTP/1.1 400 Bad\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbad",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
    ];
    let config = cleartext(Protocols::Http1Only);
    for seed in runs(3000) {
        let mut rng = Rng::new(seed);
        let mut books = Books::new(&config);
        for _ in 0..40 {
            books.send();
            books.write(&mut rng);
            let mut bytes = RESPONSES[rng.below(8) as usize].as_bytes().to_vec();
            if rng.chance(400) {
                mutate(&mut bytes, &mut rng);
            }
            books.receive(&bytes, &mut rng);
            books.wait(&mut rng);
        }
        books.finish();
    }
}

/// What a session makes of it: with a clock, deadlines, several connections, and back-off.
fn session(mut world: World, messages: u64) {
    world.submit(messages);
    let stats = world.finish();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.ended(), messages, "{stats:?}");
}

/// Most of what is said arrives as it was.
fn now_and_then(bytes: &mut Vec<u8>, rng: &mut Rng) {
    if rng.chance(60) {
        mutate(bytes, rng);
    }
    if rng.chance(30) {
        bytes.extend(some_frame(rng));
    }
}

#[test]
fn a_session_of_apns() {
    for seed in runs(120) {
        let mut world = World::new(seed, |_| {}, |_, rng| lively(rng).into());
        world.garble(now_and_then);
        session(world, 200);
    }
}

/// Tokens come from a server that cannot be trusted either.
#[test]
fn a_session_of_fcm() {
    for seed in runs(60) {
        let mut world = World::fcm(
            seed,
            |_| {},
            |_, token, rng| match token {
                true => Script::new(|seen, rng| {
                    let mut body =
                        format!(r#"{{"access_token":"t{}","expires_in":3599}}"#, seen.nth).into_bytes();
                    if rng.chance(300) {
                        mutate(&mut body, rng);
                    }
                    vec![Act::Answer(Answer::ok().with_body(body))]
                })
                .into(),
                false => lively(rng).into(),
            },
        );
        world.garble(now_and_then);
        session(world, 100);
    }
}

/// Under TLS a changed octet is the end of its connection.
#[test]
fn a_session_over_tls() {
    let ca = certificates::Authority::new();
    let server = ca.server(&["h2"], |_| {});
    let tls = pushcore::net::tls::TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(ca.pem())
        .build()
        .expect("a configuration");
    let security = Security::Tls(tls);
    for seed in runs(30) {
        let server = server.clone();
        let network = move |_: u32, rng: &mut Rng| Dial::Tls(server.clone(), lively(rng));
        let mut world = World::with_security(
            seed,
            security.clone(),
            |config| config.max_connections = 2,
            network,
        );
        world.garble(|bytes, rng| {
            if rng.chance(30) {
                mutate(bytes, rng);
            }
        });
        session(world, 60);
    }
}

//! HTTP/1.1 over TLS sockets, as Baidu and ADM are spoken to: what becomes of messages when the server,
//! or the network, does to a connection what servers and networks do.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pushcore::http::Authority as Host;
use pushcore::net::Security;
use pushcore::session::Stats;
use pushcore::{Error, ErrorKind, Outcome, baidu};
use pushcore_client::{Client, ClientConfig};
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::fixture;
use pushcore_tests::sim::road::{Cut, Relay, Road};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

/// What a server does about a request.
#[derive(Clone, Debug)]
enum Step {
    /// Acts on it.
    Process,
    /// Says this.
    Say(Vec<u8>),
    /// Says nothing until the client goes.
    Hold,
    /// FIN, without close_notify.
    Close,
    /// close_notify, then FIN.
    CloseProperly,
    /// RST.
    Reset,
}

fn say(text: &str) -> Step {
    Step::Say(text.as_bytes().to_vec())
}

/// An acceptance with `content-length`.
fn accepted() -> Step {
    let body = r#"{"request_id":1,"response_params":{"msg_id":"7","send_time":1}}"#;
    say(&format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// What connection `c` (from 1) does about its request `n` (from 1).
type Script = dyn Fn(u32, u32) -> Vec<Step> + Send + Sync;

/// A server of HTTP/1.1 over TLS on 127.0.0.1. Its threads end with their connections.
struct Server {
    ca: Authority,
    address: SocketAddr,
    /// By message: how often it was acted on.
    processed: Arc<Mutex<Vec<u32>>>,
    connections: Arc<AtomicU32>,
}

impl Server {
    fn new(script: impl Fn(u32, u32) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let ca = Authority::new();
        let config = ca.server(&["http/1.1"], |_| {});
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (processed, connections) = (Arc::default(), Arc::default());
        let script: Arc<Script> = Arc::new(script);
        let (log, counter) = (Arc::clone(&processed), Arc::clone(&connections));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(socket) = socket else { return };
                let nth = AtomicU32::fetch_add(&counter, 1, Ordering::SeqCst) + 1;
                let (config, script, log) = (Arc::clone(&config), Arc::clone(&script), Arc::clone(&log));
                std::thread::spawn(move || serve(socket, config, nth, &*script, &log));
            }
        });
        Self {
            ca,
            address,
            processed,
            connections,
        }
    }

    fn processed(&self) -> Vec<u32> {
        self.processed.lock().expect("a lock").clone()
    }

    fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }

    fn client(&self, address: SocketAddr, change: impl FnOnce(&mut ClientConfig)) -> Client {
        let mut config = ClientConfig::new();
        config.security = Some(Security::Tls(
            fixture::trusting(&self.ca).build().expect("a configuration"),
        ));
        config.session.first_backoff = Duration::from_millis(10);
        config.session.max_requeues = u8::MAX;
        config.session.max_connections = 2;
        change(&mut config);
        let credentials = baidu::Credentials::new("key", "secret").expect("credentials");
        let host = Host::parse(&format!("localhost:{}", address.port())).expect("a host");
        Client::new(baidu::Service::new(credentials, host), config).expect("a client")
    }

    /// Sends messages `0..count` through `address`; each ends once, and as the server saw it.
    fn send(&self, address: SocketAddr, count: usize, change: impl FnOnce(&mut ClientConfig)) -> Sent {
        let client = self.client(address, change);
        let results: Vec<_> = client.send_many(messages(count)).collect();
        let stats = client.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert_eq!((results.len(), stats.ended()), (count, count as u64));
        let processed = self.processed();
        let mut results_of: Vec<_> = (0..count).map(|_| None).collect();
        for ((number, _), result) in results {
            let times = processed.get(number).copied().unwrap_or(0);
            assert!(times <= 1, "{number} was processed {times} times");
            match &result {
                Ok(outcome) if outcome.is_accepted() => assert_eq!(times, 1, "{number}"),
                Err(error) if error.kind() != ErrorKind::Unknown => assert_eq!(times, 0, "{number}: {error}"),
                _ => {}
            }
            assert!(
                results_of[number].replace(result).is_none(),
                "{number} ended twice"
            );
        }
        Sent {
            stats,
            results: results_of.into_iter().flatten().collect(),
        }
    }
}

struct Sent {
    stats: Stats,
    results: Vec<Result<Outcome, Error>>,
}

fn messages(count: usize) -> impl Iterator<Item = (usize, baidu::Message)> {
    let channel = |number: usize| baidu::Target::device(&format!("{number:08}")).expect("a channel");
    let message = baidu::Message::android(baidu::AndroidNotification::new("Hello"))
        .and_then(|builder| builder.build(channel(0)))
        .expect("a message");
    (0..count).map(move |number| (number, message.to(channel(number))))
}

/// One connection, until either side ends it.
fn serve(
    socket: TcpStream,
    config: Arc<ServerConfig>,
    nth: u32,
    script: &Script,
    processed: &Mutex<Vec<u32>>,
) {
    let _ = socket.set_nodelay(true);
    let tls = ServerConnection::new(config).expect("a tls connection");
    let mut stream = StreamOwned::new(tls, socket);
    for request in 1.. {
        let Some(number) = read_request(&mut stream) else {
            return;
        };
        for step in script(nth, request) {
            let went_well = match step {
                Step::Process => {
                    let mut processed = processed.lock().expect("a lock");
                    if processed.len() <= number {
                        processed.resize(number + 1, 0);
                    }
                    processed[number] += 1;
                    true
                }
                Step::Say(bytes) => stream.write_all(&bytes).and_then(|()| stream.flush()).is_ok(),
                Step::Hold => stream.read(&mut [0; 1024]).is_ok_and(|count| count > 0),
                Step::Close => {
                    let _ = stream.sock.shutdown(Shutdown::Write);
                    drain(&mut stream.sock)
                }
                Step::CloseProperly => {
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                    let _ = stream.sock.shutdown(Shutdown::Write);
                    drain(&mut stream.sock)
                }
                Step::Reset => {
                    let _ = SockRef::from(&stream.sock).set_linger(Some(Duration::ZERO));
                    false
                }
            };
            if !went_well {
                return;
            }
        }
    }
}

/// Reads what still comes, so that closing is no reset; then it is over.
fn drain(socket: &mut TcpStream) -> bool {
    let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
    while matches!(socket.read(&mut [0; 4096]), Ok(count) if count > 0) {}
    false
}

/// Reads one request; which message it is. `None` at the end of the connection.
fn read_request(stream: &mut StreamOwned<ServerConnection, TcpStream>) -> Option<usize> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if bytes.len() >= head + 4 + length {
                assert_eq!(bytes.len(), head + 4 + length, "more than one request at a time");
                let body = String::from_utf8_lossy(&bytes[head + 4..]).into_owned();
                let channel = body.split('&').find_map(|pair| pair.strip_prefix("channel_id="));
                return Some(channel.expect("a channel").parse().expect("a number"));
            }
        }
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

/// Answers of every framing, over one connection that is kept.
#[test]
fn a_connection_is_kept_whatever_frames_the_answers() {
    let server = Server::new(|_, nth| {
        let answer = match nth % 4 {
            0 => accepted(),
            1 => say(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"r\r\nd;x=y\r\nequest_id\":1}\r\n0\r\nTrailer: x\r\n\r\n",
            ),
            2 => say(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"request_id\":1}",
            ),
            // A success without an id is no acceptance (decision 16).
            _ => say("HTTP/1.1 204 No Content\r\n\r\n"),
        };
        vec![Step::Process, answer]
    });
    let sent = server.send(server.address, 400, |config| config.session.max_connections = 1);
    assert_eq!(
        (sent.stats.accepted, sent.stats.retry_later),
        (300, 100),
        "{:?}",
        sent.stats
    );
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_server_that_says_that_it_closes() {
    for end in [Step::Close, Step::CloseProperly, Step::Reset] {
        let last = end.clone();
        let server = Server::new(move |_, nth| match nth {
            10 => vec![
                Step::Process,
                say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 16\r\n\r\n{\"request_id\":1}"),
                last.clone(),
            ],
            _ => vec![Step::Process, accepted()],
        });
        let sent = server.send(server.address, 200, |config| config.session.max_connections = 1);
        // A reset may overtake the answer.
        let lost = match end {
            Step::Reset => sent.stats.unknown,
            _ => 0,
        };
        assert_eq!(
            (sent.stats.accepted, sent.stats.unknown),
            (200 - lost, lost),
            "{end:?}"
        );
        assert!((20..=20 + lost).contains(&u64::from(server.connections())));
    }
}

/// A server may close a connection that it has answered on, and say nothing: a request that is already
/// on its way is in doubt (it is no GET), and no other.
#[test]
fn a_server_that_closes_without_a_word() {
    let server = Server::new(|_, nth| match nth {
        10 => vec![Step::Process, accepted(), Step::Close],
        _ => vec![Step::Process, accepted()],
    });
    let sent = server.send(server.address, 300, |_| {});
    let stats = &sent.stats;
    assert_eq!(stats.accepted + stats.unknown, 300, "{stats:?}");
    // One at most for each connection that ended.
    assert!(stats.unknown <= u64::from(server.connections()), "{stats:?}");
    let acted = server
        .processed()
        .iter()
        .map(|times| u64::from(*times))
        .sum::<u64>();
    assert_eq!(acted, stats.accepted, "what was on its way was not read");
}

/// The head decides; a body that ends too soon does not turn an answer into doubt, a head that does, does.
#[test]
fn answers_cut_short() {
    for (what, answer, known) in [
        ("nothing", "", false),
        ("half a status line", "HTTP/1.1 20", false),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-Le", false),
        ("no body", "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n", true),
        (
            "half a body",
            "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"request",
            true,
        ),
        (
            "half a chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"re",
            true,
        ),
        (
            "no last chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            true,
        ),
        ("a body until the end", "HTTP/1.0 200 OK\r\n\r\n{}", true),
    ] {
        for end in [Step::Close, Step::CloseProperly] {
            let end_too = end.clone();
            let server = Server::new(move |connection, nth| match (connection, nth) {
                (1, 3) => vec![Step::Process, say(answer), end_too.clone()],
                _ => vec![Step::Process, accepted()],
            });
            let sent = server.send(server.address, 30, |config| config.session.max_connections = 1);
            let stats = &sent.stats;
            assert_eq!(
                (stats.unknown, stats.ended()),
                (u64::from(!known), 30),
                "{what}: {stats:?}"
            );
            assert_eq!(server.connections(), 2, "{what}");
            let outcome = sent.results[2].as_ref();
            assert_eq!(outcome.is_ok(), known, "{what}: {outcome:?}");
            assert!(outcome.map_or(true, |outcome| outcome.status() == 200), "{what}");
        }
    }
}

/// What is no HTTP, or could be read in two ways, ends the connection; the request is in doubt.
#[test]
fn answers_that_are_none() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 OK 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    ] {
        let server = Server::new(move |connection, nth| match (connection, nth) {
            (1, 3) => vec![Step::Process, say(answer), Step::Hold],
            _ => vec![Step::Process, accepted()],
        });
        let sent = server.send(server.address, 30, |config| config.session.max_connections = 1);
        let stats = &sent.stats;
        assert_eq!((stats.unknown, stats.accepted), (1, 29), "{answer:?}: {stats:?}");
        let error = sent.results[2].as_ref().expect_err("no answer");
        assert_eq!(
            error.cause().map(Error::kind),
            Some(ErrorKind::Http1Protocol),
            "{answer:?}: {error}"
        );
        assert_eq!(server.connections(), 2, "{answer:?}");
    }
}

/// No answer at all: each message waits its own time, and a connection for the next is made.
#[test]
fn no_answer_in_time() {
    let server = Server::new(|_, nth| match nth {
        5 => vec![Step::Process, Step::Hold],
        _ => vec![Step::Process, accepted()],
    });
    let sent = server.send(server.address, 20, |config| {
        config.session.max_connections = 1;
        config.session.response_timeout = Duration::from_millis(200);
    });
    let stats = &sent.stats;
    assert_eq!(stats.accepted + stats.unknown, 20, "{stats:?}");
    assert!((4..=5).contains(&stats.unknown), "{stats:?}");
    let acted = server
        .processed()
        .iter()
        .map(|times| u64::from(*times))
        .sum::<u64>();
    assert_eq!(acted, 20);
}

/// The first connection is cut off after any number of octets in either direction.
#[test]
fn cut_off_after_any_octet() {
    let mut in_doubt = 0;
    for up in [false, true] {
        for cut in [Cut::Close, Cut::Reset, Cut::HalfClose] {
            for octets in [0, 5, 300, 800, 1600, 2000, 2100, 2222, 3003, 5005] {
                let server = Server::new(|_, _| vec![Step::Process, accepted()]);
                let relay = Relay::start(1, server.address, move |nth, _| {
                    let mut road = Road::smooth();
                    if nth == 1 {
                        let side = if up { &mut road.up } else { &mut road.down };
                        *side = Some((octets, cut));
                    }
                    road
                });
                let sent = server.send(relay.address(), 40, |config| config.session.max_connections = 1);
                let stats = &sent.stats;
                assert_eq!(
                    stats.accepted + stats.unknown,
                    40,
                    "{cut:?} after {octets}: {stats:?}"
                );
                // One request at a time.
                assert!(stats.unknown <= 1, "{cut:?} after {octets}: {stats:?}");
                in_doubt += stats.unknown;
            }
        }
    }
    assert!(in_doubt > 5, "the cuts were not where requests are");
}

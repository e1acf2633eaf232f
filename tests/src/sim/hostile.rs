//! Servers that wish no good, on real sockets: what they say is data, a row of a table.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::certificates::Authority;
use super::frame::{flag, frame, headers, kind, parse, setting, settings};

/// What lies under what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// TLS, with HTTP/2 negotiated.
    H2,
    /// TLS, with HTTP/1.1 negotiated.
    H1,
    /// TLS without ALPN.
    NoAlpn,
    /// No TLS: the octets as they are.
    Tcp,
}

/// What a server does.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The name of the row.
    pub name: String,
    /// What lies under it.
    pub wire: Wire,
    /// Said at once.
    pub hello: Vec<u8>,
    /// Said to each request; of HTTP/2 with its stream's number.
    pub answer: fn(u32) -> Vec<u8>,
    /// Said again and again.
    pub flood: Vec<u8>,
    /// Octets of the flood in a second; 0 is as fast as they go.
    pub rate: usize,
    /// The flood begins after so many requests, or when they stop coming.
    pub after: usize,
    /// Closes after what it had to say.
    pub close: bool,
    /// Changes the TLS of the server.
    pub shape: fn(&mut ServerConfig),
    /// Asks for new TLS keys again and again (RFC 8446 §4.6.3), once the first octets have come.
    pub new_keys: bool,
}

impl Behaviour {
    /// A server that says this at once, and then nothing.
    pub fn new(name: impl Into<String>, wire: Wire, hello: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            wire,
            hello: hello.into(),
            answer: |_| Vec::new(),
            flood: Vec::new(),
            rate: 0,
            after: 0,
            close: false,
            shape: |_| {},
            new_keys: false,
        }
    }

    /// Its TLS is changed so.
    #[must_use]
    pub fn shaped(mut self, shape: fn(&mut ServerConfig)) -> Self {
        self.shape = shape;
        self
    }

    /// It asks for new TLS keys without end.
    #[must_use]
    pub fn renews_keys(mut self) -> Self {
        self.new_keys = true;
        self
    }

    /// It says this to each request.
    #[must_use]
    pub fn answers(mut self, answer: fn(u32) -> Vec<u8>) -> Self {
        self.answer = answer;
        self
    }

    /// It closes after it said something.
    #[must_use]
    pub fn closes(mut self) -> Self {
        self.close = true;
        self
    }

    /// It says this without end once `after` requests are there.
    #[must_use]
    pub fn floods(mut self, flood: Vec<u8>, rate: usize, after: usize) -> Self {
        self.flood = flood;
        self.rate = rate;
        self.after = after;
        self
    }
}

/// A good server: HTTP/2, and 201 to everything.
pub fn healthy() -> Behaviour {
    // Literal without indexing, name 8 of the static table (RFC 7541 §6.2.2).
    let accepted = |stream| headers(stream, true, b"\x08\x03201");
    let hello = settings(&[(setting::MAX_CONCURRENT_STREAMS, 1000)]);
    Behaviour::new("healthy", Wire::H2, hello).answers(accepted)
}

/// HTTP/2 that gives streams no window.
pub fn windowless() -> Vec<u8> {
    settings(&[
        (setting::MAX_CONCURRENT_STREAMS, 10_000),
        (setting::INITIAL_WINDOW_SIZE, 0),
    ])
}

/// A server that is up until it is dropped.
#[derive(Debug)]
pub struct Hostile {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Hostile {
    /// Starts it on a port of its own.
    pub fn start(ca: &Authority, behaviour: Behaviour) -> Self {
        let alpn: &[&str] = match behaviour.wire {
            Wire::H2 => &["h2"],
            Wire::H1 => &["http/1.1"],
            _ => &[],
        };
        let mut tls = (*ca.server(alpn, |_| {})).clone();
        (behaviour.shape)(&mut tls);
        Self::start_with(Arc::new(tls), behaviour)
    }

    /// The same with TLS of its own.
    pub fn start_with(tls: Arc<ServerConfig>, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let (ended, behaviour) = (Arc::clone(&stop), Arc::new(behaviour));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(socket) = socket else { return };
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (tls, behaviour) = (Arc::clone(&tls), Arc::clone(&behaviour));
                let ended = Arc::clone(&ended);
                std::thread::spawn(move || serve(socket, tls, &behaviour, &ended));
            }
        });
        Self { address, stop }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port on this machine, under a name.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the one who listens.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(socket: TcpStream, tls: Arc<ServerConfig>, behaviour: &Behaviour, stop: &AtomicBool) {
    let patience = Some(Duration::from_millis(50));
    if socket.set_read_timeout(patience).is_err() || socket.set_write_timeout(patience).is_err() {
        return;
    }
    let _ = socket.set_nodelay(true);
    if behaviour.wire == Wire::Tcp {
        talk(socket, behaviour, stop);
    } else if let Ok(connection) = ServerConnection::new(tls) {
        if behaviour.new_keys {
            return new_keys(StreamOwned::new(connection, socket), stop);
        }
        talk(StreamOwned::new(connection, socket), behaviour, stop);
    }
}

fn new_keys(mut stream: StreamOwned<ServerConnection, TcpStream>, stop: &AtomicBool) {
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if waits(&error) => {}
            Err(_) => return,
        }
        for _ in 0..1000 {
            if stream.conn.is_handshaking() {
                break;
            }
            if stream.conn.refresh_traffic_keys().is_err() || stream.flush().is_err() {
                return;
            }
        }
    }
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn talk(mut stream: impl Read + Write, behaviour: &Behaviour, stop: &AtomicBool) {
    let mut said_hello = behaviour.wire == Wire::Tcp;
    if said_hello && stream.write_all(&behaviour.hello).is_err() {
        return;
    }
    let (mut input, mut requests, mut quiet) = (Vec::new(), 0, 0);
    let mut preface = false;
    let mut buffer = [0; 16 * 1024];
    let closes_at_once = behaviour.close && (behaviour.answer)(1).is_empty();
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                input.extend_from_slice(&buffer[..count]);
                quiet = 0;
            }
            Err(error) if waits(&error) => quiet += 1,
            Err(_) => return,
        }
        // With TLS the first octets of the client come behind the handshake.
        if !said_hello && !input.is_empty() {
            said_hello = true;
            if stream
                .write_all(&behaviour.hello)
                .and_then(|()| stream.flush())
                .is_err()
            {
                return;
            }
        }
        if closes_at_once && said_hello && (quiet > 0 || !input.is_empty()) {
            return;
        }
        for id in asked(&mut input, &mut preface, behaviour) {
            requests += 1;
            let answer = (behaviour.answer)(id);
            if !answer.is_empty() {
                let written = stream.write_all(&answer).and_then(|()| stream.flush());
                if written.is_err() || behaviour.close {
                    return;
                }
            }
        }
        let ready = requests >= behaviour.after.max(1) || (requests > 0 && quiet > 4);
        if !behaviour.flood.is_empty() && (ready || behaviour.after == 0 && said_hello) {
            return flood(stream, behaviour, stop);
        }
    }
}

/// The streams of the requests that are there whole; zeros where it is HTTP/1.1.
fn asked(input: &mut Vec<u8>, preface: &mut bool, behaviour: &Behaviour) -> Vec<u32> {
    let mut streams = Vec::new();
    if behaviour.wire != Wire::H2 {
        while let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            input.drain(..end + 4);
            streams.push(0);
        }
        return streams;
    }
    if !*preface {
        if input.len() < 24 {
            return streams;
        }
        input.drain(..24);
        *preface = true;
    }
    let held_up = behaviour.hello == windowless();
    let mut used = 0;
    while let Some((one, length)) = parse(&input[used..]) {
        used += length;
        let begins = one.kind == kind::HEADERS;
        let ends = matches!(one.kind, kind::HEADERS | kind::DATA) && one.has(flag::END_STREAM);
        // Without windows no request is ever whole.
        if (held_up && begins) || (!held_up && ends) {
            streams.push(one.stream);
        }
    }
    input.drain(..used);
    streams
}

fn flood(mut stream: impl Read + Write, behaviour: &Behaviour, stop: &AtomicBool) {
    // As one write, so that the server is no slower than its client.
    let size = match behaviour.rate {
        0 => 128 * 1024,
        rate => (rate / 100).max(1),
    };
    let chunk = behaviour.flood.repeat(size.div_ceil(behaviour.flood.len()));
    let started = Instant::now();
    let mut said = 0;
    while !stop.load(Ordering::Relaxed) && started.elapsed() < Duration::from_secs(30) {
        let mut rest = chunk.as_slice();
        while !rest.is_empty() {
            match stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if waits(&error) => {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
        said += chunk.len();
        if behaviour.rate > 0 {
            let due = Duration::from_secs_f64(said as f64 / behaviour.rate as f64);
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
    }
}

/// A frame of a type that does not exist.
pub fn unknown() -> Vec<u8> {
    frame(0xbb, 0, 0, b"")
}

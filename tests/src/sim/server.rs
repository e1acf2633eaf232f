//! The same peers on real sockets of this machine, in real time.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use socket2::SockRef;

use super::log::Log;
use super::peer::End;
use super::rng::Rng;
use super::script::Script;
use super::tls::Endpoint;

/// What connection `nth` (from 1) meets.
type Scripts = Box<dyn FnMut(u32) -> Script + Send>;

/// A listening server on 127.0.0.1; stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    log: Log,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens; without `tls` it speaks HTTP/2 in clear text.
    pub fn start(
        seed: u64,
        tls: Option<Arc<ServerConfig>>,
        scripts: impl FnMut(u32) -> Script + Send + 'static,
    ) -> Self {
        Self::start_at([127, 0, 0, 1], seed, tls, scripts)
    }

    /// Listens on another address of this machine.
    pub fn start_at(
        address: [u8; 4],
        seed: u64,
        tls: Option<Arc<ServerConfig>>,
        scripts: impl FnMut(u32) -> Script + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(SocketAddr::from((address, 0))).expect("a port");
        Self::start_on(listener, seed, tls, scripts)
    }

    /// Takes the connections of a listener that a test has made to its liking.
    pub fn start_on(
        listener: TcpListener,
        seed: u64,
        tls: Option<Arc<ServerConfig>>,
        scripts: impl FnMut(u32) -> Script + Send + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let (log, stop) = (Log::default(), Arc::new(AtomicBool::new(false)));
        let acceptor = Acceptor {
            listener,
            tls,
            scripts: Box::new(scripts),
            log: log.clone(),
            stop: stop.clone(),
            rng: Rng::new(seed),
        };
        let accepting = Some(std::thread::spawn(move || acceptor.run()));
        Self {
            address,
            log,
            stop,
            accepting,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it did.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes `accept`.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

struct Acceptor {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    scripts: Scripts,
    log: Log,
    stop: Arc<AtomicBool>,
    rng: Rng,
}

impl Acceptor {
    fn run(mut self) {
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        let mut connections = 0;
        while let Ok((socket, _)) = self.listener.accept() {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            connections += 1;
            let script = (self.scripts)(connections);
            let (tls, log, rng) = (self.tls.clone(), self.log.clone(), self.rng.fork());
            let endpoint = Endpoint::new(script, tls, log.clone(), rng, Duration::ZERO);
            let stop = self.stop.clone();
            threads.retain(|thread| !thread.is_finished());
            threads.push(std::thread::spawn(move || {
                let number = endpoint.number();
                let how = serve(&socket, endpoint, &stop);
                drop(socket);
                log.transport_ended(number, how);
                log.connection_ended();
            }));
        }
        for thread in threads {
            let _ = thread.join();
        }
    }
}

/// Serves until either side ends it; returns who did, and how.
fn serve(mut socket: &TcpStream, mut endpoint: Endpoint, stop: &AtomicBool) -> &'static str {
    let start = Instant::now();
    let _ = socket.set_nodelay(true);
    let mut buffer = vec![0; 64 * 1024];
    while !stop.load(Ordering::SeqCst) {
        endpoint.handle_timeout(start.elapsed());
        if socket.write_all(&endpoint.take_output()).is_err() {
            // The client has had enough; what it said before still counts.
            while let Ok(count @ 1..) = socket.read(&mut buffer) {
                endpoint.receive(&buffer[..count], start.elapsed());
            }
            return "reset by the client";
        }
        match endpoint.end() {
            Some(End::Closed) => {
                let _ = socket.shutdown(Shutdown::Write);
                return drain(socket, &mut buffer);
            }
            Some(End::Aborted) => {
                reset(socket);
                return "reset by the server";
            }
            None => {}
        }
        let due = endpoint
            .poll_timeout()
            .map(|at| at.saturating_sub(start.elapsed()));
        let wait = due.unwrap_or(MOST).clamp(Duration::from_micros(100), MOST);
        let _ = socket.set_read_timeout(Some(wait));
        if !endpoint.is_reading() {
            std::thread::park_timeout(wait);
            continue;
        }
        match socket.read(&mut buffer) {
            Ok(0) => return "closed by the client",
            Ok(count) => endpoint.receive(&buffer[..count], start.elapsed()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return "reset by the client",
        }
    }
    "left open by the client"
}

/// Closes with RST, whatever has been read.
pub(super) fn reset(socket: &TcpStream) {
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

/// How long a server thread may be deaf to the end of the test.
const MOST: Duration = Duration::from_millis(20);

/// Reads what still comes, so that closing does not become a reset that eats our last words.
fn drain(mut socket: &TcpStream, buffer: &mut [u8]) -> &'static str {
    let _ = socket.set_read_timeout(Some(Duration::from_secs(1)));
    loop {
        match socket.read(buffer) {
            Ok(0) => return "closed by the server, then by the client",
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return "closed by the server, and kept by the client";
            }
            Err(_) => return "closed by the server, then reset by the client",
        }
    }
}

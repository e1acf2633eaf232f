//! A relay on the way to a server that does to bytes what networks do: cuts them into pieces, stops
//! after so many, forgets what it was for. It knows nothing of TLS or HTTP.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::rng::Rng;
use super::server::reset;

/// What becomes of a connection when the relay has had enough of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// FIN to both sides.
    Close,
    /// RST to both sides.
    Reset,
    /// FIN to the client, who is still listened to.
    HalfClose,
    /// Nothing more passes, and nobody is told.
    Silence,
}

/// How one connection fares.
#[derive(Clone, Copy, Debug)]
pub struct Road {
    /// At most so many octets at a time, in both directions.
    pub piece: usize,
    /// What happens after so many octets from the client.
    pub up: Option<(u64, Cut)>,
    /// What happens after so many octets from the server.
    pub down: Option<(u64, Cut)>,
    /// Whether what the client says is kept, in the pieces in which it came.
    pub taped: bool,
}

impl Road {
    /// Nothing happens to anything.
    pub fn smooth() -> Self {
        Self {
            piece: 64 * 1024,
            up: None,
            down: None,
            taped: false,
        }
    }
}

/// What clients said.
type Tape = Arc<Mutex<Vec<Vec<u8>>>>;

/// A listening relay on 127.0.0.1; stops when dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    connections: Arc<AtomicU32>,
    tape: Tape,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Relay {
    /// Listens, and passes connections on to `target`; `roads` says how connection `nth` (from 1) fares.
    pub fn start(
        seed: u64,
        target: SocketAddr,
        mut roads: impl FnMut(u32, &mut Rng) -> Road + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, connections) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (stopped, counter) = (Arc::clone(&stop), Arc::clone(&connections));
        let tape = Tape::default();
        let taping = Arc::clone(&tape);
        let accepting = std::thread::spawn(move || {
            let mut rng = Rng::new(seed);
            let mut threads: Vec<JoinHandle<()>> = Vec::new();
            while let Ok((near, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let nth = AtomicU32::fetch_add(&counter, 1, Ordering::SeqCst) + 1;
                let road = roads(nth, &mut rng);
                let Ok(far) = TcpStream::connect(target) else {
                    continue;
                };
                let lane = Arc::new(Lane {
                    near,
                    far,
                    road,
                    tape: Arc::clone(&taping),
                    over: AtomicBool::new(false),
                    stop: Arc::clone(&stopped),
                });
                threads.retain(|thread| !thread.is_finished());
                for up in [true, false] {
                    let (lane, rng) = (Arc::clone(&lane), rng.fork());
                    threads.push(std::thread::spawn(move || lane.carry(up, rng)));
                }
            }
            for thread in threads {
                let _ = thread.join();
            }
        });
        Self {
            address,
            connections,
            tape,
            stop,
            accepting: Some(accepting),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients have said since the last time this was asked, where it is taped.
    pub fn tape(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.tape.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Connections taken so far.
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes `accept`.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

/// One connection, shared by its two directions.
struct Lane {
    near: TcpStream,
    far: TcpStream,
    road: Road,
    tape: Tape,
    /// The cut has happened.
    over: AtomicBool,
    stop: Arc<AtomicBool>,
}

impl Lane {
    /// Carries bytes in one direction until the end or the cut.
    fn carry(&self, up: bool, mut rng: Rng) {
        let (mut from, mut to, limit) = match up {
            true => (&self.near, &self.far, self.road.up),
            false => (&self.far, &self.near, self.road.down),
        };
        let _ = from.set_read_timeout(Some(Duration::from_millis(20)));
        let _ = to.set_nodelay(true);
        let mut buffer = vec![0; self.road.piece];
        let mut carried = 0;
        while !self.over.load(Ordering::SeqCst) && !self.stop.load(Ordering::SeqCst) {
            let left = limit.map_or(u64::MAX, |(most, _)| most.saturating_sub(carried));
            if let Some((_, cut)) = limit.filter(|_| left == 0) {
                return self.cut(cut);
            }
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(self.road.piece);
            let piece = rng.between(1, most as u64) as usize;
            let piece = if self.road.piece < 1024 { piece } else { most };
            match from.read(&mut buffer[..piece]) {
                Ok(0) => {
                    let _ = to.shutdown(Shutdown::Write);
                    return;
                }
                Ok(count) => {
                    carried += count as u64;
                    if up && self.road.taped {
                        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
                        tape.push(buffer[..count].to_vec());
                    }
                    if to.write_all(&buffer[..count]).is_err() {
                        return;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => {
                    reset(to);
                    let _ = to.shutdown(Shutdown::Both);
                    return;
                }
            }
        }
    }

    fn cut(&self, cut: Cut) {
        match cut {
            Cut::HalfClose => {
                let _ = self.near.shutdown(Shutdown::Write);
                return;
            }
            Cut::Silence => {
                self.over.store(true, Ordering::SeqCst);
                // Held open until the test is over.
                while !self.stop.load(Ordering::SeqCst) {
                    std::thread::park_timeout(Duration::from_millis(20));
                }
                return;
            }
            Cut::Reset => {
                // Not `shutdown`, which would say FIN: the last to drop the sockets resets them.
                reset(&self.near);
                reset(&self.far);
            }
            Cut::Close => {
                let _ = self.near.shutdown(Shutdown::Both);
                let _ = self.far.shutdown(Shutdown::Both);
            }
        }
        self.over.store(true, Ordering::SeqCst);
    }
}

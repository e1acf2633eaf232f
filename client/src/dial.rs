//! Making one TCP connection: resolve, veto, try the addresses one after the
//! other with a head start for the first (happy eyeballs, RFC 8305), then ask
//! the proxy if there is one.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use pushcore::http::Authority;
use pushcore::{Error, ErrorKind};
use socket2::{SockRef, TcpKeepalive};

use crate::resolve::Resolver;

/// How long the next address waits for the one before it (RFC 8305 §5).
pub const HEAD_START: Duration = Duration::from_millis(250);

/// How long a connection is idle before TCP asks whether the peer is there: less than the minute after which the
/// strictest middleboxes forget a flow.
const KEEPALIVE: Duration = Duration::from_secs(45);

/// How long TCP waits before it asks again.
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(15);

/// The addresses of a host, in the order of the resolver, IPv6 and IPv4 in turn (RFC 8305 §4).
///
/// Blocks in the resolver.
pub(crate) fn resolve(resolver: &Resolver, authority: &Authority) -> Result<VecDeque<SocketAddr>, Error> {
    let addresses = resolver
        .lookup(authority.host(), authority.port())
        .map_err(|source| unresolved(authority.host(), source))?;
    in_turn(addresses, authority)
}

/// Puts the addresses of a host in the order in which they are tried: IPv6 and IPv4 in turn (RFC 8305 §4).
///
/// # Errors
/// `NameNotResolved` where there is none.
pub fn in_turn(addresses: Vec<SocketAddr>, authority: &Authority) -> Result<VecDeque<SocketAddr>, Error> {
    let (mut v6, mut v4): (VecDeque<_>, VecDeque<_>) = addresses.into_iter().partition(SocketAddr::is_ipv6);
    let mut ordered = VecDeque::with_capacity(v6.len() + v4.len());
    while !v6.is_empty() || !v4.is_empty() {
        ordered.extend(v6.pop_front());
        ordered.extend(v4.pop_front());
    }
    if ordered.is_empty() {
        let context = format!("the name {} has no address", authority.host());
        return Err(Error::new(ErrorKind::NameNotResolved, context));
    }
    Ok(ordered)
}

/// One attempt under way.
#[derive(Debug)]
struct Attempt {
    address: SocketAddr,
    stream: TcpStream,
}

/// The race of a host's addresses.
#[derive(Debug)]
pub(crate) struct Race {
    waiting: VecDeque<SocketAddr>,
    running: Vec<Attempt>,
    next_start: Duration,
    failure: Option<Error>,
}

/// How a race stands.
pub(crate) enum Standing {
    /// Still running.
    Open,
    /// Connected.
    Won(TcpStream),
    /// No address took the connection.
    Lost(Error),
}

impl Race {
    pub(crate) fn new(addresses: VecDeque<SocketAddr>) -> Self {
        Self {
            waiting: addresses,
            running: Vec::new(),
            next_start: Duration::ZERO,
            failure: None,
        }
    }

    /// When `advance` has to be called although no socket says anything.
    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        (!self.waiting.is_empty()).then_some(self.next_start)
    }

    /// Starts the next attempt if it is time, and looks how the running ones are doing.
    /// `token` gives each socket its own token.
    pub(crate) fn advance(
        &mut self,
        registry: &mio::Registry,
        token: &mut impl FnMut() -> mio::Token,
        now: Duration,
    ) -> Standing {
        if let Some(won) = self.check(registry) {
            return won;
        }
        while (self.running.is_empty() || now >= self.next_start) && !self.waiting.is_empty() {
            let Some(address) = self.waiting.pop_front() else {
                break;
            };
            self.next_start = now.saturating_add(HEAD_START);
            match start(address, registry, token()) {
                Ok(attempt) => self.running.push(attempt),
                Err(source) => self.failure = Some(refused(address, source)),
            }
        }
        match self.running.is_empty() {
            false => Standing::Open,
            true => {
                Standing::Lost(self.failure.take().unwrap_or_else(|| {
                    Error::new(ErrorKind::ConnectRefused, "no address took the connection")
                }))
            }
        }
    }

    /// Gives up: closes every socket.
    pub(crate) fn abandon(&mut self, registry: &mio::Registry) {
        for mut attempt in self.running.drain(..) {
            // A socket that cannot be deregistered is closed by its drop all the same.
            let _ = registry.deregister(&mut attempt.stream);
        }
    }

    fn check(&mut self, registry: &mio::Registry) -> Option<Standing> {
        let mut index = 0;
        while index < self.running.len() {
            let attempt = &self.running[index];
            let state = match attempt.stream.take_error() {
                Ok(Some(error)) | Err(error) => Err(error),
                // Connected only once the peer's address is known (connect(2), EINPROGRESS).
                Ok(None) => Ok(attempt.stream.peer_addr().is_ok()),
            };
            match state {
                Ok(false) => index += 1,
                Ok(true) => {
                    let won = self.running.swap_remove(index);
                    self.abandon(registry);
                    return Some(Standing::Won(won.stream));
                }
                Err(source) => {
                    let mut lost = self.running.swap_remove(index);
                    let _ = registry.deregister(&mut lost.stream);
                    self.failure = Some(refused(lost.address, source));
                    self.next_start = Duration::ZERO;
                }
            }
        }
        None
    }
}

fn start(address: SocketAddr, registry: &mio::Registry, token: mio::Token) -> io::Result<Attempt> {
    let mut stream = TcpStream::connect(address)?;
    // A lone push must not wait for the ack of the one before it.
    stream.set_nodelay(true)?;
    keep_alive(&SockRef::from(&stream));
    registry.register(
        &mut stream,
        token,
        mio::Interest::READABLE | mio::Interest::WRITABLE,
    )?;
    Ok(Attempt { address, stream })
}

/// Sets TCP's own keep-alive on a socket.
pub fn keep_alive(socket: &socket2::Socket) {
    // Whatever forgets idle flows on the way is reminded of this one. Not every system has every option, and the
    // session asks an idle connection before it trusts it: going without is no failure.
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    #[cfg(not(any(target_os = "openbsd", target_os = "haiku", target_os = "vita")))]
    let keepalive = keepalive.with_interval(KEEPALIVE_AGAIN);
    let _ = socket.set_tcp_keepalive(&keepalive);
}

/// The error of a name that was not found, or could not be looked up.
pub fn unresolved(host: &str, source: io::Error) -> Error {
    if is_out_of_descriptors(&source) || are_descriptors_missing() {
        let context = "this machine has no descriptor left to look a name up";
        return Error::new(ErrorKind::OutOfDescriptors, context).with_source(source);
    }
    let context = format!("the name {host} does not resolve");
    Error::new(ErrorKind::NameNotResolved, context).with_source(source)
}

/// Whether this machine, and not the network, keeps a socket from being made: EMFILE and ENFILE.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    // The standard library has no name for them. Unix agrees on both numbers; WSAEMFILE on Windows.
    #[cfg(windows)]
    const NUMBERS: [i32; 1] = [10_024];
    #[cfg(not(windows))]
    const NUMBERS: [i32; 2] = [23, 24];
    error
        .raw_os_error()
        .is_some_and(|number| NUMBERS.contains(&number))
}

/// Whether a socket could not be made at this moment. A lookup that fails for want of a descriptor says anything but that.
fn are_descriptors_missing() -> bool {
    std::net::UdpSocket::bind(("127.0.0.1", 0)).is_err_and(|error| is_out_of_descriptors(&error))
}

/// Returns the error of an address that did not take the connection.
pub fn refused(address: SocketAddr, source: io::Error) -> Error {
    if is_out_of_descriptors(&source) {
        let context = "this machine has no descriptor left for another connection";
        return Error::new(ErrorKind::OutOfDescriptors, context).with_source(source);
    }
    use io::ErrorKind as Io;
    let (kind, verb) = match source.kind() {
        Io::TimedOut => (ErrorKind::ConnectTimeout, "did not answer"),
        Io::ConnectionRefused => (ErrorKind::ConnectRefused, "refused the connection"),
        // Quicker than the news of the connection.
        Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => {
            (ErrorKind::ConnectionLost, "closed the connection at once")
        }
        Io::HostUnreachable | Io::NetworkUnreachable | Io::AddrNotAvailable => {
            (ErrorKind::ConnectRefused, "cannot be reached from here")
        }
        // Not permitted: not the host's doing.
        _ => (ErrorKind::ConnectRefused, "could not be connected to"),
    };
    Error::new(kind, format!("{address} {verb}")).with_source(source)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Runs a race to its end.
    fn race(addresses: impl IntoIterator<Item = SocketAddr>) -> Result<TcpStream, Error> {
        let mut poll = mio::Poll::new().expect("a poll");
        let mut events = mio::Events::with_capacity(8);
        let (mut race, mut next) = (Race::new(addresses.into_iter().collect()), 0);
        let registry = poll.registry().try_clone().expect("a registry");
        let mut token = || {
            next += 1;
            mio::Token(next)
        };
        let start = std::time::Instant::now();
        loop {
            match race.advance(&registry, &mut token, start.elapsed()) {
                Standing::Won(stream) => return Ok(stream),
                Standing::Lost(error) => return Err(error),
                Standing::Open => poll.poll(&mut events, Some(HEAD_START)).expect("a poll"),
            }
        }
    }

    #[test]
    fn a_socket_sends_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream = race([listener.local_addr().expect("an address")]).expect("a connection");
        assert!(stream.nodelay().expect("an option"));
    }

    #[test]
    fn an_idle_connection_is_kept_in_mind_on_the_way() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream = race([listener.local_addr().expect("an address")]).expect("a connection");
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().expect("an option"));
        let time = socket.tcp_keepalive_time().expect("an option");
        assert_eq!(time, Duration::from_secs(45));
        let interval = socket.tcp_keepalive_interval().expect("an option");
        assert_eq!(interval, Duration::from_secs(15));
    }

    #[test]
    fn a_machine_without_descriptors_is_not_the_hosts_refusal() {
        let address = SocketAddr::from(([192, 0, 2, 1], 443));
        #[cfg(windows)]
        let numbers = [10_024];
        #[cfg(not(windows))]
        let numbers = [23, 24];
        for number in numbers {
            let error = refused(address, io::Error::from_raw_os_error(number));
            assert_eq!(error.kind(), ErrorKind::OutOfDescriptors, "{error}");
        }
    }

    #[test]
    fn what_keeps_a_connection_from_being_made_is_told_apart() {
        let address = SocketAddr::from(([192, 0, 2, 1], 443));
        for (source, kind, words) in [
            (
                io::ErrorKind::ConnectionRefused,
                ErrorKind::ConnectRefused,
                "refused",
            ),
            (
                io::ErrorKind::TimedOut,
                ErrorKind::ConnectTimeout,
                "did not answer",
            ),
            (
                io::ErrorKind::ConnectionReset,
                ErrorKind::ConnectionLost,
                "closed",
            ),
            (
                io::ErrorKind::NetworkUnreachable,
                ErrorKind::ConnectRefused,
                "cannot be reached",
            ),
            (
                io::ErrorKind::PermissionDenied,
                ErrorKind::ConnectRefused,
                "could not be",
            ),
        ] {
            let error = refused(address, source.into());
            assert_eq!(error.kind(), kind, "{source}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn who_refuses_is_named_and_the_next_one_wins() {
        let closed = |listener: TcpListener| listener.local_addr().expect("an address");
        let dead = closed(TcpListener::bind("127.0.0.1:0").expect("a port"));
        let error = race([dead]).expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::ConnectRefused);
        assert!(error.to_string().contains(&dead.to_string()), "{error}");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let alive = listener.local_addr().expect("an address");
        let stream = race([dead, alive]).expect("a connection");
        assert_eq!(stream.peer_addr().expect("an address"), alive);
    }

    #[test]
    fn the_first_address_has_a_head_start() {
        let bind = || TcpListener::bind("127.0.0.1:0").expect("a port");
        let (first, second) = (bind(), bind());
        let address = |listener: &TcpListener| listener.local_addr().expect("an address");
        let stream = race([address(&first), address(&second)]).expect("a connection");
        assert_eq!(stream.peer_addr().expect("an address"), address(&first));
        second.set_nonblocking(true).expect("an option");
        let nobody = second.accept().expect_err("nobody asked here");
        assert_eq!(nobody.kind(), io::ErrorKind::WouldBlock);
    }

    /// RFC 8305 §4: the families in turn, IPv6 first, each in the resolver's order.
    #[test]
    fn the_families_take_turns() {
        let v4 = |last| SocketAddr::from(([192, 0, 2, last], 443));
        let v6 = |last| SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 443));
        let asked = vec![v4(1), v4(2), v4(3), v6(1), v6(2)];
        let resolver = Resolver::new(move |_, _| Ok(asked.clone()));
        let authority = Authority::parse("example.org").expect("an authority");
        let addresses = resolve(&resolver, &authority).expect("addresses");
        assert_eq!(addresses, [v6(1), v4(1), v6(2), v4(2), v4(3)]);
        let nobody = Resolver::new(|_, _| Ok(Vec::new()));
        let error = resolve(&nobody, &authority).expect_err("no address");
        assert_eq!(error.kind(), ErrorKind::NameNotResolved);
    }
}

//! Addresses that a case names: where nobody listens, where nobody answers, where a server is.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// A bound socket.
fn bound() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .expect("a port");
    let address = socket.local_addr().expect("an address").as_socket().expect("ip");
    (socket, address)
}

/// An address that refuses connections: bound so that nobody else gets it, and not listened on.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) address: SocketAddr,
    _socket: Socket,
}

impl Refused {
    pub(super) fn new() -> Self {
        let (_socket, address) = bound();
        Self { address, _socket }
    }
}

/// A listener whose queue is full: the kernel drops every SYN.
#[derive(Debug)]
pub(super) struct BlackHole {
    pub(super) address: SocketAddr,
    _listener: Socket,
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    pub(super) fn new() -> Self {
        let (listener, address) = bound();
        listener.listen(0).expect("a listener");
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            queue.push(stream);
            assert!(queue.len() < 100, "the queue never fills");
        }
        Self {
            address,
            _listener: listener,
            _queue: queue,
        }
    }
}

/// A listener on this machine; `receive_buffer` is how few octets the kernel takes before anybody reads.
pub(super) fn listener(address: [u8; 4], receive_buffer: Option<usize>) -> Socket {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    if let Some(size) = receive_buffer {
        listener.set_recv_buffer_size(size).expect("an option");
    }
    listener
        .bind(&SocketAddr::from((address, 0)).into())
        .expect("a port");
    listener.listen(128).expect("a listener");
    listener
}

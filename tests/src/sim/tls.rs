//! A peer behind TLS, still without a socket.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig, ServerConnection};

use super::log::{Handshake, Log};
use super::peer::{End, Peer};
use super::rng::Rng;
use super::script::Script;

/// A server's side of one connection, with TLS or without.
#[derive(Debug)]
pub struct Endpoint {
    peer: Peer,
    tls: Option<Box<ServerConnection>>,
    log: Log,
    /// The handshake is over and written down.
    greeted: bool,
    out: Vec<u8>,
    failed: bool,
}

impl Endpoint {
    /// A connection that has just been accepted at `now`.
    pub fn new(script: Script, tls: Option<Arc<ServerConfig>>, log: Log, rng: Rng, now: Duration) -> Self {
        let tls = tls.map(|config| Box::new(ServerConnection::new(config).expect("a tls connection")));
        Self {
            peer: Peer::new(script, log.clone(), rng, now),
            tls,
            log,
            greeted: false,
            out: Vec::new(),
            failed: false,
        }
    }

    /// Bytes from the client.
    pub fn receive(&mut self, mut bytes: &[u8], now: Duration) {
        if self.end().is_some() {
            return;
        }
        let Some(tls) = &mut self.tls else {
            return self.peer.receive(bytes, now);
        };
        while !bytes.is_empty() && !self.failed {
            if tls.read_tls(&mut bytes).unwrap_or(0) == 0 {
                break;
            }
            self.failed = tls.process_new_packets().is_err();
            if !tls.is_handshaking() && !std::mem::replace(&mut self.greeted, true) {
                self.log.handshake(Handshake {
                    resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
                    version: tls.protocol_version(),
                    server_name: tls.server_name().map(str::to_owned),
                    client_certificate: tls
                        .peer_certificates()
                        .and_then(<[_]>::first)
                        .map(|certificate| certificate.to_vec()),
                });
            }
            let mut plain = Vec::new();
            // `WouldBlock` is what the end of the plain text looks like here.
            let _ = tls.reader().read_to_end(&mut plain);
            self.peer.receive(&plain, now);
        }
    }

    /// Time has come to `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.peer.handle_timeout(now);
    }

    /// When the server wants to act on its own.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.peer.poll_timeout().filter(|_| !self.failed)
    }

    /// Whether the server reads what arrives.
    pub fn is_reading(&self) -> bool {
        self.peer.is_reading()
    }

    /// Whether and how the server has ended the transport. Without close_notify: many do.
    pub fn end(&self) -> Option<End> {
        if self.failed {
            Some(End::Closed)
        } else {
            self.peer.end()
        }
    }

    /// What the server has to say now.
    pub fn take_output(&mut self) -> Vec<u8> {
        let Some(tls) = &mut self.tls else {
            return self.peer.take_output();
        };
        if !self.peer.is_reading() {
            return Vec::new();
        }
        if !tls.is_handshaking() && !self.failed {
            let plain = self.peer.take_output();
            tls.set_buffer_limit(None);
            tls.writer().write_all(&plain).expect("a buffer without a limit");
        }
        while tls.wants_write() {
            tls.write_tls(&mut self.out).expect("writing into memory");
        }
        std::mem::take(&mut self.out)
    }
}

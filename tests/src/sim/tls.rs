//! A peer behind TLS, still without a socket.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use ring::aead;
use rustls::{ConnectionTrafficSecrets, HandshakeKind, ServerConfig, ServerConnection};

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
    /// The client has said close_notify.
    closed: bool,
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
            closed: false,
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
            let state = tls.process_new_packets();
            self.failed = state.is_err();
            if state.is_ok_and(|state| state.peer_has_closed()) && !std::mem::replace(&mut self.closed, true)
            {
                self.log.close_notify();
            }
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

    /// Which connection of its server this is, from 1.
    pub(super) fn number(&self) -> u32 {
        self.peer.number()
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
        if let Some(alert) = self.peer.alert().filter(|_| !self.failed) {
            if let Some(tls) = self.tls.take() {
                self.out.extend(alert_record(*tls, alert));
            }
            self.failed = true;
        }
        std::mem::take(&mut self.out)
    }
}

/// A fatal alert of TLS 1.3 as the next record of this connection (RFC 8446 §5.2, §6): rustls sends
/// none at a caller's wish.
fn alert_record(tls: ServerConnection, alert: u8) -> Vec<u8> {
    let secrets = tls.dangerous_extract_secrets().expect("secrets");
    let (sequence, secrets) = secrets.tx;
    let (algorithm, key, iv) = match &secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&aead::AES_128_GCM, key, iv),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&aead::AES_256_GCM, key, iv),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&aead::CHACHA20_POLY1305, key, iv),
        _ => unreachable!("a cipher suite of TLS 1.3"),
    };
    let mut nonce = [0; 12];
    nonce.copy_from_slice(iv.as_ref());
    for (byte, number) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
        *byte ^= number;
    }
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(algorithm, key.as_ref()).expect("a key"));
    // fatal, which one, and that it is an alert.
    let mut sealed = vec![2, alert, 21];
    let length = sealed.len() + algorithm.tag_len();
    let head = [23, 3, 3, 0, u8::try_from(length).expect("a short record")];
    key.seal_in_place_append_tag(
        aead::Nonce::assume_unique_for_key(nonce),
        aead::Aad::from(head),
        &mut sealed,
    )
    .expect("a sealed record");
    [&head[..], &sealed].concat()
}

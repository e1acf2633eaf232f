//! One TLS session as a filter between two byte streams.

use std::collections::VecDeque;
use std::io::{BufRead, ErrorKind as IoErrorKind, Write};
use std::sync::Arc;

use rustls::ClientConnection;
use rustls_pki_types::ServerName;

use super::config::TlsConfig;
use super::failure;
use crate::error::{Error, ErrorKind};
use crate::time::Now;

/// The most plaintext that one TLS record holds (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;
/// Records are made while fewer bytes than this wait for the transport.
const ENOUGH: usize = 64 * 1024;

/// A client's TLS session: ciphertext in and out on one side, plaintext on the other.
pub(crate) struct TlsStream {
    session: ClientConnection,
    config: Arc<TlsConfig>,
    host: Box<str>,
    /// Ciphertext; the first `sent` bytes have been taken by the transport.
    out: Vec<u8>,
    sent: usize,
    /// Application records of which no byte has been taken, oldest first.
    records: VecDeque<Record>,
    /// All plaintext bytes ever encrypted, and those of records that were touched.
    plain_made: u64,
    plain_gone: u64,
    /// Received plaintext on its way to the caller.
    chunk: Vec<u8>,
    closed: bool,
    failed: bool,
}

struct Record {
    /// Where it begins in `out`.
    start: usize,
    /// The number of plaintext bytes encrypted up to its end.
    plain_end: u64,
}

/// The result of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Details may come.
    Open,
    /// The peer said that nothing more comes (close_notify).
    Ended,
}

impl TlsStream {
    /// Begins a session; the ClientHello is ready for the transport.
    pub(crate) fn new(config: &Arc<TlsConfig>, host: &str, alpn: &[&[u8]], now: Now) -> Result<Self, Error> {
        config.clock.set(now.unix);
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            Error::new(ErrorKind::InvalidValue, "host name cannot be used in tls").with_source(error)
        })?;
        let alpn = alpn.iter().map(|name| name.to_vec()).collect();
        let mut session = ClientConnection::new_with_alpn(Arc::clone(&config.client), name, alpn)
            .map_err(|error| failure::explain(error, host))?;
        // What waits is bounded here, by `ENOUGH`; rustls must never take half of a record's worth.
        session.set_buffer_limit(None);
        let mut stream = Self {
            session,
            config: Arc::clone(config),
            host: host.into(),
            out: Vec::new(),
            sent: 0,
            records: VecDeque::new(),
            plain_made: 0,
            plain_gone: 0,
            chunk: Vec::new(),
            closed: false,
            failed: false,
        };
        stream.collect();
        Ok(stream)
    }

    /// Whether plaintext cannot be sent yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    /// The application protocol that the server chose.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        self.session.alpn_protocol()
    }

    /// Whether this session resumed an earlier one.
    pub(crate) fn is_resumed(&self) -> bool {
        self.session.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }

    /// Takes ciphertext; calls `plaintext` for what comes out of it, also when an
    /// error follows. After an error the alert waits in [`pending`](Self::pending).
    pub(crate) fn receive(
        &mut self,
        mut bytes: &[u8],
        now: Now,
        mut plaintext: impl FnMut(&Self, &[u8]),
    ) -> Result<Flow, Error> {
        if self.failed {
            return Ok(Flow::Ended);
        }
        self.config.clock.set(now.unix);
        let mut flow = Flow::Open;
        let mut chunk = std::mem::take(&mut self.chunk);
        while flow == Flow::Open && !bytes.is_empty() {
            // rustls holds at most 16 KiB of plaintext, and is emptied in every turn.
            let taken = self.session.read_tls(&mut bytes).map_err(|error| {
                self.failed = true;
                Error::new(ErrorKind::TlsProtocol, "tls handshake message is too large").with_source(error)
            })?;
            let result = self.session.process_new_packets();
            loop {
                match self.session.reader().fill_buf() {
                    Ok([]) => {
                        flow = Flow::Ended;
                        break;
                    }
                    Ok(ready) => {
                        chunk.clear();
                        chunk.extend_from_slice(ready);
                    }
                    Err(error) if error.kind() == IoErrorKind::WouldBlock => break,
                    Err(_) => {
                        flow = Flow::Ended;
                        break;
                    }
                }
                self.session.reader().consume(chunk.len());
                plaintext(self, &chunk);
            }
            if let Err(error) = result {
                self.discard_untouched();
                self.failed = true;
                return Err(failure::explain(error, &self.host));
            }
            if taken == 0 {
                break;
            }
        }
        self.chunk = chunk;
        self.collect();
        Ok(flow)
    }

    /// Whether more plaintext should be encrypted before the transport takes what waits.
    pub(crate) fn has_room(&self) -> bool {
        !self.failed && !self.session.is_handshaking() && self.out.len() - self.sent < ENOUGH
    }

    /// Encrypts as much of `plaintext` as there is room for, in records as full as
    /// it allows, and says how many bytes it took.
    pub(crate) fn encrypt(&mut self, plaintext: &[u8]) -> usize {
        let mut taken = 0;
        for chunk in plaintext.chunks(RECORD) {
            if !self.has_room() {
                break;
            }
            self.collect();
            // A key update may come before the record; then the record counts as touched a few
            // bytes early, which errs on the safe side.
            let start = self.out.len();
            // Fewer bytes than given only when the keys are worn out and TLS 1.2
            // cannot renew them; rustls has queued its close_notify then.
            let written = self.session.writer().write(chunk).unwrap_or(0);
            self.collect();
            if written == 0 {
                break;
            }
            taken += written;
            self.plain_made += written as u64;
            self.records.push_back(Record {
                start,
                plain_end: self.plain_made,
            });
        }
        taken
    }

    /// Ciphertext for the transport.
    pub(crate) fn pending(&self) -> &[u8] {
        self.out.get(self.sent..).unwrap_or_default()
    }

    /// The transport took `n` bytes of [`pending`](Self::pending). Returns how many
    /// plaintext bytes belong to records of which at least one byte has gone.
    pub(crate) fn transmitted(&mut self, n: usize) -> u64 {
        self.sent = self.sent.saturating_add(n).min(self.out.len());
        while let Some(record) = self.records.front() {
            if record.start >= self.sent {
                break;
            }
            self.plain_gone = record.plain_end;
            self.records.pop_front();
        }
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
        } else if self.sent >= ENOUGH {
            self.out.drain(..self.sent);
            for record in &mut self.records {
                record.start -= self.sent;
            }
            self.sent = 0;
        }
        self.plain_gone
    }

    /// Says close_notify after what waits.
    pub(crate) fn close(&mut self) {
        if !self.failed && !self.closed {
            self.closed = true;
            self.session.send_close_notify();
            self.collect();
        }
    }

    /// Drops the application records of which no byte has gone: their requests have
    /// been reported as not sent, so they must not be. What rustls wants to say after
    /// them (an alert, close_notify) could not be decrypted then and goes with them.
    pub(crate) fn discard_untouched(&mut self) {
        match self.records.front() {
            Some(record) => {
                self.out.truncate(record.start);
                self.records.clear();
                self.failed = true;
            }
            None => self.collect(),
        }
    }

    /// Moves what rustls wants to say into `out`.
    fn collect(&mut self) {
        while self.session.wants_write() {
            if self.session.write_tls(&mut self.out).is_err() {
                break;
            }
        }
    }
}

//! A server that costs as little as it can: it decodes frames, counts, and answers 200.
//!
//! `responder certificate FOLDER` writes a certificate; `responder http2 PORT FOLDER [STREAMS] [id] [real] [created] [many]`
//! answers requests, with an `apns-id` when told so, with the flow-control window of Apple's servers when told so (65,535
//! octets, given back in steps of 32,822) and not all that there is, with 201 as a push service does, and with little memory for each
//! of many connections; `responder echo PORT FOLDER` answers every TLS record with 40 bytes.
//!
//! When a connection ends it prints what came: requests, TLS records, how many of them were full.

use std::io::{self, BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
/// A TLS record with at least this much is called full: 16 KiB less what a frame boundary may cost.
const FULL: usize = 16 * 1024;

/// The octets that are read at once, with few connections and with thousands.
const LARGE: usize = 256 * 1024;
const SMALL: usize = 16 * 1024;

/// The stack of a connection's thread: the usual 2 MiB of ten thousand would be 20 GB of addresses.
const STACK: usize = 128 * 1024;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map_or("", String::as_str);
    let folder = Path::new(word(2));
    match word(0) {
        "certificate" => pushcore_benches::write_certificate(Path::new(word(1))),
        "echo" => serve(word(1), folder, b"", LARGE, |mut line| line.echo()),
        "http2" => {
            let streams: u32 = word(3).parse().unwrap_or(1000);
            let told = |what: &str| arguments.iter().skip(4).any(|word| word == what);
            let (with_id, real, created) = (told("id"), told("real"), told("created"));
            let size = if told("many") { SMALL } else { LARGE };
            serve(word(1), folder, b"h2", size, move |mut line| {
                Http2::new(with_id, real, created).run(&mut line, streams)
            })
        }
        _ => Err(io::Error::other("certificate, echo or http2?")),
    }
}

fn serve(
    port: &str,
    folder: &Path,
    alpn: &[u8],
    size: usize,
    run: impl Fn(Line) -> io::Result<()> + Clone + Send + 'static,
) -> io::Result<()> {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
        })
        .map_err(io::Error::other)?;
    if !alpn.is_empty() {
        config.alpn_protocols = vec![alpn.to_vec()];
    }
    let config = Arc::new(config);
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    println!("listening on {}", listener.local_addr()?);
    for socket in listener.incoming() {
        let line = Line::new(socket?, config.clone(), size)?;
        let run = run.clone();
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn(move || {
            // A client that goes away is the usual end.
            let _ = run(line);
        })?;
    }
    Ok(())
}

/// One TLS connection.
struct Line {
    socket: TcpStream,
    tls: ServerConnection,
    buffer: Vec<u8>,
    records: Records,
}

impl Line {
    fn new(socket: TcpStream, config: Arc<ServerConfig>, size: usize) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        tls.set_buffer_limit(None);
        Ok(Self {
            socket,
            tls,
            buffer: vec![0; size],
            records: Records::default(),
        })
    }

    /// Waits for bytes and appends what was in them to `plain`; false at the end.
    fn read(&mut self, plain: &mut Vec<u8>) -> io::Result<bool> {
        let count = self.socket.read(&mut self.buffer)?;
        let mut bytes = &self.buffer[..count];
        self.records.count(bytes);
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes)?;
            self.tls.process_new_packets().map_err(io::Error::other)?;
            loop {
                let taken = match self.tls.reader().fill_buf() {
                    Ok(ready) => {
                        plain.extend_from_slice(ready);
                        ready.len()
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                    Err(error) => return Err(error),
                };
                if taken == 0 {
                    break;
                }
                self.tls.reader().consume(taken);
            }
        }
        // The handshake's own messages.
        self.flush()?;
        Ok(count > 0)
    }

    fn write(&mut self, plain: &[u8]) -> io::Result<()> {
        self.tls.writer().write_all(plain)?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.tls.wants_write() {
            return Ok(());
        }
        let mut out = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut out)?;
        }
        self.socket.write_all(&out)
    }

    fn echo(&mut self) -> io::Result<()> {
        let mut plain = Vec::new();
        while self.read(&mut plain)? {
            let answer: &[u8] = if plain.is_empty() { b"" } else { &[7; 40] };
            self.write(answer)?;
            plain.clear();
        }
        Ok(())
    }
}

/// Counts TLS records of application data in a stream of bytes.
#[derive(Default)]
struct Records {
    reads: u64,
    records: u64,
    full: u64,
    bytes: u64,
    /// The rest of the present record, and the beginning of the next one's head.
    left: usize,
    head: Vec<u8>,
}

impl Records {
    fn count(&mut self, mut bytes: &[u8]) {
        self.reads += 1;
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = self.left.min(bytes.len());
                self.left -= here;
                bytes = &bytes[here..];
                continue;
            }
            let here = (5 - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..here]);
            bytes = &bytes[here..];
            if let [kind, _, _, high, low] = self.head[..] {
                self.left = usize::from(high) << 8 | usize::from(low);
                if kind == 23 {
                    self.records += 1;
                    self.full += u64::from(self.left >= FULL);
                }
                self.head.clear();
            }
        }
    }
}

/// The part of HTTP/2 that a well-behaved client needs.
struct Http2 {
    with_id: bool,
    /// Whether the window is Apple's.
    real: bool,
    /// Whether the status is 201 and not 200.
    created: bool,
    requests: u64,
    consumed: u32,
    out: Vec<u8>,
}

impl Http2 {
    fn new(with_id: bool, real: bool, created: bool) -> Self {
        Self {
            with_id,
            real,
            created,
            requests: 0,
            consumed: 0,
            out: Vec::new(),
        }
    }

    fn run(&mut self, line: &mut Line, streams: u32) -> io::Result<()> {
        let mut settings = Vec::new();
        settings.extend_from_slice(&3u16.to_be_bytes());
        settings.extend_from_slice(&streams.to_be_bytes());
        self.frame(SETTINGS, 0, 0, &settings);
        if !self.real {
            self.frame(WINDOW_UPDATE, 0, 0, &0x7000_0000u32.to_be_bytes());
        }
        let mut plain = Vec::new();
        let mut preface = 24;
        let result = loop {
            match line.read(&mut plain) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
            if preface > 0 {
                if plain.len() < preface {
                    continue;
                }
                plain.drain(..preface);
                preface = 0;
            }
            let taken = self.frames(&plain);
            plain.drain(..taken);
            if self.out.is_empty() {
                continue;
            }
            let out = std::mem::take(&mut self.out);
            if let Err(error) = line.write(&out) {
                break Err(error);
            }
            self.out = out;
            self.out.clear();
        };
        let records = &line.records;
        println!(
            "requests={} reads={} records={} full={} bytes={}",
            self.requests, records.reads, records.records, records.full, records.bytes
        );
        result
    }

    /// Handles every whole frame; returns how many bytes they were.
    fn frames(&mut self, plain: &[u8]) -> usize {
        let mut at = 0;
        while let Some([a, b, c, kind, flags, s0, s1, s2, s3]) = plain.get(at..at + HEAD) {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let stream = [*s0, *s1, *s2, *s3];
            let Some(payload) = plain.get(at + HEAD..at + HEAD + length) else {
                break;
            };
            at += HEAD + length;
            match *kind {
                DATA => {
                    self.consumed += length as u32;
                    let step = if self.real { 32_822 } else { 1 << 24 };
                    if self.consumed >= step {
                        let consumed = std::mem::take(&mut self.consumed);
                        self.frame(WINDOW_UPDATE, 0, 0, &consumed.to_be_bytes());
                    }
                }
                SETTINGS if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => self.frame(PING, ACK, 0, payload),
                _ => {}
            }
            if matches!(*kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                self.answer(stream);
            }
        }
        at
    }

    fn answer(&mut self, stream: [u8; 4]) {
        self.requests += 1;
        if self.created {
            // The name of entry 8, and "201".
            self.out.extend_from_slice(&[0, 0, 5, HEADERS, 5]);
            self.out.extend_from_slice(&stream);
            self.out.extend_from_slice(b"\x08\x03201");
            return;
        }
        if !self.with_id {
            // ":status: 200" is entry 8 of the static table.
            self.out.extend_from_slice(&[0, 0, 1, HEADERS, 5]);
            self.out.extend_from_slice(&stream);
            self.out.push(0x88);
            return;
        }
        // And "apns-id" as a literal that no table keeps.
        self.out.extend_from_slice(&[0, 0, 47, HEADERS, 5]);
        self.out.extend_from_slice(&stream);
        self.out.extend_from_slice(b"\x88\x00\x07apns-id\x24");
        self.out.extend_from_slice(b"8c8e3b7a-4f3e-4a51-9d0a-");
        let number = format!("{:012x}", self.requests);
        self.out.extend_from_slice(number.as_bytes());
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = payload.len() as u32;
        self.out.extend_from_slice(&length.to_be_bytes()[1..]);
        self.out.extend_from_slice(&[kind, flags]);
        self.out.extend_from_slice(&stream.to_be_bytes());
        self.out.extend_from_slice(payload);
    }
}

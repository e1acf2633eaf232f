//! A server written out in octets, and a record of what the engine does with it.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use std::sync::Arc;
use std::time::Duration;

use pushcore::http::{Authority, Request};
use pushcore::net::h2::Config;
use pushcore::net::{CloseReason, Connection, ConnectionConfig, Event, Security};
use pushcore::{Now, UnixTime};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;

/// `:status 200`, by index.
pub const OK: &[u8] = &[0x88];

pub fn at(seconds: u64) -> Now {
    Now::new(
        Duration::from_secs(seconds),
        UnixTime::from_secs(1_700_000_000 + seconds),
    )
}

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

pub fn settings(entries: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (id, value) in entries {
        payload.extend_from_slice(&id.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    frame(SETTINGS, 0, 0, &payload)
}

pub fn settings_ack() -> Vec<u8> {
    frame(SETTINGS, ACK, 0, &[])
}

pub fn goaway(last: u32, code: u32, debug: &[u8]) -> Vec<u8> {
    let mut payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
    payload.extend_from_slice(debug);
    frame(GOAWAY, 0, 0, &payload)
}

pub fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

/// A complete response without a body.
pub fn answer(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, OK)
}

/// A field, literally and without indexing.
pub fn literal(name: &str, value: &str) -> Vec<u8> {
    assert!(name.len() < 127 && value.len() < 127);
    let mut out = vec![0, name.len() as u8];
    out.extend_from_slice(name.as_bytes());
    out.push(value.len() as u8);
    out.extend_from_slice(value.as_bytes());
    out
}

/// `HEADERS` that hold a literal list.
pub fn list(flags: u8, stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let block: Vec<u8> = fields.iter().flat_map(|(n, v)| literal(n, v)).collect();
    frame(HEADERS, flags | END_HEADERS, stream, &block)
}

pub fn request(body: &[u8]) -> Request {
    let mut request = Request::new();
    request.authority = Some(Authority::new("example.com", 443).unwrap());
    request.path.push_str("/3/device/00");
    request.body.own().extend_from_slice(body);
    request
}

/// A frame that the engine sent: kind, flags, stream, payload.
pub type Sent = (u8, u8, u32, Vec<u8>);

/// A connection without TLS that begins at once with HTTP/2.
pub fn connection(config: Config, now: Now) -> Connection {
    let mut choices = ConnectionConfig::new(Security::Cleartext);
    choices.body_limit = config.max_response_body;
    // HTTP/2 has a time limit of its own, which these tests are about.
    choices.handshake_timeout = Duration::from_secs(1_000_000);
    choices.http2 = config;
    Connection::new(
        &Arc::new(choices),
        &Authority::new("example.com", 443).unwrap(),
        now,
    )
    .unwrap()
}

/// A connection, what it sent, and what it reported.
pub struct Client {
    pub connection: Connection,
    pub now: Now,
    pub out: Vec<u8>,
    pub events: Vec<String>,
}

impl Client {
    /// A connection before the server's SETTINGS.
    pub fn fresh(config: Config) -> Self {
        Self {
            connection: connection(config, at(0)),
            now: at(0),
            out: Vec::new(),
            events: Vec::new(),
        }
    }

    /// A connection after the exchange of SETTINGS, nothing recorded yet.
    pub fn ready(config: Config) -> Self {
        let mut client = Self::fresh(config);
        client.receive(&settings(&[]));
        client.receive(&settings_ack());
        assert_eq!(client.events, ["ready"]);
        client.forget();
        client
    }

    /// The same with streams 1, 3, 5 ... in flight, each fully sent.
    pub fn with_requests(config: Config, count: usize) -> Self {
        let mut client = Self::ready(config);
        for _ in 0..count {
            client.connection.send(&request(b"{}"), client.now).unwrap();
        }
        client.drain();
        client.forget();
        client
    }

    pub fn forget(&mut self) {
        self.out.clear();
        self.events.clear();
    }

    pub fn receive(&mut self, bytes: &[u8]) {
        self.connection.receive(bytes, self.now);
        self.drain();
    }

    pub fn eof(&mut self) {
        self.connection.receive_eof(self.now);
        self.drain();
    }

    pub fn at(&mut self, seconds: u64) -> &mut Self {
        self.now = at(seconds);
        self
    }

    pub fn timeout(&mut self) {
        self.connection.handle_timeout(self.now);
        self.drain();
    }

    /// Takes everything that is to be sent, and every event.
    pub fn drain(&mut self) {
        let length = self.connection.transmit().len();
        self.take(length);
        self.poll();
    }

    /// The transport takes this many octets.
    pub fn take(&mut self, count: usize) {
        self.out.extend_from_slice(&self.connection.transmit()[..count]);
        self.connection.transmitted(count);
    }

    pub fn poll(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            self.events.push(describe(&event));
        }
    }

    /// The frames sent since the last `forget`.
    pub fn sent(&self) -> Vec<Sent> {
        let mut rest = self
            .out
            .strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .unwrap_or(&self.out);
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
            let stream = u32::from_be_bytes([rest[5], rest[6], rest[7], rest[8]]);
            frames.push((rest[3], rest[4], stream, rest[9..9 + length].to_vec()));
            rest = &rest[9 + length..];
        }
        frames
    }

    /// The code of the GOAWAY sent, if one was.
    pub fn goaway(&self) -> Option<u32> {
        self.sent()
            .iter()
            .find(|frame| frame.0 == GOAWAY)
            .map(|frame| u32::from_be_bytes(frame.3[4..8].try_into().unwrap()))
    }

    /// The resets sent: stream and code.
    pub fn resets(&self) -> Vec<(u32, u32)> {
        self.sent()
            .iter()
            .filter(|frame| frame.0 == RST_STREAM)
            .map(|frame| (frame.2, u32::from_be_bytes(frame.3[..].try_into().unwrap())))
            .collect()
    }
}

/// An event in a line. Request ids are stream ids, as the text of `Debug` shows them.
pub fn describe(event: &Event<'_>) -> String {
    let number = |id: &pushcore::net::RequestId| {
        format!("{id:?}")
            .trim_matches(|c: char| !c.is_ascii_digit())
            .to_owned()
    };
    match event {
        Event::Ready => "ready".to_owned(),
        Event::Response { id, response } => {
            let mut line = format!("response {} {}", number(id), response.status);
            for header in response.headers.iter() {
                line += &format!(" {}={}", header.name, header.value);
            }
            line += &format!(" {:?}", String::from_utf8_lossy(&response.body));
            if response.truncated {
                line += " truncated";
            }
            line
        }
        Event::Failed { id, processed, error } => {
            format!("failed {} {processed:?} {}: {error}", number(id), error.kind())
        }
        Event::SettingsChanged {
            max_concurrent_streams,
        } => format!("settings {max_concurrent_streams}"),
        Event::Draining(goaway) => format!(
            "draining {} {} {:?}",
            goaway.last_stream_id,
            goaway.code,
            String::from_utf8_lossy(&goaway.debug_data)
        ),
        Event::RoundTrip(time) => format!("round trip {time:?}"),
        Event::Closed(CloseReason::Failed(error)) => format!("closed {}: {error}", error.kind()),
        Event::Closed(reason) => format!("closed {reason:?}"),
        other => format!("{other:?}"),
    }
}

/// Seeded and the same everywhere (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}

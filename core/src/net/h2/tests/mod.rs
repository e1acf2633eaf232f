//! Tests of what a connection does not show outside: octets that a layer between holds back, and the cost of
//! frames. All else is in `core/tests/h2_*.rs`.

use std::time::Duration;

use super::{Config, Engine};
use crate::http::{Authority, Request};
use crate::net::{Event, Processed};
use crate::time::{Now, UnixTime};

mod cost;
mod random;
mod written;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

fn at(seconds: u64) -> Now {
    Now::new(
        Duration::from_secs(seconds),
        UnixTime::from_secs(1_700_000_000 + seconds),
    )
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

fn settings(entries: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = entries
        .iter()
        .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    frame(SETTINGS, 0, 0, &payload)
}

fn settings_ack() -> Vec<u8> {
    frame(SETTINGS, ACK, 0, &[])
}

fn goaway(last: u32, code: u32, debug: &[u8]) -> Vec<u8> {
    frame(
        GOAWAY,
        0,
        0,
        &[&last.to_be_bytes()[..], &code.to_be_bytes(), debug].concat(),
    )
}

fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

/// `HEADERS` that hold a literal list.
fn list(flags: u8, stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.extend_from_slice(&[0, name.len() as u8]);
        block.extend_from_slice(name.as_bytes());
        block.push(value.len() as u8);
        block.extend_from_slice(value.as_bytes());
    }
    frame(HEADERS, flags | END_HEADERS, stream, &block)
}

/// A complete response without a body: `:status 200`, by index.
fn answer(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0x88])
}

fn request(body: &[u8]) -> Request {
    let mut request = Request::new();
    request.authority = Some(Authority::new("example.com", 443).unwrap());
    request.path.push_str("/3/device/00");
    request.body.own().extend_from_slice(body);
    request
}

/// The octets of a connection's preface and SETTINGS, with the acknowledgement of the server's.
fn greeting() -> usize {
    let mut engine = Engine::new(Config::default(), at(0));
    engine.receive(&settings(&[]), at(0));
    engine.transmit().len()
}

/// An engine after the exchange of SETTINGS; its greeting is written.
fn ready(config: Config) -> Engine {
    let mut engine = Engine::new(config, at(0));
    engine.receive(&settings(&[]), at(0));
    engine.receive(&settings_ack(), at(0));
    let length = engine.transmit().len();
    engine.transmitted(length);
    engine.written(length as u64);
    assert_eq!(events(&mut engine), ["ready"]);
    engine
}

/// All events, each in a line.
fn events(engine: &mut Engine) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(event) = engine.poll_event() {
        lines.push(describe(&event));
    }
    lines
}

fn describe(event: &Event<'_>) -> String {
    match event {
        Event::Ready => "ready".to_owned(),
        Event::Response { id, response } => format!("response {} {}", id.number, response.status),
        Event::Failed { id, processed, error } => {
            format!("failed {} {processed:?} {}", id.number, error.kind())
        }
        Event::Closed(_) => "closed".to_owned(),
        Event::Draining(_) => "draining".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Seeded and the same everywhere (xorshift64*).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}

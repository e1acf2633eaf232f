//! One connection of a server: bytes in, bytes out, on virtual time.

mod act;
mod request;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use super::Answer;
use super::frame::{self, Frame, MAX_31, PREFACE, Reader, flag, kind, setting};
use super::log::Log;
use super::rng::Rng;
use super::script::{Act, Pings, Script, Seen};

/// How the server ended the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// FIN after everything that was said.
    Closed,
    /// RST: what has not arrived is lost.
    Aborted,
}

/// A server's side of one connection.
pub struct Peer {
    pub(super) script: Script,
    pub(super) log: Log,
    rng: Rng,
    number: u32,
    began: Duration,
    now: Duration,
    preface: usize,
    reader: Reader,
    decoder: fluke_hpack::Decoder<'static>,
    /// The client has to begin its next header block with a table size update.
    expects_table_update: bool,
    block: Option<(u32, bool, Vec<u8>)>,
    streams: BTreeMap<u32, Stream>,
    highest_seen: u32,
    highest_processed: u32,
    goaway_last: Option<u32>,
    requests: u32,
    settings_sent: VecDeque<Vec<(u16, u32)>>,
    acknowledged: bool,
    max_streams: u32,
    initial_window: i64,
    max_frame: usize,
    table_size: u32,
    receive_window: i64,
    consumed: u32,
    client_initial_window: i64,
    send_window: i64,
    client_settings: Vec<(u16, u32)>,
    out: Vec<u8>,
    timers: BTreeMap<(Duration, u64), (Vec<Act>, Option<u32>)>,
    timer_count: u64,
    silent: bool,
    pauses_until: Duration,
    end: Option<End>,
    alert: Option<u8>,
}

#[derive(Debug)]
struct Stream {
    seen: Seen,
    complete: bool,
    processed: bool,
    reply: Option<Reply>,
    receive_window: i64,
    send_window: i64,
}

#[derive(Debug)]
struct Reply {
    answer: Answer,
    sent: usize,
}

impl Peer {
    /// A connection that has just been accepted at `now`.
    pub fn new(script: Script, log: Log, mut rng: Rng, now: Duration) -> Self {
        let mut decoder = fluke_hpack::Decoder::new();
        decoder.set_max_allowed_table_size(4096);
        let mut peer = Self {
            number: log.connection(),
            rng: rng.fork(),
            log,
            began: now,
            now,
            preface: 0,
            reader: Reader::default(),
            decoder,
            expects_table_update: false,
            block: None,
            streams: BTreeMap::new(),
            highest_seen: 0,
            highest_processed: 0,
            goaway_last: None,
            requests: 0,
            settings_sent: VecDeque::new(),
            acknowledged: false,
            max_streams: u32::MAX,
            initial_window: 65_535,
            max_frame: 16_384,
            table_size: 4096,
            receive_window: 65_535,
            consumed: 0,
            client_initial_window: 65_535,
            send_window: 65_535,
            client_settings: Vec::new(),
            out: Vec::new(),
            timers: BTreeMap::new(),
            timer_count: 0,
            silent: false,
            pauses_until: Duration::ZERO,
            end: None,
            alert: None,
            script,
        };
        for (after, acts) in std::mem::take(&mut peer.script.timed) {
            peer.later(now + after, acts, None);
        }
        let greeting = peer.script.greeting.clone();
        peer.perform(greeting, None);
        peer
    }

    /// Which connection of its server this is, from 1.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// What the server has to say now.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Whether and how the server has ended the transport.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// The TLS alert that it ended with.
    pub(super) fn alert(&self) -> Option<u8> {
        self.alert
    }

    /// Whether the server reads what arrives.
    pub fn is_reading(&self) -> bool {
        !self.silent && self.now >= self.pauses_until
    }

    /// When the server wants to act on its own.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.keys().next().map(|(at, _)| *at)
    }

    /// The settings that the client has sent.
    pub fn client_settings(&self) -> &[(u16, u32)] {
        &self.client_settings
    }

    /// Time has come to `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = self.now.max(now);
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let (acts, stream) = entry.remove();
            self.perform(acts, stream);
        }
    }

    /// Bytes from the client.
    pub fn receive(&mut self, mut bytes: &[u8], now: Duration) {
        self.now = self.now.max(now);
        if self.silent || self.script.deaf || self.end.is_some() {
            return;
        }
        while self.preface < PREFACE.len() {
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            if *first != PREFACE[self.preface] {
                return self.violation("the client preface is wrong");
            }
            self.preface += 1;
            bytes = rest;
        }
        self.reader.push(bytes);
        while let Some(frame) = self.reader.next_frame() {
            self.frame(&frame);
            if self.silent || self.end.is_some() {
                return;
            }
        }
    }

    fn violation(&mut self, what: impl Into<String>) {
        self.log
            .violation(format!("connection {}: {}", self.number, what.into()));
    }

    fn frame(&mut self, frame: &Frame) {
        if frame.payload.len() > self.max_frame.max(16_384) {
            self.violation(format!("a frame of {} octets", frame.payload.len()));
        }
        if self.block.is_some() && frame.kind != kind::CONTINUATION {
            self.violation("a header block is interrupted");
        }
        match frame.kind {
            kind::HEADERS => {
                let content = frame.content().map(<[u8]>::to_vec);
                let Some(content) = content else {
                    return self.violation("HEADERS with too much padding");
                };
                self.block = Some((frame.stream, frame.has(flag::END_STREAM), content));
                self.block_grew(frame);
            }
            kind::CONTINUATION => {
                match &mut self.block {
                    Some((stream, _, block)) if *stream == frame.stream => {
                        block.extend_from_slice(&frame.payload)
                    }
                    _ => return self.violation("CONTINUATION out of place"),
                }
                self.block_grew(frame);
            }
            kind::DATA => self.data(frame),
            kind::SETTINGS if frame.has(flag::ACK) => self.acknowledged(),
            kind::SETTINGS => self.settings(frame),
            kind::PING if !frame.has(flag::ACK) => self.ping(frame),
            kind::PING => self.log.acknowledgement(),
            kind::GOAWAY => self.log.goaway(
                frame
                    .payload
                    .get(4..8)
                    .map_or(0, |code| u32::from_be_bytes(code.try_into().unwrap_or_default())),
            ),
            kind::WINDOW_UPDATE => self.window_update(frame),
            kind::RST_STREAM => {
                if frame.stream == 0 || frame.stream > self.highest_seen || frame.payload.len() != 4 {
                    self.violation("RST_STREAM out of place");
                }
                let code = frame.word().unwrap_or(0);
                self.log.reset(code);
                if self.streams.remove(&frame.stream).is_some() {
                    let end = || format!("reset by the client: {code}");
                    self.log.stream_ended(self.number, frame.stream, end);
                }
            }
            _ => {}
        }
    }

    fn block_grew(&mut self, frame: &Frame) {
        if frame.has(flag::END_HEADERS) {
            if let Some((stream, end, block)) = self.block.take() {
                self.request(stream, end, &block);
            }
        }
    }

    fn acknowledged(&mut self) {
        let Some(settings) = self.settings_sent.pop_front() else {
            return self.violation("an acknowledgement of SETTINGS that were not sent");
        };
        self.acknowledged = true;
        for (id, value) in settings {
            match id {
                setting::MAX_CONCURRENT_STREAMS => self.max_streams = value,
                setting::MAX_FRAME_SIZE => self.max_frame = value as usize,
                setting::INITIAL_WINDOW_SIZE => {
                    let delta = i64::from(value) - self.initial_window;
                    self.initial_window = i64::from(value);
                    for stream in self.streams.values_mut() {
                        stream.receive_window += delta;
                    }
                }
                setting::HEADER_TABLE_SIZE => {
                    self.expects_table_update |= value < self.table_size;
                    self.table_size = value;
                    self.decoder.set_max_allowed_table_size(value as usize);
                }
                _ => {}
            }
        }
    }

    fn settings(&mut self, frame: &Frame) {
        for entry in frame.payload.chunks_exact(6) {
            let id = u16::from_be_bytes([entry[0], entry[1]]);
            let value = u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]]);
            self.client_settings.push((id, value));
            if id == setting::INITIAL_WINDOW_SIZE {
                let delta = i64::from(value) - self.client_initial_window;
                self.client_initial_window = i64::from(value);
                for stream in self.streams.values_mut() {
                    stream.send_window += delta;
                }
            }
        }
        if self.script.acknowledge {
            self.out.extend(frame::frame(kind::SETTINGS, flag::ACK, 0, &[]));
        }
    }

    fn ping(&mut self, frame: &Frame) {
        self.log.ping();
        let mut payload = [0; 8];
        match frame.payload.get(..8) {
            Some(bytes) if frame.payload.len() == 8 => payload.copy_from_slice(bytes),
            _ => return self.violation("a PING that is not 8 octets long"),
        }
        match self.script.pings {
            Pings::Answer => self.out.extend(frame::ping(true, payload)),
            Pings::Late(after) => {
                self.later(self.now + after, vec![Act::Raw(frame::ping(true, payload))], None);
            }
            Pings::Wrong => self.out.extend(frame::ping(true, [0x5a; 8])),
            Pings::Ignore => {}
        }
        if let Some(mut on_ping) = self.script.on_ping.take() {
            let acts = on_ping(self.now.saturating_sub(self.began), self.streams.len());
            self.script.on_ping = Some(on_ping);
            self.perform(acts, None);
        }
    }

    fn window_update(&mut self, frame: &Frame) {
        let increment = i64::from(frame.word().unwrap_or(0) & MAX_31);
        if increment == 0 || frame.payload.len() != 4 {
            return self.violation("a WINDOW_UPDATE of nothing");
        }
        if frame.stream == 0 {
            self.send_window += increment;
        } else if let Some(stream) = self.streams.get_mut(&frame.stream) {
            stream.send_window += increment;
        }
        self.pump();
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer")
            .field("number", &self.number)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

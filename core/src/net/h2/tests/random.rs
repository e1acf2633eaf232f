//! A server that does anything at any moment, over a transport that takes any number of octets.
//! Whatever happens: every request has exactly one end, before the connection's; "not processed" is
//! never said of a request that the server could have acted on; windows and limits are kept.
//!
//! Seeded: a failure names its seed.

use std::collections::{HashMap, HashSet};

use super::*;

struct World {
    random: Random,
    engine: Engine,
    seconds: u64,
    /// What the next layer took; of this `handed` octets are with the server.
    wire: Vec<u8>,
    handed: usize,
    /// How much of all output has been checked against the windows.
    checked: usize,
    sent: Vec<u32>,
    ended: HashMap<u32, Option<Processed>>,
    refused: HashSet<u32>,
    last_stream: u32,
    closed: bool,
    eof: bool,
    connection_window: i64,
    windows: HashMap<u32, i64>,
    initial_window: i64,
    limit: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let config = Config {
            max_in_flight: 1 + random.below(40) as u32,
            max_response_body: 1 + random.below(5000),
            huffman_literals: random.below(2) == 0,
            ..Config::default()
        };
        Self {
            random,
            engine: Engine::new(config, at(0)),
            seconds: 0,
            wire: Vec::new(),
            handed: 0,
            checked: 0,
            sent: Vec::new(),
            ended: HashMap::new(),
            refused: HashSet::new(),
            last_stream: u32::MAX,
            closed: false,
            eof: false,
            connection_window: 65_535,
            windows: HashMap::new(),
            initial_window: 65_535,
            limit: usize::MAX,
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(1 + self.random.below(rest.len()));
            self.engine.receive(now, at(self.seconds));
            rest = later;
        }
    }

    /// The streams of which the whole header block is among the first octets of the wire.
    fn delivered(&self) -> HashSet<u32> {
        let mut seen = HashSet::new();
        let mut rest = self.wire.get(24..self.handed).unwrap_or_default();
        while rest.len() >= 9 {
            let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
            if rest.len() < 9 + length {
                break;
            }
            if rest[3] == HEADERS {
                seen.insert(u32::from_be_bytes([rest[5], rest[6], rest[7], rest[8]]));
            }
            rest = &rest[9 + length..];
        }
        seen
    }

    fn some_stream(&mut self) -> Option<u32> {
        // A server can only answer what it has seen.
        let mut seen: Vec<u32> = self.delivered().into_iter().collect();
        seen.sort_unstable();
        (!seen.is_empty()).then(|| seen[self.random.below(seen.len())])
    }

    fn step(&mut self) {
        match self.random.below(30) {
            0..=5 => {
                let capacity = self.engine.capacity();
                let body = vec![7; self.random.below(3) * self.random.below(20_000)];
                match self.engine.send(&request(&body), 0, at(self.seconds)) {
                    Ok(_) => {
                        assert!(capacity > 0);
                        let id = 2 * self.sent.len() as u32 + 1;
                        self.sent.push(id);
                        self.windows.insert(id, self.initial_window);
                        assert!(self.engine.in_flight() <= self.limit.max(1));
                    }
                    Err(_) => assert_eq!(capacity, 0),
                }
            }
            6..=10 => self.take(),
            11..=13 => self.hand_over(),
            14..=19 => self.answer(),
            20 => {
                let window = self.random.below(70_000) as u32;
                let limit = self.random.below(30) as u32;
                let table = self.random.below(5000) as u32;
                self.receive(&settings(&[(1, table), (3, limit), (4, window)]));
                if !self.closed {
                    let change = i64::from(window) - self.initial_window;
                    self.windows.values_mut().for_each(|w| *w += change);
                    self.initial_window = i64::from(window);
                    self.limit = limit as usize;
                }
            }
            21 => {
                let more = 1 + self.random.below(50_000) as u32;
                self.connection_window += i64::from(more);
                self.receive(&window_update(0, more));
            }
            22 => {
                if let Some(id) = self.some_stream() {
                    let more = 1 + self.random.below(30_000) as u32;
                    if let Some(window) = self.windows.get_mut(&id) {
                        *window += i64::from(more);
                    }
                    self.receive(&window_update(id, more));
                }
            }
            23 => {
                if let Some(id) = self.some_stream() {
                    let code = self.random.below(14) as u32;
                    if code == 7 && !self.ended.contains_key(&id) {
                        self.refused.insert(id);
                    }
                    self.receive(&reset(id, code));
                }
            }
            24 => self.receive(&frame(PING, 0, 0, b"12345678")),
            25 => {
                self.seconds += self.random.below(4) as u64;
                self.engine.handle_timeout(at(self.seconds));
            }
            26 => self.receive(&settings_ack()),
            27 if self.random.below(10) == 0 => {
                let seen = self.delivered().into_iter().max().unwrap_or(0);
                self.last_stream = self.last_stream.min(seen + 2 * self.random.below(3) as u32);
                let code = self.random.below(12) as u32;
                let before = self.frames();
                self.receive(&goaway(self.last_stream, code, b"bye"));
                self.withdrawn(before);
            }
            28 if self.random.below(25) == 0 => {
                self.engine.receive_eof(at(self.seconds));
                self.eof = true;
            }
            28 if self.random.below(25) == 0 => self.engine.close(at(self.seconds)),
            29 if self.random.below(40) == 0 => {
                let garbage: Vec<u8> = (0..60).map(|_| self.random.below(256) as u8).collect();
                self.receive(&garbage);
            }
            _ => {}
        }
        self.check_output();
        self.poll();
    }

    fn answer(&mut self) {
        let Some(id) = self.some_stream() else { return };
        match self.random.below(8) {
            0..=3 if !self.ended.contains_key(&id) => self.receive(&answer(id)),
            4 if !self.ended.contains_key(&id) => self.receive(&list(0, id, &[(":status", "103")])),
            5 | 6 if !self.ended.contains_key(&id) => {
                let body = vec![b'x'; self.random.below(3000)];
                let cut = self.random.below(body.len() + 1);
                self.receive(&list(0, id, &[(":status", "400"), ("x-a", "b")]));
                self.receive(&frame(DATA, 0, id, &body[..cut]));
                if self.random.below(2) == 0 {
                    self.receive(&frame(DATA, END_STREAM, id, &body[cut..]));
                }
            }
            _ => {}
        }
    }

    /// Type, stream and length of every frame written so far, taken or not.
    fn frames(&mut self) -> Vec<(u8, u32, usize)> {
        let all = [&self.wire[..], self.engine.transmit()].concat();
        let (mut at, mut frames) = (24, Vec::new());
        while let Some(head) = all.get(at..at + 9) {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            frames.push((
                head[3],
                u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
                length,
            ));
            at += 9 + length;
        }
        frames
    }

    /// After a GOAWAY: what is not there any more lies above its last stream, and its DATA does not
    /// count against the window.
    fn withdrawn(&mut self, before: Vec<(u8, u32, usize)>) {
        if self.engine.is_closed() {
            return;
        }
        let mut after = self.frames().into_iter().peekable();
        for frame in before {
            if after.next_if_eq(&frame).is_some() {
                continue;
            }
            let (kind, id, length) = frame;
            assert!(id > self.last_stream, "{kind} on stream {id} is withdrawn");
            self.checked -= 9 + length;
            if kind == DATA {
                self.connection_window += length as i64;
            }
        }
        assert_eq!(after.next(), None);
    }

    /// The next layer takes some octets.
    fn take(&mut self) {
        let pending = self.engine.transmit();
        let count = self.random.below(pending.len() + 1);
        self.wire.extend_from_slice(&pending[..count]);
        self.engine.transmitted(count);
    }

    /// Some of them reach the server.
    fn hand_over(&mut self) {
        if !self.eof {
            self.handed += self.random.below(self.wire.len() - self.handed + 1);
            self.engine.written(self.handed as u64);
        }
    }

    /// Everything that was written since the last time keeps to the windows.
    fn check_output(&mut self) {
        if self.engine.is_closed() {
            return;
        }
        let all = [&self.wire[..], self.engine.transmit()].concat();
        let mut at = self.checked.max(24);
        while let Some(head) = all.get(at..at + 9) {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            if head[3] == DATA {
                self.connection_window -= length as i64;
                let window = self.windows.get_mut(&id).unwrap();
                *window -= length as i64;
                assert!(self.connection_window >= 0 && *window >= 0, "beyond a window");
            }
            at += 9 + length;
        }
        self.checked = at;
        assert_eq!(self.engine.window() as i64, self.connection_window);
    }

    fn poll(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            assert!(!self.closed, "an event after the end: {}", describe(&event));
            let line = describe(&event);
            let id = || line.split(' ').nth(1).unwrap().parse::<u32>().unwrap();
            let before = match event {
                Event::Response { .. } => self.ended.insert(id(), None),
                Event::Failed { processed, .. } => self.ended.insert(id(), Some(processed)),
                Event::Closed(_) => {
                    self.closed = true;
                    assert_eq!(self.ended.len(), self.sent.len(), "closed before its requests");
                    // The layer between drops what it holds back, and nothing can follow the gap.
                    if self.handed < self.wire.len() {
                        self.wire.truncate(self.handed);
                        self.eof = true;
                    }
                    None
                }
                _ => None,
            };
            assert!(before.is_none(), "ended twice: {line}");
        }
        assert_eq!(self.engine.in_flight(), self.sent.len() - self.ended.len());
        assert_eq!(self.engine.is_closed(), self.closed);
    }

    /// Ends the connection as a driver would: what can still be sent is sent.
    fn finish(mut self) -> usize {
        if !self.eof {
            loop {
                self.take();
                if self.engine.transmit().is_empty() {
                    break;
                }
            }
            // Once the connection failed, the rest (GOAWAY behind what was begun) goes out too.
            if self.closed {
                self.handed = self.wire.len();
            }
        }
        self.engine.written(self.handed as u64);
        self.engine.receive_eof(at(self.seconds));
        self.poll();
        assert!(self.closed);
        assert_eq!(self.ended.len(), self.sent.len());
        let delivered = self.delivered();
        for (id, fate) in &self.ended {
            if *fate == Some(Processed::No) {
                assert!(
                    !delivered.contains(id) || self.refused.contains(id) || *id > self.last_stream,
                    "stream {id} was with the server"
                );
            }
        }
        self.sent.len()
    }
}

#[test]
fn everything_is_accounted_for() {
    let mut requests = 0;
    for seed in 1..=400 {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            world.receive(&settings(&[(3, 20)]));
            world.limit = 20;
            for _ in 0..400 {
                world.step();
                if world.closed {
                    break;
                }
            }
            world.finish()
        });
        match outcome {
            Ok(count) => requests += count,
            Err(panic) => {
                eprintln!("seed {seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(requests > 5000, "only {requests} requests: the test tests little");
}

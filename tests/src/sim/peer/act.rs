//! What a script makes the server do, and how its answers go out.

use std::time::Duration;

use super::super::Answer;
use super::super::frame::{self, MAX_31, code};
use super::super::script::{Act, Last};
use super::{End, Peer, Reply};

impl Peer {
    pub(super) fn later(&mut self, at: Duration, acts: Vec<Act>, stream: Option<u32>) {
        self.timer_count += 1;
        self.timers.insert((at, self.timer_count), (acts, stream));
    }

    /// Does a list of acts; `stream` is the stream of the request that they are about.
    pub(super) fn perform(&mut self, acts: Vec<Act>, stream: Option<u32>) {
        let mut acts = acts.into_iter();
        while let Some(act) = acts.next() {
            if self.silent || self.end.is_some() {
                return;
            }
            match act {
                Act::Wait(pause) => return self.later(self.now + pause, acts.collect(), stream),
                Act::Answer(answer) => self.answer(stream, answer),
                Act::Process => self.process(stream),
                Act::Reset(code) => self.reset(stream, code),
                Act::AnswerHeld(answer) => {
                    let held = self
                        .streams
                        .iter()
                        .filter(|(_, stream)| stream.complete && stream.reply.is_none());
                    for id in held.map(|(id, _)| *id).collect::<Vec<_>>() {
                        self.answer(Some(id), answer.clone());
                    }
                }
                Act::GoAway(last, code, debug) => self.go_away(last, code, &debug),
                Act::Settings(values) => {
                    self.out.extend(frame::settings(&values));
                    self.settings_sent.push_back(values);
                }
                Act::ConnectionWindow(increment) => {
                    self.receive_window += i64::from(increment);
                    self.out.extend(frame::window_update(0, increment));
                }
                Act::StreamWindow(increment) => {
                    if let Some((id, stream)) = stream.and_then(|id| Some((id, self.streams.get_mut(&id)?))) {
                        stream.receive_window += i64::from(increment);
                        self.out.extend(frame::window_update(id, increment));
                    }
                }
                Act::Ping(payload) => self.out.extend(frame::ping(false, payload)),
                Act::Raw(bytes) => self.out.extend(bytes),
                Act::RawFor(make) => self.out.extend(stream.map(make).unwrap_or_default()),
                Act::Trickle(bytes, pause) => {
                    let mut rest: Vec<Act> = Vec::with_capacity(bytes.len() * 2);
                    for byte in bytes {
                        rest.extend([Act::Wait(pause), Act::Raw(vec![byte])]);
                    }
                    rest.extend(acts);
                    return self.perform(rest, stream);
                }
                Act::Forget(id) => {
                    self.streams.remove(&id);
                }
                Act::Alert(alert) => {
                    self.alert = Some(alert);
                    self.end = Some(End::Closed);
                }
                Act::Close => self.end = Some(End::Closed),
                Act::Abort => self.end = Some(End::Aborted),
                Act::Pause(pause) => self.pauses_until = self.now + pause,
                Act::Silence => self.silent = true,
            }
        }
    }

    pub(super) fn process(&mut self, id: Option<u32>) {
        let Some((id, stream)) = id.and_then(|id| Some((id, self.streams.get_mut(&id)?))) else {
            return;
        };
        if std::mem::replace(&mut stream.processed, true) {
            return;
        }
        let beyond = self.goaway_last.is_some_and(|last| id > last);
        assert!(
            !beyond || !self.script.conforming,
            "the script acts on stream {id} beyond its GOAWAY"
        );
        let (number, path) = (stream.seen.number(), stream.seen.path());
        self.log.process(number, path, stream.seen.field("apns-id"));
        self.highest_processed = self.highest_processed.max(id);
    }

    pub(super) fn answer(&mut self, id: Option<u32>, answer: Answer) {
        let Some(id) = id.filter(|id| self.streams.contains_key(id)) else {
            return;
        };
        if answer.acts {
            self.process(Some(id));
        }
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if stream.reply.is_some() {
            return;
        }
        let (head, _) = answer.head(id);
        stream.reply = Some(Reply { answer, sent: 0 });
        self.out.extend(head);
        self.pump_stream(id);
    }

    pub(super) fn pump(&mut self) {
        let waiting = self.streams.iter().filter(|(_, stream)| stream.reply.is_some());
        for id in waiting.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.pump_stream(id);
        }
    }

    /// Sends as much of a reply as the windows allow.
    pub(super) fn pump_stream(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let Some(reply) = &mut stream.reply else { return };
        while reply.sent < reply.answer.body.len() {
            let pad = reply.answer.pad.map_or(0, |pad| usize::from(pad) + 1);
            let window = usize::try_from(self.send_window.min(stream.send_window)).unwrap_or(0);
            let room = window.saturating_sub(pad);
            let rest = &reply.answer.body[reply.sent..];
            let size = reply.answer.chunk.min(rest.len()).min(room).min(16_384 - pad);
            if size == 0 {
                return;
            }
            reply.sent += size;
            let last = size == rest.len() && reply.answer.trailers.is_none() && reply.answer.ends;
            let cost = i64::try_from(size + pad).unwrap_or(i64::MAX);
            self.send_window -= cost;
            stream.send_window -= cost;
            let bytes = match reply.answer.pad {
                Some(pad) => frame::padded_data(id, last, &rest[..size], pad),
                None => frame::data(id, last, &rest[..size]),
            };
            self.out.extend(bytes);
        }
        self.out.extend(reply.answer.tail(id));
        for code in std::mem::take(&mut reply.answer.resets) {
            self.out.extend(frame::reset(id, code));
        }
        self.forget_if_done(id);
    }

    /// Closed on both sides: the stream no longer counts.
    pub(super) fn forget_if_done(&mut self, id: u32) {
        let done = self.streams.get(&id).is_some_and(|stream| {
            let sent = stream
                .reply
                .as_ref()
                .is_some_and(|r| r.sent == r.answer.body.len() && r.answer.ends);
            stream.complete && sent
        });
        if done {
            if let Some(stream) = self.streams.remove(&id) {
                let status = stream.reply.map(|reply| reply.answer.status).unwrap_or_default();
                self.log
                    .stream_ended(self.number, id, || format!("answered: {status}"));
            }
        }
    }

    pub(super) fn reset(&mut self, id: Option<u32>, reset: u32) {
        let Some(id) = id else { return };
        let Some(stream) = self.streams.remove(&id) else {
            return;
        };
        let broken = reset == code::REFUSED_STREAM && stream.processed && self.script.conforming;
        assert!(!broken, "the script refuses stream {id} after acting on it");
        self.log
            .stream_ended(self.number, id, || format!("reset by the server: {reset}"));
        self.out.extend(frame::reset(id, reset));
    }

    pub(super) fn go_away(&mut self, last: Last, code: u32, debug: &[u8]) {
        let last = match last {
            Last::Max => MAX_31,
            Last::Id(id) => id,
            Last::Processed => self.highest_processed,
            Last::Seen => self.highest_seen,
        };
        let broken = last < self.highest_processed && self.script.conforming;
        assert!(
            !broken,
            "the script has acted on stream {} and says GOAWAY({last})",
            self.highest_processed
        );
        self.out.extend(frame::goaway(last, code, debug));
        self.goaway_last = Some(last);
        // What lies above will never be acted on.
        self.streams.split_off(&last.saturating_add(1));
    }
}

//! A request arrives: its header section, its body, and what follows from them.

use super::super::frame::{self, Frame, flag};
use super::super::script::Seen;
use super::{Peer, Stream};

impl Peer {
    pub(super) fn request(&mut self, id: u32, end: bool, block: &[u8]) {
        let begins_with_update = block.first().is_some_and(|first| first & 0xe0 == 0x20);
        if std::mem::take(&mut self.expects_table_update) && !begins_with_update {
            self.violation("no table size update after SETTINGS_HEADER_TABLE_SIZE");
        }
        let fields = match self.decoder.decode(block) {
            Ok(fields) => fields,
            Err(error) => return self.violation(format!("a header block does not decode: {error:?}")),
        };
        if id % 2 == 0 || id <= self.highest_seen {
            return self.violation(format!("stream {id} after {}", self.highest_seen));
        }
        if !self.acknowledged {
            self.violation("a request before the server's SETTINGS were acknowledged");
        }
        self.highest_seen = id;
        if self.goaway_last.is_some_and(|last| id > last) {
            // On its way when GOAWAY went out: RFC 9113 §6.8 lets us ignore it.
            self.log.ignored();
            return;
        }
        let open = self.streams.len();
        if open >= usize::try_from(self.max_streams).unwrap_or(usize::MAX) {
            self.violation(format!(
                "stream {id} is number {} of {}",
                open + 1,
                self.max_streams
            ));
        }
        self.check_fields(&fields);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let fields = fields
            .into_iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect();
        let seen = Seen {
            connection: self.number,
            nth: self.requests + 1,
            stream: id,
            at: self.now,
            open: open + 1,
            fields,
            body: Vec::new(),
        };
        self.requests += 1;
        self.log
            .stream(self.number, id, seen.number(), seen.field("apns-id"));
        self.streams.insert(
            id,
            Stream {
                seen,
                complete: end,
                processed: false,
                reply: None,
                receive_window: self.initial_window,
                send_window: self.client_initial_window,
            },
        );
        if let Some(mut on_headers) = self.script.on_headers.take() {
            let seen = self.streams.get(&id).map(|stream| stream.seen.clone());
            let acts = seen
                .map(|seen| on_headers(&seen, &mut self.rng))
                .unwrap_or_default();
            self.script.on_headers = Some(on_headers);
            self.perform(acts, Some(id));
        }
        if end {
            self.respond(id);
        }
    }

    fn check_fields(&mut self, fields: &[(Vec<u8>, Vec<u8>)]) {
        let is_pseudo = |field: &(Vec<u8>, Vec<u8>)| field.0.starts_with(b":");
        let count = fields.iter().take_while(|field| is_pseudo(field)).count();
        let late = fields.iter().skip(count).any(is_pseudo);
        let names = |name: &[u8]| fields.iter().filter(|field| field.0 == name).count();
        let once = [&b":method"[..], b":scheme", b":path", b":authority"]
            .iter()
            .all(|name| names(name) == 1);
        if late || count != 4 || !once {
            self.violation("pseudo-header fields are not what RFC 9113 §8.3.1 asks");
        }
        if fields
            .iter()
            .any(|(name, _)| name.iter().any(u8::is_ascii_uppercase))
        {
            self.violation("a field name in upper case");
        }
    }

    fn respond(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let seen = stream.seen.clone();
        self.log.request(seen.field("authorization"), self.now);
        let acts = (self.script.respond)(&seen, &mut self.rng);
        self.perform(acts, Some(id));
    }

    pub(super) fn data(&mut self, frame: &Frame) {
        let size = i64::try_from(frame.payload.len()).unwrap_or(i64::MAX);
        self.receive_window -= size;
        if self.receive_window < 0 {
            self.violation("DATA beyond the connection window");
        }
        self.consumed += u32::try_from(size).unwrap_or(0);
        if self.script.replenish && self.consumed >= 32_768 {
            let increment = std::mem::take(&mut self.consumed);
            self.receive_window += i64::from(increment);
            self.out.extend(frame::window_update(0, increment));
        }
        let replenish = self.script.replenish;
        let Some(stream) = self.streams.get_mut(&frame.stream) else {
            if frame.stream == 0 || frame.stream > self.highest_seen {
                self.violation("DATA on an idle stream");
            }
            return;
        };
        if stream.complete {
            return self.violation("DATA after END_STREAM");
        }
        stream.receive_window -= size;
        let overdrawn = stream.receive_window < 0;
        stream
            .seen
            .body
            .extend_from_slice(frame.content().unwrap_or_default());
        let mut respond = false;
        let mut wrong_length = false;
        if frame.has(flag::END_STREAM) {
            stream.complete = true;
            let declared = stream.seen.field("content-length").map(str::to_owned);
            wrong_length = declared.is_some_and(|text| text != stream.seen.body.len().to_string());
            respond = stream.reply.is_none();
        } else if replenish && size > 0 {
            stream.receive_window += size;
            self.out.extend(frame::window_update(
                frame.stream,
                u32::try_from(size).unwrap_or(1),
            ));
        }
        if overdrawn {
            self.violation("DATA beyond the stream window");
        }
        if wrong_length {
            self.violation("content-length is not the body's");
        }
        if respond {
            self.respond(frame.stream);
        } else {
            self.forget_if_done(frame.stream);
        }
    }
}

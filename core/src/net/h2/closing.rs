//! How requests and connections end.

use super::engine::{Engine, Phase};
use super::frame::{code, kind};
use super::queued::Queued;
use super::receive::Fault;
use super::stream::{Ended, Stream};
use crate::error::{Error, ErrorKind};
use crate::net::{CloseReason, GoAway, Processed, RequestId};
use crate::time::Now;

impl Engine {
    /// Gives a request up (RST_STREAM CANCEL); it ends as `Failed` with `Processed::Unknown` and
    /// `ErrorKind::Cancelled`, whatever the server still sends. `false`, and nothing happens,
    /// when it has ended already (its event may still wait to be polled).
    pub fn cancel(&mut self, id: RequestId, now: Now) -> bool {
        self.clock(now);
        let Some((number, stream)) = u32::try_from(id.number)
            .ok()
            .and_then(|number| Some((number, self.streams.remove(id.number)?)))
        else {
            return false;
        };
        self.write_reset(number, code::CANCEL);
        self.history.push(number, Ended::ByUs);
        if let Some(incoming) = stream.incoming {
            self.recycle(incoming);
        }
        let error = Error::new(ErrorKind::Cancelled, "request cancelled");
        self.events
            .push_back(Queued::Failed(id, Box::new((Processed::Unknown, error))));
        self.finish_if_drained();
        true
    }

    /// Takes no more requests, waits for the answers to those in flight, then closes.
    pub fn close(&mut self, now: Now) {
        self.clock(now);
        if self.phase == Phase::Open {
            self.phase = Phase::Draining { by_owner: true };
        }
        self.finish_if_drained();
    }

    /// The server's end of the transport was closed, or the transport failed. Nothing is sent
    /// any more, and the layers below must drop what they hold: a request whose header block had
    /// not been [handed over](Engine::handed_over) fails as `Processed::No`, the others as
    /// `Processed::Unknown`.
    pub fn receive_eof(&mut self, now: Now) {
        self.clock(now);
        if self.phase == Phase::Closed {
            return;
        }
        let code = self.goaway.as_ref().map(|goaway| goaway.code);
        let (reason, text) = match &self.goaway {
            Some(goaway) if goaway.code == code::NO_ERROR => (
                CloseReason::Remote,
                "connection closed by the server after goaway",
            ),
            Some(goaway) => (
                CloseReason::Failed(goaway_error(goaway)),
                "connection closed by the server after goaway with an error",
            ),
            None => (
                CloseReason::Failed(Error::new(
                    ErrorKind::ConnectionLost,
                    "connection closed by the server",
                )),
                "connection closed by the server",
            ),
        };
        let seen = self.out.handed_over();
        self.out.clear();
        self.end_all(seen, |_| {
            let error = Error::new(ErrorKind::ConnectionLost, text);
            match code {
                Some(code) => error.with_http2_code(code),
                None => error,
            }
        });
        self.closed(reason);
    }

    /// The layer underneath broke for a reason of its own (a TLS alert, worn-out keys). As
    /// [`receive_eof`](Self::receive_eof), with that reason.
    pub(crate) fn lost(&mut self, error: Error, now: Now) {
        self.clock(now);
        if self.phase == Phase::Closed {
            return;
        }
        let seen = self.out.handed_over();
        self.out.clear();
        let (kind, text) = (error.kind(), error.context().to_owned());
        self.end_all(seen, |_| Error::new(kind, text.clone()).with_codes_of(&error));
        self.closed(CloseReason::Failed(error));
    }

    /// A connection error of the server's making: GOAWAY, and the end.
    pub(super) fn fail(&mut self, fault: &Fault) {
        if self.phase == Phase::Closed {
            return;
        }
        // Requests of which nothing has left are not sent any more, so that they can be
        // said not to have been.
        let seen = match self.out.is_held_back() {
            false => {
                let seen = self.out.retract();
                self.write_goaway(fault.code, fault.text);
                seen
            }
            // The layer between drops what it holds back; what came after would make no sense.
            true => {
                self.out.clear();
                self.out.handed_over()
            }
        };
        let (kind, text) = (fault.kind, fault.text);
        self.end_all(seen, |_| Error::new(kind, text));
        self.closed(CloseReason::Failed(Error::new(kind, text)));
    }

    pub(super) fn fail_silent(&mut self) {
        self.fail(&Fault {
            code: code::NO_ERROR,
            kind: ErrorKind::PeerSilent,
            text: "server does not answer a ping",
        });
    }

    fn write_goaway(&mut self, code: u32, text: &str) {
        let mut payload = Vec::with_capacity(8 + text.len());
        // The last stream of the server's that we acted on: there is none.
        payload.extend_from_slice(&0u32.to_be_bytes());
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(text.as_bytes());
        self.out.frame(kind::GOAWAY, 0, 0, &payload);
    }

    fn closed(&mut self, reason: CloseReason) {
        self.phase = Phase::Closed;
        self.partial = Vec::new();
        self.block = Vec::new();
        self.blocked.clear();
        self.continuation = None;
        self.events.push_back(Queued::Closed(Box::new(reason)));
    }

    /// Ends every request, in the order in which they were sent. Those whose header block
    /// ends behind `seen` were never seen by the server.
    fn end_all(&mut self, seen: u64, error: impl Fn(u32) -> Error) {
        let mut ids: Vec<u32> = self.stream_ids().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(stream) = self.streams.remove(u64::from(id)) {
                let processed = match stream.headers_end > seen {
                    true => Processed::No,
                    false => Processed::Unknown,
                };
                self.end_broken(id, stream, processed, error(id));
            }
        }
    }

    /// Ends a request whose exchange broke off: with what is known of the response, because
    /// a status says more than how its body ended.
    fn end_broken(&mut self, id: u32, stream: Stream, processed: Processed, error: Error) {
        let id = stream.request(id);
        self.events.push_back(match stream.incoming {
            Some(mut incoming) => {
                incoming.response.truncated = true;
                Queued::Response(id, incoming)
            }
            None => Queued::Failed(id, Box::new((processed, error))),
        });
    }

    /// A stream error (§5.4.2): resets the stream and ends its request.
    pub(super) fn stream_error(&mut self, id: u32, code: u32, text: &'static str) -> Result<(), Fault> {
        self.stream_fault(id, code, ErrorKind::Http2Protocol, text)
    }

    pub(super) fn stream_fault(
        &mut self,
        id: u32,
        code: u32,
        kind: ErrorKind,
        text: &'static str,
    ) -> Result<(), Fault> {
        self.spend_reset()?;
        if let Some(stream) = self.streams.remove(u64::from(id)) {
            self.write_reset(id, code);
            self.history.push(id, Ended::ByUs);
            self.end_broken(id, stream, Processed::Unknown, Error::new(kind, text));
            self.finish_if_drained();
        }
        Ok(())
    }

    pub(super) fn reset_by_server(&mut self, id: u32, code: u32) {
        let Some(stream) = self.streams.remove(u64::from(id)) else {
            return;
        };
        self.history.push(id, Ended::ByServer);
        let processed = match code {
            code::REFUSED_STREAM => Processed::No,
            _ => Processed::Unknown,
        };
        let text = format!("stream reset by the server: {} ({code})", code::name(code));
        let error = Error::new(ErrorKind::StreamReset, text).with_http2_code(code);
        self.end_broken(id, stream, processed, error);
        self.finish_if_drained();
    }

    pub(super) fn goaway_by_server(&mut self, goaway: GoAway) {
        let last = goaway.last_stream_id;
        let mut above: Vec<u32> = self.stream_ids().filter(|&id| id > last).collect();
        above.sort_unstable();
        // The server would ignore them; and they may be on their way over another connection soon.
        let data = self.out.withdraw_above(last);
        self.send_window += i64::try_from(data).unwrap_or(0);
        let error = || goaway_error(&goaway);
        self.events.push_back(Queued::Draining(Box::new(goaway.clone())));
        for id in above {
            if let Some(stream) = self.streams.remove(u64::from(id)) {
                self.history.push(id, Ended::ByUs);
                self.end_broken(id, stream, Processed::No, error());
            }
        }
        if self.phase == Phase::Open {
            self.phase = Phase::Draining { by_owner: false };
        }
        self.goaway = Some(goaway);
        self.flush_bodies();
        self.finish_if_drained();
    }

    /// Closes once nothing is in flight and nothing will be.
    pub(super) fn finish_if_drained(&mut self) {
        let Phase::Draining { by_owner } = self.phase else {
            return;
        };
        if !self.streams.is_empty() {
            return;
        }
        self.write_goaway(code::NO_ERROR, "");
        let reason = match &self.goaway {
            Some(goaway) if goaway.code != code::NO_ERROR => CloseReason::Failed(goaway_error(goaway)),
            Some(_) if !by_owner => CloseReason::Remote,
            _ => CloseReason::Local,
        };
        self.closed(reason);
    }
}

fn goaway_error(goaway: &GoAway) -> Error {
    let code = goaway.code;
    Error::new(
        ErrorKind::GoAway,
        format!("server closes the connection: {} ({code})", code::name(code)),
    )
    .with_http2_code(code)
}

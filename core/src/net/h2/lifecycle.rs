//! From the first request to the last: draining, GOAWAY (RFC 9113 §6.8), the end.

use super::error_code as code;
use super::fault::Fault;
use super::frame::{MAX_31, u32_at};
use crate::error::{Error, ErrorKind};
use crate::net::{CloseReason, GoAway};

/// The octets of a GOAWAY's debug data that are kept.
const MAX_DEBUG_DATA: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// No new requests; `by_owner` unless the server began it.
    Draining {
        by_owner: bool,
    },
    Closed,
}

/// How far a connection is towards its end, and the server's word on it.
#[derive(Debug)]
pub(super) struct Lifecycle {
    phase: Phase,
    /// The latest GOAWAY; `None` before the first.
    goaway: Option<GoAway>,
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Open,
            goaway: None,
        }
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    #[inline]
    pub(super) fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining { .. })
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Takes no more requests, at the owner's wish.
    pub(super) fn drain(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining { by_owner: true };
        }
    }

    /// Ends it.
    pub(super) fn close(&mut self) {
        self.phase = Phase::Closed;
    }

    /// Reads the payload of a GOAWAY; returns it, and whether it is the first.
    ///
    /// # Errors
    /// The frame is too short, or raises the last stream id.
    pub(super) fn read_goaway(&self, payload: &[u8]) -> Result<(GoAway, bool), Fault> {
        let (Some(last), Some(code)) = (u32_at(payload), payload.get(4..).and_then(u32_at)) else {
            return Err(Fault::frame_size("goaway too short"));
        };
        let last_stream_id = last & MAX_31;
        if let Some(before) = &self.goaway {
            if last_stream_id > before.last_stream_id {
                return Err(Fault::protocol("goaway raises its last stream id"));
            }
        }
        let debug_data = payload.get(8..).unwrap_or_default();
        let goaway = GoAway {
            last_stream_id,
            code,
            debug_data: debug_data.get(..MAX_DEBUG_DATA).unwrap_or(debug_data).to_vec(),
        };
        Ok((goaway, self.goaway.is_none()))
    }

    /// Takes no more requests, at the server's wish.
    pub(super) fn goaway(&mut self, goaway: GoAway) {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining { by_owner: false };
        }
        self.goaway = Some(goaway);
    }

    /// Returns why a connection of which the last request has ended closes.
    pub(super) fn reason_when_drained(&self) -> CloseReason {
        match &self.goaway {
            Some(goaway) if goaway.code != code::NO_ERROR => CloseReason::Failed(goaway_error(goaway)),
            Some(_) if self.phase == (Phase::Draining { by_owner: false }) => CloseReason::Remote,
            _ => CloseReason::Local,
        }
    }

    /// Returns why a connection closes of which the transport has ended, the text of its requests' errors, and
    /// their HTTP/2 error code; `None` when the server gave none.
    pub(super) fn reason_at_eof(&self) -> (CloseReason, &'static str, Option<u32>) {
        match &self.goaway {
            Some(goaway) if goaway.code == code::NO_ERROR => (
                CloseReason::Remote,
                "connection closed by the server after goaway",
                Some(goaway.code),
            ),
            Some(goaway) => (
                CloseReason::Failed(goaway_error(goaway)),
                "connection closed by the server after goaway with an error",
                Some(goaway.code),
            ),
            None => {
                let text = "connection closed by the server";
                let error = Error::new(ErrorKind::ConnectionLost, text);
                (CloseReason::Failed(error), text, None)
            }
        }
    }
}

/// Returns the error of a connection, or of a request, that a GOAWAY ended.
pub(super) fn goaway_error(goaway: &GoAway) -> Error {
    let code = goaway.code;
    Error::new(
        ErrorKind::GoAway,
        format!("server closes the connection: {} ({code})", code::name(code)),
    )
    .with_http2_code(code)
}

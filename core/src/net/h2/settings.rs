//! SETTINGS (RFC 9113 §6.5): ours, the server's, and their exchange.

use std::time::Duration;

use super::config::Config;
use super::fault::Fault;
use super::frame::{MAX_31, kind};
use super::write_buffer::WriteBuffer;

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// One setting of the server's that means something to a client, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    HeaderTableSize(u32),
    MaxConcurrentStreams(u32),
    InitialWindow(u32),
    MaxFrame(u32),
    MaxHeaderList(u32),
}

/// Returns the settings of a frame in their order.
///
/// # Errors
/// Each value outside its range is a connection error of its own kind (§6.5.2).
pub(super) fn parse(payload: &[u8]) -> impl Iterator<Item = Result<Setting, Fault>> {
    payload
        .chunks_exact(6)
        .filter_map(|entry| <[u8; 6]>::try_from(entry).ok())
        .filter_map(|[a, b, c, d, e, f]| {
            let value = u32::from_be_bytes([c, d, e, f]);
            Some(Ok(match u16::from_be_bytes([a, b]) {
                HEADER_TABLE_SIZE => Setting::HeaderTableSize(value),
                // A server must not even mention another value (§6.5.2).
                ENABLE_PUSH if value != 0 => return Some(Err(Fault::protocol("server enables push"))),
                MAX_CONCURRENT_STREAMS => Setting::MaxConcurrentStreams(value),
                INITIAL_WINDOW_SIZE if value > MAX_31 => {
                    return Some(Err(Fault::flow("initial window above 2^31-1")));
                }
                INITIAL_WINDOW_SIZE => Setting::InitialWindow(value),
                MAX_FRAME_SIZE if !(16_384..=0x00ff_ffff).contains(&value) => {
                    return Some(Err(Fault::protocol("max frame size outside its range")));
                }
                MAX_FRAME_SIZE => Setting::MaxFrame(value),
                MAX_HEADER_LIST_SIZE => Setting::MaxHeaderList(value),
                _ => return None,
            }))
        })
}

/// Writes our SETTINGS.
pub(super) fn write(config: &Config, out: &mut WriteBuffer) {
    let mut payload = Vec::with_capacity(24);
    for (id, value) in [
        (HEADER_TABLE_SIZE, config.header_table_size),
        (ENABLE_PUSH, 0),
        (INITIAL_WINDOW_SIZE, config.initial_window),
        (MAX_HEADER_LIST_SIZE, config.max_header_list),
    ] {
        payload.extend_from_slice(&id.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    out.frame(kind::SETTINGS, 0, 0, &payload);
}

/// How far the exchange of SETTINGS has come.
pub(super) struct Exchange {
    received: bool,
    acknowledged: bool,
    /// When both must have happened; `None` once they have.
    deadline: Option<Duration>,
}

impl Exchange {
    pub(super) fn new(deadline: Duration) -> Self {
        Self {
            received: false,
            acknowledged: false,
            deadline: Some(deadline),
        }
    }

    /// Returns whether the server's SETTINGS have been received.
    #[inline]
    pub(super) fn is_received(&self) -> bool {
        self.received
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Notes SETTINGS of the server's; returns whether they are the first.
    pub(super) fn receive(&mut self) -> bool {
        let first = !self.received;
        self.received = true;
        self.settle();
        first
    }

    /// Notes an acknowledgement; returns whether it is the one of our SETTINGS, which are sent once.
    pub(super) fn acknowledge(&mut self) -> bool {
        let first = !self.acknowledged;
        self.acknowledged = true;
        self.settle();
        first
    }

    fn settle(&mut self) {
        if self.received && self.acknowledged {
            self.deadline = None;
        }
    }

    /// Returns the error of a server that did not do its part by `now`; `None` when nothing is due.
    pub(super) fn overdue(&self, now: Duration) -> Option<Fault> {
        self.deadline.filter(|deadline| *deadline <= now)?;
        Some(Fault::settings_timeout(match self.received {
            true => "server did not acknowledge settings in time",
            false => "server sent no settings in time",
        }))
    }
}

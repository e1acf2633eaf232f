//! SETTINGS (RFC 9113 §6.5): ours, and the server's.

use super::config::Config;
use super::engine::Engine;
use super::frame::{DEFAULT_MAX_FRAME, Head, MAX_31, code, flag, kind};
use super::out::Output;
use super::queued::Queued;
use super::receive::Fault;
use crate::error::ErrorKind;

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// What the server asked for.
pub(super) struct PeerSettings {
    pub(super) max_concurrent_streams: u32,
    pub(super) initial_window: u32,
    pub(super) max_frame: usize,
    pub(super) max_header_list: Option<u32>,
}

impl Default for PeerSettings {
    fn default() -> Self {
        Self {
            max_concurrent_streams: u32::MAX,
            initial_window: 65_535,
            max_frame: DEFAULT_MAX_FRAME,
            max_header_list: None,
        }
    }
}

/// Writes our SETTINGS.
pub(super) fn write(config: &Config, out: &mut Output) {
    let mut payload = Vec::with_capacity(30);
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

impl Engine {
    pub(super) fn on_settings(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if head.stream != 0 {
            return Err(Fault::protocol("settings on a stream"));
        }
        if head.has(flag::ACK) {
            if !payload.is_empty() {
                return Err(Fault::frame_size("settings acknowledgement with a payload"));
            }
            if !self.acknowledged {
                self.acknowledged = true;
                self.decoder.acknowledged(self.config.header_table_size as usize);
                if self.ready {
                    self.settings_deadline = None;
                }
            }
            return Ok(());
        }
        if payload.len() % 6 != 0 {
            return Err(Fault::frame_size("settings of a broken length"));
        }
        if !self.budgets.settings.spend(self.now) {
            return Err(Fault::flood("too many settings frames"));
        }
        for entry in payload.chunks_exact(6) {
            if let [a, b, c, d, e, f] = *entry {
                self.apply(u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f]))?;
            }
        }
        self.out.frame(kind::SETTINGS, flag::ACK, 0, &[]);
        if self.ready {
            let limit = self.peer.max_concurrent_streams;
            self.events.push_back(Queued::SettingsChanged(limit));
        } else {
            self.ready = true;
            if self.acknowledged {
                self.settings_deadline = None;
            }
            self.events.push_back(Queued::Ready);
        }
        self.flush_bodies();
        Ok(())
    }

    fn apply(&mut self, id: u16, value: u32) -> Result<(), Fault> {
        match id {
            HEADER_TABLE_SIZE => self.encoder.peer_limit(value as usize),
            // A server must not even mention another value (§6.5.2).
            ENABLE_PUSH if value != 0 => return Err(Fault::protocol("server enables push")),
            MAX_CONCURRENT_STREAMS => self.peer.max_concurrent_streams = value,
            INITIAL_WINDOW_SIZE => {
                if value > MAX_31 {
                    return Err(Fault::flow("initial window above 2^31-1"));
                }
                let change = i64::from(value) - i64::from(self.peer.initial_window);
                self.peer.initial_window = value;
                for stream in self.streams.values_mut() {
                    stream.send_window += change;
                    if stream.send_window > i64::from(MAX_31) {
                        return Err(Fault::flow("stream window above 2^31-1"));
                    }
                }
            }
            MAX_FRAME_SIZE => {
                if !(16_384..=0x00ff_ffff).contains(&value) {
                    return Err(Fault::protocol("max frame size outside its range"));
                }
                self.peer.max_frame = value as usize;
            }
            MAX_HEADER_LIST_SIZE => self.peer.max_header_list = Some(value),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn fail_settings_timeout(&mut self) {
        let text = match self.ready {
            true => "server did not acknowledge settings in time",
            false => "server sent no settings in time",
        };
        self.fail(&Fault {
            code: code::SETTINGS_TIMEOUT,
            kind: ErrorKind::PeerSilent,
            text,
        });
    }
}

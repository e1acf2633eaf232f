//! What clients did to their connections: settings, pings, priorities.

use crate::shared::Door;
use serde::Serialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The least number of ended connections that are known, the latest ones; at most twice as many are.
const KEPT: usize = 10_000;

/// One connection, as `GET /connections` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// The connection's number in the log, from 1.
    pub id: u64,
    /// `apns`, `fcm`, `webpush`, `adm` or `baidu`.
    pub service: String,
    /// When it was accepted: the sandbox's clock, Unix milliseconds.
    pub at_ms: i64,
    /// `TLSv1_2` or `TLSv1_3`; absent before the end of the handshake, and without TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// The name that the client asked for (SNI); clients that dial an address send none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The protocol agreed on (ALPN).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Whether the client presented a certificate.
    pub client_certificate: bool,
    /// HTTP/2: what the client's SETTINGS said, (id, value), the latest of each id. 2 is ENABLE_PUSH.
    pub settings: Vec<(u16, u32)>,
    /// HTTP/2: PRIORITY frames; APNs ignores them.
    pub priority_frames: u64,
    /// HTTP/2: PINGs of the client's own.
    pub pings: u64,
    /// It has ended.
    pub closed: bool,
}

impl Connection {
    /// A frame from the client.
    pub(crate) fn frame(&mut self, kind: u8, flags: u8, payload: &[u8]) {
        match (kind, flags & 1) {
            (2, _) => self.priority_frames += 1,
            (4, 0) => {
                for entry in payload.chunks_exact(6) {
                    let id = u16::from_be_bytes([entry[0], entry[1]]);
                    let value = u32::from_be_bytes([entry[2], entry[3], entry[4], entry[5]]);
                    self.settings.retain(|(known, _)| *known != id);
                    self.settings.push((id, value));
                }
            }
            (6, 0) => self.pings += 1,
            _ => {}
        }
    }
}

/// A connection that its tasks write into.
#[derive(Clone, Debug, Default)]
pub(crate) struct Note(Arc<Mutex<Connection>>);

impl Note {
    pub(crate) fn write(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All of them, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<Vec<Note>>);

impl Connections {
    pub(crate) fn begin(&self, id: u64, door: Door, at_ms: i64) -> Note {
        let note = Note::default();
        *note.write() = Connection {
            id,
            service: door.service().to_owned(),
            at_ms,
            ..Connection::default()
        };
        let mut all = self.all();
        all.push(note.clone());
        // Seldom, so that looking at all of them costs little for each.
        if all.len() >= 2 * KEPT {
            let old = all.len() - KEPT;
            let mut at = 0;
            all.retain(|note| {
                at += 1;
                at > old || !note.write().closed
            });
        }
        note
    }

    /// Forgets those that have ended.
    pub(crate) fn reset(&self) {
        self.all().retain(|note| !note.write().closed);
    }

    pub(crate) fn list(&self) -> Vec<Connection> {
        self.all().iter().map(|note| note.write().clone()).collect()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

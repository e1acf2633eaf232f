//! What all connections share: the state behind a lock, the clock, the counts of connections.

use crate::clock::Clock;
use crate::connections::Connections;
use crate::control::Guard;
pub(crate) use crate::door::Door;
use crate::exchange::{Exchange, Reply};
use crate::fault::{Action, ConnectFault};
use crate::record::{LENIENT, Record};
use crate::state::State;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How strict the services are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Everything the services' own texts demand is demanded.
    #[default]
    Strict,
    /// The sandbox lets pass what real servers have been seen to let pass, with a warning in the log.
    Lenient,
    /// The sandbox is lenient, and answers with the oddities that real servers have been seen to have.
    Quirk,
}

/// The time of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) unix_ms: i64,
}

/// The treatment of a request.
pub(crate) struct Verdict {
    pub(crate) reply: Reply,
    pub(crate) fault: Option<Action>,
    /// The answer is held back this long.
    pub(crate) delay: Duration,
    /// A service saw the request: it counts as processed, whatever the answer.
    pub(crate) judged: bool,
}

/// The shared heart; one per sandbox.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Who may use the control endpoint.
    pub(crate) guard: Guard,
    pub(crate) clock: Clock,
    connections: AtomicU64,
    /// The facts about the connections.
    pub(crate) notes: Connections,
    /// When the APNs connections of the last minute began, oldest first.
    recent: Mutex<VecDeque<i64>>,
    /// Tells the binary that the control endpoint wants it to stop.
    pub(crate) stop: tokio::sync::Notify,
    /// The answer to `GET /` of the control endpoint.
    pub(crate) ready: Mutex<Value>,
}

impl Shared {
    pub(crate) fn new(state: State, guard: Guard) -> Self {
        Self {
            state: Mutex::new(state),
            guard,
            clock: Clock::default(),
            connections: AtomicU64::new(0),
            notes: Connections::default(),
            recent: Mutex::default(),
            stop: tokio::sync::Notify::new(),
            ready: Mutex::new(Value::Null),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// APNs connections begun within a minute, by the sandbox's clock. Apple may take many
    /// for an attack; the sandbox only counts.
    pub(crate) fn apns_connections_last_minute(&self) -> usize {
        let since = self.clock.now_ms() - 60_000;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|at| *at > since);
        recent.len()
    }

    pub(crate) fn next_connection(&self, door: Door) -> u64 {
        if door.is_apns() {
            self.apns_connections_last_minute();
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent.push_back(self.clock.now_ms());
        }
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The time by the sandbox's clock.
    pub(crate) fn now(&self) -> Moment {
        Moment {
            unix_ms: self.clock.now_ms(),
        }
    }

    /// An APNs connection presents these client certificates; the reason when it is refused.
    pub(crate) fn present(&self, connection: u64, chain: &[CertificateDer<'_>]) -> Result<(), &'static str> {
        let now = self.now();
        let mut state = self.state();
        match state.apns.present(connection, chain, now) {
            None => Ok(()),
            Some((reason, record)) => {
                state.append(record);
                Err(reason)
            }
        }
    }

    pub(crate) fn connection_closed(&self, id: u64) {
        self.state().apns.connection_closed(id);
    }

    /// Something was refused before it became a request.
    pub(crate) fn refused_below_http(
        &self,
        door: Door,
        connection: u64,
        stream: u32,
        rule: &str,
        reason: &str,
    ) {
        let now = self.now();
        let mut record = Record::below_http(door, connection, stream, rule, reason, now);
        if rule == "tls.alpn" && door.is_apns() {
            record.hint = Some(LENIENT);
        }
        self.state().append(record);
    }

    /// APNs outside the strict profile speaks HTTP/2 to clients that did not ask for it.
    pub(crate) fn serves_without_alpn(&self) -> bool {
        self.state().apns.profile != Profile::Strict
    }

    /// The fault that a new connection through this door gets.
    pub(crate) fn connect_fault(&self, door: Door) -> Option<ConnectFault> {
        let mut state = self.state();
        let at = state
            .connect_faults
            .iter()
            .position(|(service, _)| service == door.service())?;
        Some(state.connect_faults.remove(at).1)
    }

    pub(crate) fn stream_refused(&self, _connection: u64) {
        self.state().refused_streams += 1;
    }

    /// MAX_CONCURRENT_STREAMS of a new connection.
    pub(crate) fn initial_max_streams(&self, door: Door, connection: u64) -> u32 {
        match door {
            Door::Apns | Door::ApnsManagement | Door::ApnsBroadcast => {
                self.state().apns.initial_streams(connection)
            }
            // Google's front ends say 100.
            _ => 100,
        }
    }

    /// The first SETTINGS frame.
    pub(crate) fn initial_settings(&self, door: Door, streams: u32) -> Vec<(u16, u32)> {
        if door.is_apns() {
            vec![(1, 4096), (3, streams), (4, 65_535), (5, 16_384), (6, 8000)]
        } else {
            vec![(3, streams), (4, 65_535), (6, 16_384)]
        }
    }

    /// The debug data of the GOAWAY for too many streams; `None` when streams are refused instead.
    pub(crate) fn over_limit_goaway(&self, door: Door) -> Option<String> {
        match door {
            Door::Fcm => Some("exceeded_max_concurrent_streams".to_owned()),
            _ if door.is_apns() && self.state().apns.over_limit_goaway => {
                Some("Maximum active streams violated for this endpoint.".to_owned())
            }
            _ => None,
        }
    }

    /// Judges a request, unless a fault script keeps it from the service.
    pub(crate) fn dispatch(&self, door: Door, exchange: &Exchange) -> Verdict {
        if door == Door::Control {
            return Verdict {
                reply: crate::control::answer(self, exchange),
                judged: true,
                fault: None,
                delay: Duration::ZERO,
            };
        }
        let now = self.now();
        let mut state = self.state();
        let mut delay = state.latencies.draw(door.service());
        let fault = state.strike(door, exchange);
        let Some((fault, late)) = fault else {
            let (mut reply, mut record) = state.handle(door, exchange, now);
            state.dates.write(door.service(), now.unix_ms, &mut reply);
            record.delay_us = micros(delay);
            state.append(record);
            return Verdict {
                reply,
                fault: None,
                delay,
                judged: true,
            };
        };
        delay += late;
        let judged = fault.processed || fault.action.keeps_the_answer();
        let (mut reply, mut record) = if judged {
            state.handle(door, exchange, now)
        } else {
            (
                Reply::default(),
                Record::begin(door.service(), "fault", exchange, now),
            )
        };
        record.fault = Some(fault.action.kind().to_owned());
        if fault.action.answers() {
            record.delay_us = micros(delay);
        }
        if let Action::Answer {
            status,
            headers,
            body,
        } = &fault.action
        {
            reply = Reply {
                status: *status,
                headers: headers
                    .iter()
                    .map(|(name, value)| (name.clone().into(), value.clone()))
                    .collect(),
                body: Vec::new(),
                after: reply.after,
            };
            match body {
                None => {}
                Some(Value::String(text)) => reply.body = text.clone().into_bytes(),
                Some(value) => reply.body = value.to_string().into_bytes(),
            }
            if !judged {
                record.status = *status;
            }
        }
        state.dates.write(door.service(), now.unix_ms, &mut reply);
        state.append(record);
        Verdict {
            reply,
            fault: Some(fault.action),
            delay,
            judged,
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

//! Bytes, time and events: the part of a session that its driver calls in a loop.

use std::time::Duration;

use super::entry::{Ending, Purpose};
use super::link::LinkId;
use super::pool::{Lane, Pool, PoolId};
use super::rate::TokenBucket;
use super::{Session, SessionEvent};
use crate::error::{Error, ErrorKind};
use crate::http::{Request, Response};
use crate::net::h2::code;
use crate::net::{CloseReason, Event, Processed};
use crate::time::Now;

/// One event of a connection, with what could be borrowed from it already digested.
enum Happened {
    Unanswered {
        slot: u32,
        processed: Processed,
        error: Error,
    },
    Called {
        slot: u32,
        response: Response,
    },
    Token {
        slot: u32,
        result: Result<Option<Request>, Error>,
        /// Asking again may bring another answer.
        temporary: bool,
    },
    Ready,
    Settings(u32),
    Draining {
        code: u32,
        reason: String,
        /// It is the credentials that the service does not want.
        refused: bool,
    },
    Closed(Option<Error>),
    Nothing,
}

impl Session {
    /// The connections there are, whatever their state.
    pub fn links(&self) -> impl Iterator<Item = LinkId> {
        self.links.iter().map(|link| link.id)
    }

    /// Bytes from the socket of `link`.
    pub fn receive(&mut self, link: LinkId, bytes: &[u8], now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.links.get_mut(link) {
            link.connection.receive(bytes, now);
        }
        self.drain(link, now);
        self.retire_when_idle(now);
    }

    /// The socket of `link` has come to its end (or failed: that is the same to HTTP).
    pub fn receive_eof(&mut self, link: LinkId, now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.links.get_mut(link) {
            link.connection.receive_eof(now);
        }
        self.drain(link, now);
        // A connection that ends without saying so is over all the same.
        self.lose(link, None, now);
        self.retire_when_idle(now);
    }

    /// What is to be written to the socket of `link` now. Ask again after every other call.
    pub fn transmit(&mut self, link: LinkId) -> &[u8] {
        self.catch_up();
        match self.links.get_mut(link) {
            Some(link) if link.dialled => link.connection.transmit(),
            _ => &[],
        }
    }

    /// The first `count` bytes of what `transmit` showed have been written.
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        if let Some(link) = self.links.get_mut(link) {
            link.connection.transmitted(count);
        }
    }

    /// When `handle_timeout` has to be called, on the monotonic clock; `None` is never.
    pub fn poll_timeout(&self) -> Option<Duration> {
        if !self.fed.is_empty() {
            return Some(self.now.monotonic);
        }
        let links = self.links.iter().flat_map(|link| {
            let connecting = (!link.ready).then_some(link.connect_by);
            [
                link.connection.poll_timeout(),
                connecting,
                link.idle_at(),
                link.resumes_at,
            ]
        });
        let [bucket, calls] =
            [&self.bucket, &self.calls].map(|bucket| bucket.as_ref().and_then(TokenBucket::next_at));
        let token = self.service.poll_timeout();
        let pools = self
            .pools
            .iter()
            .filter(|pool| !pool.waiting.is_empty())
            .flat_map(|pool| {
                let oldest = pool
                    .waiting
                    .first(&self.entries)
                    .and_then(|slot| self.entries.get(slot));
                let patience = oldest.map(|entry| entry.queued_at.saturating_add(self.config.patience));
                let bucket = if pool.lane == Lane::Calls { calls } else { bucket };
                let (dial, resume) = (Some(pool.dial_after), Some(pool.paused_until));
                [dial, resume, patience, bucket, token].map(|at| at.filter(|at| *at > pool.pumped_at))
            });
        let resting = self.pools.iter().map(Pool::next_to_wake);
        let timers = links.chain(pools).chain(resting);
        timers.chain([self.next_due]).flatten().min()
    }

    /// Time has passed: at least until the last `poll_timeout`, or not; calling too often does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        let now = self.tick(now);
        for bucket in [&mut self.bucket, &mut self.calls].into_iter().flatten() {
            bucket.fill(now.monotonic);
        }
        for id in self.links.ids() {
            self.link_timeout(id, now);
        }
        if self.next_due.is_some_and(|due| due <= now.monotonic) {
            self.expire(now);
        }
        self.catch_up();
        for index in 0..self.pools.len() {
            self.pump(PoolId(index as u32), now);
        }
        self.retire_when_idle(now);
    }

    fn link_timeout(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.connection.handle_timeout(now);
        link.resumes_at = link.resumes_at.filter(|at| *at > now.monotonic);
        if !link.ready && link.connect_by <= now.monotonic {
            let error = Error::new(ErrorKind::ConnectTimeout, "no usable connection in time");
            self.drain(id, now);
            self.lose(id, Some(error), now);
            return;
        }
        if link.idle_at().is_some_and(|at| at <= now.monotonic) {
            link.let_go(now);
        }
        self.drain(id, now);
    }

    /// When closing: connections with nothing left to do are closed.
    pub(super) fn retire_when_idle(&mut self, now: Now) {
        if !self.closing || self.stats.queued > 0 || self.stats.open > 0 {
            return;
        }
        // A token that nobody will use.
        for ticket in self.entries.live_tickets() {
            self.withdraw(ticket, Ending::Abandoned, now);
        }
        self.next_due = self.entries.live().map(|(_, entry)| entry.due).min();
        for id in self.links.ids() {
            self.let_go(id, now);
        }
    }

    /// Closes a connection that is not needed any more.
    pub(super) fn let_go(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        if !link.ready {
            link.let_go = true;
            self.lose(id, None, now);
        } else if !link.retired {
            link.let_go(now);
            self.drain(id, now);
        }
    }

    /// Fetches and settles every event of a connection, then sends what can be sent.
    pub(super) fn drain(&mut self, id: LinkId, now: Now) {
        loop {
            let Some(link) = self.links.get_mut(id) else {
                return;
            };
            let Some(event) = link.connection.poll_event() else {
                break;
            };
            let happened = match event {
                Event::Response {
                    id: request,
                    response,
                } => {
                    link.in_flight -= 1;
                    match self.entries.carried(id, request) {
                        Some((slot, entry)) => match entry.purpose {
                            Purpose::Push => {
                                // By far the most frequent event: settled at once, not carried about.
                                let outcome = self.service.outcome(response, &entry.context, now);
                                self.answered(slot, outcome, id, now);
                                continue;
                            }
                            Purpose::Call => Happened::Called {
                                slot,
                                response: response.clone(),
                            },
                            Purpose::Token => Happened::Token {
                                slot,
                                result: self.service.accept_token(response, now),
                                temporary: matches!(response.status, 200..300 | 408 | 429 | 500..600),
                            },
                        },
                        None => Happened::Nothing,
                    }
                }
                Event::Failed {
                    id: request,
                    processed,
                    error,
                } => {
                    link.in_flight -= 1;
                    match self.entries.carried(id, request) {
                        Some((slot, _)) => Happened::Unanswered {
                            slot,
                            processed,
                            error: error.clone(),
                        },
                        None => Happened::Nothing,
                    }
                }
                Event::Ready => Happened::Ready,
                Event::SettingsChanged {
                    max_concurrent_streams,
                } => Happened::Settings(max_concurrent_streams),
                Event::Draining(goaway) => Happened::Draining {
                    code: goaway.code,
                    reason: self.service.go_away_reason(goaway),
                    refused: self.service.refuses_credentials(goaway),
                },
                Event::Closed(CloseReason::Failed(error)) => Happened::Closed(Some(error.clone())),
                Event::Closed(_) => Happened::Closed(None),
                Event::RoundTrip(_) => Happened::Nothing,
            };
            if self.happened(id, happened, now) {
                return;
            }
        }
        if let Some(link) = self.links.get(id) {
            let pool = link.pool;
            self.pump(pool, now);
        }
    }

    /// Settles one event; true when the link is gone.
    fn happened(&mut self, id: LinkId, happened: Happened, now: Now) -> bool {
        match happened {
            Happened::Unanswered {
                slot,
                processed,
                error,
            } => {
                let asks_for_calm = error.kind() == ErrorKind::StreamReset
                    && error.http2_code() == Some(code::ENHANCE_YOUR_CALM);
                let mut refused = None;
                if let Some(link) = self.links.get_mut(id) {
                    link.idle_since = now.monotonic;
                    refused = link
                        .refused
                        .as_deref()
                        .filter(|_| processed == Processed::No)
                        .map(refusal);
                }
                if asks_for_calm {
                    self.calm_down(id, now);
                }
                match refused {
                    Some(cause) => self.fail_entry(slot, cause, now),
                    None => self.unanswered(slot, processed, error, now),
                }
            }
            Happened::Called { slot, response } => {
                self.heard_from(id, now);
                self.called(slot, response, id, now);
            }
            Happened::Token {
                slot,
                result,
                temporary,
            } => {
                self.heard_from(id, now);
                self.token_ended(slot, result, !temporary, now);
            }
            Happened::Ready => {
                if let Some(link) = self.links.get_mut(id) {
                    link.ready = true;
                    link.idle_since = now.monotonic;
                    if let Some(pool) = self.pools.get_mut(link.pool.index()) {
                        pool.ever_ready = true;
                        pool.last_failure = None;
                    }
                }
                self.note(SessionEvent::Connected { link: id });
            }
            Happened::Settings(max_concurrent_streams) => {
                self.note(SessionEvent::SettingsChanged {
                    link: id,
                    max_concurrent_streams,
                });
            }
            Happened::Draining {
                code,
                reason,
                refused,
            } => {
                if refused {
                    self.credentials_refused(id, &reason, now);
                }
                self.going_away(id, code, reason, now);
            }
            Happened::Closed(error) => {
                self.lose(id, error, now);
                return true;
            }
            Happened::Nothing => {}
        }
        false
    }

    /// A response came over this link: the host works.
    fn heard_from(&mut self, id: LinkId, now: Now) {
        if let Some(link) = self.links.get_mut(id) {
            link.answer_came(now);
            if let Some(pool) = self.pools.get_mut(link.pool.index()) {
                pool.backoff.reset();
            }
        }
    }

    /// Another connection with the same credentials would end the same way: who waits should hear
    /// of it now, and not at its deadline.
    fn credentials_refused(&mut self, id: LinkId, reason: &str, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.refused = Some(reason.into());
        let pool = link.pool;
        self.fail_pool(pool, refusal(reason), now);
    }
}

fn refusal(reason: &str) -> Error {
    let context = format!("the service refuses these credentials: {reason}");
    Error::new(ErrorKind::InvalidCredential, context)
}

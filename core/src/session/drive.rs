//! Bytes, time and events: the part of a session that its driver calls in a loop.

use std::sync::Arc;
use std::time::Duration;

use super::entry::{Purpose, State};
use super::link::LinkId;
use super::pool::{Lane, PoolId};
use super::service::Permit;
use super::{Session, SessionEvent};
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Request};
use crate::net::{CloseReason, Event, Processed, SendError};
use crate::outcome::Outcome;
use crate::time::Now;

/// ENHANCE_YOUR_CALM (RFC 9113 §7).
const ENHANCE_YOUR_CALM: u32 = 0xb;

/// One event of a connection, with what could be borrowed from it already digested.
enum Happened {
    Answered {
        slot: u32,
        outcome: Outcome,
    },
    Unanswered {
        slot: u32,
        processed: Processed,
        error: Error,
    },
    Token {
        slot: u32,
        result: Result<Option<Request>, Error>,
    },
    Ready,
    Settings(u32),
    Draining {
        code: u32,
        reason: String,
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
    }

    /// What is to be written to the socket of `link` now. Ask again after every other call.
    pub fn transmit(&mut self, link: LinkId) -> &[u8] {
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
        let links = self.links.iter().flat_map(|link| {
            let connecting = (!link.ready).then_some(link.connect_by);
            let idle = self
                .config
                .idle_timeout
                .filter(|_| link.ready && link.in_flight.is_empty());
            let idle = idle.map(|idle| link.idle_since.saturating_add(idle));
            [link.connection.poll_timeout(), connecting, idle]
        });
        let pools = self
            .pools
            .iter()
            .filter(|pool| !pool.waiting.is_empty())
            .flat_map(|pool| {
                let resume = pool.dial_after.max(pool.paused_until);
                let resume = (resume > self.clock).then_some(resume);
                let oldest = pool.waiting.front().and_then(|slot| self.entries.get(*slot));
                let patience = oldest.map(|entry| entry.queued_at.saturating_add(self.config.patience));
                let patience = patience.filter(|at| *at > self.clock);
                let bucket = self.bucket.as_ref().map(|bucket| bucket.next_at(self.clock));
                [resume, patience, bucket.filter(|at| *at > self.clock)]
            });
        let token = self.service.poll_timeout().filter(|at| *at > self.clock);
        let rest = [self.next_due, token];
        links.chain(pools).chain(rest).flatten().min()
    }

    /// Time has passed: at least until the last `poll_timeout`, or not; calling too often does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        let now = self.tick(now);
        for id in self.links.ids() {
            self.link_timeout(id, now);
        }
        if self.next_due.is_some_and(|due| due <= now.monotonic) {
            self.expire(now);
        }
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
        if !link.ready && link.connect_by <= now.monotonic {
            let error = Error::new(ErrorKind::ConnectTimeout, "no usable connection in time");
            self.drain(id, now);
            self.lose(id, Some(error), now);
            return;
        }
        let idle = self.config.idle_timeout.is_some_and(|idle| {
            link.ready && link.in_flight.is_empty() && link.idle_since.saturating_add(idle) <= now.monotonic
        });
        if idle && !link.retired {
            link.retired = true;
            link.connection.close(now);
        }
        self.drain(id, now);
    }

    /// When closing: connections with nothing left to do are closed.
    pub(super) fn retire_when_idle(&mut self, now: Now) {
        if !self.closing || self.stats.queued > 0 || self.stats.open > 0 {
            return;
        }
        for id in self.links.ids() {
            let Some(link) = self.links.get_mut(id) else {
                continue;
            };
            if !link.ready {
                self.lose(id, None, now);
            } else if !link.retired {
                link.retired = true;
                link.connection.close(now);
                self.drain(id, now);
            }
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
                } => match link.in_flight.remove(&request) {
                    Some(slot) => match self.entries.get(slot) {
                        Some(entry) if entry.purpose == Purpose::Token => Happened::Token {
                            slot,
                            result: self.service.accept_token(response, now),
                        },
                        Some(entry) => {
                            let outcome = self.service.outcome(response, &entry.context, now);
                            Happened::Answered { slot, outcome }
                        }
                        None => Happened::Nothing,
                    },
                    None => Happened::Nothing,
                },
                Event::Failed {
                    id: request,
                    processed,
                    error,
                } => match link.in_flight.remove(&request) {
                    Some(slot) => {
                        let error = Error::new(error.kind(), error.to_string());
                        Happened::Unanswered {
                            slot,
                            processed,
                            error,
                        }
                    }
                    None => Happened::Nothing,
                },
                Event::Ready => Happened::Ready,
                Event::SettingsChanged {
                    max_concurrent_streams,
                } => Happened::Settings(max_concurrent_streams),
                Event::Draining(goaway) => Happened::Draining {
                    code: goaway.code,
                    reason: self.service.go_away_reason(goaway),
                },
                Event::Closed(CloseReason::Failed(error)) => {
                    Happened::Closed(Some(Error::new(error.kind(), error.to_string())))
                }
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
            Happened::Answered { slot, outcome } => {
                self.heard_from(id, now);
                self.answered(slot, outcome, id, now);
            }
            Happened::Unanswered {
                slot,
                processed,
                error,
            } => {
                if let Some(link) = self.links.get_mut(id) {
                    link.idle_since = now.monotonic;
                }
                self.unanswered(slot, processed, error, now);
            }
            Happened::Token { slot, result } => {
                self.heard_from(id, now);
                self.token_answered(slot, result, now);
            }
            Happened::Ready => {
                if let Some(link) = self.links.get_mut(id) {
                    link.ready = true;
                    link.idle_since = now.monotonic;
                    if let Some(pool) = self.pools.get_mut(link.pool.0 as usize) {
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
            Happened::Draining { code, reason } => self.going_away(id, code, reason, now),
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
            link.idle_since = now.monotonic;
            link.answered = true;
            if let Some(pool) = self.pools.get_mut(link.pool.0 as usize) {
                pool.backoff.reset();
            }
        }
    }

    fn going_away(&mut self, id: LinkId, code: u32, reason: String, now: Now) {
        if let Some(link) = self.links.get_mut(id) {
            link.retired = true;
            let calm_down = code == ENHANCE_YOUR_CALM;
            if let Some(pool) = self.pools.get_mut(link.pool.0 as usize).filter(|_| calm_down) {
                let wait = pool.backoff.next_wait();
                pool.dial_after = pool.dial_after.max(now.monotonic.saturating_add(wait));
            }
        }
        self.note(SessionEvent::GoAway {
            link: id,
            code,
            reason: reason.into(),
        });
    }

    /// Sends what waits for this host, as far as streams, windows and rate allow; asks for a
    /// connection where that is not far enough.
    pub(super) fn pump(&mut self, id: PoolId, now: Now) {
        let Some(pool) = self.pools.get_mut(id.0 as usize) else {
            return;
        };
        if pool.waiting.is_empty() || now.monotonic < pool.paused_until {
            return;
        }
        let permit = match pool.lane {
            Lane::Token => Permit::Go {
                authorization: None,
                fetch: None,
            },
            Lane::Main | Lane::Suspect => self.service.authorize(now),
        };
        let (authorization, fetch) = match permit {
            Permit::Go { authorization, fetch } => (Some(Some(authorization)), fetch),
            Permit::Each => (Some(None), None),
            Permit::Wait { fetch } => (None, fetch),
            Permit::Refuse(error) => return self.fail_pool(id, error),
        };
        if let Some(authorization) = authorization {
            for (slot, error) in self.fill_streams(id, authorization, now) {
                self.fail_entry(slot, error);
            }
        }
        self.dial_if_needed(id, now);
        if let Some(request) = fetch {
            self.fetch_token(request, now);
        }
    }

    /// Opens as many streams as there are messages and room. Returns the requests that the
    /// connection finds unusable. Without `authorization` each message has its own.
    fn fill_streams(
        &mut self,
        id: PoolId,
        authorization: Option<Option<Arc<HeaderBlock>>>,
        now: Now,
    ) -> Vec<(u32, Error)> {
        let mut rejected = Vec::new();
        let Some(pool) = self.pools.get_mut(id.0 as usize) else {
            return rejected;
        };
        for link in &pool.links {
            let Some(link) = self.links.get_mut(*link) else {
                continue;
            };
            while link.can_send() {
                let Some(slot) = pool.waiting.front().copied() else {
                    return rejected;
                };
                let Some(entry) = self.entries.get_mut(slot) else {
                    pool.waiting.pop_front();
                    continue;
                };
                let push = entry.purpose == Purpose::Push;
                // The byte governor: a body that the window cannot take would sit in a buffer, out of
                // reach of a better connection. With nothing in flight no window update will come unasked.
                if link.connection.window() < entry.request.body.len() && !link.in_flight.is_empty() {
                    break;
                }
                if push
                    && self
                        .bucket
                        .as_mut()
                        .is_some_and(|bucket| !bucket.take(now.monotonic))
                {
                    return rejected;
                }
                let authorized = match &authorization {
                    _ if !push => Ok(None),
                    Some(shared) => Ok(shared.clone()),
                    None => self.service.authorization_of(&entry.context, now),
                };
                match authorized {
                    Ok(authorization) => entry.request.authorization = authorization,
                    Err(error) => {
                        pool.waiting.pop_front();
                        rejected.push((slot, error));
                        continue;
                    }
                }
                match link.connection.send(&entry.request, now) {
                    Ok(request) => {
                        pool.waiting.pop_front();
                        link.in_flight.insert(request, slot);
                        entry.state = State::Open {
                            link: link.id,
                            id: request,
                        };
                        entry.due = entry
                            .deadline
                            .min(now.monotonic.saturating_add(self.config.response_timeout));
                        self.next_due = Some(self.next_due.map_or(entry.due, |due| due.min(entry.due)));
                        if push {
                            self.stats.queued -= 1;
                            self.stats.open += 1;
                        }
                    }
                    Err(refusal) => {
                        if let Some(bucket) = self.bucket.as_mut().filter(|_| push) {
                            bucket.put_back();
                        }
                        match refusal {
                            SendError::Invalid(error) => {
                                pool.waiting.pop_front();
                                rejected.push((slot, error));
                            }
                            SendError::Full | SendError::Closed => break,
                        }
                    }
                }
            }
        }
        rejected
    }
}

//! From the queue onto streams, with the authorization of now.

use std::sync::Arc;

use super::entry::{Entry, Purpose, State};
use super::pool::{Lane, PoolId};
use super::service::Permit;
use super::{Session, SessionEvent, copy_of};
use crate::error::{Error, ErrorKind};
use crate::http::HeaderBlock;
use crate::net::SendError;
use crate::time::Now;

impl Session {
    /// Sends what waits for this host, as far as streams, windows and rate allow; asks for a
    /// connection where that is not far enough.
    pub(super) fn pump(&mut self, id: PoolId, now: Now) {
        let Some(pool) = self.pools.get_mut(id.index()) else {
            return;
        };
        pool.pumped_at = now.monotonic;
        pool.wake(&mut self.entries, now.monotonic);
        if pool.waiting.is_empty() || now.monotonic < pool.paused_until {
            return;
        }
        let permit = match pool.lane {
            Lane::Token | Lane::Metadata => Permit::Go {
                authorization: None,
                fetch: None,
            },
            Lane::Main | Lane::Suspect | Lane::Calls => self.service.authorize(now),
        };
        let (authorization, fetch) = match permit {
            Permit::Go { authorization, fetch } => (Some(Some(authorization)), fetch),
            Permit::Each => (Some(None), None),
            Permit::Wait { fetch } => (None, fetch),
            Permit::Refuse(error) => return self.fail_pool(id, error, now),
        };
        if let Some(authorization) = authorization {
            if let Some(Some(block)) = &authorization {
                self.notice_token(block);
            }
            for (slot, error) in self.fill_streams(id, authorization, now) {
                self.fail_entry(slot, error, now);
            }
            if let Some(pool) = self.pools.get_mut(id.index()) {
                pool.waiting.tidy(&self.entries);
            }
        }
        self.dial_if_needed(id, now);
        if let Some(request) = fetch {
            self.fetch_token(request, now);
        }
    }

    /// A provider token is made without a fetch: another block is all there is to see of it.
    fn notice_token(&mut self, block: &HeaderBlock) {
        if self.service.mints_tokens() && self.token_seen != Some(block.id()) {
            self.token_seen = Some(block.id());
            self.note(SessionEvent::TokenRenewed);
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
        let Some(pool) = self.pools.get_mut(id.index()) else {
            return rejected;
        };
        // The deadlines have been looked at when the messages came.
        let answer_by = now.monotonic.saturating_add(self.config.response_timeout);
        self.next_due = Some(self.next_due.map_or(answer_by, |next| next.min(answer_by)));
        let mut bucket = match pool.lane {
            Lane::Main | Lane::Suspect => self.bucket.as_mut(),
            Lane::Calls => self.calls.as_mut(),
            Lane::Token | Lane::Metadata => None,
        };
        for link in &pool.links {
            let Some(link) = self.links.get_mut(*link).filter(|link| link.can_send()) else {
                continue;
            };
            while link.in_flight < link.most {
                let Some(ticket) = pool.waiting.front() else {
                    return rejected;
                };
                let Some(entry) = self.entries.find_mut(ticket) else {
                    pool.waiting.skip();
                    continue;
                };
                if entry.deadline <= now.monotonic {
                    // Its time has passed: `expire` is due, and goes on from here.
                    return rejected;
                }
                if !link.takes(entry.request.body.len()) {
                    break;
                }
                // Slots are counted by `u32`.
                let slot = ticket.slot() as u32;
                let counted = entry.purpose != Purpose::Token;
                if bucket
                    .as_deref_mut()
                    .is_some_and(|bucket| !bucket.take(now.monotonic))
                {
                    return rejected;
                }
                let authorized = match &authorization {
                    _ if entry.keeps_authorization() => Ok(()),
                    Some(Some(shared)) => {
                        entry.request.authorize(shared);
                        Ok(())
                    }
                    Some(None) => {
                        entry.request.authorization = None;
                        Ok(())
                    }
                    None => self
                        .service
                        .authorization_of(&entry.context, &pool.authority, now)
                        .map(|own| entry.request.authorization = own),
                };
                let sent = match authorized {
                    Ok(()) => link.connection.send_checked(&entry.request, slot, now),
                    Err(error) => Err(SendError::Invalid(error)),
                };
                match sent {
                    Ok(request) => {
                        pool.waiting.pop_front();
                        link.in_flight += 1;
                        entry.state = State::Open {
                            link: link.id,
                            id: request,
                        };
                        entry.opened_at = now.monotonic;
                        entry.due = entry.deadline.min(answer_by);
                        if counted {
                            self.stats.queued -= 1;
                            self.stats.open += 1;
                        }
                    }
                    Err(refusal) => {
                        if let Some(bucket) = bucket.as_deref_mut() {
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

    /// Ends everything that waits for this host: `error` says why nothing can be sent.
    pub(super) fn fail_pool(&mut self, id: PoolId, error: Error, now: Now) {
        let Some(pool) = self.pools.get_mut(id.index()) else {
            return;
        };
        let mut waiting = pool.waiting.take(&self.entries);
        waiting.extend(pool.take_resting(&self.entries));
        for slot in waiting {
            self.fail_entry(slot, copy_of(&error), now);
        }
        if let Some(pool) = self.pools.get_mut(id.index()) {
            pool.last_failure = Some(error);
        }
    }

    /// Nothing was sent, and nothing will be: `cause` says why.
    pub(super) fn fail_entry(&mut self, slot: u32, cause: Error, now: Now) {
        match self.entries.get(slot).map(|entry| entry.purpose) {
            Some(Purpose::Push | Purpose::Call) => {
                let error = Error::new(ErrorKind::NotSent, "not sent").with_source(cause);
                self.end_unanswered(slot, error);
            }
            Some(Purpose::Token) => self.token_ended(slot, Err(cause), false, now),
            None => {}
        }
    }
}

impl Entry {
    /// Whether its request goes out with the authorization that it came with: ours to a token
    /// endpoint, and a caller's own.
    fn keeps_authorization(&self) -> bool {
        match self.purpose {
            Purpose::Push => false,
            Purpose::Call => self.signed,
            Purpose::Token => true,
        }
    }
}

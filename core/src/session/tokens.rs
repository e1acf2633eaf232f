//! Access tokens: fetched over connections of the session's own, while messages wait.

use super::dial::is_permanent;
use super::entry::{Purpose, State};
use super::pool::PoolId;
use super::service::Permit;
use super::{Session, SessionEvent, copy_of};
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::time::Now;

impl Session {
    /// Whether requests can be authorized now; if not, an access token is being fetched, or
    /// waits for its endpoint to recover. For the rooms' functions that say `TokenNeeded`: ask
    /// again until it is true. Never necessary for [`Session::submit`].
    ///
    /// # Errors
    /// What the token endpoint said, when it refused the credential; what makes a token request
    /// or a provider token impossible.
    pub fn fetch_authorization(&mut self, now: Now) -> Result<bool, Error> {
        let now = self.tick(now);
        if self.closing {
            return Err(Error::new(ErrorKind::Closed, "the session is closed"));
        }
        let (ready, fetch) = match self.service.authorize(now) {
            Permit::Go { fetch, .. } => (true, fetch),
            Permit::Each => (true, None),
            Permit::Wait { fetch } => (false, fetch),
            Permit::Refuse(error) => return Err(error),
        };
        match fetch {
            Some(request) => self.fetch_token(request, now),
            None if ready => {}
            None => {
                if let Some(error) = self.token_failure.as_ref().filter(|_| self.token_refused) {
                    return Err(copy_of(error));
                }
            }
        }
        Ok(ready)
    }

    /// Sends a request of ours to a token endpoint.
    pub(super) fn fetch_token(&mut self, request: Request, now: Now) {
        let Some(authority) = request.authority.clone() else {
            return;
        };
        let lane = self.service.token_lane();
        let pool = self.pool(&authority, lane, now);
        let (Some(pool), Ok(slot)) = (pool, self.entries.reserve()) else {
            // The cache hands the fetch out again.
            let error = Error::new(ErrorKind::QueueFull, "no room for a token request");
            return self.service.token_failed(&error, now);
        };
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.purpose = Purpose::Token;
            entry.state = State::Queued;
            entry.pool = pool;
            entry.request = request;
            entry.deadline = now.monotonic.saturating_add(self.config.response_timeout);
            entry.due = entry.deadline;
            entry.queued_at = now.monotonic;
            self.next_due = Some(self.next_due.map_or(entry.due, |due| due.min(entry.due)));
        }
        let ticket = self.entries.ticket(slot);
        if let Some(pool) = self.pools.get_mut(pool.index()) {
            pool.waiting.push_back(ticket);
        }
        self.pump(pool, now);
    }

    /// The token endpoint answered, or did not. `refused`: asking again would not help.
    pub(super) fn token_ended(
        &mut self,
        slot: u32,
        result: Result<Option<Request>, Error>,
        refused: bool,
        now: Now,
    ) {
        if self
            .entries
            .get(slot)
            .is_none_or(|entry| entry.state == State::Free)
        {
            return;
        }
        self.entries.release(slot);
        match result {
            // One step of several: the fetch goes on.
            Ok(Some(request)) => return self.fetch_token(request, now),
            Ok(None) => {
                self.token_failure = None;
                self.token_refused = false;
                self.note(SessionEvent::TokenRenewed);
            }
            Err(error) => {
                self.service.token_failed(&error, now);
                self.note(SessionEvent::TokenFailed {
                    error: error.kind(),
                    text: error.to_string().into(),
                });
                let refused = refused || is_permanent(&error);
                for id in self.push_pools().filter(|_| refused) {
                    self.fail_pool(id, copy_of(&error), now);
                }
                self.token_refused = refused;
                self.token_failure = Some(error);
            }
        }
        for id in self.push_pools() {
            self.pump(id, now);
        }
    }

    fn push_pools(&self) -> impl Iterator<Item = PoolId> + use<> {
        let lanes = self.pools.iter().map(|pool| pool.lane).enumerate();
        let pushes: Vec<_> = lanes.filter(|(_, lane)| !lane.is_for_tokens()).collect();
        pushes.into_iter().map(|(index, _)| PoolId(index as u32))
    }
}

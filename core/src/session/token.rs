//! The fetch of access tokens.

use super::event::SessionEvent;
use super::id::HostId;
use super::ledger::{Entrant, Manner, Marks, Purpose};
use super::retry;
use super::service::Context;
use super::shared::Shared;
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Request, Response};
use crate::time::Now;

/// What follows the end of a request for a token.
#[derive(Debug)]
pub(super) enum AfterFetch {
    /// Nothing: the request had ended before.
    Nothing,
    /// The next request of several.
    Next(Request),
    /// The messages that wait for the token are looked at.
    Fill,
}

/// The state of the fetch of an access token.
#[derive(Debug, Default)]
pub(super) struct TokenFetch {
    /// Why there is no token; `None` after a fetch that went well.
    failure: Option<Error>,
    /// Whether asking again would not help.
    refused: bool,
    /// The authorization last used, where tokens are made without a fetch; `None` before the first.
    minted: Option<u64>,
}

impl TokenFetch {
    /// Queues a request of the session's own for a token endpoint. Returns the host that is to be filled; `None` where the
    /// request cannot be sent.
    pub(super) fn queue(&mut self, shared: &mut Shared, request: Request, now: Now) -> Option<HostId> {
        let authority = request.authority.clone()?;
        self.asked();
        let traffic = shared.service.token_traffic();
        let host = shared.host(&authority, traffic, now);
        let Ok(slot) = shared.ledger.reserve_with(request) else {
            // The cache hands the fetch out again.
            let error = Error::new(ErrorKind::QueueFull, "no room for a token request");
            shared.service.token_failed(&error, now);
            return None;
        };
        let entrant = Entrant {
            purpose: Purpose::Token,
            host,
            marks: Marks::default(),
            deadline: now.monotonic.saturating_add(shared.config.response_timeout),
            circumstances: None,
            manner: Manner::default(),
        };
        let queued = shared.ledger.queue(slot, entrant, Context::None, now.monotonic);
        if let (Ok(ticket), Some(host)) = (queued, shared.hosts.get_mut(host)) {
            host.push_token_request(ticket);
        }
        Some(host)
    }

    /// Takes the end of a request: the token endpoint answered, or did not; `refused` says that asking again would not help.
    pub(super) fn ended(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        result: Result<Option<Request>, Error>,
        refused: bool,
        now: Now,
    ) -> AfterFetch {
        if shared.ledger.get(slot).is_none() {
            return AfterFetch::Nothing;
        }
        shared.ledger.release(slot);
        match result {
            Ok(Some(request)) => return AfterFetch::Next(request),
            Ok(None) => {
                self.succeeded();
                shared.outbox.note(SessionEvent::TokenRenewed);
            }
            Err(error) => {
                shared.service.token_failed(&error, now);
                shared.outbox.note(SessionEvent::TokenFailed {
                    error: error.kind(),
                    text: error.to_string().into(),
                });
                let refused = refused || retry::is_permanent(&error);
                if refused {
                    for id in shared.hosts.of_waiting_callers() {
                        shared.fail_callers_of(id, error.clone());
                    }
                }
                self.failed(error, refused);
            }
        }
        AfterFetch::Fill
    }

    /// Tells of a token that was made without a fetch.
    pub(super) fn note_minted(&mut self, shared: &mut Shared, block: &HeaderBlock) {
        if shared.service.mints_tokens() && self.is_new(block) {
            shared.outbox.note(SessionEvent::TokenRenewed);
        }
    }

    /// Notes an authorization that was made without a fetch: another block is all there is to see of
    /// another token. Returns whether it is another one.
    fn is_new(&mut self, block: &HeaderBlock) -> bool {
        let new = self.minted != Some(block.id());
        self.minted = Some(block.id());
        new
    }

    /// Notes that a token is asked for: the answer may be another one than the last refusal.
    fn asked(&mut self) {
        self.refused = false;
    }

    /// Notes that a token has come.
    fn succeeded(&mut self) {
        self.failure = None;
        self.refused = false;
    }

    /// Notes that no token has come; `refused` says that asking again would not help.
    fn failed(&mut self, error: Error, refused: bool) {
        self.failure = Some(error);
        self.refused = refused;
    }

    /// Why the last fetch failed; `None` where it went well.
    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Why the last fetch failed, where asking again would not help.
    pub(super) fn refusal(&self) -> Option<&Error> {
        self.failure.as_ref().filter(|_| self.refused)
    }
}

/// Whether asking a token endpoint again may bring another answer than this one.
pub(super) fn is_temporary(response: &Response) -> bool {
    matches!(response.status, 200..300 | 408 | 429 | 500..600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_lasts_until_a_token_comes() {
        let mut fetch = TokenFetch::default();
        fetch.failed(Error::new(ErrorKind::ConnectionLost, "a"), false);
        assert!(fetch.failure().is_some() && fetch.refusal().is_none());
        fetch.failed(Error::new(ErrorKind::TokenRefused, "b"), true);
        assert_eq!(fetch.refusal().map(Error::kind), Some(ErrorKind::TokenRefused));
        fetch.asked();
        assert!(fetch.failure().is_some() && fetch.refusal().is_none());
        fetch.succeeded();
        assert!(fetch.failure().is_none() && fetch.refusal().is_none());
    }

    #[test]
    fn answers_that_may_be_others_next_time() {
        let temporary = |status| is_temporary(&Response::new(status, ""));
        assert!([200, 299, 408, 429, 500, 599].into_iter().all(temporary));
        assert!(![199, 300, 400, 401, 403, 404, 600].into_iter().any(temporary));
    }
}

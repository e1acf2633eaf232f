//! Which authorization a request goes out with, and where it comes from.

use std::sync::Arc;
use std::time::Duration;

use super::lane::Lane;
use super::service::{Context, Room, Service};
use crate::apns;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::oauth::{Fetch, TokenProgress, TokenState};
use crate::outcome::Outcome;
use crate::time::Now;

/// Whether requests may go out now, and with which authorization.
pub(super) enum Permit {
    Go {
        authorization: Option<Arc<HeaderBlock>>,
        fetch: Option<Request>,
    },
    /// Each with its own: ask [`Service::authorization_of`].
    Each,
    Wait {
        fetch: Option<Request>,
    },
    Refuse(Error),
}

impl Service {
    /// The authorization of now for requests to `authority`.
    pub(super) fn authorize(&mut self, now: Now) -> Permit {
        let ready = |block: Result<Option<Arc<HeaderBlock>>, Error>| match block {
            Ok(authorization) => Permit::Go {
                authorization,
                fetch: None,
            },
            Err(error) => Permit::Refuse(error),
        };
        self.wait_until = None;
        match &self.room {
            Room::Apns { credentials, .. } => match &self.recent {
                // Many messages are submitted at one moment; what was good for the first is for all.
                Some((at, block)) if *at == now => Permit::Go {
                    authorization: block.clone(),
                    fetch: None,
                },
                _ => {
                    let block = credentials.authorization(now);
                    self.recent = block.as_ref().ok().map(|block| (now, block.clone()));
                    ready(block)
                }
            },
            // One per origin and encoding, from the credentials' cache.
            Room::WebPush { .. } => Permit::Each,
            // Baidu's requests are signed as a whole when they are written.
            Room::Baidu { .. } => Permit::Go {
                authorization: None,
                fetch: None,
            },
            Room::Fcm { credentials, .. } => {
                let state = credentials.token(now);
                self.permit(state, now)
            }
            Room::Adm { credentials, .. } => {
                let state = credentials.token(now);
                self.permit(state, now)
            }
        }
    }

    /// The authorization of one message to `authority`, under [`Permit::Each`].
    pub(super) fn authorization_of(
        &self,
        context: &Context,
        authority: &Authority,
        now: Now,
    ) -> Result<Option<Arc<HeaderBlock>>, Error> {
        match (&self.room, context) {
            (Room::WebPush { credentials, .. }, Context::WebPush(message)) => {
                credentials.authorization_for(message, now).map(Some)
            }
            (Room::WebPush { credentials, .. }, _) => credentials.authorization(authority, now).map(Some),
            _ => Ok(None),
        }
    }

    fn permit(&mut self, state: TokenState, now: Now) -> Permit {
        let fetch = match state.fetch() {
            Some(Fetch::Request) => match self.token_request(now) {
                Ok(request) => Some(request),
                Err(error) => {
                    self.token_failed(&error, now);
                    return Permit::Refuse(error);
                }
            },
            // The host brings the token: until then messages wait, up to their deadline.
            Some(Fetch::SubjectToken | Fetch::HostToken) | None => None,
        };
        match state {
            TokenState::Ready(block) | TokenState::ReadyAndFetch(block, _) => Permit::Go {
                authorization: Some(block),
                fetch,
            },
            TokenState::Wait { until } => {
                self.wait_until = Some(until);
                Permit::Wait { fetch }
            }
            TokenState::Fetch(_) => Permit::Wait { fetch },
        }
    }

    fn token_request(&self, now: Now) -> Result<Request, Error> {
        let token = match &self.room {
            Room::Fcm { credentials, .. } => credentials.token_request(now)?,
            Room::Adm { credentials, .. } => credentials.token_request(now)?,
            _ => {
                return Err(Error::new(
                    ErrorKind::Internal,
                    "this service has no token endpoint",
                ));
            }
        };
        // All other connections are encrypted; a secret must not slip out by this one.
        if token.plaintext != (self.token_lane() == Lane::Metadata) {
            let context = "a token request and its connection disagree on encryption";
            return Err(Error::new(ErrorKind::Internal, context));
        }
        Ok(token.request)
    }

    /// The token endpoint's answer. `Some` is the next request of several.
    pub(super) fn accept_token(&mut self, response: &Response, now: Now) -> Result<Option<Request>, Error> {
        let progress = match &self.room {
            Room::Fcm { credentials, .. } => credentials.accept_token(response, now)?,
            Room::Adm { credentials, .. } => {
                credentials.accept_token(response, now)?;
                TokenProgress::Done
            }
            _ => TokenProgress::Done,
        };
        match progress {
            TokenProgress::NextRequest => self.token_request(now).map(Some),
            TokenProgress::Done => Ok(None),
        }
    }

    /// No token came.
    pub(super) fn token_failed(&mut self, error: &Error, now: Now) {
        // An answer that was read has told the cache already.
        if matches!(
            error.kind(),
            ErrorKind::TokenRefused | ErrorKind::TokenAnswerInvalid
        ) {
            return;
        }
        match &self.room {
            Room::Fcm { credentials, .. } => credentials.token_failed(now),
            Room::Adm { credentials, .. } => credentials.token_failed(now),
            _ => {}
        }
    }

    /// The service at `authority` refused the authorization of the block `used`. True when sending again, with
    /// another authorization, makes sense.
    pub(super) fn refused(
        &mut self,
        outcome: &Outcome,
        authority: Option<&Authority>,
        used: Option<u64>,
        now: Now,
    ) -> bool {
        self.recent = None;
        let Some(used) = used else { return false };
        match &self.room {
            Room::Fcm { credentials, .. } => {
                credentials.token_refused(used, now);
                true
            }
            Room::Adm { credentials, .. } => {
                credentials.token_refused(used, now);
                true
            }
            Room::Apns { credentials, .. } => {
                let renewed = credentials.react(outcome, now) == apns::Reaction::Renewed;
                let current = credentials
                    .authorization(now)
                    .ok()
                    .flatten()
                    .map(|block| block.id());
                // Another answer may have renewed it already.
                renewed || current.is_some_and(|current| current != used)
            }
            // Signed here: another one is no better, unless the service's clock has just been learned.
            Room::WebPush { credentials, .. } => {
                let told = matches!(outcome, Outcome::FixCredentials(arm) if arm.clock_skew.is_some());
                let current = authority
                    .filter(|_| told)
                    .and_then(|authority| credentials.authorization(authority, now).ok());
                current.is_some_and(|current| current.id() != used)
            }
            Room::Baidu { .. } => false,
        }
    }

    /// An answer that refuses no authorization may still say something about it: APNs sees too many
    /// provider tokens, and none is to be made for a while.
    pub(super) fn heed(&mut self, outcome: &Outcome, now: Now) {
        if let Room::Apns { credentials, .. } = &self.room {
            credentials.react(outcome, now);
        }
    }

    /// When a token may be asked for again.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.wait_until
    }
}

//! Whether requests can be authorized now.

use std::time::Duration;

use crate::oauth::{TokenRequest, TokenState};

/// Whether requests can be authorized now; see [`Service::authorization`](super::Service::authorization).
#[derive(Debug)]
#[non_exhaustive]
pub enum Authorized {
    /// Requests can be made.
    Ready {
        /// The request for the next access token, to be sent meanwhile; `None` when nothing is due.
        renew: Option<TokenRequest>,
    },
    /// An access token has to be fetched first: send this request.
    Fetch(TokenRequest),
    /// There is no access token, and nothing to send: another caller fetches one, the endpoint is left
    /// alone after a failure, or the host brings the tokens.
    Wait {
        /// When to ask again, as [`Now::monotonic`](crate::Now::monotonic); `None` when the host brings the tokens.
        until: Option<Duration>,
    },
}

impl Authorized {
    pub(super) fn of(state: &TokenState, request: Option<TokenRequest>) -> Self {
        match (state, request) {
            (TokenState::Ready(_) | TokenState::ReadyAndFetch(..), renew) => Self::Ready { renew },
            (_, Some(request)) => Self::Fetch(request),
            (TokenState::Wait { until }, None) => Self::Wait { until: Some(*until) },
            (_, None) => Self::Wait { until: None },
        }
    }
}

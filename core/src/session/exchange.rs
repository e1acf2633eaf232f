//! Requests that are not messages: channels, topics, withdrawals. Sent over the same connections,
//! counted in the same books; the answer is handed back as it came.

use super::entry::Purpose;
use super::service::Context;
use super::{SendOptions, Session, Ticket};
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::net::SendError;
use crate::net::h2::check_path;
use crate::service::{Call, Service};
use crate::time::Now;

impl Session {
    /// Returns the service that the session sends to.
    pub fn service(&self) -> &Service {
        self.service.value()
    }

    /// Takes a call: channels, topics, groups, withdrawals. Its answer comes from
    /// [`Session::poll_response`] and is read with [`Call::read`]. `None` while the access token that
    /// the call needs is being fetched: ask again.
    ///
    /// # Errors
    /// As [`Call::request`], [`Session::fetch_authorization`] and [`Session::exchange`].
    pub fn call(
        &mut self,
        call: &(impl Call + ?Sized),
        options: SendOptions,
        now: Now,
    ) -> Result<Option<Ticket>, Error> {
        let request = match call.request(self.service(), now) {
            Err(error) if error.kind() == ErrorKind::TokenNeeded => {
                if !self.fetch_authorization(now)? {
                    return Ok(None);
                }
                call.request(self.service(), now)?
            }
            made => made?,
        };
        self.exchange(request, options, now).map(Some)
    }

    /// Takes a request to one of the service's hosts, made by its room (`apns::channel_request`,
    /// `fcm::topics`, `webpush::delete` and so on). Where it carries no authorization, the
    /// session's own is added when it is sent. It ends in [`Session::poll_response`], and is
    /// counted in [`Stats::answered`](super::Stats::answered) or where a message would be.
    ///
    /// It is never sent again once it was written, whatever [`Delivery`](super::Delivery) says,
    /// except after an answer that refuses the authorization: then once, with another one.
    ///
    /// # Errors
    /// As [`Session::submit`]; `Misuse` when the request is for none of the service's hosts:
    /// its credentials would get into the wrong hands; `InvalidValue` when its path is not visible ASCII
    /// beginning with `/`; what the endpoint policy says (Web Push).
    pub fn exchange(&mut self, request: Request, options: SendOptions, now: Now) -> Result<Ticket, Error> {
        let now = self.tick(now);
        self.check_room()?;
        self.service.check_host(&request)?;
        if let Err(SendError::Invalid(error)) = check_path(&request.path) {
            return Err(error);
        }
        let slot = self.entries.reserve()?;
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.signed = request.authorization.is_some();
            entry.request = request;
        }
        self.enqueue(slot, Purpose::Call, Context::None, options, now)
    }
}

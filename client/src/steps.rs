//! Blocking calls in steps, for callers who have to look around in between (other languages: signals).

use std::sync::Arc;
use std::time::Duration;

use pushcore::Error;
use pushcore::ErrorKind;
use pushcore::http::{Request, Response};
use pushcore::session::{SendOptions, Ticket};

use crate::client::Client;

impl Client {
    /// [`Client::close`] for at most `longest`: true when everything has ended and every connection is
    /// closed. No message is taken after the first call, whatever it says.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn close_for(&self, longest: Duration) -> Result<bool, Error> {
        self.check_process()?;
        let mut shared = self.lock();
        let now = shared.driver.clock.now();
        shared.driver.session.close(now);
        self.nudge(&mut shared);
        if !shared.driver.session.is_closed() {
            shared = self.step(shared, Some(longest));
        }
        Ok(shared.driver.session.is_closed())
    }

    /// Waits at most `longest` for an access token that a request can be made with; true when there is
    /// one. What [`Client::call`] does between two attempts.
    ///
    /// # Errors
    /// `Misuse` in a forked child; what keeps the token from being fetched.
    pub fn authorization_for(&self, longest: Duration) -> Result<bool, Error> {
        self.check_process()?;
        let mut shared = self.lock();
        let now = shared.driver.clock.now();
        let ready = shared.driver.session.fetch_authorization(now)?;
        if !ready {
            self.nudge(&mut shared);
            drop(self.step(shared, Some(longest)));
        }
        Ok(ready)
    }
}

/// What [`Client::exchange`] does, in the caller's own loop. Dropping it cancels the request.
#[derive(Debug)]
pub struct Exchange {
    client: Arc<Client>,
    /// `None` when it has ended.
    ticket: Option<Ticket>,
}

impl Exchange {
    /// Submits a request; `None` when the queue is full: ask again, it has moved bytes meanwhile.
    ///
    /// # Errors
    /// As [`Session::exchange`](pushcore::session::Session::exchange); `Misuse` in a forked child.
    pub fn new(client: Arc<Client>, request: &Request, options: SendOptions) -> Result<Option<Self>, Error> {
        client.check_process()?;
        let (mut shared, now) = client.lock_to_submit();
        let ticket = match shared.driver.session.exchange(request.clone(), options, now) {
            Err(error) if error.kind() == ErrorKind::QueueFull => {
                drop(client.step(shared, Some(Duration::from_millis(20))));
                return Ok(None);
            }
            other => other?,
        };
        shared.expect_call(ticket);
        client.nudge(&mut shared);
        drop(shared);
        Ok(Some(Self {
            client,
            ticket: Some(ticket),
        }))
    }

    /// Waits for the answer, at most `longest`; `None` when it has not come yet.
    ///
    /// # Errors
    /// `NotSent`, `Unknown` or `Expired`; `Misuse` in a forked child, and after the end.
    pub fn wait(&mut self, longest: Duration) -> Result<Option<Response>, Error> {
        self.client.check_process()?;
        let Some(ticket) = self.ticket else {
            return Err(Error::new(ErrorKind::Misuse, "the exchange has ended"));
        };
        let mut shared = self.client.lock();
        let mut result = shared.fetch_call(ticket);
        if result.is_none() {
            shared = self.client.step(shared, Some(longest));
            result = shared.fetch_call(ticket);
        }
        if result.is_some() {
            self.ticket = None;
        }
        result.transpose()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.filter(|_| self.client.check_process().is_ok()) else {
            return;
        };
        let mut shared = self.client.lock();
        shared.forget_call(ticket);
        self.client.nudge(&mut shared);
    }
}

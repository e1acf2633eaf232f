//! Requests that are not messages: channels, topics, withdrawals, and requests of one's own.

use std::sync::Arc;
use std::time::Duration;

use pushcore::http::{Request, Response};
use pushcore::service::{Call, Service};
use pushcore::session::{SendOptions, Ticket};
use pushcore::{Error, ErrorKind};

use crate::client::Client;
use crate::patience::Patience;

/// How long to wait for room in the queue, or for a token, before looking around again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Client {
    /// Sends a call and reads its answer:
    ///
    /// ```no_run
    /// # use pushcore::{Error, apns};
    /// # fn list(client: &pushcore_client::Client, bundle: apns::BundleId) -> Result<(), Error> {
    /// let list = apns::ManageChannel::new(bundle, apns::ChannelCall::List);
    /// if let apns::ChannelOutcome::Listed(ids) = client.call(&list)? {
    ///     println!("{} channels", ids.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Call::request`]; `NotSent`, `Unknown` or `Expired`; what keeps the access token from being fetched.
    pub fn call<C: Call + ?Sized>(&self, call: &C) -> Result<C::Output, Error> {
        let response = self.answer(Asked::Call(call))?;
        Ok(call.read(&response, crate::now()))
    }

    /// Sends a request to one of the service's hosts and waits for the answer, whatever it is.
    /// The session's authorization is added where the request has none.
    ///
    /// # Errors
    /// As [`Session::exchange`](pushcore::session::Session::exchange); `NotSent`, `Unknown` or `Expired`.
    pub fn exchange(&self, request: &Request) -> Result<Response, Error> {
        self.answer(Asked::<dyn Call<Output = ()>>::Request(request))
    }

    /// Returns the service that the client sends to.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn service(&self) -> Result<Service, Error> {
        self.check_process()?;
        Ok(self.lock().driver.session.service().clone())
    }

    fn answer<C: Call + ?Sized>(&self, asked: Asked<'_, C>) -> Result<Response, Error> {
        self.check_process()?;
        let patience = Patience::new(self.lock().driver.session.config().deadline);
        let ticket = loop {
            let left = patience.left();
            if let Some(ticket) = self.begin(&asked, SendOptions::default().deadline(left))? {
                break ticket;
            }
            if left.is_zero() {
                return Err(Patience::expired());
            }
        };
        let mut shared = self.lock();
        loop {
            if let Some(result) = shared.fetch_call(ticket) {
                return result;
            }
            shared = self.step(shared, None);
        }
    }

    /// Submits; `None` after a look at the sockets, where there is no room or no access token yet.
    fn begin<C: Call + ?Sized>(
        &self,
        asked: &Asked<'_, C>,
        options: SendOptions,
    ) -> Result<Option<Ticket>, Error> {
        self.check_process()?;
        let (mut shared, now) = self.lock_to_submit();
        let session = &mut shared.driver.session;
        let taken = match asked {
            Asked::Call(call) => session.call(*call, options, now),
            Asked::Request(request) => session.exchange((*request).clone(), options, now).map(Some),
        };
        let was_full = matches!(&taken, Err(error) if error.kind() == ErrorKind::QueueFull);
        let ticket = match taken {
            Err(_) if was_full => None,
            other => other?,
        };
        if let Some(ticket) = ticket {
            shared.expect_call(ticket);
        }
        self.nudge(&mut shared);
        if ticket.is_none() {
            // Where the queue has room now, the next attempt is not kept waiting.
            let emptied = was_full && shared.driver.session.capacity() > 0;
            let longest = if emptied { Duration::ZERO } else { LOOK_AGAIN };
            drop(self.step(shared, Some(longest)));
        }
        Ok(ticket)
    }
}

/// The request to be sent.
enum Asked<'a, C: ?Sized> {
    Call(&'a C),
    Request(&'a Request),
}

/// A call or request in the caller's own loop, as [`Client::call`] and [`Client::exchange`] make it. Dropping it cancels the request.
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
        Self::begin(client, &Asked::<dyn Call<Output = ()>>::Request(request), options)
    }

    /// Submits a call; `None` when the queue is full, or while the access token that the call needs is
    /// being fetched: ask again, it has moved bytes meanwhile.
    ///
    /// # Errors
    /// As [`Session::call`](pushcore::session::Session::call); `Misuse` in a forked child.
    pub fn call(
        client: Arc<Client>,
        call: &(impl Call + ?Sized),
        options: SendOptions,
    ) -> Result<Option<Self>, Error> {
        Self::begin(client, &Asked::Call(call), options)
    }

    fn begin<C: Call + ?Sized>(
        client: Arc<Client>,
        asked: &Asked<'_, C>,
        options: SendOptions,
    ) -> Result<Option<Self>, Error> {
        let ticket = client.begin(asked, options)?;
        Ok(ticket.map(|ticket| Self {
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

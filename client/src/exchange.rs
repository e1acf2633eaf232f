//! Requests that are not messages.

use std::time::Duration;

use pushcore::http::{Request, Response};
use pushcore::session::SendOptions;
use pushcore::{Error, ErrorKind, Now};

use crate::client::Client;

/// How often a token that is being fetched is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Client {
    /// Sends a request to one of the service's hosts and waits for the answer, whatever it is.
    /// The session's authorization is added where the request has none.
    ///
    /// # Errors
    /// As [`Session::exchange`](pushcore::session::Session::exchange); `NotSent`, `Unknown` or `Expired`.
    pub fn exchange(&self, request: &Request) -> Result<Response, Error> {
        self.check_process()?;
        let (mut shared, mut now) = self.lock_to_submit();
        let ticket = loop {
            let session = &mut shared.driver.session;
            match session.exchange(request.clone(), SendOptions::default(), now) {
                Err(error) if error.kind() == ErrorKind::QueueFull => {
                    shared = self.step(shared, None);
                    now = shared.driver.clock.now();
                }
                other => break other?,
            }
        };
        shared.expect_call(ticket);
        self.nudge(&mut shared);
        loop {
            if let Some(result) = shared.fetch_call(ticket) {
                return result;
            }
            shared = self.step(shared, None);
        }
    }

    /// [`Client::exchange`] with a request that `make` builds with a room's function, once there is
    /// an access token for it:
    ///
    /// ```no_run
    /// # use pushcore::{Error, apns};
    /// # fn list(client: &pushcore_client::Client, credentials: &apns::Credentials, hosts: &apns::Hosts,
    /// #     bundle: &apns::BundleId) -> Result<(), Error> {
    /// let call = apns::ChannelCall::List;
    /// let response = client.call(|now| apns::channel_request(&call, bundle, None, credentials, hosts, now))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `make` is called again after it said `TokenNeeded`. Its credentials have to be those of
    /// the client, to share their token: give the client an `Arc` of them.
    ///
    /// # Errors
    /// As [`Client::exchange`]; what `make` says; what keeps the token from being fetched.
    pub fn call(&self, mut make: impl FnMut(Now) -> Result<Request, Error>) -> Result<Response, Error> {
        self.check_process()?;
        let (clock, deadline) = {
            let shared = self.lock();
            (shared.driver.clock, shared.driver.session.config().deadline)
        };
        let give_up = clock.now().monotonic.saturating_add(deadline);
        let mut ready = false;
        loop {
            match make(clock.now()) {
                Ok(request) => return self.exchange(&request),
                // A token that `make` does not see will not come to it.
                Err(error) if error.kind() != ErrorKind::TokenNeeded || ready => return Err(error),
                Err(error) if clock.now().monotonic >= give_up => {
                    let context = "no access token came in time";
                    return Err(Error::new(ErrorKind::Expired, context).with_source(error));
                }
                Err(_) => {
                    let mut shared = self.lock();
                    ready = shared.driver.session.fetch_authorization(clock.now())?;
                    if !ready {
                        self.nudge(&mut shared);
                        drop(self.step(shared, Some(LOOK_AGAIN)));
                    }
                }
            }
        }
    }
}

//! The blocking client, which the packages put a queue of their own around.

use std::sync::Arc;
use std::time::Duration;

use pushcore::session::{Metrics as CoreMetrics, SendOptions as CoreSendOptions};
use pushcore_client::{Client as CoreClient, Patience};

use crate::batch::Batch;
use crate::call::{Call, CallAnswer};
use crate::error::PushError;
use crate::event::{Event, Stats};
use crate::exchange::{Exchange, SingleSend};
use crate::message::Message;
use crate::metrics::{ConnectionReport, HostReport, Label, Metrics};
use crate::options::{ClientOptions, SendOptions};
use crate::outcome::Outcome;
use crate::service::Service;
use crate::values::Seconds;

/// Sends messages to one service, over as many connections as the load asks for. Share it: any number of threads may send.
#[derive(uniffi::Object)]
pub struct Client {
    pub(crate) client: Arc<CoreClient>,
    pub(crate) service: Arc<Service>,
    deadline: Duration,
}

impl Client {
    /// The time that a message or a call has from now on.
    pub(crate) fn patience(&self, options: CoreSendOptions) -> Patience {
        Patience::new(options.deadline.unwrap_or(self.deadline))
    }
}

#[uniffi::export]
impl Client {
    /// Returns a client of a service. No connection is made before the first message.
    #[uniffi::constructor]
    pub fn open(service: Arc<Service>, options: ClientOptions) -> Result<Arc<Self>, PushError> {
        let config = options.client(service.identity.as_ref())?;
        let deadline = config.session.deadline;
        let client = Arc::new(CoreClient::new(service.service.clone(), config)?);
        Ok(Arc::new(Self {
            client,
            service,
            deadline,
        }))
    }

    /// Sends one message and waits for its end on the calling thread. A service's "no" is an outcome, not an error.
    pub fn send_blocking(&self, message: Message, options: SendOptions) -> Result<Outcome, PushError> {
        let message = message.read(self.service.policy())?;
        let outcome = self.client.send_with(&message, options.read()?)?;
        Ok(Outcome::from(&outcome))
    }

    /// Begins to send one message, in steps.
    pub fn single(&self, message: Message, options: SendOptions) -> Result<Arc<SingleSend>, PushError> {
        SingleSend::of(self, &message, &options)
    }

    /// Begins a bulk send of one template. `expected` is how many targets there will be; nil where nobody knows.
    #[uniffi::method(default(expected = None))]
    pub fn batch(
        &self,
        template: Message,
        options: SendOptions,
        expected: Option<u64>,
    ) -> Result<Arc<Batch>, PushError> {
        Batch::of_template(self, &template, &options, expected)
    }

    /// Begins a send of messages that differ: each is given whole.
    #[uniffi::method(default(expected = None))]
    pub fn batch_of_messages(
        &self,
        options: SendOptions,
        expected: Option<u64>,
    ) -> Result<Arc<Batch>, PushError> {
        Batch::of_messages(self, &options, expected)
    }

    /// Makes a call that is no message and waits for the answer on the calling thread. A service's "no" is an answer.
    pub fn call_blocking(&self, call: Call) -> Result<CallAnswer, PushError> {
        let call = call.read(self.service.policy())?;
        Ok(self.client.call(&call)?.into())
    }

    /// Begins a call that is no message, in steps.
    pub fn exchange(&self, call: Call, options: SendOptions) -> Result<Arc<Exchange>, PushError> {
        Exchange::of(self, &call, &options)
    }

    /// Returns every connection as it is now.
    pub fn connections(&self) -> Result<Vec<ConnectionReport>, PushError> {
        let reports = self.client.connections();
        Ok(reports.iter().map(ConnectionReport::from).collect())
    }

    /// Returns every host that is connected or that messages wait for.
    pub fn hosts(&self) -> Result<Vec<HostReport>, PushError> {
        Ok(self.client.hosts().iter().map(HostReport::from).collect())
    }

    /// Returns the counts and latencies of this client.
    pub fn metrics(&self) -> Result<Metrics, PushError> {
        Ok(Metrics::from(&self.client.metrics()?))
    }

    /// Returns the counts and latencies as text for a scraper, in the form of OpenMetrics 1.0, with labels of the caller's own.
    #[uniffi::method(default(labels = []))]
    pub fn open_metrics(&self, labels: Vec<Label>) -> Result<String, PushError> {
        let labels: Vec<(&str, &str)> = labels.iter().map(Label::pair).collect();
        Ok(CoreMetrics::open_metrics(&[(
            labels.as_slice(),
            self.client.metrics()?,
        )])?)
    }

    /// Returns how many messages of this client are where.
    pub fn stats(&self) -> Result<Stats, PushError> {
        Ok(Stats::from(&self.client.stats()))
    }

    /// Returns what has happened since the last call, at most the last 1,024 events. Never waits.
    pub fn events(&self) -> Result<Vec<Event>, PushError> {
        let events = std::iter::from_fn(|| self.client.poll_event());
        Ok(events.map(|event| Event::from(&event)).collect())
    }

    /// Returns whether many answers in a row blame the tokens, so that the configuration is probably wrong.
    pub fn is_mix_up_suspected(&self) -> Result<bool, PushError> {
        Ok(self.client.is_mix_up_suspected())
    }

    /// Takes no more messages, and waits on the calling thread until all have ended and the connections are closed, at most
    /// for `longest`; nil waits for all. Returns whether everything has ended.
    pub fn shutdown_blocking(&self, longest: Option<Seconds>) -> Result<bool, PushError> {
        match Seconds::optional(longest)? {
            Some(longest) => Ok(self.client.close_for(longest)?),
            None => {
                self.client.close()?;
                Ok(true)
            }
        }
    }
}

//! FCM: who is subscribed to which topic.

use pushcore::fcm::{RegistrationId, Topic, topics};
use pyo3::prelude::*;

use crate::calls::Call;
use crate::errors::OrRaise;
use crate::values::{Items, Str, seconds};

/// Topic subscriptions of FCM: what `Client.call` takes.
///
/// Google allows a project 3,000 calls a second, which a client keeps by itself (`call_rate`);
/// `subscribe_many` and `unsubscribe_many`, which take up to 1,000 tokens at once.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct FcmTopics;

#[pymethods]
impl FcmTopics {
    /// Subscribes a registration token or installation id to a topic; doing it twice does no harm.
    #[staticmethod]
    fn subscribe(py: Python<'_>, token: Str, topic: Str) -> PyResult<Call> {
        let (registration, topic) = one(py, &token, &topic)?;
        Ok(Call(topics::Subscribe::new(registration, topic).into()))
    }

    /// Ends a subscription; doing it twice does no harm.
    #[staticmethod]
    fn unsubscribe(py: Python<'_>, token: Str, topic: Str) -> PyResult<Call> {
        let (registration, topic) = one(py, &token, &topic)?;
        Ok(Call(topics::Unsubscribe::new(registration, topic).into()))
    }

    /// Asks for a page of one token's subscriptions: a `TopicPage`, or the outcome that says why not.
    ///
    /// `page_size` is 1 to 2,000, `page_token` the `next_page_token` of the page before.
    #[staticmethod]
    #[pyo3(signature = (token, *, page_size=None, page_token=None))]
    fn list(py: Python<'_>, token: Str, page_size: Option<u16>, page_token: Option<Str>) -> PyResult<Call> {
        let mut list = topics::ListSubscriptions::new(RegistrationId::new(&token).or_raise(py)?);
        if let Some(size) = page_size {
            list = list.page_size(size);
        }
        if let Some(token) = page_token {
            list = list.page_token(token);
        }
        Ok(Call(list.into()))
    }

    /// Subscribes up to 1,000 registration tokens with one request, over Google's older service: one
    /// `TopicResult` for each token, in their order, or the outcome of the whole request.
    #[staticmethod]
    fn subscribe_many(py: Python<'_>, tokens: Items<Str>, topic: Str) -> PyResult<Call> {
        batch(py, topics::BatchAction::Add, &tokens, &topic)
    }

    /// Ends the subscriptions of up to 1,000 registration tokens with one request.
    #[staticmethod]
    fn unsubscribe_many(py: Python<'_>, tokens: Items<Str>, topic: Str) -> PyResult<Call> {
        batch(py, topics::BatchAction::Remove, &tokens, &topic)
    }
}

fn one(py: Python<'_>, token: &str, topic: &str) -> PyResult<(RegistrationId, Topic)> {
    Ok((
        RegistrationId::new(token).or_raise(py)?,
        Topic::new(topic).or_raise(py)?,
    ))
}

fn batch(py: Python<'_>, action: topics::BatchAction, tokens: &[Str], topic: &str) -> PyResult<Call> {
    let tokens = tokens.iter().map(|token| RegistrationId::new(token));
    let tokens = tokens.collect::<Result<_, _>>().or_raise(py)?;
    let topic = Topic::new(topic).or_raise(py)?;
    Ok(Call(topics::ChangeMany::new(action, topic, tokens).into()))
}

/// One page of a token's topic subscriptions.
#[pyclass(frozen, module = "pushcore", get_all)]
pub(crate) struct TopicPage {
    /// The subscriptions.
    subscriptions: Vec<TopicSubscription>,
    /// What to ask the next page with; `None` on the last one.
    next_page_token: Option<String>,
}

#[pymethods]
impl TopicPage {
    fn __repr__(&self) -> String {
        format!("<TopicPage of {} subscriptions>", self.subscriptions.len())
    }
}

impl From<topics::Page> for TopicPage {
    fn from(page: topics::Page) -> Self {
        let subscriptions = page.subscriptions.into_iter().map(|one| TopicSubscription {
            topic: one.topic,
            create_time: one.create_time.map(|time| seconds(time.to_unix())),
        });
        Self {
            subscriptions: subscriptions.collect(),
            next_page_token: page.next_page_token,
        }
    }
}

/// One topic that a token is subscribed to.
#[pyclass(frozen, module = "pushcore", get_all, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct TopicSubscription {
    /// The topic's name.
    topic: String,
    /// Since when, in seconds since 1970.
    create_time: Option<f64>,
}

#[pymethods]
impl TopicSubscription {
    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.topic.as_str().into_pyobject(py)?.as_any().hash()
    }

    fn __repr__(&self) -> String {
        format!("<TopicSubscription {:?}>", self.topic)
    }
}

/// What became of one token of a `subscribe_many` or `unsubscribe_many`.
#[pyclass(frozen, module = "pushcore", get_all, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct TopicResult {
    /// `done`, `token_gone` (delete the token), `retry_later` or `rejected`; others may come.
    name: &'static str,
    /// The service's word, where it gave one.
    reason: Option<String>,
}

#[pymethods]
impl TopicResult {
    fn __repr__(&self) -> String {
        match &self.reason {
            Some(reason) => format!("<TopicResult {} reason={reason:?}>", self.name),
            None => format!("<TopicResult {}>", self.name),
        }
    }
}

impl From<topics::BatchResult> for TopicResult {
    fn from(result: topics::BatchResult) -> Self {
        let (name, reason) = match result {
            topics::BatchResult::Done => ("done", None),
            topics::BatchResult::TokenGone => ("token_gone", None),
            topics::BatchResult::RetryLater(word) => ("retry_later", Some(word)),
            topics::BatchResult::Rejected(word) => ("rejected", Some(word)),
            _ => ("other", None),
        };
        Self { name, reason }
    }
}

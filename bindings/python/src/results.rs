//! Results of calls that are neither text nor an outcome.

use pushcore::fcm::topics;
use pyo3::prelude::*;

use crate::values::seconds;

/// The result of a call of `AdmGroups`.
#[pyclass(frozen, module = "pushcore", get_all, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct AdmGroupResult {
    /// For how many registrations it was done. A group that none was added to is not created.
    succeeded: u64,
    /// The registration ids that it failed for; ADM gives no reason.
    failed: Vec<String>,
}

impl AdmGroupResult {
    pub(crate) fn new(succeeded: u64, failed: Vec<String>) -> Self {
        Self { succeeded, failed }
    }
}

#[pymethods]
impl AdmGroupResult {
    fn __repr__(&self) -> String {
        format!(
            "<AdmGroupResult {} done, {} not>",
            self.succeeded,
            self.failed.len()
        )
    }
}

/// One page of a token's topic subscriptions.
#[pyclass(frozen, module = "pushcore", get_all)]
pub(crate) struct TopicPage {
    /// The subscriptions.
    subscriptions: Vec<TopicSubscription>,
    /// The token to ask the next page with; `None` on the last one.
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

/// The result for one token of a `subscribe_many` or `unsubscribe_many`.
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

//! FCM: who is subscribed to which topic.

use pushcore::fcm::{RegistrationId, Topic, topics};
use pyo3::prelude::*;

use crate::calls::Call;
use crate::errors::OrRaise;
use crate::values::{Items, Str};

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

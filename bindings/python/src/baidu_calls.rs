//! Baidu Cloud Push: reports, statistics, tags, timers, topics.

use pushcore::baidu::{self, Page};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;

use crate::calls::Call;
use crate::errors::OrRaise;
use crate::values::{Items, Str, unix_time};

/// Calls about an app's messages, tags and timers in Baidu, for `Client.call`.
///
/// Each comes to the `response_params` of Baidu's answer (a dict in Baidu's words: lists have
/// `total_num` and `result`), or to the outcome that says why not. Lists begin at `start` and have at
/// most `limit` entries: 1 to 100, of topics 1 to 20.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct BaiduCalls;

fn made(py: Python<'_>, call: Result<baidu::Call, Error>) -> PyResult<Call> {
    call.map(|call| Call(call.into())).or_raise(py)
}

fn page(start: u32, limit: Option<u8>) -> Page {
    let mut page = Page::default();
    page.start = start;
    page.limit = limit;
    page
}

/// Both ends of a time range, or neither.
fn between(
    py: Python<'_>,
    call: Result<baidu::Call, Error>,
    since: Option<&Bound<'_, PyAny>>,
    until: Option<&Bound<'_, PyAny>>,
) -> PyResult<Call> {
    match (since, until) {
        (None, None) => made(py, call),
        (Some(since), Some(until)) => {
            let (since, until) = (unix_time(since)?, unix_time(until)?);
            made(py, call.and_then(|call| call.between(since, until)))
        }
        _ => {
            let text = "since and until come together";
            Err(Error::new(ErrorKind::MissingField, text)).or_raise(py)
        }
    }
}

fn texts(all: &[Str]) -> impl Iterator<Item = &str> {
    all.iter().map(|one| &**one)
}

#[pymethods]
impl BaiduCalls {
    /// Whether messages have been sent, and how many devices they reached.
    #[staticmethod]
    fn message_status(py: Python<'_>, ids: Items<Str>) -> PyResult<Call> {
        made(py, baidu::Call::message_status(texts(&ids)))
    }

    /// Asks for the messages that timers have sent, between two times if given.
    #[staticmethod]
    #[pyo3(signature = (timer_id=None, *, start=0, limit=None, since=None, until=None))]
    fn timer_records(
        py: Python<'_>,
        timer_id: Option<Str>,
        start: u32,
        limit: Option<u8>,
        since: Option<&Bound<'_, PyAny>>,
        until: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Call> {
        let call = baidu::Call::timer_records(timer_id.as_deref(), page(start, limit));
        between(py, call, since, until)
    }

    /// Asks for the messages that were sent under a topic id, between two times if given.
    #[staticmethod]
    #[pyo3(signature = (topic_id, *, start=0, limit=None, since=None, until=None))]
    fn topic_records(
        py: Python<'_>,
        topic_id: Str,
        start: u32,
        limit: Option<u8>,
        since: Option<&Bound<'_, PyAny>>,
        until: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Call> {
        let call = baidu::Call::topic_records(&topic_id, page(start, limit));
        between(py, call, since, until)
    }

    /// How many devices the app has.
    #[staticmethod]
    fn device_statistics(py: Python<'_>) -> PyResult<Call> {
        made(py, Ok(baidu::Call::device_statistics()))
    }

    /// How many messages of a topic id arrived.
    #[staticmethod]
    fn topic_statistics(py: Python<'_>, topic_id: Str) -> PyResult<Call> {
        made(py, baidu::Call::topic_statistics(&topic_id))
    }

    /// The topic ids in use, at most 20 at a time.
    #[staticmethod]
    #[pyo3(signature = (*, start=0, limit=None))]
    fn topics(py: Python<'_>, start: u32, limit: Option<u8>) -> PyResult<Call> {
        made(py, baidu::Call::topics(page(start, limit)))
    }

    /// The app's tags, or one of them.
    #[staticmethod]
    #[pyo3(signature = (tag=None, *, start=0, limit=None))]
    fn tags(py: Python<'_>, tag: Option<Str>, start: u32, limit: Option<u8>) -> PyResult<Call> {
        made(py, baidu::Call::tags(tag.as_deref(), page(start, limit)))
    }

    /// Makes a tag.
    #[staticmethod]
    fn create_tag(py: Python<'_>, tag: Str) -> PyResult<Call> {
        made(py, baidu::Call::create_tag(&tag))
    }

    /// Deletes a tag.
    #[staticmethod]
    fn delete_tag(py: Python<'_>, tag: Str) -> PyResult<Call> {
        made(py, baidu::Call::delete_tag(&tag))
    }

    /// Gives devices a tag; the answer has a result for each.
    #[staticmethod]
    fn tag_devices(py: Python<'_>, tag: Str, channel_ids: Items<Str>) -> PyResult<Call> {
        made(py, baidu::Call::tag_devices(&tag, texts(&channel_ids)))
    }

    /// Takes a tag from devices.
    #[staticmethod]
    fn untag_devices(py: Python<'_>, tag: Str, channel_ids: Items<Str>) -> PyResult<Call> {
        made(py, baidu::Call::untag_devices(&tag, texts(&channel_ids)))
    }

    /// How many devices have a tag.
    #[staticmethod]
    fn devices_with_tag(py: Python<'_>, tag: Str) -> PyResult<Call> {
        made(py, baidu::Call::devices_with_tag(&tag))
    }

    /// The timers that wait, or one of them.
    #[staticmethod]
    #[pyo3(signature = (timer_id=None, *, start=0, limit=None))]
    fn timers(py: Python<'_>, timer_id: Option<Str>, start: u32, limit: Option<u8>) -> PyResult<Call> {
        made(py, baidu::Call::timers(timer_id.as_deref(), page(start, limit)))
    }

    /// Takes a message back whose time has not come (`send_at`).
    #[staticmethod]
    fn cancel_timer(py: Python<'_>, timer_id: Str) -> PyResult<Call> {
        made(py, baidu::Call::cancel_timer(&timer_id))
    }
}

//! APNs: broadcasts to channels, and the channels themselves.

use pushcore::apns::{self, Aps, BundleId, ChannelCall, ChannelId, StoragePolicy};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::apns::{apns_id, expires, priority};
use crate::apns_parts::LiveActivity;
use crate::apns_payload::Parts;
use crate::base::{PyMessage, class_of};
use crate::calls::Call;
use crate::errors::OrRaise;
use crate::values::{Str, Word, unknown_word};

/// An update or the end of a Live Activity, for everyone who follows a channel.
///
/// `bundle` is the app's bundle id, `channel` the id that `ApnsChannels.create` gave, `storage` the
/// policy that the channel was made with: `"no_storage"` channels take no `expiration`, others at most
/// 8 hours. At most 5,120 bytes. Raises `MessageError` where APNs would refuse.
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct ApnsBroadcast;

class_of!(ApnsBroadcast, ApnsBroadcast(apns::Broadcast));

#[pymethods]
impl ApnsBroadcast {
    #[new]
    #[pyo3(signature = (
        *, bundle, channel, storage=None, live_activity=None, alert=None, title=None, subtitle=None, body=None,
        sound=None, relevance_score=None, aps=None, custom=None, payload=None, priority=None, expiration=None,
        ttl=None, id=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        bundle: Str,
        channel: Str,
        storage: Option<Str>,
        live_activity: Option<PyRef<'_, LiveActivity>>,
        alert: Option<&Bound<'_, PyAny>>,
        title: Option<&Bound<'_, PyAny>>,
        subtitle: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
        sound: Option<Word<'_>>,
        relevance_score: Option<f64>,
        aps: Option<&Bound<'_, PyDict>>,
        custom: Option<&Bound<'_, PyDict>>,
        payload: Option<&Bound<'_, PyAny>>,
        priority: Option<&Bound<'_, PyAny>>,
        expiration: Option<&Bound<'_, PyAny>>,
        ttl: Option<&Bound<'_, PyAny>>,
        id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let expiration = expires(py, expiration, ttl)?;
        let bundle = BundleId::parse(&bundle).or_raise(py)?;
        let channel = ChannelId::parse(&channel).or_raise(py)?;
        let mut builder = apns::Broadcast::builder(bundle, channel, policy(py, storage)?);
        let mut parts = Parts::default();
        parts.alert(alert, title, subtitle, body)?;
        parts.sound(sound, None).or_raise(py)?;
        parts.maybe(relevance_score, Aps::relevance_score);
        parts.live_activity(live_activity.as_deref());
        if let Some(payload) = parts.finish(py, aps, custom, payload)? {
            builder = builder.payload(payload);
        }
        if let Some(value) = priority {
            builder = builder.priority(self::priority(value)?);
        }
        if let Some(expiration) = expiration {
            builder = builder.expiration(expiration);
        }
        if let Some(id) = id {
            builder = builder.id(apns_id(id)?);
        }
        builder.build().map(Self::instance).or_raise(py)
    }
}

/// The broadcast channels of one app: what `Client.call` takes. An app has at most 10,000 of them in
/// an environment.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct ApnsChannels(BundleId);

impl ApnsChannels {
    fn call(&self, call: ChannelCall, id: Option<&Bound<'_, PyAny>>) -> PyResult<Call> {
        let mut call = apns::ManageChannel::new(self.0.clone(), call);
        if let Some(id) = id {
            call = call.id(apns_id(id)?);
        }
        Ok(Call(call.into()))
    }
}

#[pymethods]
impl ApnsChannels {
    #[new]
    fn new(py: Python<'_>, bundle: Str) -> PyResult<Self> {
        BundleId::parse(&bundle).map(Self).or_raise(py)
    }

    /// Makes a channel: its id, or the outcome that says why not.
    ///
    /// `storage` cannot be changed later: `"no_storage"` (the default) or `"most_recent"`, which keeps
    /// the last broadcast for devices that are away, for up to 8 hours.
    #[pyo3(signature = (*, storage=None, id=None))]
    fn create(&self, py: Python<'_>, storage: Option<Str>, id: Option<&Bound<'_, PyAny>>) -> PyResult<Call> {
        self.call(ChannelCall::Create(policy(py, storage)?), id)
    }

    /// Asks for the storage policy of a channel: its word, or an outcome.
    #[pyo3(signature = (channel, *, id=None))]
    fn read(&self, py: Python<'_>, channel: Str, id: Option<&Bound<'_, PyAny>>) -> PyResult<Call> {
        let channel = ChannelId::parse(&channel).or_raise(py)?;
        self.call(ChannelCall::Read(channel), id)
    }

    /// Deletes a channel for good. Broadcasts that are stored may still arrive.
    #[pyo3(signature = (channel, *, id=None))]
    fn delete(&self, py: Python<'_>, channel: Str, id: Option<&Bound<'_, PyAny>>) -> PyResult<Call> {
        let channel = ChannelId::parse(&channel).or_raise(py)?;
        self.call(ChannelCall::Delete(channel), id)
    }

    /// Lists the ids of all channels of the app, or says why not.
    #[pyo3(signature = (*, id=None))]
    fn list(&self, id: Option<&Bound<'_, PyAny>>) -> PyResult<Call> {
        self.call(ChannelCall::List, id)
    }

    fn __repr__(&self) -> String {
        format!("<ApnsChannels {:?}>", self.0.as_str())
    }
}

/// The word of a storage policy.
fn policy(py: Python<'_>, name: Option<Str>) -> PyResult<StoragePolicy> {
    let Some(name) = name else {
        return Ok(StoragePolicy::NoStorage);
    };
    StoragePolicy::from_name(&name)
        .ok_or_else(|| unknown_word("the storage policy"))
        .or_raise(py)
}

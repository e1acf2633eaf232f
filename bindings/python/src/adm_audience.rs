//! Amazon Device Messaging: messages to topics and groups, and the groups themselves.

use pushcore::adm::{self, Audience, Group, GroupCall, RegistrationId, Topic};
use pushcore::service::Message;
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::adm::{AdmCredentials, either_ttl, parts};
use crate::calls::Call;
use crate::errors::OrRaise;
use crate::http::{Request, Response};
use crate::message::{Reduced, reduced};
use crate::outcome::outcome;
use crate::recipe::hash_of;
use crate::values::{Items, Str, authority, clock};

/// One message for all who follow a `topic`, or for all members of a `group`.
///
/// The rest is as for `AdmMessage`. A topic has at most 10,000 app instances.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct AdmAudienceMessage(pub(crate) adm::AudienceMessage);

#[pymethods]
impl AdmAudienceMessage {
    #[new]
    #[pyo3(signature = (
        *, topic=None, group=None, data=None, notification=None, priority=None, consolidation_key=None,
        ttl=None, expires_after=None, md5=false, extra=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        topic: Option<Str>,
        group: Option<Str>,
        data: Option<&Bound<'_, PyDict>>,
        notification: Option<&Bound<'_, PyAny>>,
        priority: Option<Str>,
        consolidation_key: Option<Str>,
        ttl: Option<&Bound<'_, PyAny>>,
        expires_after: Option<&Bound<'_, PyAny>>,
        md5: bool,
        extra: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let builder = parts(
            py,
            data,
            notification,
            priority,
            consolidation_key,
            either_ttl(py, ttl, expires_after)?,
            md5,
            extra,
        )?;
        let audience = match (topic, group) {
            (Some(topic), None) => Topic::new(&topic).map(Audience::Topic),
            (None, Some(group)) => Group::new(&group).map(Audience::Group),
            _ => Err(Error::new(
                ErrorKind::InvalidTarget,
                "not exactly one of topic and group",
            )),
        };
        let message = builder.build_for(audience.or_raise(py)?).or_raise(py)?;
        Ok(Self(message))
    }

    /// The body of the request.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.body())
    }

    /// The request for an HTTP client of one's own; the credentials need a token first.
    #[pyo3(signature = (credentials, *, host=None, now=None))]
    fn request(
        &self,
        py: Python<'_>,
        credentials: &AdmCredentials,
        host: Option<Str>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let host = authority(py, host)?.unwrap_or_else(adm::default_authority);
        adm::audience_request(&self.0, &credentials.0, &host, clock(py, now)?)
            .map(Request)
            .or_raise(py)
    }

    /// What the answer to that request means.
    #[pyo3(signature = (response, *, now=None))]
    fn outcome(
        &self,
        py: Python<'_>,
        response: &Response,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        outcome(py, adm::audience_outcome(&response.0, clock(py, now)?))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// The message as JSON: `docs/messages.md`. `message_from_json` reads it.
    fn to_json(&self) -> String {
        Message::from(self.0.clone()).to_json()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(py, &self.0.clone().into())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Self>()
            .is_ok_and(|other| self.0.body() == other.get().0.body())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        hash_of(py, self.0.body())
    }

    fn __repr__(&self) -> String {
        format!("<AdmAudienceMessage {} bytes>", self.0.body().len())
    }
}

/// Groups of ADM: what `Client.call` takes. Who is in a group is the caller's to keep.
///
/// Each comes to an `AdmGroupResult`, or to the outcome that says why nothing was done.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct AdmGroups;

#[pymethods]
impl AdmGroups {
    /// Makes a group of these registrations.
    #[staticmethod]
    fn create(py: Python<'_>, group: Str, registration_ids: Items<Str>) -> PyResult<Call> {
        call(py, GroupCall::Create, &group, &registration_ids)
    }

    /// Adds registrations to a group.
    #[staticmethod]
    fn add(py: Python<'_>, group: Str, registration_ids: Items<Str>) -> PyResult<Call> {
        call(py, GroupCall::Add, &group, &registration_ids)
    }

    /// Takes registrations out of a group.
    #[staticmethod]
    fn remove(py: Python<'_>, group: Str, registration_ids: Items<Str>) -> PyResult<Call> {
        call(py, GroupCall::Remove, &group, &registration_ids)
    }
}

fn call(py: Python<'_>, call: GroupCall, group: &str, members: &[Str]) -> PyResult<Call> {
    let members = members.iter().map(|id| RegistrationId::new(id));
    let members = members.collect::<Result<_, _>>().or_raise(py)?;
    let group = Group::new(group).or_raise(py)?;
    Ok(Call(adm::ChangeGroup::new(call, group, members).into()))
}

/// What became of a call of `AdmGroups`.
#[pyclass(frozen, module = "pushcore", get_all, eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct AdmGroupResult {
    /// For how many registrations it was done. A group that none was added to is not created.
    succeeded: u64,
    /// Those it was not done for; ADM gives no reason.
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

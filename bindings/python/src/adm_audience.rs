//! Amazon Device Messaging: messages to topics and groups, and the groups themselves.

use pushcore::adm::{self, Audience, Group, GroupCall, RegistrationId, Topic};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::adm::{either_ttl, parts};
use crate::base::{PyMessage, class_of};
use crate::calls::Call;
use crate::errors::OrRaise;
use crate::values::Str;

/// One message for all who follow a `topic`, or for all members of a `group`.
///
/// The rest is as for `AdmMessage`. A topic has at most 10,000 app instances.
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct AdmAudienceMessage;

class_of!(AdmAudienceMessage, AdmAudience(adm::AudienceMessage));

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
    ) -> PyResult<PyClassInitializer<Self>> {
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
        builder
            .build_for(audience.or_raise(py)?)
            .map(Self::instance)
            .or_raise(py)
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
    fn create(py: Python<'_>, group: Str, registration_ids: Vec<Str>) -> PyResult<Call> {
        call(py, GroupCall::Create, &group, &registration_ids)
    }

    /// Adds registrations to a group.
    #[staticmethod]
    fn add(py: Python<'_>, group: Str, registration_ids: Vec<Str>) -> PyResult<Call> {
        call(py, GroupCall::Add, &group, &registration_ids)
    }

    /// Takes registrations out of a group.
    #[staticmethod]
    fn remove(py: Python<'_>, group: Str, registration_ids: Vec<Str>) -> PyResult<Call> {
        call(py, GroupCall::Remove, &group, &registration_ids)
    }
}

fn call(py: Python<'_>, call: GroupCall, group: &str, members: &[Str]) -> PyResult<Call> {
    let members = members.iter().map(|id| RegistrationId::new(id));
    let members = members.collect::<Result<_, _>>().or_raise(py)?;
    let group = Group::new(group).or_raise(py)?;
    Ok(Call(adm::ChangeGroup::new(call, group, members).into()))
}

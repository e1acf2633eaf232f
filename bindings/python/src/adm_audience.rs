//! Amazon Device Messaging: messages to topics and groups, and the groups themselves.

use pushcore::adm::{self, Group, GroupCall, RegistrationId};
use pushcore::service::Kind;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::adm::FIELDS;
use crate::base::{PyMessage, class_of};
use crate::calls::Call;
use crate::errors::OrRaise;
use crate::fields::Form;
use crate::values::{Items, Str};

/// One message for all who follow a `topic`, or for all members of a `group`.
///
/// The rest is as for `AdmMessage`. A topic has at most 10,000 app instances.
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct AdmAudienceMessage;

class_of!(AdmAudienceMessage, AdmAudience(adm::AudienceMessage));

#[pymethods]
impl AdmAudienceMessage {
    #[new]
    #[pyo3(
        signature = (*, topic=None, group=None, **fields),
        text_signature = "(*, topic=None, group=None, data=None, notification=None, priority=None, \
            consolidation_key=None, ttl=None, expires_after=None, md5=False, extra=None)",
    )]
    fn new(
        py: Python<'_>,
        topic: Option<Str>,
        group: Option<Str>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut form = Form::of(fields, &FIELDS)?;
        form.put("topic", topic.map(String::from).into());
        form.put("group", group.map(String::from).into());
        Ok(PyMessage::instance(form.read(py, Kind::Adm)?, true, Self))
    }

    /// The same message for another topic or group: a `Target`, or the object that names it.
    #[pyo3(signature = (target, /))]
    fn to(slf: &Bound<'_, Self>, target: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        slf.as_super().get().to(target, None)
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

//! Amazon Device Messaging: messages.

use pushcore::adm;
use pushcore::service::Kind;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::base::{PyMessage, class_of};
use crate::fields::{self, Field, Form};

/// One message for one device: at most 6,144 bytes of data and notification.
///
/// `ttl` 60 seconds to 31 days (`expires_after` means the same); `consolidation_key` replaces messages of the same key
/// while the device is away.
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct AdmMessage;

class_of!(AdmMessage, Adm(adm::Message));

#[pymethods]
impl AdmMessage {
    #[new]
    #[pyo3(
        signature = (*, registration_id, **fields),
        text_signature = "(*, registration_id, data=None, notification=None, priority=None, consolidation_key=None, \
            ttl=None, expires_after=None, md5=False, extra=None)",
    )]
    fn new(
        py: Python<'_>,
        registration_id: &Bound<'_, PyAny>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut form = Form::of(fields, &FIELDS)?;
        form.put("registration_id", fields::text(registration_id)?);
        Ok(PyMessage::instance(form.read(py, Kind::Adm)?, true, Self))
    }

    /// Returns the same message for another device.
    fn to(slf: &Bound<'_, Self>, registration_id: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        slf.as_super().get().to(registration_id, None)
    }
}

/// The keywords of a message to a device and of one to an audience.
pub(crate) const FIELDS: [Field; 8] = [
    ("data", "data", fields::pairs),
    ("notification", "notification", fields::raw),
    ("priority", "priority", fields::text),
    ("consolidation_key", "consolidation_key", fields::text),
    ("ttl", "expires_after", fields::ttl),
    ("expires_after", "expires_after", fields::ttl),
    ("md5", "md5", fields::set),
    ("extra", "extra", fields::object),
];

//! APNs: payloads from keyword arguments.

use pushcore::apns::{Alert, Aps, InterruptionLevel, Payload, Sound, Text};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::apns_parts::{LiveActivity, localized};
use crate::errors::OrRaise;
use crate::values::{Word, integer, json_object, json_text, string, unknown_word};

/// The parts of `aps`, from keyword arguments.
#[derive(Default)]
pub(crate) struct Parts(Option<Aps>);

impl Parts {
    pub(crate) fn put(&mut self, change: impl FnOnce(Aps) -> Aps) {
        self.0 = Some(change(self.0.take().unwrap_or_default()));
    }

    pub(crate) fn maybe<T>(&mut self, value: Option<T>, change: impl FnOnce(Aps, T) -> Aps) {
        if let Some(value) = value {
            self.put(|aps| change(aps, value));
        }
    }

    pub(crate) fn alert(
        &mut self,
        alert: Option<&Bound<'_, PyAny>>,
        title: Option<&Bound<'_, PyAny>>,
        subtitle: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.maybe(alert_of(alert, title, subtitle, body)?, Aps::alert);
        Ok(())
    }

    pub(crate) fn badge(&mut self, badge: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let badge = badge
            .map(|badge| integer(badge, "the badge is not a number from 0 to 2^32 - 1"))
            .transpose()?;
        self.maybe(badge, Aps::badge);
        Ok(())
    }

    pub(crate) fn sound(
        &mut self,
        name: Option<Word<'_>>,
        critical_volume: Option<f64>,
    ) -> Result<(), Error> {
        match (name, critical_volume) {
            (Some(name), Some(volume)) => {
                let sound = Sound::critical(&*name, volume)?;
                self.put(|aps| aps.sound(sound));
            }
            (Some(name), None) => self.put(|aps| aps.sound(&*name)),
            (None, Some(_)) => {
                return Err(Error::new(
                    ErrorKind::MissingField,
                    "a critical sound has no name",
                ));
            }
            (None, None) => {}
        }
        Ok(())
    }

    pub(crate) fn interruption_level(&mut self, name: Option<Word<'_>>) -> Result<(), Error> {
        self.maybe(
            name.map(|name| level(&name)).transpose()?,
            Aps::interruption_level,
        );
        Ok(())
    }

    pub(crate) fn live_activity(&mut self, activity: Option<&LiveActivity>) {
        self.maybe(activity, |aps, activity| aps.live_activity(activity.0.clone()));
    }

    /// The payload that the parts make, or `payload` as it is; `None` where neither is given.
    pub(crate) fn finish(
        mut self,
        py: Python<'_>,
        aps: Option<&Bound<'_, PyDict>>,
        custom: Option<&Bound<'_, PyDict>>,
        payload: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<Payload>> {
        for (key, value) in aps.map(json_object).transpose()?.into_iter().flatten() {
            self.put(|aps| aps.extra(key, value));
        }
        let parts = self.0.is_some() || custom.is_some();
        match payload {
            Some(_) if parts => {
                let text = "a whole payload excludes the arguments that make one";
                Err(Error::new(ErrorKind::Conflict, text)).or_raise(py)
            }
            Some(payload) => Payload::raw(json_text(payload)?).map(Some).or_raise(py),
            None if parts => {
                let custom = custom.map(json_object).transpose()?.into_iter().flatten();
                custom
                    .into_iter()
                    .try_fold(Payload::new(self.0.unwrap_or_default()), |body, (key, value)| {
                        body.custom(key, value)
                    })
                    .map(Some)
                    .or_raise(py)
            }
            None => Ok(None),
        }
    }
}

fn alert_of(
    alert: Option<&Bound<'_, PyAny>>,
    title: Option<&Bound<'_, PyAny>>,
    subtitle: Option<&Bound<'_, PyAny>>,
    body: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Alert>> {
    let mut made = None;
    if let Some(alert) = alert {
        made = Some(match alert.cast::<PyDict>() {
            Ok(dict) => json_object(dict)?
                .into_iter()
                .fold(Alert::new(), |alert, (key, value)| alert.extra(key, value)),
            Err(_) => Alert::line(string(alert)?),
        });
    }
    type Set = fn(Alert, Text) -> Alert;
    let parts: [(_, Set); 3] = [
        (title, |alert, text| alert.title(text)),
        (subtitle, |alert, text| alert.subtitle(text)),
        (body, |alert, text| alert.body(text)),
    ];
    for (value, set) in parts {
        if let Some(value) = value {
            made = Some(set(made.unwrap_or_default(), localized(value)?));
        }
    }
    Ok(made)
}

fn level(name: &str) -> Result<InterruptionLevel, Error> {
    use InterruptionLevel::{Active, Critical, Passive, TimeSensitive};
    let all = [Passive, Active, TimeSensitive, Critical];
    let known = all.into_iter().find(|level| level.as_str() == name);
    known.ok_or_else(|| unknown_word("the interruption level"))
}

//! What the user hears.

use serde_json::{Number, Value, json};

use super::form::SoundForm;
use crate::error::{Error, ErrorKind};
use crate::json::{Item, Object, Path};

/// A sound file of the app, `default`, or a critical sound that also plays when
/// the device is muted (which needs Apple's permission).
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    name: String,
    critical: Option<f64>,
}

impl Sound {
    /// A file in the app's bundle or its `Library/Sounds`, or `default`.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            critical: None,
        }
    }

    /// A critical sound; `volume` from 0 (silent) to 1 (full).
    ///
    /// # Errors
    /// `InvalidValue` when the volume is outside 0 to 1.
    pub fn critical(name: impl Into<String>, volume: f64) -> Result<Self, Error> {
        if !(0.0..=1.0).contains(&volume) {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "the volume of a critical sound is not between 0 and 1",
            ));
        }
        Ok(Self {
            name: name.into(),
            critical: Some(volume),
        })
    }

    /// The critical sound that a form describes.
    pub(super) fn from_form(form: SoundForm, at: &Path<'_>) -> Result<Self, Error> {
        let SoundForm { name, volume } = form;
        let name = name.ok_or_else(|| at.missing("name"))?;
        let volume = volume.ok_or_else(|| at.missing("volume"))?;
        Self::critical(name, volume).map_err(|error| at.field("volume").wrap(&error))
    }

    pub(crate) fn encode(&self) -> Item<'_> {
        let Some(volume) = self.critical else {
            return Item::Text(&self.name);
        };
        let mut object = Object::new();
        object.insert("critical", 1_u32);
        object.insert("name", &self.name);
        object.insert("volume", Number::from_f64(volume).map_or(json!(1), Value::Number));
        object.into()
    }
}

impl From<&str> for Sound {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_is_a_name_or_a_critical_dictionary() {
        assert_eq!(Sound::named("default").encode().to_text(), r#""default""#);
        let critical = Sound::critical("siren.aiff", 0.5).unwrap();
        assert_eq!(
            critical.encode().to_text(),
            r#"{"critical":1,"name":"siren.aiff","volume":0.5}"#
        );
        for volume in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Sound::critical("x", volume).is_err());
        }
    }
}

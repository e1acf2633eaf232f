//! The body of a push.

use std::sync::Arc;

use serde_json::{Value, json};

use super::aps::Aps;
use super::form::{FileProviderForm, PayloadForm};
use super::push_type::PushType;
use crate::error::{Error, ErrorKind};
use crate::json::form::RawText;
use crate::json::{self, Members, Object, Path};

/// The body of a push: typed, or JSON of the caller's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Typed { aps: Option<Box<Aps>>, custom: Members },
    Raw(Arc<[u8]>),
}

impl Payload {
    /// `aps`, to which [`Payload::custom`] adds the app's own keys.
    pub fn new(aps: Aps) -> Self {
        Self(Kind::Typed {
            aps: Some(Box::new(aps)),
            custom: Members::default(),
        })
    }

    /// Adds a key of the app's own, beside `aps`. On a raw payload it is refused.
    ///
    /// # Errors
    /// `ReservedKey` for `aps`; `Conflict` on a raw payload.
    pub fn custom(mut self, key: impl Into<String>, value: impl Into<Value>) -> Result<Self, Error> {
        let key = key.into();
        if key == "aps" {
            return Err(Error::new(ErrorKind::ReservedKey, "the key aps is apple's"));
        }
        match &mut self.0 {
            Kind::Typed { custom, .. } => {
                custom.insert(key, value.into());
                Ok(self)
            }
            Kind::Raw(_) => Err(Error::new(
                ErrorKind::Conflict,
                "a raw payload takes no further keys",
            )),
        }
    }

    /// JSON of the caller's own, sent byte for byte: for what the typed form cannot say.
    /// Only that it is a JSON object of the right size is checked.
    ///
    /// # Errors
    /// `PayloadEmpty` (APNs: `PayloadEmpty`); `InvalidPayload` when it is not a JSON
    /// object, or holds a key twice.
    pub fn raw(json: impl Into<Arc<[u8]>>) -> Result<Self, Error> {
        let json = json.into();
        if json.is_empty() {
            return Err(Error::new(
                ErrorKind::PayloadEmpty,
                "the payload is empty (PayloadEmpty)",
            ));
        }
        json::parse_object(&json)?;
        Ok(Self(Kind::Raw(json)))
    }

    /// The payload that a form describes.
    pub(super) fn from_form(form: PayloadForm, at: &Path<'_>) -> Result<Self, Error> {
        let PayloadForm {
            aps,
            raw,
            mdm,
            file_provider,
            custom,
        } = form;
        let made = match (aps, raw, mdm, file_provider) {
            (Some(aps), None, None, None) => Self::new(aps),
            (None, Some(RawText(text)), None, None) => {
                let raw = Self::raw(text.into_bytes());
                raw.map_err(|error| at.field("raw").wrap(&error))?
            }
            (None, None, Some(magic), None) => Self::mdm(magic),
            (None, None, None, Some(form)) => {
                let at = at.field("file_provider");
                let FileProviderForm {
                    container_identifier,
                    domain,
                } = form;
                Self::file_provider(
                    container_identifier.ok_or_else(|| at.missing("container_identifier"))?,
                    domain.ok_or_else(|| at.missing("domain"))?,
                )
            }
            _ => {
                return Err(at.error(
                    ErrorKind::InvalidPayload,
                    "not exactly one of aps, raw, mdm and file_provider",
                ));
            }
        };
        let Some(custom) = custom else { return Ok(made) };
        let at = at.field("custom");
        if custom.contains_key("aps") {
            return Err(at
                .field("aps")
                .error(ErrorKind::ReservedKey, "the key aps is apple's"));
        }
        match made.0 {
            Kind::Raw(_) => Err(at.error(ErrorKind::Conflict, "a raw payload takes no further keys")),
            Kind::Typed {
                aps,
                custom: mut keys,
            } => {
                for (key, value) in custom.iter() {
                    keys.insert(key.clone(), value.clone());
                }
                Ok(Self(Kind::Typed { aps, custom: keys }))
            }
        }
    }

    /// The body of an `mdm` push; `push_magic` is what the device gave at enrolment.
    pub fn mdm(push_magic: impl Into<String>) -> Self {
        Self::bare([("mdm", push_magic.into())])
    }

    /// The body of a `fileprovider` push.
    pub fn file_provider(container_identifier: impl Into<String>, domain: impl Into<String>) -> Self {
        Self::bare([
            ("container-identifier", container_identifier.into()),
            ("domain", domain.into()),
        ])
    }

    /// The body of a `widgets` or `controls` push.
    pub fn content_changed() -> Self {
        Self::new(Aps::new().content_changed())
    }

    pub(crate) fn starts_activity(&self) -> bool {
        matches!(&self.0, Kind::Typed { aps: Some(aps), .. } if aps.starts_activity())
    }

    fn bare<const N: usize>(keys: [(&str, String); N]) -> Self {
        let mut custom = Members::default();
        for (key, text) in keys {
            custom.insert(key.to_owned(), json!(text));
        }
        Self(Kind::Typed { aps: None, custom })
    }

    /// The bytes, once and for all devices.
    ///
    /// # Errors
    /// What does not go with `kind`, and `PayloadTooLarge` above `limit`.
    pub(crate) fn encode(&self, kind: PushType, limit: usize) -> Result<Arc<[u8]>, Error> {
        let bytes: Arc<[u8]> = match &self.0 {
            Kind::Raw(bytes) => bytes.clone(),
            Kind::Typed { aps, custom } => {
                let bare_kind = matches!(kind, PushType::Mdm | PushType::FileProvider);
                let mut object = Object::new();
                match aps {
                    // Devices and extensions of these two kinds want their own keys and nothing beside them.
                    Some(aps) if bare_kind && **aps == Aps::default() => {}
                    Some(aps) => object.insert("aps", aps.encode(kind)?),
                    None if !bare_kind => {
                        return Err(Error::new(
                            ErrorKind::InvalidPayload,
                            "a body without aps needs the push type mdm or fileprovider (InvalidPushType)",
                        ));
                    }
                    None => {}
                }
                if kind == PushType::Mdm && !custom.contains_key("mdm") {
                    return Err(Error::new(
                        ErrorKind::MissingField,
                        "a push of type mdm has no push magic",
                    ));
                }
                object.extend(custom);
                let mut text = Vec::with_capacity(256);
                object.write(&mut text);
                text.into()
            }
        };
        if bytes.len() > limit {
            return Err(Error::new(
                ErrorKind::PayloadTooLarge,
                format!(
                    "the payload has {} bytes, {} more than apns takes (PayloadTooLarge)",
                    bytes.len(),
                    bytes.len() - limit
                ),
            ));
        }
        Ok(bytes)
    }
}

impl From<Aps> for Payload {
    fn from(aps: Aps) -> Self {
        Self::new(aps)
    }
}

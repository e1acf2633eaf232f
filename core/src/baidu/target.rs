//! Whom a message is for.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::json::{self, Item};

/// The target of a message. Each kind is a method of the API.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(pub(super) Kind);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Device(Arc<str>),
    Devices(Arc<str>),
    All,
    Tag(Arc<str>),
    Selector(Arc<str>),
}

impl Target {
    /// One device, by its channel id (`single_device`).
    ///
    /// # Errors
    /// `InvalidToken` when the id is not 1 to 256 visible ASCII characters.
    pub fn device(channel_id: &str) -> Result<Self, Error> {
        check_channel(channel_id)?;
        Ok(Self(Kind::Device(channel_id.into())))
    }

    /// Several Android devices (`batch_device`).
    ///
    /// # Errors
    /// `InvalidTarget` when there are none; `InvalidToken` as for [`Target::device`].
    pub fn devices<'a>(channel_ids: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut ids = Vec::new();
        for id in channel_ids {
            check_channel(id)?;
            ids.push(Value::from(id));
        }
        if ids.is_empty() {
            return Err(Error::new(ErrorKind::InvalidTarget, "no channel id"));
        }
        Ok(Self(Kind::Devices(Value::Array(ids).to_string().into())))
    }

    /// Every device of the app (`all`).
    pub fn all() -> Self {
        Self(Kind::All)
    }

    /// Every device with a tag (`tags`, type 1).
    ///
    /// # Errors
    /// `InvalidTarget` when the tag is not 1 to 128 characters.
    pub fn tag(tag: &str) -> Result<Self, Error> {
        if tag.is_empty() || tag.chars().count() > 128 {
            return Err(Error::new(
                ErrorKind::InvalidTarget,
                "a tag is 1 to 128 characters",
            ));
        }
        Ok(Self(Kind::Tag(tag.into())))
    }

    /// Every Android device that a smart tag selects (`tags`, type 6): Baidu's JSON.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not one JSON object.
    pub fn selector(json: &[u8]) -> Result<Self, Error> {
        json::parse_object(json)?;
        // Sent byte for byte; it has been parsed, so it is UTF-8.
        Ok(Self(Kind::Selector(
            String::from_utf8_lossy(json.trim_ascii()).into(),
        )))
    }

    /// The member of the form.
    pub(crate) fn form(&self) -> (&'static str, Item<'_>) {
        match &self.0 {
            Kind::Device(id) => ("device", Item::Text(id)),
            // An array of strings already.
            Kind::Devices(ids) => ("devices", Item::Raw(ids)),
            Kind::All => ("all", Item::Flag(true)),
            Kind::Tag(tag) => ("tag", Item::Text(tag)),
            Kind::Selector(selector) => ("selector", Item::Text(selector)),
        }
    }

    pub(super) fn method(&self) -> &'static str {
        match self.0 {
            Kind::Device(_) => "push/single_device",
            Kind::Devices(_) => "push/batch_device",
            Kind::All => "push/all",
            Kind::Tag(_) | Kind::Selector(_) => "push/tags",
        }
    }

    pub(super) fn to_devices(&self) -> bool {
        matches!(self.0, Kind::Device(_) | Kind::Devices(_))
    }

    pub(super) fn android_only(&self) -> bool {
        matches!(self.0, Kind::Devices(_) | Kind::Selector(_))
    }
}

pub(super) fn check_channel(id: &str) -> Result<(), Error> {
    if id.is_empty() || id.len() > 256 || !id.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::new(
            ErrorKind::InvalidToken,
            "a channel id is 1 to 256 visible ascii characters",
        ));
    }
    Ok(())
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.method())
    }
}

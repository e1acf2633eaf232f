//! One text for one device.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::json::{Node, Path};

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device(Arc<str>);

impl Device {
    /// Takes the name of a device.
    ///
    /// # Errors
    /// `InvalidToken` unless it is visible ASCII.
    pub fn new(name: &str) -> Result<Self, Error> {
        match !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            true => Ok(Self(name.into())),
            false => Err(Error::new(ErrorKind::InvalidToken, "not the name of a toy")),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text without a device.
#[derive(Clone, Debug)]
pub struct Template(Arc<[u8]>);

impl Template {
    /// The message to `device`.
    pub fn to(&self, device: Device) -> Message {
        Message {
            text: self.clone(),
            device,
        }
    }

    /// The text as the body of a request.
    pub fn body(&self) -> &Arc<[u8]> {
        &self.0
    }

    pub(crate) fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        match node.value().get("text").and_then(|text| text.as_str()) {
            Some(text) => Ok(Self(text.as_bytes().into())),
            None => Err(at.error(ErrorKind::MissingField, "text")),
        }
    }

    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(&self.0);
        out.extend(serde_json::json!({"text": text}).to_string().into_bytes());
    }
}

/// One text for one device.
#[derive(Clone, Debug)]
pub struct Message {
    text: Template,
    device: Device,
}

impl Message {
    /// The text without its device.
    pub fn template(&self) -> Template {
        self.text.clone()
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        let text = Template::read(node, at)?;
        let value = node.value();
        let device = value.get("device").and_then(|name| name.as_str());
        Ok(text.to(Device::new(device.unwrap_or_default()).map_err(|error| at.wrap(&error))?))
    }

    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(self.text.body());
        let form = serde_json::json!({"device": self.device.as_str(), "text": text});
        out.extend(form.to_string().into_bytes());
    }
}

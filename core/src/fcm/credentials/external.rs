//! Workload identity federation: where the subject token lies, and how it is read.

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

/// Where the host finds the subject token of a workload identity (`credential_source`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectSource {
    /// The file or URL.
    pub place: Subject,
    /// The field that holds the token when the content is a JSON object; `None` when the
    /// content is the token itself. `supply_subject_token` does this reading.
    pub json_field: Option<String>,
}

/// The place of a subject token. The credential file chose it: fetch it only if you trust the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A file, read anew each time.
    File(String),
    /// A URL to GET.
    Url {
        /// The URL; may be plain HTTP to a metadata server.
        url: String,
        /// Headers to send with it.
        headers: Vec<(String, String)>,
    },
}

impl SubjectSource {
    pub(super) fn token(&self, content: &[u8]) -> Result<Secret<String>, Error> {
        let invalid = |context: &'static str| Error::new(ErrorKind::InvalidCredential, context);
        let token = match &self.json_field {
            None => std::str::from_utf8(content)
                .ok()
                .map(|text| text.trim().to_owned()),
            Some(field) => match serde_json::from_slice::<Value>(content) {
                Ok(Value::Object(mut object)) => match object.get_mut(field) {
                    Some(Value::String(token)) => Some(std::mem::take(token)),
                    _ => None,
                },
                _ => None,
            },
        };
        let token = Secret::new(token.ok_or_else(|| invalid("the subject token cannot be read"))?);
        let text = token.expose_secret();
        if text.is_empty() || text.len() > 64 * 1024 {
            return Err(invalid("the subject token is empty or larger than 64 kib"));
        }
        Ok(token)
    }
}

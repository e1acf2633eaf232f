//! Project ids and the hosts of FCM.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::http::Authority;

/// A Firebase project: its id (`my-app-1a2b3`, or the older `example.com:my-app`) or its number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProjectId(Arc<str>);

impl ProjectId {
    /// Checked here because a wrong id is answered 404, which looks like a dead device.
    ///
    /// # Errors
    /// `InvalidCredential` when it is empty, longer than 128 bytes, or holds anything
    /// but ASCII letters, digits, `-`, `.` and `:`, or does not begin with a letter or digit.
    pub fn new(id: &str) -> Result<Self, Error> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':');
        let begins = id.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        if !begins || id.len() > 128 || !id.bytes().all(fits) || id.contains("..") {
            return Err(Error::new(
                ErrorKind::InvalidCredential,
                "project_id is not a google cloud project id",
            ));
        }
        Ok(Self(id.into()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where FCM is. The default is Google's; each can be replaced, say by a simulator.
/// The token endpoint belongs to the [`Credentials`](super::Credentials).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hosts {
    /// Sends and v1 topic subscriptions: `fcm.googleapis.com`.
    pub fcm: Authority,
    /// Legacy topic batches: `iid.googleapis.com`.
    pub iid: Authority,
}

impl Hosts {
    /// Everything on one authority.
    pub fn all(authority: &Authority) -> Self {
        Self {
            fcm: authority.clone(),
            iid: authority.clone(),
        }
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Self {
            fcm: constant("fcm.googleapis.com", 443),
            iid: constant("iid.googleapis.com", 443),
        }
    }
}

/// One of the hosts that this room names itself; every caller is covered by a test.
pub(super) fn constant(host: &'static str, port: u16) -> Authority {
    Authority::new(host, port).expect("a host of this room")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_googles_unless_said_otherwise() {
        let hosts = Hosts::default();
        assert_eq!(hosts.fcm.as_str(), "fcm.googleapis.com");
        assert_eq!(hosts.iid.as_str(), "iid.googleapis.com");
    }

    #[test]
    fn a_project_id_cannot_change_the_path() {
        for id in ["my-app-1a2b3", "123456789012", "example.com:my-app", "a"] {
            assert_eq!(ProjectId::new(id).unwrap().as_str(), id);
        }
        let long = "a".repeat(129);
        for id in [
            "", "a/b", "a/../b", "..", "a..b", "-a", "a b", "a?b", "a#b", "a%2fb", "a\r\nb", "é", ":a", &long,
        ] {
            let error = ProjectId::new(id).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCredential, "{id}");
        }
    }
}

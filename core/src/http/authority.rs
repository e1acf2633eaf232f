//! Host and port.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::error::{Error, ErrorKind};

/// A host name (or address literal) and a port. Cheap to clone.
#[derive(Clone, Eq, PartialOrd, Ord)]
pub struct Authority(Arc<Inner>);

impl PartialEq for Authority {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // The text says both host and port, and nothing else.
        Arc::ptr_eq(&self.0, &other.0) || self.0.text == other.0.text
    }
}

impl Hash for Authority {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

/// Behind one pointer: every push carries an authority, nearly always the same one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Inner {
    host: Box<str>,
    port: u16,
    text: Box<str>,
}

impl Authority {
    /// `host` is lower-cased; an IPv6 address goes without brackets. The text
    /// form omits the port when it is 443.
    ///
    /// # Errors
    /// `InvalidValue` when the host is empty, longer than 253 bytes, or holds anything but
    /// letters, digits, `-`, `.`, `_` (or `:` and hex digits for an IPv6 address).
    pub fn new(host: &str, port: u16) -> Result<Self, Error> {
        let host = host.to_ascii_lowercase();
        let ipv6 = host.contains(':');
        let fits = |byte: u8| match ipv6 {
            true => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
            false => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'),
        };
        if host.is_empty() || host.len() > 253 || port == 0 || !host.bytes().all(fits) {
            return Err(Error::new(ErrorKind::InvalidValue, "not a host name and port"));
        }
        let bracketed = if ipv6 { format!("[{host}]") } else { host.clone() };
        let text = if port == 443 {
            bracketed
        } else {
            format!("{bracketed}:{port}")
        };
        Ok(Self(Arc::new(Inner {
            host: host.into(),
            port,
            text: text.into(),
        })))
    }

    /// Parses `host`, `host:port` or `[v6]:port`; the port defaults to 443.
    ///
    /// # Errors
    /// As [`Authority::new`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = || Error::new(ErrorKind::InvalidValue, "not a host name and port");
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or_else(invalid)?;
            (
                host,
                rest.strip_prefix(':')
                    .or(if rest.is_empty() { Some("443") } else { None }),
            )
        } else {
            match text.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host, Some(port)),
                Some(_) => return Err(invalid()),
                None => (text, Some("443")),
            }
        };
        let port = port
            .filter(|port| port.bytes().all(|b| b.is_ascii_digit()))
            .ok_or_else(invalid)?;
        Self::new(host, port.parse().map_err(|_| invalid())?)
    }

    /// Whether it is the very same one, and not only equal.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether they say the same; nearly always they are.
    #[inline]
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.is(other) || self == other
    }

    /// The host, lower-case, without brackets.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// `host` or `host:port`, as it goes into `:authority` and `host`.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.0.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_usual_forms() {
        for (text, host, port, shown) in [
            (
                "api.push.apple.com",
                "api.push.apple.com",
                443,
                "api.push.apple.com",
            ),
            (
                "API.push.apple.com:2197",
                "api.push.apple.com",
                2197,
                "api.push.apple.com:2197",
            ),
            ("127.0.0.1:8443", "127.0.0.1", 8443, "127.0.0.1:8443"),
            ("[::1]:8443", "::1", 8443, "[::1]:8443"),
            ("[::1]", "::1", 443, "[::1]"),
        ] {
            let authority = Authority::parse(text).unwrap();
            assert_eq!(
                (authority.host(), authority.port(), authority.as_str()),
                (host, port, shown)
            );
        }
    }

    #[test]
    fn refuses_what_could_be_something_else() {
        for text in [
            "",
            ":443",
            "a b",
            "a/b",
            "user@host",
            "host:",
            "host:0",
            "host:+1",
            "::1",
            "host:65536",
            "[::1",
            "[::1]x",
            "é",
        ] {
            assert!(Authority::parse(text).is_err(), "{text}");
        }
    }
}

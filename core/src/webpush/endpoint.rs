//! The URL of a subscription.

use std::fmt;

use super::provider::Provider;
use crate::error::{Error, ErrorKind};
use crate::http::Authority;

/// The longest URL that is looked at. Real ones have 150 to 600 bytes.
const LONGEST: usize = 4096;

/// An `https` URL, taken apart. Its path is a capability: whoever knows it can
/// address the device, so `Debug` shows the origin only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    authority: Authority,
    path: Box<str>,
    provider: Provider,
}

impl Endpoint {
    /// Reads a URL strictly: it is what an attacker can choose freely. The path
    /// and query are kept byte for byte.
    ///
    /// # Errors
    /// * `EndpointNotAllowed`: not `https`, or with a user name;
    /// * `InvalidSubscription`: longer than 4096 bytes, with characters that no URL
    ///   holds unescaped (blanks, controls, backslash, anything outside ASCII), a fragment, or a
    ///   host that is no host.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |context| Error::new(ErrorKind::InvalidSubscription, context);
        if url.len() > LONGEST {
            return Err(invalid("the endpoint is longer than 4096 bytes"));
        }
        if !url.bytes().all(is_url_byte) {
            return Err(invalid("the endpoint holds a character that no url holds"));
        }
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("the endpoint is not an absolute url"))?;
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(Error::new(
                ErrorKind::EndpointNotAllowed,
                "the endpoint is not https",
            ));
        }
        if rest.contains('#') {
            return Err(invalid("the endpoint has a fragment"));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(Error::new(
                ErrorKind::EndpointNotAllowed,
                "the endpoint has a user name",
            ));
        }
        let authority =
            Authority::parse(authority).map_err(|_| invalid("the endpoint's host is not a host"))?;
        let path = match tail.starts_with('/') {
            true => tail.into(),
            false => format!("/{tail}").into(),
        };
        let provider = Provider::of_host(authority.host());
        Ok(Self {
            authority,
            path,
            provider,
        })
    }

    /// The URL that a `location` or `link` of this endpoint's answers means: a URL, or an
    /// absolute path at the same origin.
    ///
    /// # Errors
    /// As [`Endpoint::parse`]; `EndpointNotAllowed` for `//host`, which names a host without a scheme.
    pub fn join(&self, reference: &str) -> Result<Self, Error> {
        match reference.strip_prefix('/') {
            Some(rest) if rest.starts_with('/') => Err(Error::new(
                ErrorKind::EndpointNotAllowed,
                "the location names a host without a scheme",
            )),
            Some(_) => Self::parse(&format!("https://{}{reference}", self.authority)),
            None => Self::parse(reference),
        }
    }

    /// Host and port: with `https` the origin, and the key of the VAPID token.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Path and query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the provider of the push service.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        format!("https://{}{}", self.authority, self.path)
    }
}

/// RFC 3986 §2, and nothing that a parser somewhere could take for something else.
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Endpoint(https://{}/[{} bytes])",
            self.authority,
            self.path.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_path_and_query_byte_for_byte() {
        for (url, origin, path) in [
            (
                "https://wns2-par02p.notify.windows.com/w/?token=BQYA%2bd%3D",
                "wns2-par02p.notify.windows.com",
                "/w/?token=BQYA%2bd%3D",
            ),
            (
                "HTTPS://Push.Example.NET:8443/a:b/../c",
                "push.example.net:8443",
                "/a:b/../c",
            ),
            ("https://push.example.net", "push.example.net", "/"),
            ("https://push.example.net?x=1", "push.example.net", "/?x=1"),
            ("https://[2001:db8::1]:8443/x", "[2001:db8::1]:8443", "/x"),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.authority().as_str(), endpoint.path()), (origin, path));
        }
    }

    #[test]
    fn debug_shows_the_origin_only() {
        let endpoint = Endpoint::parse("https://fcm.googleapis.com/fcm/send/capability").unwrap();
        assert!(!format!("{endpoint:?}").contains("capability"));
    }
}

//! The URLs of Google's token services that a credential file may name.

use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::http::Authority;

/// Where a service account's assertion is exchanged for a token.
pub(super) const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// The name of the token endpoint in key files from before it had its present name.
const OLD_TOKEN_URIS: &[&str] = &[
    "https://accounts.google.com/o/oauth2/token",
    "https://accounts.google.com/o/oauth2/v2/token",
];

/// An `https://*.googleapis.com/…` URL. A credential file is often handed around;
/// one that names another host would have a signed assertion sent there.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) authority: Authority,
    pub(super) path: String,
}

impl Endpoint {
    /// `field` names the field of the file, for the error. `trusted` is a host of the caller's
    /// own (a simulator) that is taken besides Google's.
    pub(super) fn parse(field: &'static str, url: &str, trusted: Option<&Authority>) -> Result<Self, Error> {
        let refused = || {
            Error::new(
                ErrorKind::TokenEndpointNotAllowed,
                format!("{field} is not an https url of a host under googleapis.com"),
            )
        };
        // Key files of 2016 and before, and the test accounts of Google's own SDKs, name the endpoint that
        // the present one replaced. Their keys do not expire.
        let url = match OLD_TOKEN_URIS.contains(&url) {
            true => TOKEN_URI,
            false => url,
        };
        let rest = url.strip_prefix("https://").ok_or_else(refused)?;
        let slash = rest.find('/').ok_or_else(refused)?;
        let (host, path) = rest.split_at_checked(slash).ok_or_else(refused)?;
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let host = host.to_ascii_lowercase();
        let in_path = |b: u8| b.is_ascii_alphanumeric() || b"/-._~:@!$'()*+,;=%".contains(&b);
        let dots = path.split('/').any(|part| part == "." || part == "..");
        if path.len() > 1024 || !path.bytes().all(in_path) || dots {
            return Err(refused());
        }
        let authority = match trusted.filter(|trusted| trusted.as_str() == host) {
            Some(trusted) => trusted.clone(),
            None => {
                let below = host.strip_suffix(".googleapis.com").ok_or_else(refused)?;
                if !below.split('.').all(label) {
                    return Err(refused());
                }
                Authority::new(&host, 443).map_err(|_| refused())?
            }
        };
        Ok(Self {
            authority,
            path: path.to_owned(),
        })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_googles_own() {
        for (url, host, path) in [
            (
                "https://oauth2.googleapis.com/token",
                "oauth2.googleapis.com",
                "/token",
            ),
            (
                "https://OAuth2.GoogleAPIs.com/token",
                "oauth2.googleapis.com",
                "/token",
            ),
            (
                "https://www.googleapis.com/oauth2/v4/token",
                "www.googleapis.com",
                "/oauth2/v4/token",
            ),
            (
                "https://oauth2.mtls.googleapis.com/token",
                "oauth2.mtls.googleapis.com",
                "/token",
            ),
            (
                "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken",
                "iamcredentials.googleapis.com",
                "/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken",
            ),
        ] {
            let endpoint = Endpoint::parse("token_uri", url, None).unwrap();
            assert_eq!(
                (endpoint.authority.as_str(), endpoint.path.as_str()),
                (host, path)
            );
        }
    }

    #[test]
    fn an_old_name_of_the_endpoint_means_the_present_one() {
        let old = Endpoint::parse("token_uri", "https://accounts.google.com/o/oauth2/token", None).unwrap();
        assert_eq!(
            (old.authority.as_str(), old.path.as_str()),
            ("oauth2.googleapis.com", "/token")
        );
        for other in [
            "http://accounts.google.com/o/oauth2/token",
            "https://accounts.google.com/o/oauth2/auth",
            "https://accounts.google.com/o/oauth2/token/",
        ] {
            assert!(Endpoint::parse("token_uri", other, None).is_err(), "{other}");
        }
    }

    #[test]
    fn refuses_every_other_place() {
        for url in [
            "",
            "oauth2.googleapis.com/token",
            "http://oauth2.googleapis.com/token",
            "HTTPS://oauth2.googleapis.com/token",
            "ftp://oauth2.googleapis.com/token",
            "//oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com",
            "https://googleapis.com/token",
            "https://.googleapis.com/token",
            "https://evilgoogleapis.com/token",
            "https://oauth2.googleapis.com.evil.example/token",
            "https://evil.example/.googleapis.com/token",
            "https://evil.example#.googleapis.com/token",
            "https://evil.example?.googleapis.com/token",
            "https://evil.example\\.googleapis.com/token",
            "https://evil.example@oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com@evil.example/token",
            "https://oauth2.googleapis.com:443@evil.example/token",
            "https://oauth2.googleapis.com:8443/token",
            "https://oauth2.googleapis.com./token",
            "https://oauth2..googleapis.com/token",
            "https://-a.googleapis.com/token",
            "https://a%2e.googleapis.com/token",
            "https://ａ.googleapis.com/token",
            "https://169.254.169.254/token",
            "https://[::ffff:a9fe:a9fe]/token",
            "https://127.1/token",
            "https://localhost/token",
            "https://metadata.google.internal/token",
            "https://oauth2.googleapis.com/token?x=1",
            "https://oauth2.googleapis.com/token#x",
            "https://oauth2.googleapis.com/../token",
            "https://oauth2.googleapis.com/to ken",
            "https://oauth2.googleapis.com/token\r\nhost: evil.example",
            " https://oauth2.googleapis.com/token",
        ] {
            let error = Endpoint::parse("token_uri", url, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TokenEndpointNotAllowed, "{url}");
            assert!(!error.to_string().contains("evil"), "no echo of the input");
        }
    }

    #[test]
    fn takes_a_trusted_host_and_no_other() {
        let trusted = Authority::parse("localhost:8443").unwrap();
        let endpoint = Endpoint::parse("token_uri", "https://localhost:8443/token", Some(&trusted)).unwrap();
        assert_eq!(
            (endpoint.authority, endpoint.path.as_str()),
            (trusted.clone(), "/token")
        );
        for url in [
            "https://localhost/token",
            "http://localhost:8443/token",
            "https://localhost:8444/token",
            "https://localhost:8443/../token",
            "https://evil.example/token",
        ] {
            assert!(
                Endpoint::parse("token_uri", url, Some(&trusted)).is_err(),
                "{url}"
            );
        }
    }
}

//! Which proxy to ask for a tunnel, and how to name it.

mod handshake;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use handshake::Handshake;
use pushcore::http::Authority;
use pushcore::{Error, ErrorKind, Secret};

/// A proxy that tunnels TCP.
#[derive(Clone)]
pub struct Proxy {
    kind: ProxyKind,
    authority: Authority,
    login: Option<Arc<(String, Secret<String>)>>,
    /// The hosts that are reached without it, as `NO_PROXY` writes them.
    excepted: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProxyKind {
    Http,
    Socks5,
}

impl Proxy {
    /// Parses `http://[user:password@]host:port` or `socks5://[user:password@]host:port`
    /// (`socks5h` means the same: the proxy resolves the name).
    ///
    /// # Errors
    /// `InvalidValue` when the text is something else.
    pub fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |what: &'static str| Error::new(ErrorKind::InvalidValue, what);
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("a proxy is written http://host:port or socks5://host:port"))?;
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyKind::Http,
            "socks5" | "socks5h" => ProxyKind::Socks5,
            _ => return Err(invalid("a proxy's scheme is http or socks5")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, host) = match rest.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, rest),
        };
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            (percent_decode(user), Secret::new(percent_decode(password)))
        });
        if login
            .as_ref()
            .is_some_and(|(user, pass)| user.len() > 255 || pass.expose_secret().len() > 255)
        {
            return Err(invalid("a proxy's user name and password have at most 255 bytes"));
        }
        if !host.contains(':') {
            return Err(invalid("a proxy needs a port"));
        }
        Ok(Self {
            kind,
            authority: Authority::parse(host)?,
            login: login.map(Arc::new),
            excepted: String::new(),
        })
    }

    /// Returns the proxy with exceptions: not for the hosts of `list`, which is written as `NO_PROXY` is: names and domain
    /// suffixes divided by commas, or `*`.
    #[must_use]
    pub fn except(mut self, list: impl Into<String>) -> Self {
        self.excepted = list.into();
        self
    }

    /// Whether connections to `host` go through the proxy.
    pub fn serves(&self, host: &str) -> bool {
        !is_excepted(&self.excepted, host)
    }

    /// The proxy that `HTTPS_PROXY` or `ALL_PROXY` (either case) name, with the exceptions of `NO_PROXY`: for a
    /// client of many hosts. `None` where they name none.
    ///
    /// # Errors
    /// `InvalidValue` when the variable cannot be read as a proxy.
    pub fn of_environment() -> Result<Option<Self>, Error> {
        let Some(url) = variable("HTTPS_PROXY", "https_proxy").or_else(|| variable("ALL_PROXY", "all_proxy"))
        else {
            return Ok(None);
        };
        // Other programs take a proxy without a scheme for one that speaks HTTP.
        let url = match url.contains("://") {
            true => url,
            false => format!("http://{url}"),
        };
        let list = variable("NO_PROXY", "no_proxy").unwrap_or_default();
        Ok(Some(Self::parse(&url)?.except(list)))
    }

    /// The proxy that `HTTPS_PROXY` or `ALL_PROXY` (either case) name for `host`, unless
    /// `NO_PROXY` excepts it.
    ///
    /// # Errors
    /// `InvalidValue` when the variable cannot be read as a proxy.
    pub fn from_environment(host: &str) -> Result<Option<Self>, Error> {
        Ok(Self::of_environment()?.filter(|proxy| proxy.serves(host)))
    }

    /// Where the proxy listens.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("kind", &self.kind)
            .field("authority", &self.authority)
            .finish()
    }
}

/// An environment variable in the lower-case spelling or else in the other one; `None` where it is empty.
fn variable(upper: &str, lower: &str) -> Option<String> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    read(lower).or_else(|| read(upper))
}

/// `NO_PROXY`: `*`, or names and domain suffixes divided by commas.
fn is_excepted(list: &str, host: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            let entry = entry
                .trim_start_matches("*.")
                .trim_start_matches('.')
                .to_ascii_lowercase();
            entry == "*" || host == entry || host.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.'))
        })
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (byte, hex(index + 1), hex(index + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                index += 3;
            }
            _ => {
                out.push(*byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

//! Which proxy to ask for a tunnel, and how to name it.

mod handshake;
#[cfg(test)]
mod tests;

use std::fmt;

pub use handshake::Handshake;
use pushcore::http::Authority;
use pushcore::{Error, ErrorKind, Secret};

/// A proxy that tunnels TCP.
pub struct Proxy {
    kind: ProxyKind,
    authority: Authority,
    login: Option<(String, Secret<String>)>,
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
            login,
        })
    }

    /// The proxy that `HTTPS_PROXY` or `ALL_PROXY` (either case) name for `host`, unless
    /// `NO_PROXY` excepts it.
    ///
    /// # Errors
    /// `InvalidValue` when the variable cannot be read as a proxy.
    pub fn from_environment(host: &str) -> Result<Option<Self>, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let either = |upper: &str, lower: &str| variable(lower).or_else(|| variable(upper));
        if either("NO_PROXY", "no_proxy").is_some_and(|list| is_excepted(&list, host)) {
            return Ok(None);
        }
        let url = either("HTTPS_PROXY", "https_proxy").or_else(|| either("ALL_PROXY", "all_proxy"));
        url.map(|url| Self::parse(&url)).transpose()
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

/// `NO_PROXY`: `*`, or names and domain suffixes divided by commas.
fn is_excepted(list: &str, host: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            let entry = entry.trim_start_matches('.').to_ascii_lowercase();
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

//! Asking a proxy for a tunnel: HTTP CONNECT (RFC 9110 §9.3.6) and SOCKS5 (RFC 1928, RFC 1929).

use std::fmt;

use base64::Engine;
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

/// The dialogue with a proxy: bytes in, bytes out.
pub struct Handshake {
    kind: ProxyKind,
    target: Authority,
    login: Option<Vec<u8>>,
    step: Step,
    output: Vec<u8>,
    input: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    HttpStatus,
    SocksMethod,
    SocksLogin,
    SocksReply,
    Done,
}

/// A proxy's answer is short; more than this is not one.
const MAX_ANSWER: usize = 8 * 1024;

impl Handshake {
    /// Asks `proxy` for a tunnel to `target`.
    pub fn new(proxy: &Proxy, target: &Authority) -> Self {
        let mut output = Vec::new();
        let mut login = None;
        let step = match proxy.kind {
            ProxyKind::Http => {
                let host = match target.host().contains(':') {
                    true => format!("[{}]:{}", target.host(), target.port()),
                    false => format!("{}:{}", target.host(), target.port()),
                };
                output.extend_from_slice(format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n").as_bytes());
                if let Some((user, password)) = &proxy.login {
                    let login = format!("{user}:{}", password.expose_secret());
                    let basic = base64::engine::general_purpose::STANDARD.encode(login);
                    output.extend_from_slice(format!("Proxy-Authorization: Basic {basic}\r\n").as_bytes());
                }
                output.extend_from_slice(b"\r\n");
                Step::HttpStatus
            }
            ProxyKind::Socks5 => {
                match &proxy.login {
                    Some((user, password)) => {
                        output.extend_from_slice(&[5, 2, 0, 2]);
                        let password = password.expose_secret();
                        // Both fit in a byte: checked when the proxy was parsed.
                        let mut bytes = vec![1, user.len() as u8];
                        bytes.extend_from_slice(user.as_bytes());
                        bytes.push(password.len() as u8);
                        bytes.extend_from_slice(password.as_bytes());
                        login = Some(bytes);
                    }
                    None => output.extend_from_slice(&[5, 1, 0]),
                }
                Step::SocksMethod
            }
        };
        Self {
            kind: proxy.kind,
            target: target.clone(),
            login,
            step,
            output,
            input: Vec::new(),
        }
    }

    /// What is to be written to the proxy now.
    pub fn transmit(&self) -> &[u8] {
        &self.output
    }

    /// So many bytes of it have been written.
    pub fn transmitted(&mut self, count: usize) {
        self.output.drain(..count.min(self.output.len()));
    }

    /// Feeds what the proxy said. `Some(rest)` when the tunnel stands: `rest` came through it.
    ///
    /// # Errors
    /// `ProxyRefused`, with what the proxy said.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.input.extend_from_slice(bytes);
        loop {
            let before = (self.step, self.input.len());
            match self.step {
                Step::HttpStatus => self.http_status()?,
                Step::SocksMethod => self.socks_method()?,
                Step::SocksLogin => self.socks_login()?,
                Step::SocksReply => self.socks_reply()?,
                Step::Done => {}
            }
            if self.step == Step::Done {
                return Ok(Some(std::mem::take(&mut self.input)));
            }
            if before == (self.step, self.input.len()) {
                break;
            }
        }
        if self.input.len() > MAX_ANSWER {
            return Err(refused("the proxy's answer is too long"));
        }
        Ok(None)
    }

    fn http_status(&mut self) -> Result<(), Error> {
        let Some(end) = self.input.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(());
        };
        let line = self.input.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let status = line.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
        match status {
            Some([b'2', _, _]) => {
                self.input.drain(..end + 4);
                self.step = Step::Done;
                Ok(())
            }
            Some(b"407") => Err(refused("the proxy wants a user name and password (407)")),
            Some(status) => Err(refused(format!(
                "the proxy answered {}",
                String::from_utf8_lossy(status)
            ))),
            None => Err(refused("the proxy does not answer in http")),
        }
    }

    fn socks_method(&mut self) -> Result<(), Error> {
        let Some(answer) = self.take(2) else { return Ok(()) };
        match (answer.as_slice(), self.login.take()) {
            ([5, 0], _) => self.ask_socks(),
            ([5, 2], Some(login)) => {
                self.output.extend_from_slice(&login);
                self.step = Step::SocksLogin;
            }
            ([5, _], _) => return Err(refused("the socks5 proxy wants a login that was not given")),
            _ => return Err(refused("the proxy does not speak socks5")),
        }
        Ok(())
    }

    fn socks_login(&mut self) -> Result<(), Error> {
        let Some(answer) = self.take(2) else { return Ok(()) };
        if answer.get(1) != Some(&0) {
            return Err(refused("the socks5 proxy refuses the user name and password"));
        }
        self.ask_socks();
        Ok(())
    }

    fn ask_socks(&mut self) {
        // By name: the proxy resolves (a host name has at most 253 bytes).
        self.output
            .extend_from_slice(&[5, 1, 0, 3, self.target.host().len() as u8]);
        self.output.extend_from_slice(self.target.host().as_bytes());
        self.output.extend_from_slice(&self.target.port().to_be_bytes());
        self.step = Step::SocksReply;
    }

    fn socks_reply(&mut self) -> Result<(), Error> {
        let (Some(code), Some(kind)) = (self.input.get(1).copied(), self.input.get(3).copied()) else {
            return Ok(());
        };
        if code != 0 {
            let why = match code {
                2 => "not allowed by its rules",
                3 => "network unreachable",
                4 => "host unreachable",
                5 => "connection refused",
                6 => "time out",
                _ => "it failed",
            };
            return Err(refused(format!("the socks5 proxy could not connect: {why}")));
        }
        let address = match kind {
            1 => 4,
            4 => 16,
            3 => match self.input.get(4) {
                Some(length) => usize::from(*length) + 1,
                None => return Ok(()),
            },
            _ => return Err(refused("the proxy does not speak socks5")),
        };
        if self.take(4 + address + 2).is_some() {
            self.step = Step::Done;
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        (self.input.len() >= count).then(|| self.input.drain(..count).collect())
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("kind", &self.kind)
            .field("step", &self.step)
            .finish()
    }
}

fn refused(context: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::ProxyRefused, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Authority {
        Authority::new("api.push.apple.com", 443).unwrap()
    }

    #[test]
    fn parses_the_usual_forms_and_hides_the_login() {
        let proxy = Proxy::parse("http://us%40er:p%3Aw@proxy.local:3128/").unwrap();
        assert_eq!(proxy.authority().as_str(), "proxy.local:3128");
        assert!(!format!("{proxy:?}").contains("p:w"));
        for bad in [
            "proxy:3128",
            "https://proxy:3128",
            "http://proxy",
            "http://",
            "socks4://p:1",
        ] {
            assert!(Proxy::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_proxy_takes_names_and_suffixes() {
        assert!(is_excepted("*", "a.b"));
        assert!(is_excepted("x, .b.c", "a.b.c"));
        assert!(is_excepted("b.c", "b.c"));
        assert!(!is_excepted("b.c", "ab.c"));
        assert!(!is_excepted("", "b.c"));
    }

    #[test]
    fn http_connect_byte_by_byte() {
        let mut handshake = Handshake::new(&Proxy::parse("http://u:p@h:1").unwrap(), &target());
        let asked = String::from_utf8(handshake.transmit().to_vec()).unwrap();
        assert_eq!(
            asked,
            "CONNECT api.push.apple.com:443 HTTP/1.1\r\nHost: api.push.apple.com:443\r\n\
             Proxy-Authorization: Basic dTpw\r\n\r\n"
        );
        let answer = b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n";
        for byte in &answer[..answer.len() - 1] {
            assert!(handshake.receive(&[*byte]).unwrap().is_none());
        }
        assert_eq!(handshake.receive(b"\n\x16\x03").unwrap().unwrap(), b"\x16\x03");
    }

    #[test]
    fn http_refusals_are_named() {
        for (answer, words) in [
            ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "user name"),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "502"),
            ("SSH-2.0-OpenSSH\r\n\r\n", "http"),
        ] {
            let mut handshake = Handshake::new(&Proxy::parse("http://h:1").unwrap(), &target());
            let error = handshake.receive(answer.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ProxyRefused);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn socks5_with_a_login() {
        let mut handshake = Handshake::new(&Proxy::parse("socks5h://u:pw@h:1080").unwrap(), &target());
        assert_eq!(handshake.transmit(), [5, 2, 0, 2]);
        handshake.transmitted(4);
        assert!(handshake.receive(&[5]).unwrap().is_none());
        assert!(handshake.receive(&[2]).unwrap().is_none());
        assert_eq!(handshake.transmit(), b"\x01\x01u\x02pw");
        handshake.transmitted(6);
        assert!(handshake.receive(&[1, 0]).unwrap().is_none());
        assert_eq!(
            handshake.transmit(),
            b"\x05\x01\x00\x03\x12api.push.apple.com\x01\xbb"
        );
        assert!(
            handshake
                .receive(&[5, 0, 0, 1, 127, 0, 0, 1, 0])
                .unwrap()
                .is_none()
        );
        assert_eq!(handshake.receive(&[80, 9]).unwrap().unwrap(), [9]);
    }

    #[test]
    fn socks5_refusals_are_named() {
        let refusal = |login: &str, answers: &[&[u8]]| {
            let mut handshake =
                Handshake::new(&Proxy::parse(&format!("socks5://{login}h:1")).unwrap(), &target());
            answers
                .iter()
                .find_map(|answer| handshake.receive(answer).err())
                .unwrap()
                .to_string()
        };
        assert!(refusal("", &[&[5, 255]]).contains("login"));
        assert!(refusal("u:p@", &[&[5, 2], &[1, 1]]).contains("refuses"));
        assert!(refusal("", &[&[5, 0], &[5, 5, 0, 1]]).contains("connection refused"));
        assert!(refusal("", &[&[4, 0]]).contains("socks5"));
    }
}

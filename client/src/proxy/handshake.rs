//! Asking a proxy for a tunnel: HTTP CONNECT (RFC 9110 §9.3.6) and SOCKS5 (RFC 1928, RFC 1929).

use std::fmt;

use base64::Engine;
use pushcore::http::Authority;
use pushcore::{Error, ErrorKind};

use super::{Proxy, ProxyKind};

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
                if let Some((user, password)) = proxy.login.as_deref() {
                    let login = format!("{user}:{}", password.expose_secret());
                    let basic = base64::engine::general_purpose::STANDARD.encode(login);
                    output.extend_from_slice(format!("Proxy-Authorization: Basic {basic}\r\n").as_bytes());
                }
                output.extend_from_slice(b"\r\n");
                Step::HttpStatus
            }
            ProxyKind::Socks5 => {
                match proxy.login.as_deref() {
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

    /// Returns the bytes to be written to the proxy now.
    pub fn transmit(&self) -> &[u8] {
        &self.output
    }

    /// Takes note that this number of bytes has been written.
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
            Some([b'2', tens, ones]) if tens.is_ascii_digit() && ones.is_ascii_digit() => {
                self.input.drain(..end + 4);
                self.step = Step::Done;
                Ok(())
            }
            Some(b"407") => Err(refused("the proxy wants a user name and password (407)")),
            // Three octets of somebody else's are printed only where they are digits.
            Some(status) if status.iter().all(u8::is_ascii_digit) => Err(refused(format!(
                "the proxy answered {}",
                String::from_utf8_lossy(status)
            ))),
            _ => Err(refused("the proxy does not answer in http")),
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

//! Who may use the control endpoint.

use crate::exchange::Exchange;
use http::Method;

/// The rule of the control endpoint: loopback keeps other machines out, and this keeps out the web pages that a
/// browser on this machine shows, and whoever on it cannot read the ready line.
pub(crate) struct Guard {
    token: String,
    /// The name in the addresses of the ready line.
    host: String,
}

impl Guard {
    pub(crate) fn new(token: String, host: String) -> Self {
        Self { token, host }
    }

    /// Whether the request may be answered; else the status and the words to refuse it with.
    pub(super) fn check(&self, exchange: &Exchange) -> Result<(), (u16, String)> {
        // A page whose name was rebound to 127.0.0.1 (DNS rebinding) says its own name here.
        if !self.is_mine(&exchange.authority) {
            let text = "the Host header names another host than this machine";
            return Err((403, text.to_owned()));
        }
        // A page of another site sends its origin with every POST.
        let own = |origin: &str| origin.strip_prefix("http://") == Some(exchange.authority.as_str());
        if exchange.headers.contains_key("origin") && !exchange.header("origin").is_some_and(own) {
            return Err((403, "requests of other origins are not answered".to_owned()));
        }
        if exchange.method != Method::GET && !self.shown_by(exchange) {
            let text = "changes need the header authorization: Bearer <control.token of the ready line>";
            return Err((401, text.to_owned()));
        }
        Ok(())
    }

    fn is_mine(&self, authority: &str) -> bool {
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => authority,
        };
        ["127.0.0.1", "localhost", "[::1]", self.host.as_str()]
            .iter()
            .any(|mine| mine.eq_ignore_ascii_case(name))
    }

    fn shown_by(&self, exchange: &Exchange) -> bool {
        let header = exchange
            .header("authorization")
            .and_then(|header| header.split_once(' '));
        header.is_some_and(|(scheme, token)| {
            scheme.eq_ignore_ascii_case("bearer") && token.trim() == self.token
        })
    }
}

//! Which endpoints may be talked to. An endpoint comes from whoever can register
//! a subscription, so without a policy the sender is a tool for reaching the inside
//! of its own network (SSRF).

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::endpoint::Endpoint;
use super::provider::is_under;
use crate::error::{Error, ErrorKind};
use crate::http::Authority;

/// The hosts of the public push services, as of November 2026. A leading dot
/// stands for the domain and every name under it.
const KNOWN: &[&str] = &[
    "fcm.googleapis.com",
    "jmt17.google.com",
    "android.googleapis.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
];

/// Names that are never public (RFC 2606, RFC 6761, RFC 6762, RFC 8375, and what
/// routers and clouds use).
const PRIVATE_TOP: &[&str] = &[
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "arpa",
    "test",
    "example",
    "invalid",
    "onion",
    "alt",
];

/// Which endpoints may be talked to.
///
/// The default allows `https` on port 443 to the public push services, by name.
/// After the name is resolved, the driver asks [`EndpointPolicy::check_address`]
/// about the address it is about to connect to, so that a name which points
/// inside the network is refused too. Redirects are never followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPolicy {
    hosts: Vec<Box<str>>,
    any_public_host: bool,
    ports: Vec<u16>,
    trusted: HashSet<Authority>,
}

impl Default for EndpointPolicy {
    fn default() -> Self {
        Self {
            hosts: KNOWN.iter().map(|host| (*host).into()).collect(),
            any_public_host: false,
            ports: vec![443],
            trusted: HashSet::new(),
        }
    }
}

impl EndpointPolicy {
    /// Allows one more host. With a leading dot (`.push.example.org`): the domain
    /// and every name under it.
    #[must_use]
    pub fn allow_host(mut self, host: &str) -> Self {
        self.hosts.push(host.to_ascii_lowercase().into());
        self
    }

    /// Allows every host with a public name: for UnifiedPush, where each user may
    /// bring a server of their own. Address literals, single-label names, private
    /// top-level names and private addresses stay refused.
    #[must_use]
    pub fn allow_any_public_host(mut self) -> Self {
        self.any_public_host = true;
        self
    }

    /// Allows one more port besides 443.
    #[must_use]
    pub fn allow_port(mut self, port: u16) -> Self {
        self.ports.push(port);
        self
    }

    /// Trusts exactly this host and port, whatever it is or resolves to: a push
    /// service inside one's own network, or a test server. Only from configuration,
    /// never from a user's input.
    #[must_use]
    pub fn trust(mut self, authority: Authority) -> Self {
        self.trusted.insert(authority);
        self
    }

    /// Checks an endpoint before anything is sent or resolved.
    ///
    /// # Errors
    /// `EndpointNotAllowed`.
    pub fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let refuse = |context| Err(Error::new(ErrorKind::EndpointNotAllowed, context));
        let authority = endpoint.authority();
        let host = authority.host();
        if self.trusted.contains(authority) {
            return Ok(());
        }
        if !self.ports.contains(&authority.port()) {
            return refuse("the endpoint's port is not allowed");
        }
        if is_address(host) {
            return refuse("the endpoint's host is an address, not a name");
        }
        if !is_public_name(host) {
            return refuse("the endpoint's host is not a public name");
        }
        let listed = |rule: &str| match rule.strip_prefix('.') {
            Some(domain) => is_under(host, domain),
            None => host == rule,
        };
        match self.any_public_host || self.hosts.iter().any(|rule| listed(rule)) {
            true => Ok(()),
            false => refuse("the endpoint's host is not a known push service"),
        }
    }

    /// Checks the address that `authority` resolved to, before the connection is
    /// made. Every address is to be checked, and the one checked is the one to connect to.
    ///
    /// # Errors
    /// `AddressNotAllowed`.
    pub fn check_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        match self.trusted.contains(authority) || is_public_address(address) {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::AddressNotAllowed,
                "the host resolves to an address that is not public",
            )),
        }
    }

    /// [`is_public_address`], for drivers that hold a policy.
    pub fn is_allowed_address(&self, address: IpAddr) -> bool {
        is_public_address(address)
    }
}

/// Whether an address is globally reachable unicast (the IANA special-purpose
/// registries of RFC 6890): not loopback, private, link-local, carrier NAT,
/// documentation, benchmark, multicast or reserved, nor any of these inside an
/// IPv6 address (mapped, NAT64, 6to4, Teredo).
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let v4 = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => is_public_v4(v4(high, low)),
        // NAT64 (RFC 6052): how an IPv6-only network reaches public IPv4 hosts.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4(high, low)),
        [0x2001, 0..=0x01ff, ..] => false, // IETF assignments, Teredo, ORCHID
        [0x2001, 0x0db8, ..] => false,     // documentation
        [0x2002, ..] => false,             // 6to4, deprecated
        [0x3fff, 0..=0x0fff, ..] => false, // documentation
        [0x2000..=0x3fff, ..] => true,     // global unicast
        _ => false,
    }
}

/// Whether a host is an IP address, in any spelling that a resolver takes:
/// `127.1`, `0177.0.0.1`, `2130706433`, `0x7f000001`. Such a host ends in a number.
fn is_address(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x");
    host.contains(':')
        || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
        || hex.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_public_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let top = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && host.split('.').all(label) && !PRIVATE_TOP.contains(&top)
}

#[cfg(test)]
mod tests;

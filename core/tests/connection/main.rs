//! `net::Connection` against servers that other people wrote: the `h2` crate and rustls in
//! memory under a virtual clock, `openssl s_server` and `nghttpd` over loopback.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests own the sockets, and a panic is how they fail"
)]

mod certificates;
mod exactness;
mod http1;
mod http2;
mod identity;
mod pair;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod sockets;
mod tls_faults;

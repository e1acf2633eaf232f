//! The blocking client over real sockets, against the sandbox and against small peers made here.

mod apns;
mod calls;
mod endings;
mod events;
mod identities;
mod metadata;
mod network;
mod proxies;
mod sharing;
mod tls;
mod world;

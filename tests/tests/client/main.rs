//! The blocking client over real sockets, against the sandbox and against small peers made here.

mod apns;
mod calls;
mod endings;
mod identities;
mod metadata;
mod network;
mod sharing;
mod tls;
mod world;

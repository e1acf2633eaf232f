//! The blocking client over real sockets, against the sandbox and against small peers made here.

mod adm_audience;
mod apns;
mod baidu_calls;
mod calls;
mod endings;
mod events;
mod fcm_scripts;
mod identities;
mod metadata;
mod network;
mod peer;
mod proxies;
mod sharing;
mod steps;
mod tls;
mod world;

//! A deterministic simulator: a session, a network and misbehaving servers in one thread, on a
//! clock that jumps from event to event.
//!
//! * [`Peer`] is an HTTP/2 server at the level of frames, bytes in and bytes out, that follows a
//!   [`Script`]. It shares no code with the engine under test: its frame reader and writer are
//!   written here from RFC 9113, its HPACK decoder is another crate's.
//! * [`World`] joins a session to any number of peers, cuts the bytes into pieces, and checks the
//!   invariants of the accounting after every event.
//!
//! Everything random comes from one seed. A failure prints it; `PUSHCORE_SEED=<seed>` runs it
//! again.

mod answer;
mod book;
pub mod cases;
pub mod certificates;
pub mod fixture;
pub mod frame;
pub mod hostile;
pub mod hostile_answers;
pub mod hostile_rows;
pub mod hpack;
pub mod log;
pub mod mutate;
mod peer;
mod rng;
pub mod road;
mod script;
mod server;
mod tap;
mod tls;
mod wire;
mod world;

pub use answer::Answer;
pub use log::{Handshake, Log};
pub use peer::{End, Peer};
pub use rng::{Rng, seeds};
pub use script::{Act, Last, OnPing, Pings, Respond, Script, Seen};
pub use server::Server;
pub use tls::Endpoint;
pub use world::{Dial, World};

//! Credentials and connections together: messages go in, outcomes come out.
//!
//! A [`Session`] owns the queue, the tokens and the connections of one service.
//! It opens no socket: the owner of the sockets (the driver) asks it what to do.
//!
//! ```text
//!       submit(message), flush()                     poll_outcome()
//!                 |                                         ^
//!                 v                                         |
//!   +---------------------------- Session ---------------------------+
//!   |  queue -> (a stream is free) -> connection <-> token authority |
//!   +----------------------------------------------------------------+
//!      | poll_action: Connect, Close     | transmit       ^ receive
//!      v                                 v                |
//!    dial, then connected()            socket           socket
//! ```
//!
//! # The run loop
//!
//! Methods are of four kinds, and may be called in any order at any time:
//!
//! * A, getters: [`capacity`](Session::capacity), [`stats`](Session::stats), [`poll_timeout`](Session::poll_timeout)
//! * B, inputs: [`connected`](Session::connected), [`connect_failed`](Session::connect_failed),
//!   [`receive`](Session::receive), [`receive_eof`](Session::receive_eof), [`handle_timeout`](Session::handle_timeout).
//!   They never fail: failure is an outcome or an event. They flush.
//! * C, commands: [`submit`](Session::submit), [`flush`](Session::flush), [`cancel`](Session::cancel),
//!   [`close`](Session::close)
//! * D, outputs: [`poll_action`](Session::poll_action), [`transmit`](Session::transmit) and
//!   [`transmitted`](Session::transmitted), [`poll_outcome`](Session::poll_outcome), [`poll_event`](Session::poll_event).
//!   They send nothing.
//!
//! 1. Submit as many messages as there are and as `capacity` allows; then `flush`, once for all of them.
//! 2. Carry out every action of `poll_action`.
//! 3. For every link, write what `transmit` shows, and say with `transmitted` how much went out.
//! 4. Fetch the outcomes.
//! 5. Wait for a readable socket, at most until `poll_timeout`; then `receive`, or `handle_timeout`.
//!
//! `poll_timeout` says "now" while submitted messages are not flushed: a driver that forgets to flush is late by
//! one turn of its loop, and loses nothing.
//!
//! # Accounting
//!
//! Every submitted message (and every [exchange](Session::exchange)) ends exactly once, with an [`Ending`]: the
//! service's answer, or `NotSent`, `Unknown`, `Expired` or `Cancelled`. [`Stats::is_balanced`]
//! holds after every call.
//!
//! # Inside
//!
//! The session itself only passes on. The state is in the ledger (where each message is, and the counts), the hosts (queues,
//! pauses, back-off), the links (one connection each), the limits and the outbox (events and actions). The steps are in parts that
//! work on it, each with the state of its own task:
//!
//! ```text
//!   Session -> Intake      takes messages: room, priority, which host
//!           -> Dispatch    fills connections, and settles what they tell
//!                -> Dialler      how many connections, and who waits for one
//!                -> TokenFetch   access tokens
//!                -> Answers      what an answer means for the key, the host, the connection
//!                     -> Gates     whether the service takes the key
//!                     -> Doubts    answers that blame a token and may mean the configuration
//! ```
//!
//! `retry` and `plan` hold the decisions that are pure functions.

mod answers;
mod backoff;
mod config;
mod crowd;
mod dialler;
mod dispatch;
mod doubts;
mod ending;
mod event;
mod gate;
mod host;
mod hosts;
mod id;
mod intake;
mod latency;
mod ledger;
mod limits;
mod link;
mod metrics;
mod outbox;
mod plan;
mod queue;
mod report;
mod retry;
mod service;
#[allow(clippy::module_inception, reason = "one type, one file")]
mod session;
mod shared;
mod stats;
#[cfg(test)]
mod tests;
mod timers;
mod token;
mod token_doubt;

pub use config::{Delivery, Priority, SendOptions, SessionConfig};
pub use ending::{Ended, Ending};
pub use event::{Action, DialReason, EventLevel, EventParts, LetGoReason, SessionEvent};
pub use id::{LinkId, Ticket};
pub use latency::{Histogram, Latencies};
pub use metrics::Metrics;
pub use report::{ConnectionReport, HostReport, WaitsFor};
pub use session::Session;
pub use stats::Stats;

//! Dialects: the requests of other push systems in, native pushes out, those systems' own answers back.
//!
//! A back end that was written for Amazon Pinpoint keeps its client library and its code; a server of one's own answers
//! in Amazon's place. This module is the part between: it opens no socket, keeps no store and reads no clock.
//!
//! A [`Job`] is one request that came in. It asks for what it needs in [`Step`]s, takes the answers by the step's number
//! and ends in a [`Reply`]:
//!
//! ```
//! use pushcore::dialect::{Action, Ask, Dialect, System};
//! use pushcore::http::Incoming;
//! use pushcore::UnixTime;
//!
//! # fn main() -> Result<(), pushcore::Error> {
//! let dialect = Dialect::new(System::Pinpoint, b"{}")?;
//! let incoming = Incoming::new("POST", "/v1/apps/4f2a/messages", "{}")?.with_header("host", "localhost");
//! let mut job = dialect.begin(incoming, UnixTime::from_secs(1_700_000_000));
//! while job.reply().is_none() {
//!     let steps = job.steps().to_vec();
//!     for step in steps {
//!         match step.action() {
//!             Action::Ask(Ask::Secret { .. }) => job.answer(step.id(), b"null")?,
//!             Action::Ask(_) => job.answer(step.id(), b"{}")?,
//!             _ => job.unknown(step.id())?,
//!         }
//!     }
//! }
//! // The request had no signature.
//! assert_eq!(job.reply().map(|reply| reply.status()), Some(403));
//! # Ok(())
//! # }
//! ```
//!
//! A job goes to JSON and back at any moment ([`Job::to_json`]), without a secret in it: that is what survives the end
//! of the process. `docs/dialects.md` describes every step, answer and option.

mod ask;
mod caller;
mod job;
mod query;
mod reply;
mod route;
mod run;
mod send;
mod sent;
mod sigv4;
mod step;

pub use ask::{Ask, Collection, Record, Write};
pub use caller::{Caller, Signed, token_digest};
pub use job::Job;
pub use pushpad::{Selection, TagExpression, pushpad_signature};
pub use reply::Reply;
pub use route::Route;
pub use send::{Broadcast, Channel, Send};
pub use sent::Sent;
pub use step::{Action, Step};

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::http::Incoming;
use crate::json;
use crate::time::UnixTime;
use route::Unrouted;
use run::{Run, Stop};

macro_rules! systems {
    ($($(#[$doc:meta])* $name:ident($module:ident) = $text:literal,)*) => {
        $(mod $module;)*

        /// A push system whose requests are understood, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum System {
            $($(#[$doc])* $name,)*
        }

        impl System {
            /// Every system that this version understands.
            pub const ALL: &'static [System] = &[$(System::$name,)*];

            /// Returns the name in files and in every language, for example `pinpoint`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(System::$name => $text,)*
                }
            }

            /// Returns the routing table: method, path and operation of every request that is understood.
            pub const fn routes(self) -> &'static [Route] {
                match self {
                    $(System::$name => $module::ROUTES,)*
                }
            }

            /// Checks the options of a dialect.
            fn check(self, options: &Map<String, Value>) -> Result<(), Error> {
                match self {
                    $(System::$name => $module::check(options),)*
                }
            }

            /// Returns what a request says of its caller.
            fn caller(self, incoming: &Incoming) -> Caller {
                match self {
                    $(System::$name => $module::caller(incoming),)*
                }
            }

            /// Does what can be done with what is known.
            fn run(self, run: &mut Run<'_>) -> Result<Reply, Stop> {
                match self {
                    $(System::$name => $module::run(run),)*
                }
            }

            /// Returns the answer to a request that no route takes.
            fn unrouted(self, run: &mut Run<'_>, why: Unrouted) -> Reply {
                match self {
                    $(System::$name => $module::unrouted(run, why),)*
                }
            }
        }
    };
}

// One line a system: its name, and its module with `ROUTES`, `check`, `caller`, `run` and `unrouted`.
systems! {
    /// Amazon Pinpoint (AWS End User Messaging Push).
    Pinpoint(pinpoint) = "pinpoint",
    /// Pushpad.
    Pushpad(pushpad) = "pushpad",
    /// Ionic Push, the first API.
    Ionic(ionic) = "ionic",
    /// Cozie's researchers' API.
    Cozie(cozie) = "cozie",
    /// FCM's legacy HTTP API.
    FcmLegacy(fcm_legacy) = "fcm_legacy",
}

impl System {
    /// Reads a system's name as [`System::as_str`] writes it.
    ///
    /// # Errors
    /// `InvalidValue` when this version understands no system of that name.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.iter().find(|system| system.as_str() == name);
        known
            .copied()
            .ok_or_else(|| Error::new(ErrorKind::InvalidValue, "not the name of a dialect"))
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A system with its options: jobs are begun from it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dialect {
    system: System,
    options: Arc<Map<String, Value>>,
}

impl Dialect {
    /// A dialect with options, one JSON object; `docs/dialects.md` lists them.
    ///
    /// # Errors
    /// `InvalidPayload` for what is not a JSON object; `InvalidValue` for an option that the system does not have, or a
    /// value that the option does not take.
    pub fn new(system: System, options: &[u8]) -> Result<Self, Error> {
        let options = json::parse_object(options)?;
        system.check(&options)?;
        Ok(Self {
            system,
            options: Arc::new(options),
        })
    }

    /// Returns the system.
    pub fn system(&self) -> System {
        self.system
    }

    /// Returns the routing table: method, path and operation of every request that is understood.
    pub fn routes(&self) -> &'static [Route] {
        self.system.routes()
    }

    /// Begins the job of a request that came in. Total: a request that makes no sense is a job that has its reply at
    /// once.
    ///
    /// `now` is the time of the whole job: signatures are checked and expirations computed with it, also when the job is
    /// read back from JSON later.
    pub fn begin(&self, incoming: Incoming, now: UnixTime) -> Job {
        Job::begin(self.system, Arc::clone(&self.options), incoming, now)
    }
}

/// Returns the value of an option that is on or off.
///
/// # Errors
/// `InvalidValue` when the value is something else.
fn flag(options: &Map<String, Value>, name: &str, default: bool) -> Result<bool, Error> {
    match options.get(name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Error::new(
            ErrorKind::InvalidValue,
            format!("the option {name} is true or false"),
        )),
    }
}

/// Checks that there is no option beside `known`.
///
/// # Errors
/// `InvalidValue` for the first that is not known.
fn only(options: &Map<String, Value>, known: &[&str]) -> Result<(), Error> {
    match options.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::InvalidValue,
            format!("an option of this dialect is one of: {}", known.join(", ")),
        )),
    }
}

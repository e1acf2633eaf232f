//! The suite of every driver: cases as data (`tests/drivers/cases.json`), a peer that plays them as a program
//! of its own (`pushcore-peer`), and a judge that compares what a driver says with what the peer saw.
//!
//! A runner in any language starts the program, reads one line of JSON, does the steps that it names, and
//! writes what became of each message; `tests/drivers/README.md` has the whole of it.

mod bounds;
mod case;
mod judge;
mod places;
mod proxy;
pub mod runner;
mod script;
mod stage;

pub use case::{Case, DRIVERS, cases};
pub use judge::judge;
pub use stage::Stage;

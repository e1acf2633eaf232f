//! The lock of the state that callers and the driver task share.
//!
//! The files that use it take it from here and nowhere else, because `tests/schedules.rs` compiles the same files with the
//! lock of a model checker.

pub(crate) use std::sync::{Mutex, MutexGuard};

//! A service, a message and a target as values that every language can hold.

mod kind;
mod message;

pub use kind::Kind;
pub use message::{AsMessage, Message, MessageRef};

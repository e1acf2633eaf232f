//! A service, a message and a target as values that every language can hold.

mod kind;
mod message;
mod target;
mod template;

pub use kind::Kind;
pub use message::{AsMessage, Message, MessageRef};
pub use target::Target;
pub use template::Template;

#[cfg(test)]
mod tests;

//! Toy: the smallest push service, which exists in a test only. A message is `{"device": "...", "text": "..."}`.

mod message;
mod service;

pub use message::{Device, Message, Template};
pub use service::{Service, outcome};

//! A hub against the sandbox: one list of devices on several services.

mod blocking;
mod on_tokio;
mod storm;
mod world;

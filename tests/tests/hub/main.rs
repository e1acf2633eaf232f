//! A hub against the sandbox: one list of devices on several services.

mod blocking;
mod examples;
mod load;
mod on_tokio;
mod steps;
mod storm;
mod world;

//! A hub against the sandbox: one list of devices on several services.

mod blocking;
mod storm;
mod world;

//! What crosses rooms: a simulator with a peer of its own making, and the tests that use it.

pub mod drivers;
pub mod origins;
pub mod sim;

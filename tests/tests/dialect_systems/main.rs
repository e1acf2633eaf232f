//! Pushpad, Ionic, Cozie and the legacy FCM API as dialects: the requests of their original clients, and bad ones.

// A test ends where something is missing; helpers are parts of tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cozie;
mod fcm_legacy;
mod fuzz;
mod host;
mod ionic;
mod pushpad;
mod random;

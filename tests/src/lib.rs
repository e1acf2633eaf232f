//! Support for the tests that cross rooms.

//! The driver of `pushcore`: owns the sockets, the clock and the poll loop.

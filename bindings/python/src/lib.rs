//! The Python binding of `pushcore`.

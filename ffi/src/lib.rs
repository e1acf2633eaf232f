//! The C ABI of `pushcore`.

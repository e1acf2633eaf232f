//! `pushcore-sandbox`: starts the services.

fn main() {}

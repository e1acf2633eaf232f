//! Header compression (RFC 7541).

mod decoder;
mod encoder;
mod integer;
mod table;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::{Encoder, list_size};

/// The cost of an entry beside its octets, in octets (RFC 7541 §4.1).
pub(crate) const ENTRY_OVERHEAD: usize = 32;

#[cfg(test)]
mod corpus;

#[cfg(test)]
mod tests;

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the stories are files")]
mod stories;

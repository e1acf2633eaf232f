//! pushcore for Swift and Kotlin.
//!
//! Objects hold what has a state: [`Service`](service::Service), [`Client`](client::Client), [`Batch`](batch::Batch),
//! [`SingleSend`](exchange::SingleSend), [`Exchange`](exchange::Exchange), [`Hub`](hub::Hub), [`HubBatch`](hub::HubBatch), [`Session`](session::Session) and
//! [`ReceiverKeys`](receiver::ReceiverKeys). Everything else is a record or an enum.
//! This crate converts and calls; what a service wants, and what its answer means, is decided in the core.
//!
//! Every exported function that can fail says so in its type, because a Swift program dies where another one does.
//! Nothing calls back into the app, and nothing is `async` here: the packages of the two languages put that on top, with
//! cancellation, which uniffi's own has not.

#![forbid(unsafe_op_in_unsafe_fn)]

mod error;
mod receiver;

#[cfg(feature = "whole")]
mod batch;
#[cfg(feature = "l1")]
mod call;
#[cfg(feature = "whole")]
mod client;
#[cfg(feature = "whole")]
mod dialect;
#[cfg(feature = "whole")]
mod event;
#[cfg(feature = "whole")]
mod exchange;
#[cfg(feature = "whole")]
mod hub;
#[cfg(feature = "l1")]
mod message;
#[cfg(feature = "whole")]
mod metrics;
#[cfg(feature = "l1")]
mod notification;
#[cfg(feature = "l1")]
mod options;
#[cfg(feature = "l1")]
mod outcome;
#[cfg(feature = "l1")]
mod request;
#[cfg(feature = "l1")]
mod service;
#[cfg(feature = "whole")]
mod session;
#[cfg(feature = "l1")]
mod values;

uniffi::setup_scaffolding!("pushcore");

/// Returns the version of the library, the same as that of the package.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

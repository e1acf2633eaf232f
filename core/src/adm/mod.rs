//! Amazon Device Messaging.
//!
//! [`Credentials`] hold a client id and secret and their access token, [`Message`] is one
//! checked message for one registration id, [`request`] joins them, [`outcome`] reads the
//! answer. Topics and groups: [`MessageBuilder::build_for`], [`group_request`].
//!
//! ```
//! use pushcore::adm::{Message, RegistrationId};
//!
//! let message = Message::builder()
//!     .data("message", "hello")
//!     .consolidation_key("greeting")
//!     .build(RegistrationId::new("amzn1.adm-registration.v3.Y29tLmFtYXpvbi5EZXZ")?)?;
//! # Ok::<(), pushcore::Error>(())
//! ```

mod answer;
mod audience;
mod change_group;
mod credentials;
pub(crate) mod form;
mod message;
mod registration_id;
mod service;

pub use answer::outcome;
pub use audience::{
    Audience, AudienceMessage, Group, GroupCall, GroupOutcome, Topic, audience_outcome, audience_request,
    group_outcome, group_request,
};
pub use change_group::ChangeGroup;
pub use credentials::Credentials;
pub use message::{Message, MessageBuilder, Priority, Template, md5};
pub use registration_id::RegistrationId;
pub use service::Service;

use crate::error::Error;
use crate::http::{Authority, Request};
use crate::time::Now;

/// Where ADM is: `api.amazon.com`, for messages and tokens alike.
pub fn default_authority() -> Authority {
    Authority::new("api.amazon.com", 443).expect("a constant host")
}

/// One complete request: the message with the authorization at hand.
///
/// # Errors
/// `TokenNeeded` when no access token is at hand.
pub fn request(
    message: &Message,
    credentials: &Credentials,
    authority: &Authority,
    now: Now,
) -> Result<Request, Error> {
    let mut request = Request::new();
    message.write(authority, &mut request)?;
    request.authorization = Some(credentials.authorization(now)?);
    Ok(request)
}

//! Baidu Cloud Push, REST 3.0.
//!
//! Written from the documentation and checked against its signature vectors; the live
//! service could not be tried, and whether it still takes new customers is doubtful.
//!
//! Reports, tags, timers and topics are [`Call`]s.
//!
//! Baidu has no access token: every request is signed by itself, with its time. So
//! [`Message::write`] takes the credentials and the clock.
//!
//! ```
//! use pushcore::baidu::{AndroidNotification, Message, Target};
//!
//! let message = Message::android(AndroidNotification::new("hello").title("greeting"))?
//!     .build(Target::device("3785562685113372034")?)?;
//! # Ok::<(), pushcore::Error>(())
//! ```

mod answer;
mod call;
pub(crate) mod form;
mod message;
mod notification;
mod service;
mod sign;
mod target;

pub use answer::outcome;
pub use call::{Call, CallOutcome, Page, call_outcome, call_request};
pub use message::{DeployStatus, DeviceType, Message, MessageBuilder, Template};
pub use notification::{AndroidNotification, OpenType};
pub use service::Service;
pub use sign::Credentials;
pub use target::Target;

use crate::error::Error;
use crate::http::{Authority, Request};
use crate::time::Now;

/// Where Baidu Cloud Push is: `api.tuisong.baidu.com`.
pub fn default_authority() -> Authority {
    Authority::new("api.tuisong.baidu.com", 443).expect("a constant host")
}

/// One complete, signed request. Valid for ten minutes after `now`.
///
/// # Errors
/// `InvalidValue` when the message's send time is not 60 seconds to a year after `now`.
pub fn request(
    message: &Message,
    credentials: &Credentials,
    authority: &Authority,
    now: Now,
) -> Result<Request, Error> {
    let mut request = Request::new();
    message.write(authority, credentials, now, &mut request)?;
    Ok(request)
}

//! Requests that are not messages: channels, topics, groups, withdrawals, reports.

use serde_json::Value;

use super::Service;
use crate::error::{Error, ErrorKind};
use crate::fcm::topics;
use crate::http::{Request, Response};
use crate::outcome::Outcome;
use crate::time::Now;
use crate::{adm, apns, baidu, webpush};

/// A request to a service that is not a message, and the meaning of its answer.
///
/// `Client::call` of the client crate sends it. With an HTTP client of one's own: send what
/// [`request`](Call::request) gives, and hand the answer to [`read`](Call::read).
pub trait Call {
    /// The meaning of the answer.
    type Output;

    /// Returns the request, complete with its authorization.
    ///
    /// # Errors
    /// `Misuse` when the call is for another service; `TokenNeeded` when an access token has to be
    /// fetched first, see [`Service::authorization`]; what the service finds wrong with the call.
    fn request(&self, service: &Service, now: Now) -> Result<Request, Error>;

    /// Reads the answer. Total: a refusal is part of the output.
    fn read(&self, response: &Response, now: Now) -> Self::Output;
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($call:ty) to $service:ident by $request:path => $output:ty:
        |$this:ident, $response:ident, $now:ident| $read:expr,)*) => {
        $(
            impl Call for $call {
                type Output = $output;

                fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
                    match service {
                        Service::$service(service) => $request(self, service, now),
                        _ => Err(another_service()),
                    }
                }

                fn read(&self, $response: &Response, $now: Now) -> $output {
                    let $this = self;
                    $read
                }
            }

            impl From<$call> for AnyCall {
                fn from(call: $call) -> Self {
                    AnyCall::$name(call)
                }
            }
        )*

        /// Any of the calls, for callers who hold one without knowing which.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum AnyCall {
            $($(#[$doc])* $name($call),)*
        }

        impl AnyCall {
            /// Returns the name of the call's type, for logs.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(AnyCall::$name(_) => stringify!($name),)*
                }
            }
        }

        impl Call for AnyCall {
            type Output = CallAnswer;

            fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
                match self {
                    $(AnyCall::$name(call) => Call::request(call, service, now),)*
                }
            }

            fn read(&self, response: &Response, now: Now) -> CallAnswer {
                match self {
                    $(AnyCall::$name(call) => CallAnswer::of(call.read(response, now), response, now),)*
                }
            }
        }
    };
}

calls! {
    /// Creates, reads, deletes or lists channels (APNs).
    ManageChannel(apns::ManageChannel) to Apns by apns::ManageChannel::request => apns::ChannelOutcome:
        |this, response, now| apns::channel_outcome(this.call(), response, now),
    /// Makes or changes a group (ADM).
    ChangeGroup(adm::ChangeGroup) to Adm by adm::ChangeGroup::request => adm::GroupOutcome:
        |_this, response, now| adm::group_outcome(response, now),
    /// Reports, tags, timers and topics (Baidu).
    AskBaidu(baidu::Call) to Baidu by ask_baidu => baidu::CallOutcome:
        |_this, response, now| baidu::call_outcome(response, now),
    /// Subscribes to a topic (FCM).
    Subscribe(topics::Subscribe) to Fcm by topics::Subscribe::request => Outcome:
        |_this, response, now| topics::outcome(response, now),
    /// Unsubscribes from a topic (FCM).
    Unsubscribe(topics::Unsubscribe) to Fcm by topics::Unsubscribe::request => Outcome:
        |_this, response, now| topics::outcome(response, now),
    /// Lists the topics of a registration (FCM).
    ListSubscriptions(topics::ListSubscriptions) to Fcm by topics::ListSubscriptions::request => Result<topics::Page, Box<Outcome>>:
        |_this, response, now| topics::page(response, now),
    /// Subscribes or unsubscribes many tokens (FCM).
    ChangeMany(topics::ChangeMany) to Fcm by topics::ChangeMany::request => Result<Vec<topics::BatchResult>, Box<Outcome>>:
        |this, response, now| topics::batch_results(response, this.len(), now),
    /// Takes a message back (Web Push).
    Withdraw(webpush::Withdraw) to WebPush by webpush::Withdraw::request => Outcome:
        |this, response, now| webpush::outcome_for(response, this.subscription(), now),
    /// Asks for receipts (Web Push).
    AskForReceipts(webpush::AskForReceipts) to WebPush by webpush::AskForReceipts::request => Result<webpush::Receipt, Box<Outcome>>:
        |this, response, now| webpush::Receipt::read(response)
            .ok_or_else(|| Box::new(webpush::outcome_for(response, this.subscription(), now))),
}

/// The flat meaning of the answer to [`AnyCall`], for languages and files. Exhaustive, so that a binding
/// which lacks an arm does not compile.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_enums,
    reason = "a binding that lacks an arm must not compile"
)]
pub enum CallAnswer {
    /// The id of a channel that was made, or a word such as `delivered`.
    Text(String),
    /// The ids of channels.
    Texts(Vec<String>),
    /// Members that a group operation worked for, and the registration ids of the others.
    Group {
        /// The number of members that it worked for.
        succeeded: u64,
        /// The registration ids that it did not work for.
        failed: Vec<String>,
    },
    /// The answer of Baidu.
    Json(Value),
    /// A page of topic subscriptions.
    Page(topics::Page),
    /// A result for each token, in their order.
    Batch(Vec<topics::BatchResult>),
    /// Done, without more to say; done, but not readable, with the body kept; or refused.
    Outcome(Outcome),
}

impl CallAnswer {
    fn of(answer: impl Flat, response: &Response, now: Now) -> Self {
        answer.flat(response, now)
    }
}

/// An output of a typed call, made flat.
trait Flat {
    fn flat(self, response: &Response, now: Now) -> CallAnswer;
}

impl Flat for Outcome {
    fn flat(self, _: &Response, _: Now) -> CallAnswer {
        CallAnswer::Outcome(self)
    }
}

impl<T: Flat> Flat for Result<T, Box<Outcome>> {
    fn flat(self, response: &Response, now: Now) -> CallAnswer {
        match self {
            Ok(answer) => answer.flat(response, now),
            Err(refusal) => CallAnswer::Outcome(*refusal),
        }
    }
}

impl Flat for topics::Page {
    fn flat(self, _: &Response, _: Now) -> CallAnswer {
        CallAnswer::Page(self)
    }
}

impl Flat for Vec<topics::BatchResult> {
    fn flat(self, _: &Response, _: Now) -> CallAnswer {
        CallAnswer::Batch(self)
    }
}

impl Flat for webpush::Receipt {
    fn flat(self, _: &Response, _: Now) -> CallAnswer {
        CallAnswer::Text(self.name().to_owned())
    }
}

impl Flat for apns::ChannelOutcome {
    fn flat(self, response: &Response, now: Now) -> CallAnswer {
        match self {
            apns::ChannelOutcome::Created(Some(id)) => CallAnswer::Text(id.as_str().to_owned()),
            apns::ChannelOutcome::Read(Some(policy)) => CallAnswer::Text(policy.name().to_owned()),
            apns::ChannelOutcome::Listed(ids) => {
                CallAnswer::Texts(ids.iter().map(|id| id.as_str().to_owned()).collect())
            }
            apns::ChannelOutcome::Refused(refusal) => CallAnswer::Outcome(refusal),
            // Deleted, or done without a readable id or policy: the outcome keeps the body.
            apns::ChannelOutcome::Created(None)
            | apns::ChannelOutcome::Read(None)
            | apns::ChannelOutcome::Deleted => CallAnswer::Outcome(apns::broadcast_outcome(response, now)),
        }
    }
}

impl Flat for adm::GroupOutcome {
    fn flat(self, _: &Response, _: Now) -> CallAnswer {
        match self {
            adm::GroupOutcome::Done { succeeded, failed } => CallAnswer::Group { succeeded, failed },
            adm::GroupOutcome::Refused(refusal) => CallAnswer::Outcome(refusal),
        }
    }
}

impl Flat for baidu::CallOutcome {
    fn flat(self, _: &Response, _: Now) -> CallAnswer {
        match self {
            baidu::CallOutcome::Answered(value) => CallAnswer::Json(value),
            baidu::CallOutcome::Refused(refusal) => CallAnswer::Outcome(refusal),
        }
    }
}

fn ask_baidu(call: &baidu::Call, service: &baidu::Service, now: Now) -> Result<Request, Error> {
    baidu::call_request(call, service.credentials(), service.authority(), now)
}

fn another_service() -> Error {
    Error::new(ErrorKind::Misuse, "this call is for another service")
}

//! What a service answered.

use pushcore::outcome::{self, OutcomeParts};

use crate::values::{Seconds, Time};

macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident of $core:ty, $default:ident: $($(#[$case_doc:meta])* $case:ident)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
        pub enum $name {
            $($(#[$case_doc])* $case,)*
        }

        /// A case that is new in the core and missing here breaks the build: this constant has its length.
        const _: [$core; <$core>::ALL.len()] = [$(<$core>::$case),*];

        impl From<$core> for $name {
            fn from(core: $core) -> Self {
                match core {
                    $(<$core>::$case => Self::$case,)*
                    // Reached by none of them: the list above is as long as the core's.
                    _ => Self::$default,
                }
            }
        }
    };
}
pub(crate) use mirror;

mirror! {
    /// What the answer means for the message and its token.
    OutcomeKind of outcome::OutcomeKind, Rejected:
    /// The service took the message. That is all it promises: never read it as "delivered".
    Accepted
    /// The token is dead, whatever is sent to it: delete or replace it.
    TokenGone
    /// The service blames the token, but a wrong environment, topic, sender, key or payload could explain it: keep it.
    TokenMismatch
    /// Not now: send again later.
    RetryLater
    /// The credentials are the problem, not the message or the device.
    FixCredentials
    /// This message can never be accepted as it is.
    Rejected
}

mirror! {
    /// A setting that could explain an answer which blames the token.
    Suspect of outcome::Suspect, Payload:
    /// Production or development.
    Environment
    /// The topic, that is the app's bundle id.
    Topic
    /// The sender, that is the project of the credentials.
    Sender
    /// The VAPID key.
    Key
    /// The payload.
    Payload
}

mirror! {
    /// The scope that has to wait after `retryLater`.
    Scope of outcome::Scope, Message:
    /// This message only.
    Message
    /// Every message to this device.
    Device
    /// Every message to this topic.
    Topic
    /// Every message of this project, app or key.
    Project
    /// Nothing but this connection.
    Connection
}

/// The service's answer to one message, and the action that it asks for.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Outcome {
    /// What the answer means.
    pub kind: OutcomeKind,
    /// The HTTP status; 0 where there was none.
    pub status: u16,
    /// The service's reason in its own word; nil where it named none.
    pub reason: Option<String>,
    /// Whether this version knows the reason.
    pub reason_is_known: bool,
    /// The body as received, at most 64 KiB.
    pub body: Vec<u8>,
    /// The action to take, in a few words for a person.
    pub advice: String,
    /// The service's id of the message (`accepted`); nil where it gave none.
    pub id: Option<String>,
    /// The id that APNs's development environment shows in its log (`accepted`); nil where there is none.
    pub unique_id: Option<String>,
    /// A token to store in place of the old one (`accepted`, `tokenGone`); nil where there is none.
    pub replacement: Option<String>,
    /// The resource of the message (Web Push, `accepted`); nil where there is none.
    pub location: Option<String>,
    /// The resource of the receipt (Web Push, `accepted`); nil where there is none.
    pub receipt: Option<String>,
    /// The time to live that the service granted (Web Push, `accepted`); nil where it named none.
    pub ttl: Option<Seconds>,
    /// The time since which the token is dead, by the service's clock (`tokenGone`); nil where it names none.
    pub since: Option<Time>,
    /// What could be at fault beside the token (`tokenMismatch`).
    pub suspects: Vec<Suspect>,
    /// The time to wait at least (`retryLater`); nil where nothing is known.
    pub after: Option<Seconds>,
    /// The scope that has to wait (`retryLater`); nil for every other kind.
    pub scope: Option<Scope>,
    /// Whether a new token made from the same key may help (`fixCredentials`).
    pub refreshable: bool,
    /// Whether this connection is spoiled (`fixCredentials`).
    pub reconnect: bool,
    /// How many seconds the service's clock is ahead of this machine's, negative when behind, where that is why the token
    /// was refused (`fixCredentials`); nil where it is not.
    pub clock_skew: Option<i64>,
}

impl From<&outcome::Outcome> for Outcome {
    fn from(outcome: &outcome::Outcome) -> Self {
        // A field that is new in the core is found missing by tests/tests/parity.rs: the record there is not exhaustive.
        let OutcomeParts {
            kind,
            status,
            reason,
            reason_is_known,
            body,
            id,
            unique_id,
            replacement,
            location,
            receipt,
            ttl,
            since,
            suspects,
            after,
            scope,
            refreshable,
            reconnect,
            clock_skew,
            ..
        } = outcome.parts();
        Self {
            kind: kind.into(),
            status,
            reason: reason.map(str::to_owned),
            reason_is_known,
            body: body.to_vec(),
            advice: outcome.advice().to_owned(),
            id: id.map(str::to_owned),
            unique_id: unique_id.map(str::to_owned),
            replacement: replacement.map(str::to_owned),
            location: location.map(str::to_owned),
            receipt: receipt.map(str::to_owned),
            ttl: ttl.map(Seconds::from),
            since: since.map(Time::from),
            suspects: suspects.iter().map(Suspect::from).collect(),
            after: after.map(Seconds::from),
            scope: scope.map(Scope::from),
            refreshable,
            reconnect,
            clock_skew,
        }
    }
}

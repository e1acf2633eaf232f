//! Enumerations as numbers.

use pushcore::Outcome;
use pushcore::outcome::{OutcomeKind, Scope, Suspect, Suspects};
use pushcore::service::Kind;

use crate::guard::Failure;
use crate::view::{View, no_such};

/// Apple Push Notification service.
pub const PUSHCORE_SERVICE_APNS: u32 = 1;
/// Firebase Cloud Messaging.
pub const PUSHCORE_SERVICE_FCM: u32 = 2;
/// Web Push.
pub const PUSHCORE_SERVICE_WEB_PUSH: u32 = 3;
/// Amazon Device Messaging.
pub const PUSHCORE_SERVICE_ADM: u32 = 4;
/// Baidu Cloud Push.
pub const PUSHCORE_SERVICE_BAIDU: u32 = 5;

/// The service took the message: nobody says that it was shown.
pub const PUSHCORE_OUTCOME_ACCEPTED: u32 = 1;
/// The token or subscription is dead: delete or replace it.
pub const PUSHCORE_OUTCOME_TOKEN_GONE: u32 = 2;
/// The token is blamed, but something else could explain the answer: keep it, and check the suspects.
pub const PUSHCORE_OUTCOME_TOKEN_MISMATCH: u32 = 3;
/// Not now: send again later.
pub const PUSHCORE_OUTCOME_RETRY_LATER: u32 = 4;
/// The credentials are at fault.
pub const PUSHCORE_OUTCOME_FIX_CREDENTIALS: u32 = 5;
/// This message can never be accepted as it is.
pub const PUSHCORE_OUTCOME_REJECTED: u32 = 6;

/// This message alone has to wait.
pub const PUSHCORE_SCOPE_MESSAGE: u32 = 1;
/// Every message to this device has to wait.
pub const PUSHCORE_SCOPE_DEVICE: u32 = 2;
/// Every message to this topic has to wait.
pub const PUSHCORE_SCOPE_TOPIC: u32 = 3;
/// Every message of this project, app or key has to wait.
pub const PUSHCORE_SCOPE_PROJECT: u32 = 4;
/// Nothing but this connection has to wait.
pub const PUSHCORE_SCOPE_CONNECTION: u32 = 5;

/// The environment, production or development, could be at fault.
pub const PUSHCORE_SUSPECT_ENVIRONMENT: u32 = 1;
/// The topic, which is the app's bundle id, could be at fault.
pub const PUSHCORE_SUSPECT_TOPIC: u32 = 2;
/// The sender, which is the project of the credentials, could be at fault.
pub const PUSHCORE_SUSPECT_SENDER: u32 = 4;
/// The VAPID key could be at fault.
pub const PUSHCORE_SUSPECT_KEY: u32 = 8;
/// The payload could be at fault.
pub const PUSHCORE_SUSPECT_PAYLOAD: u32 = 16;

/// The service of a number.
pub(crate) fn service_of(number: u32) -> Result<Kind, Failure> {
    Kind::ALL
        .iter()
        .copied()
        .find(|kind| service_number(*kind) == number)
        .ok_or_else(|| no_such("service"))
}

/// The number of a service; 0 for one that this ABI has no number for, which a test excludes.
pub(crate) fn service_number(kind: Kind) -> u32 {
    match kind {
        Kind::Apns => PUSHCORE_SERVICE_APNS,
        Kind::Fcm => PUSHCORE_SERVICE_FCM,
        Kind::WebPush => PUSHCORE_SERVICE_WEB_PUSH,
        Kind::Adm => PUSHCORE_SERVICE_ADM,
        Kind::Baidu => PUSHCORE_SERVICE_BAIDU,
        _ => 0,
    }
}

pub(crate) fn outcome_number(outcome: &Outcome) -> u32 {
    outcome_kind_number(outcome.kind())
}

pub(crate) fn outcome_kind_number(kind: OutcomeKind) -> u32 {
    match kind {
        OutcomeKind::Accepted => PUSHCORE_OUTCOME_ACCEPTED,
        OutcomeKind::TokenGone => PUSHCORE_OUTCOME_TOKEN_GONE,
        OutcomeKind::TokenMismatch => PUSHCORE_OUTCOME_TOKEN_MISMATCH,
        OutcomeKind::RetryLater => PUSHCORE_OUTCOME_RETRY_LATER,
        OutcomeKind::FixCredentials => PUSHCORE_OUTCOME_FIX_CREDENTIALS,
        OutcomeKind::Rejected => PUSHCORE_OUTCOME_REJECTED,
        _ => 0,
    }
}

pub(crate) fn scope_number(scope: Option<Scope>) -> u32 {
    match scope {
        Some(Scope::Message) => PUSHCORE_SCOPE_MESSAGE,
        Some(Scope::Device) => PUSHCORE_SCOPE_DEVICE,
        Some(Scope::Topic) => PUSHCORE_SCOPE_TOPIC,
        Some(Scope::Project) => PUSHCORE_SCOPE_PROJECT,
        Some(Scope::Connection) => PUSHCORE_SCOPE_CONNECTION,
        _ => 0,
    }
}

pub(crate) fn suspect_number(suspect: Suspect) -> u32 {
    match suspect {
        Suspect::Environment => PUSHCORE_SUSPECT_ENVIRONMENT,
        Suspect::Topic => PUSHCORE_SUSPECT_TOPIC,
        Suspect::Sender => PUSHCORE_SUSPECT_SENDER,
        Suspect::Key => PUSHCORE_SUSPECT_KEY,
        Suspect::Payload => PUSHCORE_SUSPECT_PAYLOAD,
        _ => 0,
    }
}

pub(crate) fn suspects_number(suspects: Suspects) -> u32 {
    suspects
        .iter()
        .fold(0, |bits, suspect| bits | suspect_number(suspect))
}

/// Returns the name of a service in every language, e.g. "web_push"; empty for a number that is none. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_service_name(service: u32) -> View {
    View::of_text(service_of(service).ok().map(Kind::as_str))
}

/// Returns the name of a PUSHCORE_OUTCOME_ number in every language, e.g. "token_gone"; empty for a number that is none. The text is
/// static.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_outcome_name(outcome: u32) -> View {
    let known = OutcomeKind::ALL
        .into_iter()
        .find(|kind| outcome_kind_number(*kind) == outcome);
    View::of_text(known.map(OutcomeKind::name))
}

/// Returns the name of a PUSHCORE_SCOPE_ number in every language, e.g. "device"; empty for a number that is none. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_scope_name(scope: u32) -> View {
    let known = Scope::ALL
        .into_iter()
        .find(|known| scope_number(Some(*known)) == scope);
    View::of_text(known.map(Scope::name))
}

/// Returns the name of one PUSHCORE_SUSPECT_ bit in every language, e.g. "topic"; empty for a number that is none. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_suspect_name(suspect: u32) -> View {
    let known = Suspect::ALL
        .into_iter()
        .find(|known| suspect_number(*known) == suspect);
    View::of_text(known.map(Suspect::name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is added to the core and has no number here fails.
    #[test]
    fn everything_has_a_number_of_its_own() {
        fn distinct(numbers: impl Iterator<Item = u32>) {
            let mut numbers: Vec<u32> = numbers.collect();
            assert!(!numbers.contains(&0));
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count);
        }
        distinct(Kind::ALL.iter().map(|kind| service_number(*kind)));
        distinct(OutcomeKind::ALL.into_iter().map(outcome_kind_number));
        distinct(Scope::ALL.into_iter().map(|scope| scope_number(Some(scope))));
        distinct(Suspect::ALL.into_iter().map(suspect_number));
    }
}

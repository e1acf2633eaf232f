//! Apple's reasons, each with its status and what to do about it ("Handling
//! notification responses from APNs", "Handling error responses from APNs" of the
//! broadcast pages). Where Apple's pages and its servers spell a reason
//! differently, both are here.

use crate::outcome::Suspect;

/// The action that a reason asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The request is wrong, and stays wrong.
    Reject,
    /// The token is dead, whatever is sent to it.
    DropToken,
    /// The token is blamed, but this could be wrong in its place.
    Doubt(Suspect),
    /// The credentials, or what they are allowed to do.
    FixCredentials,
    /// The provider token is too old: a new one, on a new connection.
    RenewToken,
    /// Nothing but this connection.
    NewConnection,
    /// This device has had too many.
    SlowDown,
    /// Apple's servers; not before 15 minutes have passed.
    ServerTrouble,
}

pub(crate) struct Row {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    pub(crate) action: Action,
}

const fn row(status: u16, reason: &'static str, action: Action) -> Row {
    Row {
        status,
        reason,
        action,
    }
}

use Action::{Doubt, DropToken, FixCredentials, NewConnection, Reject, RenewToken, ServerTrouble, SlowDown};

pub(crate) static REASONS: &[Row] = &[
    row(400, "BadChannelId", Reject),
    row(400, "BadCollapseId", Reject),
    row(400, "BadDeviceToken", Doubt(Suspect::Environment)),
    row(400, "BadExpirationDate", Reject),
    row(400, "BadMessageId", Reject),
    row(400, "BadPriority", Reject),
    row(400, "BadRequestParams", Reject),
    row(400, "BadRequestPayload", Reject),
    row(400, "BadTopic", Reject),
    row(400, "CannotCreateChannelConfig", Reject),
    row(400, "ChannelNotRegistered", Reject),
    row(400, "DeviceTokenNotForTopic", Doubt(Suspect::Topic)),
    row(400, "DuplicateHeaders", Reject),
    row(400, "FeatureNotEnabled", FixCredentials),
    row(400, "IdleTimeout", NewConnection),
    row(400, "InvalidPushType", Reject),
    row(400, "MissingChannelId", Reject),
    row(400, "MissingChannelQueueSize", Reject),
    row(400, "MissingDeviceToken", Reject),
    row(400, "MissingPushType", Reject),
    row(400, "MissingTopic", Reject),
    row(400, "PayloadEmpty", Reject),
    row(400, "TopicDisallowed", FixCredentials),
    row(403, "BadCertificate", FixCredentials),
    row(403, "BadCertificateEnvironment", FixCredentials),
    row(403, "BadEnvironmentKeyIdInToken", FixCredentials),
    row(403, "BadEnvironmentKeyInToken", FixCredentials),
    row(403, "ExpiredProviderToken", RenewToken),
    row(403, "Forbidden", FixCredentials),
    row(403, "InvalidProviderToken", FixCredentials),
    row(403, "MissingProviderToken", FixCredentials),
    row(403, "TopicMismatch", FixCredentials),
    row(403, "UnrelatedKeyIdInToken", NewConnection),
    row(404, "BadPath", Reject),
    row(405, "MethodNotAllowed", Reject),
    row(410, "ExpiredToken", DropToken),
    row(410, "Unregistered", DropToken),
    row(413, "PayloadTooLarge", Reject),
    row(429, "TooManyProviderTokenUpdates", NewConnection),
    row(429, "TooManyRequests", SlowDown),
    row(500, "InternalServerError", ServerTrouble),
    row(503, "Service Unavailable", ServerTrouble),
    row(503, "ServiceUnavailable", ServerTrouble),
    row(503, "Shutdown", NewConnection),
];

/// The row of a reason.
pub(crate) fn find(reason: &str) -> Option<&'static Row> {
    REASONS.iter().find(|row| row.reason == reason)
}

//! Device tokens and what became of them.

use serde::{Deserialize, Serialize};

/// Which of APNs' two worlds a sandbox plays, or a token or key belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// The environment that Apple calls sandbox or development.
    #[default]
    Development,
    /// Production.
    Production,
}

/// The two spellings of one reason: Apple's text has the first, its servers have been
/// seen to send the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnvironmentKeyReason {
    /// The behaviour as documented.
    BadEnvironmentKeyIdInToken,
    /// The behaviour as seen.
    BadEnvironmentKeyInToken,
}

/// Why a token is inactive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// 410 `Unregistered`: the app is no longer there.
    #[default]
    Unregistered,
    /// 410 `ExpiredToken`.
    ExpiredToken,
}

/// One registered device token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceToken {
    /// Hexadecimal, any even length.
    pub token: String,
    /// The bundle id the app registered with, without a push type's suffix.
    pub bundle: String,
    /// The environment the token was made in.
    #[serde(default)]
    pub environment: Environment,
    /// Unix milliseconds from which on the token is inactive; absent while it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unregistered_at: Option<i64>,
    /// The word for it.
    #[serde(default)]
    pub gone: Gone,
    /// Answer 429 `TooManyRequests`.
    #[serde(default)]
    pub throttled: bool,
}

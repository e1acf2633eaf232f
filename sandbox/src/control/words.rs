//! The bodies of control calls.

use crate::adm::AdmRegistration;
use crate::apns::{ContentMismatch, EnvironmentKeyReason};
use crate::date::DateHeader;
use crate::fault::ConnectFault;
use crate::fcm::Registration;
use crate::latency::Latency;
use crate::shared::Profile;
use crate::webpush::SubscriptionState;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FcmToken {
    pub(super) token: String,
    #[serde(default)]
    pub(super) state: Registration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdmToken {
    pub(super) id: String,
    #[serde(default)]
    pub(super) state: AdmRegistration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BaiduChannel {
    pub(super) channel_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFault {
    pub(super) service: String,
    pub(super) action: ConnectFault,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubscriptionChange {
    pub(super) endpoint: String,
    pub(super) state: SubscriptionState,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockChange {
    pub(super) offset_ms: i64,
}

/// No `token`: every device that is not spoken of by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DevicePresence {
    pub(super) token: Option<String>,
    pub(super) online: bool,
    #[serde(default)]
    pub(super) after_ms: u32,
}

/// `distribution` null: at once. No `service`: all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatencyChange {
    pub(super) service: Option<String>,
    pub(super) distribution: Option<Latency>,
}

/// Every switch; absent ones stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) profile: Option<Profile>,
    pub(super) apns_governor: Option<bool>,
    pub(super) apns_governor_penalty: Option<bool>,
    pub(super) apns_over_limit_goaway: Option<bool>,
    pub(super) apns_environment_key_reason: Option<EnvironmentKeyReason>,
    pub(super) apns_content_mismatch: Option<ContentMismatch>,
    pub(super) apns_content_delay_ms: Option<u32>,
    pub(super) date: Option<BTreeMap<String, Option<DateHeader>>>,
    pub(super) seed: Option<u64>,
    pub(super) token_lifetime: Option<i64>,
    pub(super) fcm_self_signed: Option<bool>,
    pub(super) webpush_retry_after: Option<u64>,
}

/// One entry or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    pub(super) fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

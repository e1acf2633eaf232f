//! What APNs keeps for a device that is away: one notification for each app.

use super::{Apns, Environment};
use crate::exchange::Exchange;
use crate::shared::Moment;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How long APNs keeps a notification whose sender names no expiration.
const LONGEST_MS: i64 = 30 * 86_400_000;

/// One stored notification, as `GET /apns/stored` shows it.
///
/// The sandbox has no devices that come and go, so this is what APNs would have in store
/// if the device had been away all the time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredNotification {
    /// The device token, lower-case hexadecimal.
    pub token: String,
    /// The bundle id, without a push type's suffix.
    pub bundle: String,
    /// Development or production.
    pub environment: Environment,
    /// The notification's `apns-id`.
    pub id: String,
    /// `apns-collapse-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapse_id: Option<String>,
    /// When it came, Unix milliseconds.
    pub at_ms: i64,
    /// When it is thrown away, Unix milliseconds.
    pub expires_at_ms: i64,
    /// How many notifications with the same collapse id it has taken the place of.
    pub collapsed: u64,
    /// How many others it, and those it collapsed, have taken the place of.
    pub replaced: u64,
    /// The body.
    pub body: Value,
}

/// By device token and bundle.
pub(super) type Stored = BTreeMap<(String, String), StoredNotification>;

impl Apns {
    /// What is in store at this time, by token and bundle.
    pub(crate) fn stored(&self, now: Moment) -> impl Iterator<Item = &StoredNotification> {
        self.stored
            .values()
            .filter(move |stored| stored.expires_at_ms > now.unix_ms)
    }

    /// Stores an accepted push, unless its expiration says that it must not be.
    pub(super) fn store(&mut self, exchange: &Exchange, bundle: &str, id: &str, now: Moment) {
        let expiration = exchange
            .header("apns-expiration")
            .and_then(|text| text.parse::<i64>().ok());
        let latest = now.unix_ms.saturating_add(LONGEST_MS);
        let expires_at_ms = match expiration {
            None => latest,
            Some(seconds) => seconds.saturating_mul(1000).min(latest),
        };
        if expires_at_ms <= now.unix_ms {
            return;
        }
        let token = exchange.path.strip_prefix("/3/device/").unwrap_or_default();
        let key = (token.to_ascii_lowercase(), bundle.to_owned());
        let collapse_id = exchange.header("apns-collapse-id").map(str::to_owned);
        let before = self
            .stored
            .get(&key)
            .filter(|stored| stored.expires_at_ms > now.unix_ms);
        let (collapsed, replaced) = match before {
            None => (0, 0),
            Some(before) if collapse_id.is_some() && before.collapse_id == collapse_id => {
                (before.collapsed + 1, before.replaced)
            }
            Some(before) => (0, before.replaced + before.collapsed + 1),
        };
        let stored = StoredNotification {
            token: key.0.clone(),
            bundle: bundle.to_owned(),
            environment: self.environment,
            id: id.to_owned(),
            collapse_id,
            at_ms: now.unix_ms,
            expires_at_ms,
            collapsed,
            replaced,
            body: crate::record::readable(&exchange.body),
        };
        self.stored.insert(key, stored);
    }
}

//! What APNs keeps for a device that is away: one notification for each app.

use super::{Apns, Environment, Fate};
use crate::exchange::Exchange;
use crate::shared::Moment;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How long APNs keeps a notification whose sender names no expiration.
const LONGEST_MS: i64 = 30 * 86_400_000;

/// One stored notification, as `GET /apns/stored` shows it.
///
/// Devices are away until they are said to be online.
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
    /// Its record in the log.
    pub seq: u64,
    /// When it came, Unix milliseconds.
    pub at_ms: i64,
    /// Not delivered before this time, Unix milliseconds.
    pub not_before_ms: i64,
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
    /// What is in store since the last settling, by token and bundle.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &StoredNotification> {
        self.stored.values()
    }

    /// Delivers an accepted push, or stores it, or forgets it if its expiration says so.
    pub(super) fn deliver(
        &mut self,
        exchange: &Exchange,
        bundle: &str,
        id: &str,
        not_before_ms: i64,
        now: Moment,
    ) {
        self.settle(now);
        let seq = self.next_seq;
        let token = exchange.path.strip_prefix("/3/device/").unwrap_or_default();
        let token = token.to_ascii_lowercase();
        if self
            .due(&token, not_before_ms)
            .is_some_and(|due| due <= now.unix_ms)
        {
            self.tell(seq, Fate::Delivered, now.unix_ms, None);
            return;
        }
        let expiration = exchange
            .header("apns-expiration")
            .and_then(|text| text.parse::<i64>().ok());
        let latest = now.unix_ms.saturating_add(LONGEST_MS);
        let expires_at_ms = match expiration {
            None => latest,
            Some(seconds) => seconds.saturating_mul(1000).min(latest),
        };
        if expires_at_ms <= now.unix_ms {
            self.tell(seq, Fate::Expired, now.unix_ms, None);
            return;
        }
        let key = (token, bundle.to_owned());
        let collapse_id = exchange
            .headers
            .get("apns-collapse-id")
            .map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
        let (mut collapsed, mut replaced) = (0, 0);
        // What has expired is gone since the settling above.
        if let Some(before) = self.stored.remove(&key) {
            let fate = if collapse_id.is_some() && before.collapse_id == collapse_id {
                (collapsed, replaced) = (before.collapsed + 1, before.replaced);
                Fate::Collapsed
            } else {
                replaced = before.replaced + before.collapsed + 1;
                Fate::Replaced
            };
            self.tell(before.seq, fate, now.unix_ms, Some(seq));
        }
        self.tell(seq, Fate::Stored, now.unix_ms, None);
        let stored = StoredNotification {
            token: key.0.clone(),
            bundle: bundle.to_owned(),
            environment: self.environment,
            id: id.to_owned(),
            collapse_id,
            seq,
            at_ms: now.unix_ms,
            not_before_ms,
            expires_at_ms,
            collapsed,
            replaced,
            body: crate::record::readable(&exchange.body),
        };
        self.store(key, stored);
    }
}

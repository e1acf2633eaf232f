//! What becomes of a push that APNs took: delivered, kept for a device that is away, or lost.

use super::request::Push;
use super::stored::Kept;
use super::{Apns, StoredNotification};
use crate::shared::Moment;
use serde::Serialize;

/// How long APNs keeps a notification whose sender names no expiration.
const LONGEST_MS: i64 = 30 * 86_400_000;

/// The end, or the present state, of an accepted push; part of its record in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The fate of the push.
    pub fate: Fate,
    /// Since when, Unix milliseconds by the sandbox's clock.
    pub at_ms: i64,
    /// The `seq` of the push that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<u64>,
}

/// The fate of an accepted push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// In store: the device is away, or delivery is delayed.
    Stored,
    /// The device has it.
    Delivered,
    /// Another one with the same collapse id took its place in store.
    Collapsed,
    /// Another one took its place in store: APNs keeps one for each app and device.
    Replaced,
    /// Its time was over before it could be delivered; at once, with `apns-expiration` 0.
    Expired,
    /// Never delivered, for its content (see [`ContentMismatch`](super::ContentMismatch)).
    Dropped,
}

/// Fates that the log does not know yet, by the record's `seq`.
pub(super) type News = Vec<(u64, Delivery)>;

impl Apns {
    /// The device with this token, or every device that is not spoken of by name, comes online
    /// (after a delay in milliseconds) or goes away (`None`).
    pub(crate) fn set_presence(&mut self, token: Option<&str>, online_in_ms: Option<i64>, now: Moment) {
        self.settle(now);
        let from = online_in_ms.map(|delay| now.unix_ms.saturating_add(delay));
        self.stored.set_presence(token, from);
        self.settle(now);
    }

    pub(super) fn tell(&mut self, seq: u64, fate: Fate, at_ms: i64, by: Option<u64>) {
        self.news.push((seq, Delivery { fate, at_ms, by }));
    }

    /// Delivers what is due and forgets what has expired.
    pub(crate) fn settle(&mut self, now: Moment) {
        for ended in self.stored.settle(now.unix_ms) {
            self.tell(ended.seq, ended.fate, ended.at_ms, None);
        }
    }

    pub(crate) fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// The pushes in store since the last settling, by token and bundle.
    pub(crate) fn stored(&self) -> Vec<StoredNotification> {
        self.stored.list(self.environment)
    }

    /// Delivers an accepted push, or stores it, or forgets it if its expiration says so.
    pub(super) fn deliver(
        &mut self,
        push: &Push<'_>,
        bundle: String,
        id: &str,
        not_before_ms: i64,
        now: Moment,
    ) {
        self.settle(now);
        let seq = self.next_seq;
        let token = push.key.as_ref();
        let due = self.stored.due(token, not_before_ms);
        if due.is_some_and(|due| due <= now.unix_ms) {
            self.tell(seq, Fate::Delivered, now.unix_ms, None);
            return;
        }
        let expiration = push.expiration.and_then(|text| text.parse::<i64>().ok());
        let latest = now.unix_ms.saturating_add(LONGEST_MS);
        let expires_at_ms = match expiration {
            None => latest,
            Some(seconds) => seconds.saturating_mul(1000).min(latest),
        };
        if expires_at_ms <= now.unix_ms {
            self.tell(seq, Fate::Expired, now.unix_ms, None);
            return;
        }
        let collapse_id = push
            .collapse_id
            .map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
        let (mut collapsed, mut replaced) = (0, 0);
        // What has expired is gone since the settling above.
        if let Some(before) = self.stored.take(token, &bundle) {
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
        let kept = Kept {
            bundle,
            id: id.to_owned(),
            collapse_id,
            seq,
            at_ms: now.unix_ms,
            not_before_ms,
            expires_at_ms,
            collapsed,
            replaced,
            body: push.exchange.body.clone(),
        };
        self.stored.put(token, kept);
    }
}

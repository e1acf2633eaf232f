//! What becomes of a push that APNs took: delivered, kept for a device that is away, or lost.

use super::{Apns, StoredNotification};
use crate::shared::Moment;
use serde::Serialize;
use std::collections::HashMap;

/// The end, or the present state, of an accepted push; part of its record in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// What became of it.
    pub fate: Fate,
    /// Since when, Unix milliseconds by the sandbox's clock.
    pub at_ms: i64,
    /// The `seq` of the push that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<u64>,
}

/// What became of an accepted push.
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

/// Which devices are online, and since when; a time to come is one that is coming online.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Of devices that nothing was said about; `None` is away.
    everyone: Option<i64>,
    devices: HashMap<String, Option<i64>>,
    /// Nothing in store is due before this time: no need to look at all of it for every push.
    pub(super) nothing_before: i64,
}

impl Presence {
    fn online_from(&self, token: &str) -> Option<i64> {
        self.devices.get(token).copied().unwrap_or(self.everyone)
    }
}

/// Fates that the log does not know yet, by the record's `seq`.
pub(super) type News = Vec<(u64, Delivery)>;

impl Apns {
    /// The device with this token, or every device that is not spoken of by name, comes online
    /// (after a delay in milliseconds) or goes away (`None`).
    pub(crate) fn set_presence(&mut self, token: Option<&str>, online_in_ms: Option<i64>, now: Moment) {
        self.settle(now);
        // Who comes or goes changes when everything is due.
        self.presence.nothing_before = 0;
        let from = online_in_ms.map(|delay| now.unix_ms.saturating_add(delay));
        match token {
            None => self.presence.everyone = from,
            Some(token) => {
                self.presence.devices.insert(token.to_ascii_lowercase(), from);
            }
        }
        self.settle(now);
    }

    /// When a push for this device can be delivered that may not be before `not_before`.
    pub(super) fn due(&self, token: &str, not_before: i64) -> Option<i64> {
        let from = self.presence.online_from(token)?;
        Some(from.max(not_before))
    }

    pub(super) fn tell(&mut self, seq: u64, fate: Fate, at_ms: i64, by: Option<u64>) {
        self.news.push((seq, Delivery { fate, at_ms, by }));
    }

    /// How a stored push ends as things are, and when.
    fn end_of(&self, token: &str, stored: &StoredNotification) -> (Fate, i64) {
        let due = self.due(token, stored.not_before_ms);
        match due.filter(|due| *due < stored.expires_at_ms) {
            Some(due) => (Fate::Delivered, due),
            None => (Fate::Expired, stored.expires_at_ms),
        }
    }

    /// Puts a push into store.
    pub(super) fn store(&mut self, key: (String, String), stored: StoredNotification) {
        let (_, at_ms) = self.end_of(&key.0, &stored);
        self.presence.nothing_before = self.presence.nothing_before.min(at_ms);
        self.stored.insert(key, stored);
    }

    /// Delivers what is due and forgets what has expired.
    pub(crate) fn settle(&mut self, now: Moment) {
        if now.unix_ms < self.presence.nothing_before {
            return;
        }
        let mut kept = std::mem::take(&mut self.stored);
        let mut ended = Vec::new();
        let mut next = i64::MAX;
        kept.retain(|(token, _), stored| {
            let (fate, at_ms) = self.end_of(token, stored);
            if at_ms > now.unix_ms {
                next = next.min(at_ms);
                return true;
            }
            ended.push((stored.seq, fate, at_ms));
            false
        });
        self.stored = kept;
        self.presence.nothing_before = next;
        for (seq, fate, at_ms) in ended {
            self.tell(seq, fate, at_ms, None);
        }
    }

    pub(crate) fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }
}

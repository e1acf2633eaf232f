//! What APNs keeps for a device that is away: one notification for each app.

use super::{Environment, Fate};
use crate::record::readable;
use foldhash::HashMap;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// A stored push without what its place in the store says, and with its body as it came.
pub(super) struct Kept {
    pub(super) bundle: String,
    pub(super) id: String,
    pub(super) collapse_id: Option<String>,
    pub(super) seq: u64,
    pub(super) at_ms: i64,
    pub(super) not_before_ms: i64,
    pub(super) expires_at_ms: i64,
    pub(super) collapsed: u64,
    pub(super) replaced: u64,
    pub(super) body: Arc<[u8]>,
}

/// A stored push that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) seq: u64,
    pub(super) fate: Fate,
    pub(super) at_ms: i64,
}

/// The pushes in store, and the devices that are online, which decide how long a push stays.
///
/// A push looks at what is in store for its device, a device that comes or goes likewise, and time
/// at what is over: nothing looks at all of it but what is said of all devices, and the reading of it.
#[derive(Default)]
pub(super) struct Store {
    devices: HashMap<Arc<str>, Vec<Kept>>,
    /// The device by when a push for it is over, as things are, and the push's `seq`.
    ends: BTreeMap<(i64, u64), Arc<str>>,
    /// Since when devices that nothing was said about are online; a time to come is one at which they
    /// will be, `None` is away.
    everyone: Option<i64>,
    /// Settles the devices that something was said about.
    presence: HashMap<String, Option<i64>>,
    /// Stored pushes looked at so far: what a test counts in place of time.
    looked_at: u64,
}

impl Store {
    /// When a push for this device can be delivered that may not be before `not_before`.
    pub(super) fn due(&self, token: &str, not_before: i64) -> Option<i64> {
        let from = self.presence.get(token).copied().unwrap_or(self.everyone)?;
        Some(from.max(not_before))
    }

    /// How a stored push ends as things are, and when.
    fn end_of(&self, token: &str, kept: &Kept) -> (Fate, i64) {
        let due = self.due(token, kept.not_before_ms);
        match due.filter(|due| *due < kept.expires_at_ms) {
            Some(due) => (Fate::Delivered, due),
            None => (Fate::Expired, kept.expires_at_ms),
        }
    }

    /// Takes what is in store for an app on a device out of it.
    pub(super) fn take(&mut self, token: &str, bundle: &str) -> Option<Kept> {
        let all = self.devices.get_mut(token)?;
        self.looked_at += all.len() as u64;
        let at = all.iter().position(|kept| kept.bundle == bundle)?;
        let kept = all.swap_remove(at);
        if all.is_empty() {
            self.devices.remove(token);
        }
        let (_, at_ms) = self.end_of(token, &kept);
        self.ends.remove(&(at_ms, kept.seq));
        Some(kept)
    }

    /// Puts a push into store, where there is none for the same app and device.
    pub(super) fn put(&mut self, token: &str, kept: Kept) {
        let (_, at_ms) = self.end_of(token, &kept);
        let token = match self.devices.get_key_value(token) {
            Some((token, _)) => token.clone(),
            None => Arc::from(token),
        };
        self.ends.insert((at_ms, kept.seq), token.clone());
        // Most devices have one app.
        let all = self.devices.entry(token).or_insert_with(|| Vec::with_capacity(1));
        all.push(kept);
    }

    /// The device with this token, or every device that is not spoken of by name, is online from
    /// this time on, or away.
    pub(super) fn set_presence(&mut self, token: Option<&str>, from: Option<i64>) {
        match token {
            Some(token) => {
                let token = token.to_ascii_lowercase();
                if let Some((device, all)) = self.devices.remove_entry(token.as_str()) {
                    self.forget_ends(&device, &all);
                    self.presence.insert(token, from);
                    self.put_back(device, all);
                } else {
                    self.presence.insert(token, from);
                }
            }
            None => {
                self.ends.clear();
                self.everyone = from;
                for (device, all) in std::mem::take(&mut self.devices) {
                    self.put_back(device, all);
                }
            }
        }
    }

    fn forget_ends(&mut self, device: &str, all: &[Kept]) {
        for kept in all {
            let (_, at_ms) = self.end_of(device, kept);
            self.ends.remove(&(at_ms, kept.seq));
        }
    }

    fn put_back(&mut self, device: Arc<str>, all: Vec<Kept>) {
        self.looked_at += all.len() as u64;
        for kept in &all {
            let (_, at_ms) = self.end_of(&device, kept);
            self.ends.insert((at_ms, kept.seq), device.clone());
        }
        self.devices.insert(device, all);
    }

    /// Takes out what is over by now, the earliest first.
    pub(super) fn settle(&mut self, now_ms: i64) -> Vec<Ended> {
        let mut ended = Vec::new();
        while let Some(entry) = self.ends.first_entry() {
            if entry.key().0 > now_ms {
                break;
            }
            let ((_, seq), device) = entry.remove_entry();
            let Some(all) = self.devices.get_mut(&device) else {
                continue;
            };
            self.looked_at += all.len() as u64;
            let Some(at) = all.iter().position(|kept| kept.seq == seq) else {
                continue;
            };
            let kept = all.swap_remove(at);
            if all.is_empty() {
                self.devices.remove(&device);
            }
            let (fate, at_ms) = self.end_of(&device, &kept);
            ended.push(Ended { seq, fate, at_ms });
        }
        ended
    }

    /// Forgets what is in store; who is online stays.
    pub(super) fn clear(&mut self) {
        self.devices.clear();
        self.ends.clear();
    }

    /// All of it, by token and bundle.
    pub(super) fn list(&self, environment: Environment) -> Vec<StoredNotification> {
        let all = self.devices.iter();
        let all = all.flat_map(|(token, all)| all.iter().map(move |kept| (token, kept)));
        let mut list: Vec<StoredNotification> = all
            .map(|(token, kept)| StoredNotification {
                token: token.to_string(),
                bundle: kept.bundle.clone(),
                environment,
                id: kept.id.clone(),
                collapse_id: kept.collapse_id.clone(),
                seq: kept.seq,
                at_ms: kept.at_ms,
                not_before_ms: kept.not_before_ms,
                expires_at_ms: kept.expires_at_ms,
                collapsed: kept.collapsed,
                replaced: kept.replaced,
                body: readable(&kept.body),
            })
            .collect();
        list.sort_by(|a, b| (&a.token, &a.bundle).cmp(&(&b.token, &b.bundle)));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::{Ended, Fate, Kept, Store};
    use crate::apns::Environment;
    use std::sync::Arc;

    fn kept(seq: u64, bundle: &str, expires_at_ms: i64) -> Kept {
        Kept {
            bundle: bundle.to_owned(),
            id: String::new(),
            collapse_id: None,
            seq,
            at_ms: 0,
            not_before_ms: 0,
            expires_at_ms,
            collapsed: 0,
            replaced: 0,
            body: Arc::default(),
        }
    }

    fn token(at: u64) -> String {
        format!("{at:064x}")
    }

    fn whole(store: &Store) {
        let kept: usize = store.devices.values().map(Vec::len).sum();
        assert_eq!(kept, store.ends.len());
        assert!(store.devices.values().all(|all| !all.is_empty()));
        for ((at_ms, seq), device) in &store.ends {
            let kept = store.devices[device].iter().find(|kept| kept.seq == *seq);
            assert_eq!(store.end_of(device, kept.expect("kept")).1, *at_ms);
        }
    }

    /// Pushes that expire one after the other while more of them come, and devices that come and go
    /// one by one. Were each to look at all that is in store, 16,000 would look at 128 million.
    #[test]
    fn nothing_looks_at_all_that_is_in_store() {
        const MANY: u64 = 16_000;
        let mut store = Store::default();
        let mut over = 0;
        for seq in 0..MANY {
            let now = i64::try_from(seq).expect("a time");
            over += store.settle(now).len();
            assert!(store.take(&token(seq), "a").is_none());
            // Every other one expires soon, each at a time of its own.
            let soon = if seq % 2 == 0 { now + 100 } else { i64::MAX };
            store.put(&token(seq), kept(seq, "a", soon));
        }
        assert_eq!(over, 7950);
        whole(&store);
        for at in 0..MANY {
            store.set_presence(Some(&token(at)), (at % 3 == 0).then_some(i64::MAX - 1));
            store.set_presence(Some(&token(at)), None);
        }
        for at in 0..MANY {
            let taken = store.take(&token(at), "a");
            assert_eq!(taken.is_some(), at % 2 == 1 || at >= MANY - 100);
        }
        whole(&store);
        assert!(store.ends.is_empty());
        assert!(store.looked_at <= 4 * MANY, "{} of {MANY}", store.looked_at);
    }

    #[test]
    fn what_is_said_of_all_devices_spares_those_spoken_of_by_name() {
        let mut store = Store::default();
        store.put("aa", kept(1, "a", 1000));
        store.put("aa", kept(2, "b", 50));
        store.put("bb", kept(3, "a", 1000));
        store.put("cc", kept(4, "a", 1000));
        store.set_presence(Some("BB"), Some(70));
        store.set_presence(Some("cc"), None);
        store.set_presence(None, Some(60));
        whole(&store);
        let ended = |seq, fate, at_ms| Ended { seq, fate, at_ms };
        assert_eq!(store.settle(49), []);
        assert_eq!(store.settle(50), [ended(2, Fate::Expired, 50)]);
        let both = [ended(1, Fate::Delivered, 60), ended(3, Fate::Delivered, 70)];
        assert_eq!(store.settle(999), both);
        assert_eq!(store.list(Environment::Production).len(), 1);
        store.set_presence(None, None);
        assert_eq!(store.due("aa", 0), None);
        assert_eq!(store.settle(5000), [ended(4, Fate::Expired, 1000)]);
        whole(&store);
        store.put("cc", kept(5, "a", 9000));
        store.clear();
        whole(&store);
        assert_eq!(store.due("bb", 0), Some(70));
    }
}

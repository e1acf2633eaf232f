//! The messages that a service still has, as far as it remembers.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// The number of latest messages that can be deleted.
const LIMIT: usize = 100_000;

/// Ids of message resources.
#[derive(Default)]
pub(super) struct Messages {
    known: HashSet<Arc<str>>,
    /// Oldest first, deleted ones among them.
    order: VecDeque<Arc<str>>,
}

impl Messages {
    pub(super) fn insert(&mut self, id: &str) {
        let id = Arc::from(id);
        self.order.push_back(Arc::clone(&id));
        self.known.insert(id);
        if self.order.len() > LIMIT {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        self.known.remove(id)
    }
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, Messages};

    #[test]
    fn the_oldest_are_forgotten() {
        let mut messages = Messages::default();
        messages.insert("first");
        messages.insert("second");
        assert!(messages.remove("second") && !messages.remove("second"));
        for at in 0..LIMIT {
            messages.insert(&at.to_string());
        }
        assert_eq!((messages.known.len(), messages.order.len()), (LIMIT, LIMIT));
        assert!(!messages.remove("first") && messages.remove("0"));
    }
}

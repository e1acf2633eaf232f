//! Which sockets and lookups have something to say: one set for many wakers.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

use pushcore::session::LinkId;

use crate::sync::Mutex;

/// A source of wake-ups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// The socket of a connection.
    Link(LinkId),
    /// The lookup of this number.
    Lookup(u64),
}

/// The sources that have woken the driver task since it last looked. The task polls these and no others, so that a
/// wake-up costs the same with two connections and with two hundred.
#[derive(Debug, Default)]
pub(crate) struct ReadySet {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    sources: BTreeSet<Source>,
    /// The task's waker; `None` before the task has run for the first time.
    task: Option<Waker>,
}

impl ReadySet {
    /// Returns the sources that have woken since the last call; `task` is woken by the next one.
    pub(crate) fn take(&self, task: &Waker) -> BTreeSet<Source> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut inner.task {
            Some(known) if known.will_wake(task) => {}
            known => *known = Some(task.clone()),
        }
        std::mem::take(&mut inner.sources)
    }

    /// Returns a waker that puts `source` into the set.
    pub(crate) fn waker(self: &Arc<Self>, source: Source) -> Waker {
        let set = Arc::clone(self);
        Waker::from(Arc::new(SourceWaker { source, set }))
    }

    fn put(&self, source: Source) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // The task has not taken the one before: it is awake already.
        let task = match inner.sources.insert(source) {
            true => inner.task.clone(),
            false => None,
        };
        drop(inner);
        if let Some(task) = task {
            task.wake();
        }
    }
}

#[derive(Debug)]
struct SourceWaker {
    source: Source,
    set: Arc<ReadySet>,
}

impl Wake for SourceWaker {
    fn wake(self: Arc<Self>) {
        self.set.put(self.source);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set.put(self.source);
    }
}

//! Provider tokens that are the same in every run.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use pushcore::Now;
use pushcore::apns::Credentials;

use super::super::fixture;

/// A session makes a token of its own when the one it has is 50 minutes old: ours come before.
const FRESH: Duration = Duration::from_secs(40 * 60);

/// Shared by a world and by what makes its sessions.
#[derive(Clone, Default)]
pub(super) struct Tokens {
    /// Of the session that runs now.
    credentials: Rc<RefCell<Option<Credentials>>>,
    imported_at: Rc<RefCell<Duration>>,
}

impl Tokens {
    /// The credentials of a new process.
    pub(super) fn credentials(&self, now: Now) -> Credentials {
        let credentials = fixture::credentials();
        *self.credentials.borrow_mut() = Some(credentials.clone());
        self.import(now);
        credentials
    }

    /// It is `now`: is the next token due?
    pub(super) fn keep_fresh(&self, now: Now) {
        if now.monotonic >= *self.imported_at.borrow() + FRESH {
            self.import(now);
        }
    }

    fn import(&self, now: Now) {
        if let Some(credentials) = &*self.credentials.borrow() {
            fixture::import_token(credentials, now);
        }
        *self.imported_at.borrow_mut() = now.monotonic;
    }
}

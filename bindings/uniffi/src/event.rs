//! What a client or a session tells beside outcomes: events and counts.

use pushcore::session::{SessionEvent, Stats as CoreStats};

use crate::values::Seconds;

/// Something worth a line in a log or a tick of a counter. No secret, no token.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Event {
    /// The name in snake case, the same in every language, for example `connected`.
    pub name: String,
    /// The connection that the event is about; nil where it is about none.
    pub link: Option<u64>,
    /// A number that programs compare: of the error, of a GOAWAY, or of streams; nil where there is none.
    pub code: Option<u32>,
    /// How long something has to wait, or how far a clock is ahead; nil where no time is told.
    pub after: Option<Seconds>,
    /// The event in words, never empty.
    pub text: String,
}

impl From<&SessionEvent> for Event {
    fn from(event: &SessionEvent) -> Self {
        let parts = event.parts();
        Self {
            name: parts.name.to_owned(),
            link: parts.link.map(pushcore::session::LinkId::to_u64),
            code: parts.code,
            after: parts.after.map(Seconds::from),
            text: parts.text,
        }
    }
}

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident = $listed:literal,)*) => {
        /// How many messages are where. `submitted` is the sum of all the places; `requeued` is none.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Record)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl From<&CoreStats> for Stats {
            fn from(stats: &CoreStats) -> Self {
                // The list has a fixed length: a count that is new in the core breaks the build here.
                let names = [$($listed),*];
                let list: [(&str, u64); 16] = stats.list();
                debug_assert!(names.iter().zip(&list).all(|(name, (listed, _))| name == listed));
                let [$((_, $name)),*] = list;
                Self { $($name,)* }
            }
        }
    };
}

stats! {
    /// Messages taken.
    submitted = "submitted",
    /// Waiting for a stream.
    queued = "queued",
    /// On a stream, no answer yet.
    open = "open",
    /// Answered by a doubtful refusal that waits for other answers.
    held = "held",
    /// Ended: taken by the service.
    accepted = "accepted",
    /// Ended: the token is dead.
    token_gone = "token_gone",
    /// Ended: the token is blamed, and may be good.
    token_mismatch = "token_mismatch",
    /// Ended: not now.
    retry_later = "retry_later",
    /// Ended: the credentials are at fault.
    fix_credentials = "fix_credentials",
    /// Ended: can never be accepted.
    rejected = "rejected",
    /// Ended: a request that is no message was answered.
    answered = "answered",
    /// Ended: certainly not processed.
    not_sent = "not_sent",
    /// Ended: written, no answer.
    unknown = "unknown",
    /// Ended: the deadline passed before it was written.
    expired = "expired",
    /// Ended: cancelled.
    cancelled = "cancelled",
    /// Times a message went back to the queue; not a place.
    requeued = "requeued",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_names_of_the_core() {
        let mut core = CoreStats::default();
        core.submitted = 3;
        core.token_gone = 2;
        core.requeued = 1;
        let stats = Stats::from(&core);
        assert_eq!((stats.submitted, stats.token_gone, stats.requeued), (3, 2, 1));
    }
}

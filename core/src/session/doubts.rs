//! Answers that blame a token, and may mean the configuration: which of them wait for others, and what others prove.

use std::time::Duration;

use super::event::SessionEvent;
use super::ledger::{Doubt, Place};
use super::shared::Shared;
use crate::error::{Error, ErrorKind};
use crate::outcome::{Observed, OnSuspicion, Outcome, Suspect, Witness};
use crate::time::Now;

/// The number of doubtful answers that are held back at a time: a few kilobytes each at most.
const MOST_HELD: usize = 1000;

/// The longest time that a doubtful answer is held back: other answers of a bulk send come within milliseconds, and its
/// caller waits.
const LONGEST_HELD: Duration = Duration::from_secs(5);

/// The doubtful answers of a session.
#[derive(Debug)]
pub(super) struct Doubts {
    witness: Witness<Doubt>,
    /// Whether no answer is held back any more, because the session is closing and others may never come.
    decides_at_once: bool,
}

impl Default for Doubts {
    fn default() -> Self {
        Self {
            witness: Witness::holding(MOST_HELD),
            decides_at_once: false,
        }
    }
}

impl Doubts {
    // Getters

    /// Whether the answers look as if the configuration or the payload were wrong, and not the tokens.
    pub(super) fn are_suspicious(&self) -> bool {
        self.witness.is_suspected()
    }

    /// The number of answers that are held back for the messages whose driver's number is chosen.
    pub(super) fn held(&self, mut chosen: impl FnMut(u64) -> bool) -> usize {
        self.witness
            .tickets()
            .filter(|doubt| chosen(doubt.marks.driver_data))
            .count()
    }

    /// When [`Doubts::release_late`] has to be called; `None` is never.
    pub(super) fn next_at(&self) -> Option<Duration> {
        let oldest = self.witness.oldest();
        oldest.map(|doubt| doubt.since.saturating_add(LONGEST_HELD))
    }

    // Answers

    /// A message was accepted: others that were refused under the same circumstances may be certain now.
    #[inline]
    pub(super) fn accepted(&mut self, shared: &mut Shared, slot: u32, outcome: &Outcome) {
        let pending = shared.ledger.get(slot);
        match pending.and_then(|pending| Some((pending, pending.circumstances()?))) {
            Some((pending, at)) => {
                let service = &shared.service;
                self.witness.accept(at, || service.token_in(pending.request()));
            }
            None => self.witness.note(outcome),
        }
        if self.witness.has_news() {
            self.tell(shared);
        }
    }

    /// A token is blamed for what the configuration or the payload could explain.
    pub(super) fn refused(&mut self, shared: &mut Shared, slot: u32, outcome: Outcome, now: Now) {
        let Some(pending) = shared.ledger.get(slot) else {
            return;
        };
        let manner = pending.manner();
        let Some(at) = pending.circumstances() else {
            self.witness.note(&outcome);
            self.tell(shared);
            return shared.ledger.end_answered(slot, outcome);
        };
        let token = shared.service.token_in(pending.request()).to_vec();
        let Some(doubt) = shared.ledger.hold(slot, now.monotonic) else {
            return;
        };
        let observed = match manner.bulk && !self.decides_at_once {
            true => self.witness.observe(doubt, outcome, at, &token),
            false => self.witness.observe_at_once(doubt, outcome, at, &token),
        };
        if let Observed::Now(doubt, outcome) = observed {
            shared.ledger.end_held(doubt, outcome);
        }
        self.tell(shared);
        if self.witness.is_suspected() && manner.on_suspicion == OnSuspicion::Stop {
            self.stop_suspected(shared);
        }
    }

    /// Ends what is certain now, and tells of a suspicion that has arisen.
    fn tell(&mut self, shared: &mut Shared) {
        while let Some((doubt, outcome)) = self.witness.poll_settled() {
            shared.ledger.end_held(doubt, outcome);
        }
        while let Some(suspicion) = self.witness.poll_suspicion() {
            shared.outbox.note(SessionEvent::MixUpSuspected {
                suspects: suspicion.suspects,
                answers: suspicion.answers,
            });
            self.stop_suspected(shared);
        }
    }

    /// Ends the messages that have not been written and whose sender wants no more of them sent when the configuration
    /// seems to be wrong.
    fn stop_suspected(&mut self, shared: &mut Shared) {
        let names: Vec<_> = self.witness.suspects().iter().map(Suspect::name).collect();
        let text = format!(
            "many answers in a row blame the tokens: check {} first",
            names.join(", ")
        );
        let cause = Error::new(ErrorKind::MixUpSuspected, text);
        for ticket in shared.ledger.stoppable() {
            let Some(Place::Queued {
                host,
                number,
                rests_until,
                priority,
            }) = shared.ledger.place(ticket)
            else {
                continue;
            };
            if let Some(slot) = shared.ledger.find(ticket) {
                shared.end_unsent(slot, &cause);
            }
            if let Some(host) = shared.hosts.get_mut(host) {
                host.note_ended(ticket, priority, number, rests_until, &shared.ledger);
            }
        }
    }

    // The end of the wait

    /// Holds nothing back from now on.
    pub(super) fn decide_at_once(&mut self) {
        self.decides_at_once = true;
    }

    /// Ends the messages whose driver's number is chosen and whose answers are held back.
    pub(super) fn release(&mut self, shared: &mut Shared, mut chosen: impl FnMut(u64) -> bool) {
        if self.witness.held() > 0 {
            self.witness.release_if(|doubt| chosen(doubt.marks.driver_data));
            self.tell(shared);
        }
    }

    /// Ends the messages whose answers have been held back for long.
    pub(super) fn release_late(&mut self, shared: &mut Shared, now: Now) {
        let long_ago = now.monotonic.saturating_sub(LONGEST_HELD);
        if self.witness.oldest().is_some_and(|doubt| doubt.since <= long_ago) {
            self.witness.release_if(|doubt| doubt.since <= long_ago);
            self.tell(shared);
        }
    }
}

//! What the owner of a session fetches beside outcomes: things to do, and things to know.

use std::collections::VecDeque;

use super::event::{Action, SessionEvent};

/// The number of events that are kept for an owner that does not fetch them.
const MAX_EVENTS: usize = 1024;

/// The actions and events of a session that its owner has not fetched.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    actions: VecDeque<Action>,
    events: VecDeque<SessionEvent>,
}

impl Outbox {
    /// Adds something for the driver to do.
    pub(super) fn ask(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// Adds an event; the oldest one is lost where too many wait.
    pub(super) fn note(&mut self, event: SessionEvent) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Adds the event of a fault of ours.
    pub(super) fn note_fault(&mut self, text: &str) {
        self.note(SessionEvent::Internal { text: text.into() });
    }

    /// Takes the next thing for the driver to do.
    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Takes the next event.
    pub(super) fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_that_does_not_listen_loses_the_oldest_events() {
        let mut outbox = Outbox::default();
        for number in 0..=MAX_EVENTS {
            outbox.note_fault(&number.to_string());
        }
        let texts: Vec<_> = std::iter::from_fn(|| outbox.poll_event())
            .map(|event| match event {
                SessionEvent::Internal { text } => text.to_string(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts.len(), 1024);
        assert_eq!((texts[0].as_str(), texts[1023].as_str()), ("1", "1024"));
    }
}

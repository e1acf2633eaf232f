//! What a service cannot show of a notification.

use super::app::Platform;

/// A part of a notification that a service does not take as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Loss {
    /// The field of the notification, by its name in JSON.
    pub field: &'static str,
    /// The platform that loses the field; `None` when every device of the app does.
    pub platform: Option<Platform>,
    /// The kind of loss.
    pub kind: LossKind,
    /// The reason, in a few words for a person.
    pub reason: &'static str,
}

/// The kind of a [`Loss`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossKind {
    /// The field is not in the message.
    Dropped,
    /// The message says something similar.
    Changed,
    /// A text is cut to fit the service's limit.
    Shortened,
}

impl LossKind {
    /// The name in snake case: `dropped`, `changed` or `shortened`.
    pub const fn name(self) -> &'static str {
        match self {
            LossKind::Dropped => "dropped",
            LossKind::Changed => "changed",
            LossKind::Shortened => "shortened",
        }
    }
}

/// The losses of one message, as its writer finds them.
#[derive(Debug, Default)]
pub(super) struct Losses(Vec<Loss>);

impl Losses {
    pub(super) fn add(
        &mut self,
        kind: LossKind,
        platform: Option<Platform>,
        field: &'static str,
        reason: &'static str,
    ) {
        self.0.push(Loss {
            field,
            platform,
            kind,
            reason,
        });
    }

    /// Adds a field that is not in the message, if it is set.
    pub(super) fn dropped(&mut self, set: bool, field: &'static str, reason: &'static str) {
        if set {
            self.add(LossKind::Dropped, None, field, reason);
        }
    }

    /// Adds a field that is not in the part of the message for a platform, if it is set.
    pub(super) fn dropped_on(
        &mut self,
        platform: Platform,
        set: bool,
        field: &'static str,
        reason: &'static str,
    ) {
        if set {
            self.add(LossKind::Dropped, Some(platform), field, reason);
        }
    }

    pub(super) fn changed(&mut self, set: bool, field: &'static str, reason: &'static str) {
        if set {
            self.add(LossKind::Changed, None, field, reason);
        }
    }

    pub(super) fn into_vec(self) -> Vec<Loss> {
        self.0
    }
}

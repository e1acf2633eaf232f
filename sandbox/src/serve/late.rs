//! Answers that are held back, by when they are due.

use super::stream::Answer;
use crate::exchange::Reply;
use bytes::Bytes;
use h2::server::SendResponse;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The late answers of one connection. What is due at the same time leaves together.
#[derive(Default)]
pub(super) struct Late {
    /// By time, then by stream.
    answers: BTreeMap<(Instant, u32), (SendResponse<Bytes>, Reply)>,
}

impl Late {
    pub(super) fn push(&mut self, answer: Answer) {
        let at = Instant::now() + answer.delay;
        let stream = u32::from(answer.respond.stream_id());
        self.answers.insert((at, stream), (answer.respond, answer.reply));
    }

    /// Returns when an answer is due; never, while there is none.
    pub(super) async fn due(&self) {
        match self.answers.first_key_value() {
            Some(((at, _), _)) => tokio::time::sleep_until(*at).await,
            None => std::future::pending().await,
        }
    }

    /// All that are due by now.
    pub(super) fn take_due(&mut self) -> impl Iterator<Item = (SendResponse<Bytes>, Reply)> {
        let later = self.answers.split_off(&(Instant::now(), u32::MAX));
        std::mem::replace(&mut self.answers, later).into_values()
    }
}

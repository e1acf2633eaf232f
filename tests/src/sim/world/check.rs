//! The invariants, and what a failure says.

use std::time::Duration;

use super::World;

/// How long after its deadline a message may still have no end: the slack of invariant I5.
const SLACK: Duration = Duration::from_secs(10);
/// How many lines a failure tells of what happened before.
const TRACE: usize = 40;

impl World {
    /// The invariants, after every event. I2 and I3 are looked at where messages are handed over
    /// and where they end, in the book.
    pub(super) fn check(&mut self) {
        let stats = self.session.stats();
        let sums =
            stats.is_balanced() && stats.submitted == self.book.submitted && stats.ended() == self.book.done;
        if !sums {
            self.fail(&format!(
                "the sums are wrong (I1): {stats:?}, {} submitted, {} ended",
                self.book.submitted, self.book.done
            ));
        }
        // What goes back to the queue goes there on top of what was let in, and has been open before.
        if stats.queued + stats.open > self.config.max_queued as u64 + self.most_open {
            self.fail(&format!("{} wait, {} are open (I4)", stats.queued, stats.open));
        }
        self.most_open = self.most_open.max(stats.open);
        if self.log.has_violations() && !self.book.hostile {
            let violations = self.log.violations();
            self.fail(&format!("the client breaks HTTP/2 (I4): {violations:?}"));
        }
        if self.log.duplicates() > self.book.doubtful_resends && !self.book.opaque {
            let (copies, resends) = (self.log.duplicates(), self.book.doubtful_resends);
            self.fail(&format!("{copies} copies of {resends} sent again in doubt (I3)"));
        }
        let overtaken = self.book.take_overtaken();
        if let Some((later, earlier)) = overtaken.filter(|_| self.all_is_written()) {
            self.fail(&format!(
                "message {later} leaves while message {earlier} waits, which a GOAWAY disowned (I6)"
            ));
        }
        if let Some((due, number)) = self
            .book
            .most_overdue()
            .filter(|(due, _)| *due + SLACK < self.now.monotonic)
        {
            self.fail(&format!(
                "message {number} was due at {due:?} and has no end (I5)"
            ));
        }
    }

    /// Whether nothing waits for room in a socket: what is on a stream has left.
    fn all_is_written(&mut self) -> bool {
        let links = self.session.links().collect::<Vec<_>>();
        links
            .into_iter()
            .all(|link| self.session.transmit(link).is_empty())
    }

    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        let line = line();
        if self.trace.back().is_some_and(|(_, last, _)| *last == line) {
            if let Some((_, _, times)) = self.trace.back_mut() {
                *times += 1;
            }
            return;
        }
        if self.trace.len() == TRACE {
            self.trace.pop_front();
        }
        self.trace.push_back((self.now.monotonic, line, 1));
    }

    /// Ends the test, and says how to see it again.
    pub fn fail(&self, text: &str) -> ! {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("<test>");
        let lines = self
            .trace
            .iter()
            .map(|(at, line, times)| format!("{at:?} {line} ({times}x)"));
        let trace: Vec<String> = lines.collect();
        panic!(
            "{text}\n  at {:?}; {:?}\n  again: PUSHCORE_SEED={} cargo test -p pushcore-tests {test}\n  last events:\n    {}",
            self.now.monotonic,
            self.session.stats(),
            self.seed,
            trace.join("\n    ")
        )
    }
}

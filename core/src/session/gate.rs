//! Whether the service takes the key: when it does not, nothing more goes out to be refused.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::backoff::Backoff;
use super::config::SessionConfig;
use crate::error::{Error, ErrorKind};
use crate::http::Authority;
use crate::outcome::Outcome;

/// The number of messages on the way to a host while nobody knows whether the key is good there.
const FEW: usize = 4;

/// The longest time that messages wait for the first answer before the others follow: a round trip to the other side of
/// the earth and back, and a little. A host that takes longer says nothing of the key.
const FIRST_ANSWER: Duration = Duration::from_millis(400);

/// The number of refusals in a row, without an acceptance among them, that are about the key and not about a message.
const REFUSALS: u32 = 3;

/// The number of origins that are remembered. Where others name them (Web Push) they must not fill the memory.
const ORIGINS: usize = 16_384;

/// The number of requests that may be on the way to a host.
#[derive(Debug)]
pub(super) enum Allowance {
    /// Any number.
    Free,
    /// At most this many at a time.
    AtMost(usize),
    /// None: what waits ends for this reason.
    Refuse(Error),
}

/// What the last answers say of the key.
#[derive(Debug)]
enum State {
    /// No answer yet.
    Untried,
    /// No answer yet, and at this time the rest follows all the same.
    Tried { until: Duration },
    /// No answer yet, and the time for the first one is over.
    Late,
    /// The service takes the key.
    Open,
    /// The last answer refused the key or its connection.
    Doubted,
    /// The service refuses the key; at this time one message may try it again.
    Shut { until: Duration, cause: Error },
}

/// One key at one origin.
#[derive(Debug)]
struct Gate {
    state: State,
    /// Refusals in a row.
    refusals: u32,
    backoff: Backoff,
}

/// The gates of a session: one, or one for each origin.
#[derive(Debug)]
pub(super) struct Gates {
    by_origin: bool,
    /// By origin; `None` where one key is good or bad for the whole session.
    gates: HashMap<Option<Authority>, Gate>,
    /// The origins, the oldest first.
    origins: VecDeque<Option<Authority>>,
    /// The origins whose first answer is awaited, and until when: in that order, because all wait equally long.
    tried: VecDeque<(Duration, Option<Authority>)>,
    /// How many are not open.
    closed: usize,
    first: Duration,
    longest: Duration,
    seed: u64,
}

impl Gates {
    pub(super) fn new(by_origin: bool, config: &SessionConfig, seed: u64) -> Self {
        Self {
            by_origin,
            gates: HashMap::new(),
            origins: VecDeque::new(),
            tried: VecDeque::new(),
            closed: 0,
            first: config.first_backoff,
            longest: config.longest_backoff,
            seed,
        }
    }

    /// Whether the service takes the key wherever it was used.
    #[inline]
    pub(super) fn are_open(&self) -> bool {
        self.closed == 0
    }

    /// Whether each origin judges the key for itself.
    pub(super) fn are_by_origin(&self) -> bool {
        self.by_origin
    }

    /// Returns how many requests may be on the way to `authority`.
    pub(super) fn ask(&mut self, authority: &Authority, now: Duration) -> Allowance {
        if self.are_open() && !self.by_origin && !self.gates.is_empty() {
            return Allowance::Free;
        }
        let known = self.gates.get(&self.key(authority)).map(|gate| &gate.state);
        if let Some(State::Open | State::Late) = known {
            // By far the most frequent case, and the only one that has to be quick.
            return Allowance::Free;
        }
        let until = now.saturating_add(FIRST_ANSWER);
        let gate = self.gate(authority);
        match &mut gate.state {
            State::Open | State::Late => Allowance::Free,
            State::Untried => {
                gate.state = State::Tried { until };
                let key = self.key(authority);
                self.tried.push_back((until, key));
                Allowance::AtMost(FEW)
            }
            State::Tried { until } if now >= *until => Allowance::Free,
            State::Tried { .. } => Allowance::AtMost(FEW),
            State::Doubted => Allowance::AtMost(1),
            State::Shut { until, .. } if now >= *until => Allowance::AtMost(1),
            State::Shut { cause, .. } => Allowance::Refuse(cause.clone()),
        }
    }

    /// Takes note that the service takes the key. Returns whether that is news.
    pub(super) fn accepted(&mut self, authority: &Authority) -> bool {
        let gate = self.gate(authority);
        gate.refusals = 0;
        gate.backoff.reset();
        let news = !matches!(gate.state, State::Open);
        gate.state = State::Open;
        self.closed -= usize::from(news);
        if news {
            self.forget_answered();
        }
        news
    }

    /// Drops the origins from the front of the line whose first answer is not awaited any more, because [`Gates::next_at`] would
    /// look at all of them again and again in a campaign to thousands of new origins.
    fn forget_answered(&mut self) {
        while let Some((until, key)) = self.tried.front() {
            if self.is_tried(key, *until) {
                break;
            }
            self.tried.pop_front();
        }
    }

    /// Takes note of an answer that says nothing of the key, from a host that answers.
    pub(super) fn answered(&mut self, authority: &Authority) -> bool {
        let tried = matches!(
            self.gate(authority).state,
            State::Untried | State::Tried { .. } | State::Late
        );
        tried && self.accepted(authority)
    }

    /// Takes note that a connection was spoiled: the next one is tried with one message.
    pub(super) fn doubted(&mut self, authority: &Authority) {
        let gate = self.gate(authority);
        if !matches!(gate.state, State::Shut { .. }) {
            let was_open = matches!(gate.state, State::Open);
            gate.state = State::Doubted;
            self.closed += usize::from(was_open);
        }
    }

    /// Takes note that the service refused the key. Returns why, when what waits is to end for it.
    pub(super) fn refused(
        &mut self,
        authority: &Authority,
        outcome: &Outcome,
        now: Duration,
    ) -> Option<Error> {
        let gate = self.gate(authority);
        gate.refusals = gate.refusals.saturating_add(1);
        let due = match gate.state {
            // Of those that were under way when it was shut.
            State::Shut { until, .. } if now < until => return None,
            State::Shut { .. } => true,
            _ => gate.refusals >= REFUSALS,
        };
        let cause = refusal(outcome);
        let was_open = matches!(gate.state, State::Open);
        gate.state = match due {
            true => State::Shut {
                until: now.saturating_add(gate.backoff.next_wait()),
                cause: cause.clone(),
            },
            false => State::Doubted,
        };
        self.closed += usize::from(was_open);
        due.then_some(cause)
    }

    /// Whether the service refuses the key at present.
    pub(super) fn is_shut(&mut self, authority: &Authority) -> bool {
        matches!(self.gate(authority).state, State::Shut { .. })
    }

    /// The time at which [`Gates::wait_no_longer`] has to be called; `None` is never.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.tried
            .iter()
            .find(|(until, key)| self.is_tried(key, *until))
            .map(|(until, _)| *until)
    }

    fn is_tried(&self, key: &Option<Authority>, until: Duration) -> bool {
        let state = self.gates.get(key).map(|gate| &gate.state);
        matches!(state, Some(State::Tried { until: other }) if *other == until)
    }

    /// Where the first answer is late, the rest may follow. Returns whether there is one.
    pub(super) fn wait_no_longer(&mut self, now: Duration) -> bool {
        let mut late = false;
        while let Some((until, key)) = self.tried.front() {
            let (until, is_tried) = (*until, self.is_tried(key, *until));
            if is_tried && until > now {
                break;
            }
            let key = self.tried.pop_front().map(|(_, key)| key);
            if let Some(gate) = key.filter(|_| is_tried).and_then(|key| self.gates.get_mut(&key)) {
                gate.state = State::Late;
                late = true;
            }
        }
        late
    }

    fn key(&self, authority: &Authority) -> Option<Authority> {
        self.by_origin.then(|| authority.clone())
    }

    fn gate(&mut self, authority: &Authority) -> &mut Gate {
        let key = self.key(authority);
        if !self.gates.contains_key(&key) {
            if self.gates.len() >= ORIGINS {
                let oldest = self.origins.pop_front();
                let forgotten = oldest.and_then(|oldest| self.gates.remove(&oldest));
                let was_closed = forgotten.is_some_and(|gate| !matches!(gate.state, State::Open));
                self.closed -= usize::from(was_closed);
            }
            self.origins.push_back(key.clone());
            self.seed = self.seed.wrapping_add(1);
            self.closed += 1;
        }
        let (first, longest, seed) = (self.first, self.longest, self.seed);
        self.gates.entry(key).or_insert_with(|| Gate {
            state: State::Untried,
            refusals: 0,
            backoff: Backoff::new(first, longest, seed),
        })
    }
}

/// The error that says why nothing is sent with the key.
fn refusal(outcome: &Outcome) -> Error {
    let word = outcome
        .reason()
        .map_or_else(|| outcome.status().to_string(), ToString::to_string);
    let advice = outcome.advice();
    Error::new(
        ErrorKind::CredentialsRefused,
        format!("the service refuses the credentials ({word}): {advice}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Response;
    use crate::time::{Now, UnixTime};

    const SECOND: Duration = Duration::from_secs(1);

    fn host(name: &str) -> Authority {
        Authority::new(name, 443).unwrap()
    }

    fn gates(by_origin: bool) -> Gates {
        Gates::new(by_origin, &SessionConfig::default(), 1)
    }

    fn refused() -> Outcome {
        let response = Response::new(403, r#"{"reason":"InvalidProviderToken"}"#);
        crate::apns::outcome(&response, Now::new(SECOND, UnixTime::from_secs(1_800_000_000)))
    }

    #[test]
    fn a_new_key_is_tried_with_a_few_and_open_after_the_first_acceptance() {
        let (mut gates, a) = (gates(false), host("a.example"));
        assert!(matches!(gates.ask(&a, SECOND), Allowance::AtMost(FEW)));
        assert_eq!(gates.next_at(), Some(SECOND + FIRST_ANSWER));
        gates.wait_no_longer(2 * SECOND);
        let free = matches!(gates.ask(&a, 2 * SECOND), Allowance::Free);
        assert!(free && gates.next_at().is_none(), "nobody waits for long");
        assert!(gates.accepted(&a) && !gates.accepted(&a));
        assert!(gates.are_open() && gates.next_at().is_none());
        assert!(
            matches!(gates.ask(&host("b.example"), SECOND), Allowance::Free),
            "the same key"
        );
    }

    #[test]
    fn three_refusals_shut_it_and_one_message_tries_it_again_after_a_pause_that_doubles() {
        let (mut gates, a) = (gates(false), host("a.example"));
        gates.accepted(&a);
        assert!(gates.refused(&a, &refused(), SECOND).is_none());
        assert!(matches!(gates.ask(&a, SECOND), Allowance::AtMost(1)));
        assert!(gates.refused(&a, &refused(), SECOND).is_none());
        let cause = gates.refused(&a, &refused(), SECOND).expect("it is shut");
        assert_eq!(cause.kind(), ErrorKind::CredentialsRefused);
        assert!(cause.to_string().contains("InvalidProviderToken"), "{cause}");
        assert!(matches!(gates.ask(&a, SECOND), Allowance::Refuse(_)));
        assert!(
            gates.refused(&a, &refused(), SECOND).is_none(),
            "one that was under way"
        );
        let later = SECOND + SECOND * 5 / 4;
        assert!(matches!(gates.ask(&a, later), Allowance::AtMost(1)));
        assert!(gates.refused(&a, &refused(), later).is_some());
        assert!(matches!(
            gates.ask(&a, later + SECOND * 3 / 2),
            Allowance::Refuse(_)
        ));
        assert!(matches!(
            gates.ask(&a, later + SECOND * 5 / 2),
            Allowance::AtMost(1)
        ));
        assert!(gates.accepted(&a), "the key works again");
        assert!(matches!(gates.ask(&a, later), Allowance::Free));
    }

    #[test]
    fn a_refusal_among_acceptances_stops_nothing() {
        let (mut gates, a) = (gates(false), host("a.example"));
        for _ in 0..100 {
            gates.accepted(&a);
            assert!(gates.refused(&a, &refused(), SECOND).is_none());
            assert!(gates.refused(&a, &refused(), SECOND).is_none());
        }
    }

    #[test]
    fn each_origin_judges_a_vapid_key_for_itself() {
        let (mut gates, a, b) = (gates(true), host("a.example"), host("b.example"));
        gates.accepted(&b);
        for _ in 0..REFUSALS {
            let _ = gates.refused(&a, &refused(), SECOND);
        }
        assert!(matches!(gates.ask(&a, SECOND), Allowance::Refuse(_)));
        assert!(matches!(gates.ask(&b, SECOND), Allowance::Free));
        for number in 0..2 * ORIGINS {
            gates.accepted(&host(&format!("h{number}.example")));
        }
        assert!(gates.gates.len() <= ORIGINS);
    }

    #[test]
    fn a_spoiled_connection_is_no_refusal() {
        let (mut gates, a) = (gates(false), host("a.example"));
        for _ in 0..10 {
            gates.doubted(&a);
            assert!(matches!(gates.ask(&a, SECOND), Allowance::AtMost(1)));
        }
        assert!(!gates.answered(&a), "an answer that says nothing of the key");
        assert!(gates.accepted(&a));
    }
}

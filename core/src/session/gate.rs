//! Whether the service takes the key: when it does not, nothing more goes out to be refused.

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
const ORIGINS: usize = 1024;

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
    /// The origin; `None` where one key is good or bad for the whole session.
    origin: Option<Authority>,
    state: State,
    /// Refusals in a row.
    refusals: u32,
    backoff: Backoff,
}

/// The gates of a session: one, or one for each origin.
#[derive(Debug)]
pub(super) struct Gates {
    by_origin: bool,
    gates: Vec<Gate>,
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
            gates: Vec::new(),
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

    /// Returns how many requests may be on the way to `authority`.
    pub(super) fn ask(&mut self, authority: &Authority, now: Duration) -> Allowance {
        let gate = self.gate(authority);
        match &mut gate.state {
            State::Open | State::Late => Allowance::Free,
            State::Untried => {
                gate.state = State::Tried {
                    until: now.saturating_add(FIRST_ANSWER),
                };
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
        self.count();
        news
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
            gate.state = State::Doubted;
        }
        self.count();
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
        gate.state = match due {
            true => State::Shut {
                until: now.saturating_add(gate.backoff.next_wait()),
                cause: cause.clone(),
            },
            false => State::Doubted,
        };
        self.count();
        due.then_some(cause)
    }

    /// Whether the service refuses the key at present.
    pub(super) fn is_shut(&mut self, authority: &Authority) -> bool {
        matches!(self.gate(authority).state, State::Shut { .. })
    }

    /// The time at which [`Gates::wait_no_longer`] has to be called; `None` is never.
    pub(super) fn next_at(&self) -> Option<Duration> {
        if self.are_open() {
            return None;
        }
        let tried = self.gates.iter().filter_map(|gate| match gate.state {
            State::Tried { until } => Some(until),
            _ => None,
        });
        tried.min()
    }

    /// Where the first answer is late, the rest may follow.
    pub(super) fn wait_no_longer(&mut self, now: Duration) {
        if self.are_open() {
            return;
        }
        for gate in &mut self.gates {
            if matches!(gate.state, State::Tried { until } if until <= now) {
                gate.state = State::Late;
            }
        }
    }

    fn count(&mut self) {
        let open = |gate: &&Gate| matches!(gate.state, State::Open);
        self.closed = self.gates.len() - self.gates.iter().filter(open).count();
    }

    fn gate(&mut self, authority: &Authority) -> &mut Gate {
        let by_origin = self.by_origin;
        let same =
            |gate: &Gate| !by_origin || gate.origin.as_ref().is_some_and(|origin| origin.same(authority));
        let place = match self.gates.iter().position(same) {
            Some(place) => place,
            None => {
                if self.gates.len() >= ORIGINS {
                    self.gates.remove(0);
                }
                self.seed = self.seed.wrapping_add(1);
                self.gates.push(Gate {
                    origin: by_origin.then(|| authority.clone()),
                    state: State::Untried,
                    refusals: 0,
                    backoff: Backoff::new(self.first, self.longest, self.seed),
                });
                self.count();
                self.gates.len() - 1
            }
        };
        &mut self.gates[place]
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

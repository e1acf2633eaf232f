//! Tells a dead token from a wrong configuration, by the other answers of a session.

mod circumstances;
mod watch;

use std::collections::{HashMap, VecDeque};

pub use circumstances::Circumstances;
use watch::{Change, Watch};

use super::{Outcome, Suspect, Suspects, TokenGone, TokenMismatch};

/// The number of circumstances in each of the two generations that are remembered. A campaign has one, a
/// session with personal messages one for each message; then the oldest are forgotten.
const CASES: usize = 512;

/// The number of suspicions that nobody has fetched and that are kept.
const SUSPICIONS: usize = 64;

/// The answer of a witness to one outcome.
#[derive(Debug, PartialEq)]
#[must_use]
#[allow(
    clippy::exhaustive_enums,
    reason = "a caller who forgets a case loses an outcome"
)]
pub enum Observed<T> {
    /// The outcome is final: as it was, or turned into [`Outcome::TokenGone`].
    Now(T, Outcome),
    /// The outcome is held back: [`Witness::poll_settled`] returns it with the ticket later, at the latest after
    /// [`Witness::release`].
    Held,
}

/// The answers to many messages in a row blame the tokens: most likely the configuration is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suspicion {
    /// Everything that could be at fault.
    pub suspects: Suspects,
    /// The number of answers so far that could be explained by these suspects.
    pub answers: u64,
}

/// The reaction of a bulk send when a [`Suspicion`] arises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnSuspicion {
    /// Sends on; the tokens are kept.
    #[default]
    GoOn,
    /// Takes no further message; what is under way ends.
    Stop,
}

impl OnSuspicion {
    /// The choice's name in snake case: `go_on` or `stop`.
    pub const fn name(self) -> &'static str {
        match self {
            OnSuspicion::GoOn => "go_on",
            OnSuspicion::Stop => "stop",
        }
    }

    /// The choice of this name; `None` where there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        [OnSuspicion::GoOn, OnSuspicion::Stop]
            .into_iter()
            .find(|choice| choice.name() == name)
    }
}

/// Turns an [`Outcome::TokenMismatch`] into [`Outcome::TokenGone`] where nothing but the token is left to blame.
///
/// A mismatch turns only if the same message was accepted for another token under the same [`Circumstances`],
/// and only while few of the answers doubt: at most a quarter of the last 32 under the same circumstances. A [`Suspicion`] arises when 16 of the last 32 doubt, and ends when
/// no more than eight do; meanwhile nothing turns. `DeviceTokenNotForTopic` never turns, because the token may be
/// another app's, and alive.
///
/// Keep one witness for each session (and so for each environment), and feed it every outcome. With
/// [`Witness::holding`], a mismatch waits for the answers after it; without, the answers before it decide.
///
/// `T` is whatever names a message to the caller.
///
/// ```
/// use pushcore::apns;
/// use pushcore::http::Response;
/// use pushcore::outcome::{Circumstances, Observed, Outcome, Suspect, Witness};
/// use pushcore::time::{Now, UnixTime};
///
/// let now = Now::new(std::time::Duration::ZERO, UnixTime::from_secs(1_800_000_000));
/// let bad = apns::outcome(&Response::new(400, r#"{"reason":"BadDeviceToken"}"#), now);
/// let good = apns::outcome(&Response::new(200, ""), now);
/// let at = Circumstances::new().with(Suspect::Topic, b"com.example.app").with(Suspect::Payload, b"{}");
///
/// let mut witness = Witness::holding(1000);
/// assert_eq!(witness.observe(1, bad, at, b"ab"), Observed::Held);
/// let Observed::Now(2, Outcome::Accepted(_)) = witness.observe(2, good, at, b"cd") else { unreachable!() };
/// let Some((1, Outcome::TokenGone(gone))) = witness.poll_settled() else { unreachable!() };
/// assert_eq!(gone.evidence.status, 400);
/// ```
#[derive(Debug)]
pub struct Witness<T> {
    /// How many outcomes may be held at a time.
    hold: usize,
    on_suspicion: OnSuspicion,
    held: VecDeque<Held<T>>,
    settled: VecDeque<(T, Outcome)>,
    /// By what could explain an answer, the token left out.
    young: HashMap<u64, Case>,
    old: HashMap<u64, Case>,
    /// The circumstances that were accepted last and have nothing in doubt: the next of a campaign are the same.
    quiet: Option<u64>,
    /// The whole session's answers, by suspect.
    watches: [Watch; Suspect::ALL.len()],
    /// One of them has seen a doubt lately.
    uneasy: bool,
    doubts: [u64; Suspect::ALL.len()],
    suspected: Suspects,
    suspicions: VecDeque<Suspicion>,
    stopped: bool,
}

/// A mismatch that waits.
#[derive(Debug)]
struct Held<T> {
    ticket: T,
    key: u64,
    token: u64,
    mismatch: TokenMismatch,
}

/// The answers so far under one set of circumstances.
#[derive(Clone, Debug, Default)]
struct Case {
    /// The first two tokens for which a message was accepted: one of them is another one than any token.
    takers: [Option<u64>; 2],
    watch: Watch,
    /// Everything that could explain a doubt here.
    suspects: Suspects,
    held: usize,
    /// All answers that were counted here, and the doubts among them. Acceptances while nothing is in doubt are not.
    answers: u64,
    doubts: u64,
}

impl Case {
    fn accepted(&mut self, token: u64) -> Change {
        let free = self.takers.iter().position(|taker| taker.is_none());
        if let Some(free) = free.filter(|_| !self.takers.contains(&Some(token))) {
            self.takers[free] = Some(token);
        }
        self.answers += 1;
        self.watch.record(false)
    }

    fn doubted(&mut self) -> Change {
        self.answers += 1;
        self.doubts += 1;
        self.watch.record(true)
    }

    /// Few doubts among all answers, however they stand in a row: servers answer refusals in an order of their own.
    fn has_few_doubts(&self) -> bool {
        !self.watch.is_suspected() && self.doubts * 4 <= self.answers
    }

    fn has_witness(&self, token: u64) -> bool {
        self.takers.iter().flatten().any(|taker| *taker != token)
    }

    fn is_quiet(&self) -> bool {
        self.held == 0 && self.watch.is_quiet() && self.watch.is_full() && self.takers[1].is_some()
    }
}

impl<T> Default for Witness<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Witness<T> {
    /// A witness that decides at once.
    pub fn new() -> Self {
        Self::holding(0)
    }

    /// A witness that holds at most `most` mismatches back until they are certain; above that number it decides at
    /// once.
    pub fn holding(most: usize) -> Self {
        Self {
            hold: most,
            on_suspicion: OnSuspicion::default(),
            held: VecDeque::new(),
            settled: VecDeque::new(),
            young: HashMap::new(),
            old: HashMap::new(),
            quiet: None,
            watches: Default::default(),
            uneasy: false,
            doubts: Default::default(),
            suspected: Suspects::NONE,
            suspicions: VecDeque::new(),
            stopped: false,
        }
    }

    /// Returns the witness with this choice for [`Witness::is_stopped`].
    #[must_use]
    pub fn with_on_suspicion(mut self, choice: OnSuspicion) -> Self {
        self.on_suspicion = choice;
        self
    }

    /// Takes an outcome, and says whether it is final and what it is.
    ///
    /// `at` is what could explain it beside the token, subscription or registration id that the message went to. Outcomes
    /// other than `Accepted` and `TokenMismatch` pass as they are and say nothing.
    #[inline]
    pub fn observe(&mut self, ticket: T, outcome: Outcome, at: Circumstances, token: &[u8]) -> Observed<T> {
        match outcome {
            Outcome::Accepted(_) => {
                self.accept(at, || token);
                Observed::Now(ticket, outcome)
            }
            Outcome::TokenMismatch(mismatch) => {
                self.doubted(ticket, mismatch, at, circumstances::token(token), self.hold)
            }
            outcome => Observed::Now(ticket, outcome),
        }
    }

    /// Takes an outcome as [`Witness::observe`] does, and decides at once, by the answers before it: nothing is held.
    pub fn observe_at_once(
        &mut self,
        ticket: T,
        outcome: Outcome,
        at: Circumstances,
        token: &[u8],
    ) -> Observed<T> {
        match outcome {
            Outcome::TokenMismatch(mismatch) => {
                self.doubted(ticket, mismatch, at, circumstances::token(token), 0)
            }
            outcome => self.observe(ticket, outcome, at, token),
        }
    }

    /// Takes note that a message was accepted. `token` is asked only where the acceptance has to be counted.
    #[inline]
    pub(crate) fn accept<'a>(&mut self, at: Circumstances, token: impl FnOnce() -> &'a [u8]) {
        // One more of a campaign in which all is well: nothing has to be counted.
        if self.uneasy || self.quiet != Some(at.key) {
            self.accepted(at, circumstances::token(token()));
        }
    }

    /// Counts an outcome of unknown circumstances: it can begin or end a suspicion, and turns nothing.
    pub fn note(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted(_) if self.uneasy => self.watch_acceptance(),
            Outcome::TokenMismatch(mismatch) => {
                let arisen = self.watch_doubt(mismatch.suspects);
                self.arises(arisen);
            }
            _ => {}
        }
    }

    /// Returns the next outcome that was held and is final now, with its ticket; `None` when there is none.
    pub fn poll_settled(&mut self) -> Option<(T, Outcome)> {
        self.settled.pop_front()
    }

    /// Makes all that is held final, because no more answers come: [`Witness::poll_settled`] returns them. What has no
    /// witness stays a `TokenMismatch`.
    pub fn release(&mut self) {
        self.release_if(|_| true);
    }

    /// Does the same for the messages whose ticket is chosen, for example those that have waited for long.
    pub fn release_if(&mut self, mut chosen: impl FnMut(&T) -> bool) {
        self.sort_out(|witness, held| {
            chosen(&held.ticket).then(|| {
                let case = witness.known(held.key);
                let few = |case: &Case| case.watch.is_calm() || case.has_few_doubts();
                let certain = case.is_some_and(|case| case.has_witness(held.token) && few(case));
                certain && !witness.is_watched(held.mismatch.suspects)
            })
        });
    }

    /// Returns the next suspicion that has arisen; `None` when there is none. Each arises once until it ends.
    pub fn poll_suspicion(&mut self) -> Option<Suspicion> {
        self.suspicions.pop_front()
    }

    /// Whether many answers in a row doubt at present.
    pub fn is_suspected(&self) -> bool {
        !self.suspected.is_empty()
    }

    /// Everything that is suspected at present.
    pub fn suspects(&self) -> Suspects {
        self.suspected
    }

    /// Whether a bulk send is to take no further message: a suspicion has arisen, and the choice was
    /// [`OnSuspicion::Stop`].
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The ticket of the outcome that has been held for longest; `None` where none is held.
    pub fn oldest(&self) -> Option<&T> {
        self.held.front().map(|held| &held.ticket)
    }

    /// The tickets of the outcomes that are held, in the order of their answers.
    pub fn tickets(&self) -> impl Iterator<Item = &T> {
        self.held.iter().map(|held| &held.ticket)
    }

    /// Whether [`Witness::poll_settled`] or [`Witness::poll_suspicion`] has something to return.
    #[inline]
    pub fn has_news(&self) -> bool {
        !self.settled.is_empty() || !self.suspicions.is_empty()
    }

    /// The number of outcomes that are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn watch_acceptance(&mut self) {
        self.uneasy = false;
        for suspect in Suspect::ALL {
            let watch = &mut self.watches[suspect as usize];
            if watch.record(false) == Change::Ends {
                self.suspected = self.suspected.without(suspect.into());
            }
            self.uneasy |= !watch.is_quiet();
        }
    }

    /// Returns of whom many of the session's answers speak from now on.
    fn watch_doubt(&mut self, suspects: Suspects) -> Suspects {
        let mut arisen = Suspects::NONE;
        self.uneasy |= !suspects.is_empty();
        for suspect in suspects.iter() {
            self.doubts[suspect as usize] += 1;
            if self.watches[suspect as usize].record(true) == Change::Begins {
                arisen = arisen.with(suspect);
            }
        }
        arisen
    }

    fn accepted(&mut self, at: Circumstances, token: u64) {
        if self.uneasy {
            self.watch_acceptance();
        }
        if self.quiet == Some(at.key) {
            return;
        }
        let watched = self.watched();
        let case = self.case(at.key);
        let mut ended = Suspects::NONE;
        if case.accepted(token) == Change::Ends {
            ended = case.suspects.without(watched);
        }
        let settles = case.held > 0 && case.watch.is_calm();
        self.quiet = case.is_quiet().then_some(at.key);
        self.suspected = self.suspected.without(ended);
        if settles {
            self.settle(at.key);
        }
    }

    /// `hold` is how many may be held.
    fn doubted(
        &mut self,
        ticket: T,
        mismatch: TokenMismatch,
        at: Circumstances,
        token: u64,
        hold: usize,
    ) -> Observed<T> {
        let suspects = mismatch.suspects;
        self.quiet = None;
        let mut arisen = self.watch_doubt(suspects);
        let case = self.case(at.key);
        case.suspects = case.suspects.union(suspects);
        if case.doubted() == Change::Begins {
            arisen = arisen.union(suspects);
        }
        let case_suspected = case.watch.is_suspected();
        let certain = case.has_witness(token) && case.watch.is_calm() && case.watch.is_single();
        self.arises(arisen);
        if case_suspected || self.is_watched(suspects) {
            self.give_up(at.key);
            return Observed::Now(ticket, Outcome::TokenMismatch(mismatch));
        }
        let held = Held {
            ticket,
            key: at.key,
            token,
            mismatch,
        };
        let can_turn = at.can_turn(suspects);
        if can_turn && self.held.len() < hold {
            self.case(at.key).held += 1;
            self.held.push_back(held);
            return Observed::Held;
        }
        let (ticket, outcome) = held.end(can_turn && certain);
        Observed::Now(ticket, outcome)
    }

    /// Notes a suspicion, unless the same is there already.
    fn arises(&mut self, suspects: Suspects) {
        let new = suspects.without(self.suspected);
        self.suspected = self.suspected.union(suspects);
        if new.is_empty() {
            return;
        }
        self.stopped |= self.on_suspicion == OnSuspicion::Stop;
        if self.suspicions.len() == SUSPICIONS {
            self.suspicions.pop_front();
        }
        let answers = new.iter().map(|suspect| self.doubts[suspect as usize]).max();
        self.suspicions.push_back(Suspicion {
            suspects: new,
            answers: answers.unwrap_or_default(),
        });
    }

    /// The suspects of whom many of the whole session's answers speak.
    fn watched(&self) -> Suspects {
        Suspect::ALL
            .into_iter()
            .filter(|suspect| self.watches[*suspect as usize].is_suspected())
            .collect()
    }

    fn is_watched(&self, suspects: Suspects) -> bool {
        suspects
            .iter()
            .any(|suspect| self.watches[suspect as usize].is_suspected())
    }

    /// A message was accepted where some are in doubt: those that have a witness are certain.
    fn settle(&mut self, key: u64) {
        self.sort_out(|witness, held| {
            let certain = held.key == key
                && witness
                    .known(key)
                    .is_some_and(|case| case.has_witness(held.token))
                && !witness.is_watched(held.mismatch.suspects);
            certain.then_some(true)
        });
    }

    /// Many are in doubt: those held under the same circumstances, or for what is suspected, stay what they are.
    fn give_up(&mut self, key: u64) {
        self.sort_out(|witness, held| {
            (held.key == key || witness.is_watched(held.mismatch.suspects)).then_some(false)
        });
    }

    /// Ends those of the held for which `decide` says whether they turn, and keeps the others, in their order.
    fn sort_out(&mut self, mut decide: impl FnMut(&Self, &Held<T>) -> Option<bool>) {
        for _ in 0..self.held.len() {
            let Some(held) = self.held.pop_front() else { break };
            let Some(turns) = decide(self, &held) else {
                self.held.push_back(held);
                continue;
            };
            let case = self.case(held.key);
            case.held = case.held.saturating_sub(1);
            self.settled.push_back(held.end(turns));
        }
    }

    fn known(&self, key: u64) -> Option<&Case> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// The case of these circumstances, which is among the young ones from then on.
    fn case(&mut self, key: u64) -> &mut Case {
        if !self.young.contains_key(&key) {
            if self.young.len() >= CASES {
                self.forget();
            }
            let case = self.old.remove(&key).unwrap_or_default();
            self.young.insert(key, case);
        }
        self.young.entry(key).or_default()
    }
}

impl<T> Witness<T> {
    /// Forgets the old cases, and makes old ones of the young.
    fn forget(&mut self) {
        let watched = self.watched();
        let young = std::mem::take(&mut self.young);
        for (key, case) in std::mem::replace(&mut self.old, young) {
            if case.held > 0 {
                // Something waits for it.
                self.young.insert(key, case);
            } else if case.watch.is_suspected() {
                self.suspected = self.suspected.without(case.suspects.without(watched));
            }
        }
    }
}

impl<T> Held<T> {
    /// The end of the wait.
    fn end(self, turns: bool) -> (T, Outcome) {
        let outcome = match turns {
            true => Outcome::TokenGone(TokenGone {
                evidence: self.mismatch.evidence,
                ..TokenGone::default()
            }),
            false => Outcome::TokenMismatch(self.mismatch),
        };
        (self.ticket, outcome)
    }
}

#[cfg(test)]
mod tests;

//! When a message is sent again: a policy as a value, and the state of one message under the policy.

use std::time::Duration;

use super::feedback::{Feedback, of_error};
use super::form::{AttemptsForm, RetriesForm};
use crate::apns::ApnsId;
use crate::error::{Error, ErrorKind};
use crate::json::form::Form;
use crate::json::{Node, Object, Path};
use crate::outcome::{Outcome, Scope};
use crate::service::Message;
use crate::time::UnixTime;

/// Attempts of the standard policy, the first one included: with its waits they cover a restart of a service.
const ATTEMPTS: u32 = 5;
/// The standard policy's limit from the first attempt to the last: pauses of seconds and minutes fit. Apple's 15 minutes after an
/// error of its servers do not, because a process that sends a list should end; a daily quota does not either.
const TOTAL: Duration = Duration::from_secs(600);
/// The standard policy's first wait where the service names none; it doubles with every attempt.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The standard policy's longest wait where the service names none.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The most attempts that a policy may ask for.
const MOST_ATTEMPTS: u32 = 1000;
/// The longest time that a policy may ask for, in seconds: four weeks, the longest that a service keeps a message.
const LONGEST_TOTAL: u64 = 4 * 7 * 24 * 3600;

/// A policy of sending again, as a value: how often, for how long, after which waits.
///
/// A wait that the service names is always heeded, with the scope that it names. A message that the service
/// may have taken (the error `Unknown`, or a success without the service's id) is never sent again, unless
/// [`RetriesBuilder::resend_unknown`] asks for that.
///
/// ```
/// use pushcore::notification::{Attempts, Retries, Retry, Stop};
/// use pushcore::{Error, ErrorKind, UnixTime};
///
/// let now = UnixTime::from_secs(1_764_422_709);
/// let policy = Retries::standard();
/// let mut attempts = Attempts::begin(now);
/// let not_sent = Err(Error::new(ErrorKind::NotSent, "no connection"));
/// let Retry::Again { at, .. } = policy.next(&mut attempts, &not_sent, now) else { unreachable!() };
/// assert!(at > now);
///
/// let unknown = Err(Error::new(ErrorKind::Unknown, "no answer"));
/// assert_eq!(policy.next(&mut attempts, &unknown, at), Retry::Stop(Stop::InDoubt));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retries {
    attempts: u32,
    total: Duration,
    first_wait: Duration,
    longest_wait: Duration,
    resend_unknown: bool,
}

/// Makes a policy that differs from [`Retries::standard`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct RetriesBuilder {
    policy: Retries,
}

/// The state of one message under a policy: how often and since when. Goes to JSON and back, so that a caller can
/// carry it over a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    made: u32,
    began: UnixTime,
    next: Option<(UnixTime, Scope)>,
    in_flight: bool,
    id: Option<ApnsId>,
    seed: u32,
}

/// The decision about a message after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// The message is to be sent again, as the same value and with the same id.
    Again {
        /// The earliest time of the next attempt.
        at: UnixTime,
        /// The wait from now to that time.
        after: Duration,
        /// The messages that have to wait as long: this one, or all of its device, topic or project.
        scope: Scope,
    },
    /// The message is not sent again.
    Stop(Stop),
}

/// The reason why a message is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The service took the message.
    Accepted,
    /// Another attempt would end like this one: the answer is final, or the caller's input, settings or deadline are the reason.
    Final,
    /// The service may have taken the message, and the policy does not risk a second one.
    InDoubt,
    /// No attempt is left.
    Attempts,
    /// The next attempt would come after the end of the policy's time.
    Time,
}

impl Stop {
    /// The name in snake case: `accepted`, `final`, `in_doubt`, `attempts` or `time`.
    pub const fn name(self) -> &'static str {
        match self {
            Stop::Accepted => "accepted",
            Stop::Final => "final",
            Stop::InDoubt => "in_doubt",
            Stop::Attempts => "attempts",
            Stop::Time => "time",
        }
    }
}

impl Retries {
    /// Returns the policy of one attempt.
    pub const fn none() -> Self {
        Self {
            attempts: 1,
            ..Self::standard()
        }
    }

    /// Returns the policy of five attempts within ten minutes, with waits of 1, 2, 4 and 8 seconds where the
    /// service names none. A wait of a quarter of an hour, which Apple asks for after an error of its servers, is not begun:
    /// [`RetriesBuilder::total`] allows for it.
    pub const fn standard() -> Self {
        Self {
            attempts: ATTEMPTS,
            total: TOTAL,
            first_wait: FIRST_WAIT,
            longest_wait: LONGEST_WAIT,
            resend_unknown: false,
        }
    }

    /// Begins a policy that differs from [`Retries::standard`].
    pub const fn custom() -> RetriesBuilder {
        RetriesBuilder {
            policy: Self::standard(),
        }
    }

    /// Reads a policy in the form of `docs/notification.md`.
    ///
    /// # Errors
    /// `InvalidPayload` for JSON that is not of this form, `InvalidValue` as [`RetriesBuilder::build`].
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let at = Path::root("retries");
        let RetriesForm {
            attempts,
            total_ms,
            first_wait_ms,
            longest_wait_ms,
            resend_unknown,
        } = RetriesForm::read(Node::document(json, "retries")?, &at)?;
        let standard = Self::standard();
        let millis = |given: Option<u64>, otherwise| given.map_or(otherwise, Duration::from_millis);
        let policy = Self {
            attempts: attempts.unwrap_or(standard.attempts),
            total: millis(total_ms, standard.total),
            first_wait: millis(first_wait_ms, standard.first_wait),
            longest_wait: millis(longest_wait_ms, standard.longest_wait),
            resend_unknown: resend_unknown.unwrap_or(standard.resend_unknown),
        };
        let builder = RetriesBuilder { policy };
        builder.build().map_err(|error| at.wrap(&error))
    }

    /// The policy in the form that [`Retries::from_json`] reads.
    pub fn to_json(&self) -> String {
        let mut object = Object::new();
        object.insert("attempts", self.attempts);
        object.insert("total_ms", millis(self.total));
        object.insert("first_wait_ms", millis(self.first_wait));
        object.insert("longest_wait_ms", millis(self.longest_wait));
        object.insert("resend_unknown", self.resend_unknown);
        written(&object)
    }

    /// The most attempts, the first one included.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The longest time from the first attempt to the last.
    pub const fn total(&self) -> Duration {
        self.total
    }

    /// Whether a message that the service may have taken is sent again.
    pub const fn resends_unknown(&self) -> bool {
        self.resend_unknown
    }

    /// Decides about a message whose attempt ended with `result` at `now`, and counts the attempt.
    pub fn next(&self, attempts: &mut Attempts, result: &Result<Outcome, Error>, now: UnixTime) -> Retry {
        attempts.made = attempts.made.saturating_add(1);
        attempts.in_flight = false;
        attempts.next = None;
        let (after, scope) = match verdict(result) {
            Verdict::Stop(stop) => return Retry::Stop(stop),
            Verdict::InDoubt(_) if !self.resend_unknown => return Retry::Stop(Stop::InDoubt),
            Verdict::Again(wait) | Verdict::InDoubt(wait) => wait,
        };
        if attempts.made >= self.attempts {
            return Retry::Stop(Stop::Attempts);
        }
        let own = self.back_off(attempts);
        let wait = match after {
            // Jitter on top, because everyone else was told the same time.
            Some(after) => after.saturating_add(own.min(after / 10)),
            // Nothing is wrong but the connection, and the sender has others.
            None if scope == Scope::Connection && attempts.made == 1 => Duration::ZERO,
            None => own,
        };
        let at = now.saturating_add(wait);
        if at.saturating_since(attempts.began) > self.total {
            return Retry::Stop(Stop::Time);
        }
        attempts.next = Some((at, scope));
        Retry::Again {
            at,
            after: wait,
            scope,
        }
    }

    /// The policy's own wait after the attempts made so far: from half of it to the whole, by the message's seed.
    fn back_off(&self, attempts: &Attempts) -> Duration {
        let doublings = attempts.made.saturating_sub(1).min(31);
        let whole = self
            .first_wait
            .saturating_mul(1 << doublings)
            .min(self.longest_wait);
        let part = mixed(attempts.seed, attempts.made) >> 32;
        // 0 to just below a half, in parts of 2^32.
        let half = whole / 2;
        let jitter = half.as_nanos().saturating_mul(u128::from(part)) >> 32;
        (whole - half).saturating_add(Duration::from_nanos(u64::try_from(jitter).unwrap_or(u64::MAX)))
    }
}

/// [`Retries::standard`].
impl Default for Retries {
    fn default() -> Self {
        Self::standard()
    }
}

impl RetriesBuilder {
    /// Sets the most attempts, the first one included: 1 to 1000.
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.policy.attempts = attempts;
        self
    }

    /// Sets the longest time from the first attempt to the last: up to four weeks.
    pub const fn total(mut self, total: Duration) -> Self {
        self.policy.total = total;
        self
    }

    /// Sets the first wait where the service names none; it doubles with every attempt. The real wait is between half
    /// of it and the whole, so that messages that failed together do not come back together.
    pub const fn first_wait(mut self, wait: Duration) -> Self {
        self.policy.first_wait = wait;
        self
    }

    /// Sets the longest wait where the service names none.
    pub const fn longest_wait(mut self, wait: Duration) -> Self {
        self.policy.longest_wait = wait;
        self
    }

    /// Asks to send again what the service may have taken: some devices will show such a message twice.
    pub const fn resend_unknown(mut self, resend: bool) -> Self {
        self.policy.resend_unknown = resend;
        self
    }

    /// Makes the policy.
    ///
    /// # Errors
    /// `InvalidValue` for a number outside its range, and for a first wait above the longest.
    pub fn build(self) -> Result<Retries, Error> {
        let policy = self.policy;
        let refuse = |what: &'static str| Err(Error::new(ErrorKind::InvalidValue, what));
        if !(1..=MOST_ATTEMPTS).contains(&policy.attempts) {
            return refuse("attempts is not from 1 to 1000");
        }
        if policy.total > Duration::from_secs(LONGEST_TOTAL) {
            return refuse("total is longer than four weeks");
        }
        if policy.first_wait > policy.longest_wait {
            return refuse("first_wait is longer than longest_wait");
        }
        if policy.longest_wait > Duration::from_secs(LONGEST_TOTAL) {
            return refuse("longest_wait is longer than four weeks");
        }
        Ok(policy)
    }
}

impl Attempts {
    /// Returns the state of a message that is about to be sent for the first time.
    pub fn begin(now: UnixTime) -> Self {
        Self {
            made: 0,
            began: now,
            next: None,
            in_flight: false,
            id: None,
            seed: now.as_millis() as u32,
        }
    }

    /// Returns the state with an id that every attempt has in common; see [`Attempts::stable`].
    #[must_use]
    pub fn with_id(mut self, id: ApnsId) -> Self {
        self.id = Some(id);
        self
    }

    /// Returns the state with a seed of its own, so that messages which fail together wait differently long: a
    /// counter is enough.
    #[must_use]
    pub fn with_seed(mut self, seed: u32) -> Self {
        self.seed = seed;
        self
    }

    /// Notes that an attempt is under way. A state that is read back with that note has an attempt whose end nobody
    /// saw: give [`Retries::next`] the error [`Attempts::lost`] for it.
    pub fn start(&mut self) {
        self.in_flight = true;
    }

    /// The error of the attempt that was under way when the process ended; `None` when none was.
    pub fn lost(&self) -> Option<Error> {
        self.in_flight
            .then(|| Error::new(ErrorKind::Unknown, "the process ended before the answer came"))
    }

    /// Returns the message with the id that all attempts have in common. Only APNs takes an id from the sender; the
    /// messages of other services are returned as they are.
    #[must_use]
    pub fn stable(&self, message: Message) -> Message {
        match (self.id, message) {
            (Some(id), Message::Apns(message)) => message.with_id(id).into(),
            (_, message) => message,
        }
    }

    /// The number of attempts that have ended.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// The time when the state was begun.
    pub fn began(&self) -> UnixTime {
        self.began
    }

    /// The earliest time of the next attempt and the scope that waits until then; `None` before the first attempt and
    /// after the last.
    pub fn next(&self) -> Option<(UnixTime, Scope)> {
        self.next
    }

    /// The id that all attempts have in common; `None` when there is none.
    pub fn id(&self) -> Option<ApnsId> {
        self.id
    }

    /// Reads a state in the form of `docs/notification.md`.
    ///
    /// # Errors
    /// `InvalidPayload` for JSON that is not of this form, `MissingField`, `InvalidValue`.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let at = &Path::root("attempts");
        let AttemptsForm {
            made,
            began_at_ms,
            next_at_ms,
            scope,
            in_flight,
            id,
            seed,
        } = AttemptsForm::read(Node::document(json, "attempts")?, at)?;
        let began = began_at_ms.ok_or_else(|| at.missing("began_at_ms"))?;
        let next = match (next_at_ms, scope) {
            (Some(time), scope) => Some((UnixTime::from_millis(time), scope.unwrap_or_default())),
            (None, None) => None,
            (None, Some(_)) => return Err(at.missing("next_at_ms")),
        };
        Ok(Self {
            made: made.unwrap_or_default(),
            began: UnixTime::from_millis(began),
            next,
            in_flight: in_flight.unwrap_or_default(),
            id,
            seed: seed.unwrap_or_default(),
        })
    }

    /// The state in the form that [`Attempts::from_json`] reads.
    pub fn to_json(&self) -> String {
        let mut object = Object::new();
        object.insert("made", self.made);
        object.insert("began_at_ms", self.began.as_millis());
        if let Some((time, scope)) = self.next {
            object.insert("next_at_ms", time.as_millis());
            object.insert("scope", scope.name());
        }
        if self.in_flight {
            object.insert("in_flight", true);
        }
        if let Some(id) = &self.id {
            object.insert("id", id.as_str());
        }
        object.insert("seed", self.seed);
        written(&object)
    }
}

/// The meaning of a result for the message, whatever the policy.
enum Verdict {
    Stop(Stop),
    /// The message was certainly not taken: the wait that the service names, and who waits.
    Again((Option<Duration>, Scope)),
    /// The message may have been taken.
    InDoubt((Option<Duration>, Scope)),
}

fn verdict(result: &Result<Outcome, Error>) -> Verdict {
    match result {
        Ok(Outcome::Accepted(_)) => Verdict::Stop(Stop::Accepted),
        // A success without the service's id (decision 16): the service may have the message.
        Ok(Outcome::RetryLater(arm)) if (200..300).contains(&arm.evidence.status) => {
            Verdict::InDoubt((arm.after, arm.scope))
        }
        Ok(Outcome::RetryLater(arm)) => Verdict::Again((arm.after, arm.scope)),
        // A session has sent it again already where a new authorization could help.
        Ok(
            Outcome::TokenGone(_)
            | Outcome::TokenMismatch(_)
            | Outcome::FixCredentials(_)
            | Outcome::Rejected(_),
        ) => Verdict::Stop(Stop::Final),
        Err(error) => of_failure(error),
    }
}

fn of_failure(error: &Error) -> Verdict {
    use ErrorKind as K;
    let scope = match of_error(error) {
        Feedback::Wait { scope, .. } => scope,
        // A setting is wrong, and the next attempt would find the same setting.
        Feedback::CheckConfiguration(_) if error.kind() != K::Unknown => return Verdict::Stop(Stop::Final),
        _ => Scope::Message,
    };
    // Exhaustive on purpose: a kind that is added and not handled here does not compile.
    match error.kind() {
        K::NotSent
        | K::Paused
        | K::TokenNeeded
        | K::QueueFull
        | K::ConnectRefused
        | K::OutOfDescriptors
        | K::ConnectTimeout
        | K::NameNotResolved => Verdict::Again((None, scope)),
        // On their own, without `NotSent` above them, these do not say whether something was written.
        K::Unknown
        | K::ConnectionLost
        | K::Http2Protocol
        | K::Http1Protocol
        | K::LimitExceeded
        | K::GoAway
        | K::StreamReset
        | K::PeerSilent => Verdict::InDoubt((None, scope)),
        K::InvalidKey
        | K::WrongKeyType
        | K::WrongCurve
        | K::EncryptedKey
        | K::KeyMismatch
        | K::InvalidCredential
        | K::WrongPassword
        | K::TokenEndpointNotAllowed
        | K::TokenRefused
        | K::TokenAnswerInvalid
        | K::CredentialsRefused
        | K::MixUpSuspected
        | K::InvalidToken
        | K::InvalidTopic
        | K::InvalidHeader
        | K::InvalidPayload
        | K::PayloadTooLarge
        | K::PayloadEmpty
        | K::InvalidUtf8
        | K::InvalidTarget
        | K::ReservedKey
        | K::InvalidValue
        | K::InvalidSubscription
        | K::EndpointNotAllowed
        | K::Conflict
        | K::InvalidCondition
        | K::MissingField
        | K::InvalidCiphertext
        | K::DecryptionFailed
        | K::SubscriptionRemoved
        | K::DuplicateDevice
        | K::CertificateExpired
        | K::CertificateNotYetValid
        | K::CertificateWrongName
        | K::CertificateUnknownIssuer
        | K::CertificateInvalid
        | K::NoApplicationProtocol
        | K::TlsIncompatible
        | K::TlsAlert
        | K::TlsProtocol
        | K::AddressNotAllowed
        | K::ProxyRefused
        | K::Expired
        | K::Cancelled
        | K::Misuse
        | K::Closed
        | K::Internal => Verdict::Stop(Stop::Final),
    }
}

/// Sixty-four well mixed bits of two numbers (splitmix64).
fn mixed(seed: u32, step: u32) -> u64 {
    let mut bits = (u64::from(seed) << 32 | u64::from(step)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn written(object: &Object<'_>) -> String {
    let mut out = Vec::new();
    object.write(&mut out);
    // Written from texts.
    String::from_utf8(out).unwrap_or_default()
}

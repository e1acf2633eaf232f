//! What answers mean beyond their message: for the key, the connection, the host and the doubtful ones among them.

use std::time::Duration;

use super::doubts::Doubts;
use super::event::SessionEvent;
use super::gate::{Allowance, Gates};
use super::id::{HostId, LinkId};
use super::ledger::Pending;
use super::link::Link;
use super::retry::{self, Remedy};
use super::shared::Shared;
use super::token_doubt::TokenDoubt;
use crate::backend::Traffic;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, Response, retry_after};
use crate::outcome::{Outcome, Scope};
use crate::time::Now;

/// The part of a session that reads answers.
#[derive(Debug)]
pub(super) struct Answers {
    gates: Gates,
    doubts: Doubts,
    token: TokenDoubt,
    /// Whether the service has begun to take the key: what waits everywhere can go out.
    opened: bool,
}

impl Answers {
    /// `gates` tell where the service takes the key.
    pub(super) fn new(gates: Gates) -> Self {
        Self {
            gates,
            doubts: Doubts::default(),
            token: TokenDoubt::default(),
            opened: false,
        }
    }

    // Getters

    /// The doubtful answers.
    pub(super) fn doubts(&self) -> &Doubts {
        &self.doubts
    }

    /// The doubtful answers, to end their wait.
    pub(super) fn doubts_mut(&mut self) -> &mut Doubts {
        &mut self.doubts
    }

    /// When an answer is late or has been held back for long; `None` is never.
    pub(super) fn next_at(&self) -> Option<Duration> {
        let timers = [self.doubts.next_at(), self.gates.next_at()];
        timers.into_iter().flatten().min()
    }

    /// The hosts for which messages wait and where the key is judged as at `id`.
    pub(super) fn all_with_the_key_of(&self, shared: &Shared, id: HostId) -> Vec<HostId> {
        match self.gates.are_by_origin() {
            true => shared
                .hosts
                .get(id)
                .map(|host| shared.hosts.siblings(host.authority()))
                .unwrap_or_default(),
            false => shared.hosts.of_waiting_callers(),
        }
    }

    // The key

    /// The number of requests that may be on the way to `authority`.
    pub(super) fn allowance(&mut self, authority: &Authority, now: Now) -> Allowance {
        self.gates.ask(authority, now.monotonic)
    }

    /// Where the first answer about the key is late, the rest may follow. Returns whether there is such a host.
    pub(super) fn wait_no_longer(&mut self, now: Now) -> bool {
        self.gates.wait_no_longer(now.monotonic)
    }

    /// Whether the service has begun to take the key since the last call.
    #[inline]
    pub(super) fn take_opened(&mut self) -> bool {
        std::mem::take(&mut self.opened)
    }

    // Answers

    /// A push was answered.
    #[inline]
    pub(super) fn push_answered(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        outcome: Outcome,
        link: LinkId,
        now: Now,
    ) {
        let known_tokens = self.watch(shared, &outcome, link, now);
        if let Outcome::Accepted(_) = outcome {
            if self.token.is_in_doubt() {
                self.token.taken(authorization_of(shared, slot), now.monotonic);
            }
            if known_tokens {
                self.doubts.accepted(shared, slot, &outcome);
            }
            return shared.ledger.end_answered(slot, outcome);
        }
        self.refused(shared, slot, outcome, link, known_tokens, now);
    }

    /// A push was answered, and not accepted.
    fn refused(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        mut outcome: Outcome,
        link: LinkId,
        known_tokens: bool,
        now: Now,
    ) {
        if let Some(seconds) = shared.service.clock_is_wrong(&outcome) {
            shared.outbox.note(SessionEvent::ClockSkew { seconds });
        }
        if self.send_again(shared, slot, &outcome, link, now) {
            return;
        }
        if let Outcome::FixCredentials(arm) = &mut outcome {
            // What the session can renew it has renewed.
            arm.refreshable = false;
        }
        self.judge_key(shared, slot, &outcome, now);
        match &outcome {
            Outcome::RetryLater(arm) => self.throttled(shared, slot, arm.scope, arm.after, now),
            Outcome::TokenMismatch(_) if known_tokens => {
                return self.doubts.refused(shared, slot, outcome, now);
            }
            _ => {}
        }
        shared.ledger.end_answered(slot, outcome);
    }

    /// A call was answered.
    pub(super) fn call_answered(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        response: Response,
        link: LinkId,
        now: Now,
    ) {
        shared.note_host_works(link);
        let verdict = shared.service.verdict(&response, now);
        if let Some(outcome) = &verdict {
            if self.send_again(shared, slot, outcome, link, now) {
                return;
            }
            // A caller's own authorization is not the session's key.
            let pending = shared.ledger.get(slot);
            if !pending.is_some_and(Pending::keeps_authorization) {
                self.judge_key(shared, slot, outcome, now);
            }
        }
        if response.status == 429 {
            self.calls_throttled(shared, slot, retry_after(&response, now), now);
        }
        shared.ledger.end_call_answered(slot, response);
    }

    /// Notes that the host works, and what only a series of answers shows. Returns whether the message went to a token
    /// that was seen good before: others say nothing when they are bad.
    #[inline]
    fn watch(&mut self, shared: &mut Shared, outcome: &Outcome, id: LinkId, now: Now) -> bool {
        let Some(link) = shared.links.get_mut(id) else {
            return false;
        };
        let (health, limit) = shared.service.health(outcome);
        let wedged = link.is_wedged_after(health, limit);
        let spoiled = !outcome.is_accepted() && retry::after_answer(outcome).spoils_connection();
        let mut reopened = false;
        let known_tokens = match shared.hosts.get_mut(link.host()) {
            Some(host) => {
                if !spoiled {
                    host.note_answer();
                }
                if !self.gates.are_open() && outcome.is_accepted() {
                    let was_shut = self.gates.is_shut(host.authority());
                    self.opened |= self.gates.accepted(host.authority());
                    reopened = was_shut;
                }
                host.traffic() == Traffic::Main
            }
            None => false,
        };
        if reopened {
            shared.outbox.note(SessionEvent::CredentialsAccepted);
        }
        if spoiled {
            self.replace_spoiled(shared, id, outcome, now);
        } else if wedged {
            shared.replace_link(id, now);
        }
        known_tokens
    }

    /// What an answer other than an acceptance says of the key, when the message is not sent again.
    fn judge_key(&mut self, shared: &mut Shared, slot: u32, outcome: &Outcome, now: Now) {
        let request = shared.ledger.request(slot);
        let Some(authority) = request.and_then(|request| request.authority.as_ref()) else {
            return;
        };
        let again = || {
            let attempt = shared.ledger.attempt(slot, now);
            attempt.is_some_and(|attempt| attempt.replays > 0)
        };
        let key_is_good = self.token.key_is_good(now.monotonic) && again();
        if shared.service.refuses_key(outcome) && !key_is_good {
            let was_shut = self.gates.is_shut(authority);
            let Some(cause) = self.gates.refused(authority, outcome, now.monotonic) else {
                return;
            };
            if !was_shut {
                let text = cause.to_string().into();
                shared.outbox.note(SessionEvent::CredentialsRefused { text });
            }
            if let Some(host) = shared.ledger.get(slot).map(Pending::host) {
                self.end_all_with_the_key_of(shared, host, now);
            }
            return;
        }
        if !self.gates.are_open() {
            self.opened |= match outcome {
                // Answers of front ends, which know nothing of the key.
                Outcome::RetryLater(arm) if arm.scope == Scope::Connection => false,
                Outcome::RetryLater(_) | Outcome::FixCredentials(_) => self.gates.answered(authority),
                _ => self.gates.accepted(authority),
            };
        }
    }

    /// The service refuses the key: ends what waits for the hosts where the key is judged as at `id`.
    fn end_all_with_the_key_of(&mut self, shared: &mut Shared, id: HostId, now: Now) {
        for id in self.all_with_the_key_of(shared, id) {
            let Some(host) = shared.hosts.get_mut(id) else {
                continue;
            };
            if !host.begin_filling(&mut shared.ledger, now.monotonic) {
                continue;
            }
            match self.gates.ask(host.authority(), now.monotonic) {
                Allowance::Refuse(cause) => {
                    // The hosts of callers' messages have no requests of the session's own.
                    shared.end_waiting(id, &cause);
                }
                // Without a back-off the key may be tried again at once.
                Allowance::Free | Allowance::AtMost(_) => self.opened = true,
            }
        }
    }

    /// Sends an answered message once more, where the answer is about the credential or the connection. Returns
    /// whether it does.
    fn send_again(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        outcome: &Outcome,
        link: LinkId,
        now: Now,
    ) -> bool {
        let why = match retry::after_answer(outcome) {
            Remedy::None => return false,
            Remedy::Reauthorize { reconnect } => {
                if reconnect {
                    self.replace_spoiled(shared, link, outcome, now);
                }
                let used = authorization_of(shared, slot);
                let attempt = shared.ledger.attempt(slot, now);
                let again = attempt.is_some_and(|attempt| attempt.replays > 0);
                let fetched = !shared.service.mints_tokens();
                if fetched && !self.token.is_to_blame(used, again, now.monotonic) {
                    return false;
                }
                let request = shared.ledger.request(slot);
                let authority = request.and_then(|request| request.authority.as_ref());
                if !shared.service.refused(outcome, authority, used, now) {
                    return false;
                }
                ErrorKind::TokenNeeded
            }
            Remedy::Reconnect => {
                self.replace_spoiled(shared, link, outcome, now);
                ErrorKind::TokenNeeded
            }
            Remedy::Leave => {
                shared.service.heed(outcome, now);
                self.replace_spoiled(shared, link, outcome, now);
                ErrorKind::GoAway
            }
        };
        let attempt = shared.ledger.attempt(slot, now);
        if !attempt.is_some_and(|attempt| retry::may_replay(&attempt)) {
            return false;
        }
        shared.ledger.count_replay(slot);
        shared.outbox.note(SessionEvent::Requeued { error: why });
        shared.requeue(slot, None, now);
        true
    }

    /// The service asks for less; where it asks the whole project, all wait.
    fn throttled(&mut self, shared: &mut Shared, slot: u32, scope: Scope, after: Option<Duration>, now: Now) {
        let after = after.unwrap_or_default();
        if scope == Scope::Project {
            let request = shared.ledger.request(slot);
            let authority = request.and_then(|request| request.authority.as_ref());
            let mut paused = Vec::new();
            // All traffic to the host: the quota is the project's (on Web Push, the origin's).
            let siblings = authority.map(|authority| shared.hosts.siblings(authority));
            for id in siblings.into_iter().flatten() {
                if let Some(host) = shared.hosts.get_mut(id) {
                    host.pause_spread(after, now.monotonic);
                    paused.push((id, host.sends_from(now.monotonic)));
                }
            }
            // The pause is the service's wish, and not the time that the caller gives its bulk send.
            for (id, until) in paused {
                shared.ledger.postpone(id, until, shared.config.deadline);
            }
            shared.limits.slow_messages(now.monotonic);
        }
        shared.outbox.note(SessionEvent::Throttled { scope, after });
    }

    /// Too many calls: those that follow wait, and come at half the rate. Pushes do not.
    fn calls_throttled(&mut self, shared: &mut Shared, slot: u32, after: Option<Duration>, now: Now) {
        let host = shared.ledger.get(slot).map(|pending| pending.host());
        let host = host.and_then(|host| shared.hosts.get_mut(host));
        let Some(host) = host.filter(|host| host.traffic() == Traffic::Calls) else {
            return;
        };
        let after = after.unwrap_or_default();
        host.pause(after, now.monotonic);
        shared.limits.slow_calls(now.monotonic);
        let scope = Scope::Project;
        shared.outbox.note(SessionEvent::Throttled { scope, after });
    }

    /// Replaces a connection that an answer has spoiled. The next one is tried with one message; where it is spoiled, too,
    /// the one after it comes after a pause, which grows.
    fn replace_spoiled(&mut self, shared: &mut Shared, id: LinkId, outcome: &Outcome, now: Now) {
        if !shared.replace_link(id, now) {
            return;
        }
        let host = shared.links.get(id).map(Link::host);
        let Some(host) = host.and_then(|host| shared.hosts.get_mut(host)) else {
            return;
        };
        self.gates.doubted(host.authority());
        if host.note_spoiled(now.monotonic) {
            let word = outcome
                .reason()
                .map_or_else(|| outcome.status().to_string(), ToString::to_string);
            let text = format!("the service spoils one connection after the other ({word})");
            host.note_failure(Error::new(ErrorKind::GoAway, text));
        }
    }
}

/// The id of the authorization that a message or call was sent with; `None` where it has none.
fn authorization_of(shared: &Shared, slot: u32) -> Option<u64> {
    let request = shared.ledger.request(slot)?;
    request.authorization.as_ref().map(|block| block.id())
}

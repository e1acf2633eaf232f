//! The way of messages to connections, and of what becomes of them there.

use std::time::Duration;

use super::answers::Answers;
use super::dialler::Dialler;
use super::event::{Action, LetGoReason, SessionEvent};
use super::gate::{Allowance, Gates};
use super::host::{BatchAuthorization, Host};
use super::id::{HostId, LinkId, Ticket};
use super::ledger::{Place, Purpose, Withdrawal};
use super::link::{Link, LinkEvent, refusal};
use super::retry;
use super::service::Permit;
use super::shared::Shared;
use super::token::{self, AfterFetch, TokenFetch};
use crate::backend::Traffic;
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::net::Processed;
use crate::net::h2::{HeaderBytes, error_code as code};
use crate::time::Now;

/// The name that gRPC's servers have for a client that asks too often whether they are there (GOAWAY's debug
/// data). The client is to ask half as often from then on.
const TOO_MANY_PINGS: &str = "too_many_pings";

/// The part of a session that fills connections and settles what they tell.
#[derive(Debug)]
pub(super) struct Dispatch {
    answers: Answers,
    dialler: Dialler,
    token: TokenFetch,
    /// Whether messages wait for an authorization, perhaps for one that its owner brings without telling.
    unauthorized: bool,
    /// The bytes of header blocks on connections that are gone.
    header_bytes: HeaderBytes,
}

impl Dispatch {
    /// `gates` tell where the service takes the key.
    pub(super) fn new(gates: Gates) -> Self {
        Self {
            answers: Answers::new(gates),
            dialler: Dialler::default(),
            token: TokenFetch::default(),
            unauthorized: false,
            header_bytes: HeaderBytes::default(),
        }
    }

    // Getters

    /// The part that reads answers.
    pub(super) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The part that reads answers, to end the wait of doubtful ones.
    pub(super) fn answers_mut(&mut self) -> &mut Answers {
        &mut self.answers
    }

    /// The number of hosts that wait for a connection.
    #[cfg(test)]
    pub(super) fn wanting(&self) -> usize {
        self.dialler.waiting()
    }

    /// The bytes of all header blocks, on connections that are gone too.
    pub(super) fn header_bytes(&self, shared: &Shared) -> HeaderBytes {
        let mut total = self.header_bytes;
        for link in shared.links.iter() {
            total += link.header_bytes();
        }
        total
    }

    /// When [`Dispatch::handle_timeout`] has to be called; `None` is never.
    pub(super) fn poll_timeout(&self, shared: &Shared) -> Option<Duration> {
        let (limits, token) = (shared.limits.next_at(), shared.service.poll_timeout());
        let hosts = shared
            .hosts
            .poll_timeout(&shared.ledger, &shared.links, &shared.config, limits, token);
        let timers = [
            shared.links.poll_timeout(),
            hosts,
            shared.ledger.next_due(),
            self.answers.next_at(),
            self.dialler.next_at(),
            self.dialler.turn_ends_at(shared),
        ];
        timers.into_iter().flatten().min()
    }

    // Steps

    /// Sends what can be sent, and gives connections to the hosts that wait for one.
    #[inline]
    pub(super) fn flush(&mut self, shared: &mut Shared, now: Now) {
        self.fill_dirty(shared, now);
        self.admit(shared, now);
    }

    /// Time has passed: looks at everything that is due.
    pub(super) fn handle_timeout(&mut self, shared: &mut Shared, now: Now) {
        shared.limits.fill(now.monotonic);
        // Everybody who may have waited for one of these is asked.
        let permits = shared.limits.are_any() || shared.service.poll_timeout().is_some() || self.unauthorized;
        let late = self.answers.wait_no_longer(now);
        self.unauthorized = false;
        shared.links.settle();
        for id in shared.links.due(now.monotonic) {
            self.link_timeout(shared, id, now);
        }
        if shared.ledger.next_due().is_some_and(|due| due <= now.monotonic) {
            self.expire(shared, now);
        }
        self.answers.doubts_mut().release_late(shared, now);
        self.fill_dirty(shared, now);
        shared.hosts.settle(&shared.ledger, &shared.links, &shared.config);
        let mut hosts = shared.hosts.due(now.monotonic);
        if permits || late {
            hosts.extend(shared.hosts.waiting().map(|(id, _)| id));
        }
        hosts.sort_unstable();
        hosts.dedup();
        for id in hosts {
            self.fill(shared, id, now);
        }
    }

    /// Asks for an authorization. Returns whether requests can be authorized now; if not, an access token is being fetched, or
    /// waits for its endpoint to recover.
    pub(super) fn fetch_authorization(&mut self, shared: &mut Shared, now: Now) -> Result<bool, Error> {
        let (ready, fetch) = match shared.service.authorize(now) {
            Permit::Go { fetch, .. } => (true, fetch),
            Permit::Each => (true, None),
            Permit::Wait { fetch } => (false, fetch),
            Permit::Refuse(error) => return Err(error),
        };
        match (fetch, self.token.refusal()) {
            (Some(request), _) => self.fetch_token(shared, request, now),
            (None, Some(error)) if !ready => return Err(error.clone()),
            (None, _) => {}
        }
        Ok(ready)
    }

    /// Ends every message now.
    pub(super) fn abandon(&mut self, shared: &mut Shared, now: Now) {
        for id in shared.hosts.waiting().map(|(id, _)| id).collect::<Vec<_>>() {
            if let Some(host) = shared.hosts.get_mut(id) {
                host.take_waiting(&shared.ledger);
            }
        }
        for ticket in shared.ledger.tickets() {
            self.withdraw(shared, ticket, Withdrawal::Abandoned, now);
        }
    }

    // Sending

    /// Fills the hosts that were given messages since the last flush.
    fn fill_dirty(&mut self, shared: &mut Shared, now: Now) {
        while let Some(id) = shared.hosts.next_dirty() {
            self.fill(shared, id, now);
        }
    }

    /// Sends what waits for this host, as far as streams, windows and limits allow; asks for a
    /// connection where that is not far enough.
    fn fill(&mut self, shared: &mut Shared, id: HostId, now: Now) {
        let Some(host) = shared.hosts.get_mut(id) else {
            return;
        };
        if !host.begin_filling(&mut shared.ledger, now.monotonic) {
            return;
        }
        let mut room = usize::MAX;
        if !host.traffic().is_for_tokens() {
            match self.answers.allowance(host.authority(), now) {
                Allowance::Free => {}
                Allowance::AtMost(count) => room = count.saturating_sub(host.in_flight(&shared.links)),
                Allowance::Refuse(cause) => return self.end_waiting(shared, id, &cause, now),
            }
        }
        if room == 0 {
            return;
        }
        self.ask_doubtful(shared, id, now);
        let Some(host) = shared.hosts.get(id) else {
            return;
        };
        let permit = match host.traffic() {
            Traffic::Token | Traffic::Metadata => Permit::Go {
                authorization: None,
                fetch: None,
            },
            Traffic::Main | Traffic::Suspect | Traffic::Calls => shared.service.authorize(now),
        };
        let (authorization, fetch) = match permit {
            Permit::Go { authorization, fetch } => (Some(BatchAuthorization::Shared(authorization)), fetch),
            Permit::Each => (Some(BatchAuthorization::Each), None),
            Permit::Wait { fetch } => {
                // What is submitted after a refusal does not wait until the endpoint may be asked again, in half a minute.
                if let Some(refusal) = self.token.refusal().filter(|_| fetch.is_none()) {
                    let refusal = refusal.clone();
                    return self.fail_host(shared, id, refusal, now);
                }
                self.unauthorized = true;
                (None, fetch)
            }
            Permit::Refuse(error) => return self.fail_host(shared, id, error, now),
        };
        if let Some(authorization) = authorization {
            if let BatchAuthorization::Shared(Some(block)) = &authorization {
                self.token.note_minted(shared, block);
            }
            self.fill_streams(shared, id, &authorization, room, now);
        }
        if let Err(error) = self.dialler.dial(shared, id, now) {
            self.fail_host(shared, id, error, now);
        }
        if let Some(request) = fetch {
            self.fetch_token(shared, request, now);
        }
    }

    /// Asks the connections of a host that were silent for long whether they still work, because something is
    /// to be sent over them.
    fn ask_doubtful(&mut self, shared: &mut Shared, id: HostId, now: Now) {
        let doubtful = |shared: &Shared| {
            let host = shared.hosts.get(id)?;
            let mut links = host.links().iter().filter_map(|link| shared.links.get(*link));
            links.find(|link| link.is_doubtful(now)).map(Link::id)
        };
        while let Some(link) = doubtful(shared) {
            if let Some(link) = shared.links.get_mut(link) {
                link.ask(now);
            }
            self.drain(shared, link, now);
        }
    }

    fn fill_streams(
        &mut self,
        shared: &mut Shared,
        id: HostId,
        authorization: &BatchAuthorization,
        room: usize,
        now: Now,
    ) {
        let Some(host) = shared.hosts.get_mut(id) else {
            return;
        };
        let limit = shared.limits.of(host.traffic());
        let (links, ledger) = (&mut shared.links, &mut shared.ledger);
        let rejected = host.fill(links, ledger, limit, room, authorization, &shared.service, now);
        for (slot, error) in rejected {
            self.end_unsent(shared, slot, error, now);
        }
    }

    /// Ends everything that waits for this host: `error` says why nothing can be sent.
    fn fail_host(&mut self, shared: &mut Shared, id: HostId, error: Error, now: Now) {
        self.end_waiting(shared, id, &error, now);
        if let Some(host) = shared.hosts.get_mut(id) {
            host.note_failure(error);
        }
    }

    /// Ends everything that waits for this host now: `cause` says why it is not sent.
    fn end_waiting(&mut self, shared: &mut Shared, id: HostId, cause: &Error, now: Now) {
        for slot in shared.end_waiting(id, cause) {
            self.token_ended(shared, slot, Err(cause.clone()), false, now);
        }
    }

    /// Fetches and settles every event of a connection, then sends what can be sent.
    pub(super) fn drain(&mut self, shared: &mut Shared, id: LinkId, now: Now) {
        loop {
            let Some(link) = shared.links.get_mut(id) else {
                return;
            };
            let Some(event) = link.poll_event(now) else {
                break;
            };
            match event {
                LinkEvent::Answered { request, response } => {
                    let Some((slot, pending)) = shared.ledger.carried(id, request) else {
                        continue;
                    };
                    match pending.purpose() {
                        Purpose::Push => {
                            let outcome = shared.service.outcome(response, pending.context(), now);
                            self.answers.push_answered(shared, slot, outcome, id, now);
                        }
                        Purpose::Call => {
                            let response = response.clone();
                            self.answers.call_answered(shared, slot, response, id, now);
                        }
                        Purpose::Token => {
                            let result = shared.service.accept_token(response, now);
                            let refused = !token::is_temporary(response);
                            shared.note_host_works(id);
                            self.token_ended(shared, slot, result, refused, now);
                        }
                    }
                }
                LinkEvent::Failed {
                    request,
                    processed,
                    error,
                    refused,
                } => {
                    let refused = refused.map(refusal);
                    let Some((slot, _)) = shared.ledger.carried(id, request) else {
                        continue;
                    };
                    if retry::asks_for_calm(&error) {
                        shared.throttle_link(id, now);
                    }
                    match refused {
                        Some(cause) => self.end_unsent(shared, slot, cause, now),
                        None => self.attempt_failed(shared, slot, processed, error, now),
                    }
                }
                LinkEvent::Ready => shared.note_ready(id, now),
                LinkEvent::Settings(max_concurrent_streams) => {
                    shared.outbox.note(SessionEvent::SettingsChanged {
                        link: id,
                        max_concurrent_streams,
                    })
                }
                LinkEvent::Draining(goaway) => {
                    let code = goaway.code;
                    let reason = shared.service.go_away_reason(goaway);
                    let refused = shared.service.refuses_credentials(goaway);
                    self.going_away(shared, id, code, reason, refused, now);
                }
                LinkEvent::Closed(error) => return self.remove_link(shared, id, error, now),
                LinkEvent::RoundTrip => {}
            }
        }
        let Some(link) = shared.links.get_mut(id) else {
            return;
        };
        let (host, unbalanced) = (link.host(), link.take_fault());
        if unbalanced {
            shared
                .outbox
                .note_fault("more requests of a connection have ended than were sent");
        }
        self.fill(shared, host, now);
        if self.answers.take_opened() {
            self.fill_all_with_the_key_of(shared, host, now);
        }
    }

    /// Fills every host for which messages wait and where the key is judged as at `id`.
    fn fill_all_with_the_key_of(&mut self, shared: &mut Shared, id: HostId, now: Now) {
        for id in self.answers.all_with_the_key_of(shared, id) {
            self.fill(shared, id, now);
        }
    }

    /// GOAWAY: where it asks for calm, there is no new connection for a while; where it refuses the credentials,
    /// what waits ends now and not at its deadline, because another connection would end the same way.
    fn going_away(
        &mut self,
        shared: &mut Shared,
        id: LinkId,
        code: u32,
        reason: String,
        refused: bool,
        now: Now,
    ) {
        if let Some(link) = shared.links.get_mut(id) {
            let host = link.host();
            if refused {
                link.note_refusal(&reason);
                self.fail_host(shared, host, refusal(&reason), now);
            }
            let calm = code == code::ENHANCE_YOUR_CALM;
            if let Some(host) = shared.hosts.get_mut(host).filter(|_| calm) {
                host.back_off(now.monotonic, Duration::ZERO);
                if reason.contains(TOO_MANY_PINGS) {
                    host.ping_less();
                }
            }
        }
        shared.outbox.note(SessionEvent::GoAway {
            link: id,
            code,
            reason: reason.into(),
        });
    }

    /// The time of a connection has come.
    fn link_timeout(&mut self, shared: &mut Shared, id: LinkId, now: Now) {
        let Some(link) = shared.links.get_mut(id) else {
            return;
        };
        link.handle_timeout(now);
        if link.is_late(now) {
            let error = Error::new(ErrorKind::ConnectTimeout, "no usable connection in time");
            self.drain(shared, id, now);
            return self.remove_link(shared, id, Some(error), now);
        }
        if let Some(reason) = link.idle_too_long(now) {
            link.retire(now);
            shared.outbox.note(SessionEvent::LetGo { link: id, reason });
        } else if link.is_stale(now) {
            link.retire(now);
        }
        self.drain(shared, id, now);
    }

    /// Closes a connection that is not needed any more.
    fn close_link(&mut self, shared: &mut Shared, id: LinkId, now: Now) {
        let Some(link) = shared.links.get_mut(id) else {
            return;
        };
        if !link.is_ready() {
            link.give_up();
            self.remove_link(shared, id, None, now);
        } else if !link.is_retired() {
            link.retire(now);
            self.drain(shared, id, now);
        }
    }

    /// A connection is over. The requests that it carried have been settled by its events; its host decides
    /// what the end means for the messages that wait.
    pub(super) fn remove_link(&mut self, shared: &mut Shared, id: LinkId, error: Option<Error>, now: Now) {
        let Some(mut link) = shared.links.remove(id) else {
            return;
        };
        self.header_bytes += link.header_bytes();
        let final_bytes = link.transmit().to_vec();
        shared.outbox.ask(Action::Close {
            link: id,
            final_bytes,
        });
        // No event can come any more: whatever is left was never answered.
        let left = match link.is_busy() {
            true => shared.ledger.on_link(id),
            false => Vec::new(),
        };
        for slot in left {
            let cause = Error::new(ErrorKind::ConnectionLost, "the connection is gone");
            self.attempt_failed(shared, slot, Processed::Unknown, cause, now);
        }
        let text = match &error {
            Some(error) => error.to_string().into(),
            None => "closed".into(),
        };
        shared.outbox.note(SessionEvent::Disconnected {
            link: id,
            error: error.as_ref().map(Error::kind),
            text,
        });
        if error
            .as_ref()
            .is_some_and(|error| error.kind() == ErrorKind::OutOfDescriptors)
        {
            self.dialler.note_ceiling(shared, now);
        }
        let Some(host) = shared.hosts.get_mut(link.host()) else {
            return;
        };
        let failed = host.remove_link(id, &link, error, now.monotonic);
        let (kept, for_tokens) = (host.links().first().copied(), host.traffic().is_for_tokens());
        match kept {
            Some(kept) => {
                if let Some(kept) = shared.links.get_mut(kept) {
                    kept.keep();
                }
            }
            None if !for_tokens => shared.hosts.note_unconnected(link.host()),
            None => {}
        }
        if let Some(error) = failed {
            self.fail_host(shared, link.host(), error, now);
        }
        self.fill(shared, link.host(), now);
    }

    // Attempts without an answer

    /// An attempt got no answer.
    fn attempt_failed(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        processed: Processed,
        error: Error,
        now: Now,
    ) {
        let no_token = self.token.failure();
        if let Some(error) = shared.attempt_failed(slot, processed, error, no_token, now) {
            self.token_ended(shared, slot, Err(error), false, now);
        }
    }

    /// Ends what has passed its time.
    fn expire(&mut self, shared: &mut Shared, now: Now) {
        // Those in the queue first: the end of an open one makes room, and no message whose time
        // has passed is to take it.
        for open in [false, true] {
            let due = shared.ledger.due(open, now.monotonic);
            // All of them before the first is withdrawn: its stream is not for the next message, if
            // its connection is of no use.
            for ticket in &due {
                shared.count_timeout(*ticket, now);
            }
            let mut hosts = Vec::new();
            for ticket in due {
                if let Some(Place::Queued { host, .. }) = shared.ledger.place(ticket) {
                    hosts.push(host);
                }
                self.withdraw(shared, ticket, Withdrawal::TimedOut, now);
            }
            // What stood behind them may go.
            hosts.sort_unstable();
            hosts.dedup();
            for id in hosts {
                self.fill(shared, id, now);
            }
        }
        shared.ledger.find_next_due();
    }

    /// Takes a message off its stream or out of its queue, and ends it as `withdrawal` says. Returns false
    /// when it has ended already.
    pub(super) fn withdraw(
        &mut self,
        shared: &mut Shared,
        ticket: Ticket,
        withdrawal: Withdrawal,
        now: Now,
    ) -> bool {
        let Some(place) = shared.ledger.place(ticket) else {
            return false;
        };
        match place {
            Place::Queued {
                host,
                number,
                rests_until,
                priority,
            } => {
                if let Some(slot) = shared.ledger.find(ticket) {
                    let no_token = self.token.failure();
                    if let Some(error) = shared.end_withdrawn(slot, withdrawal, Processed::No, no_token, now)
                    {
                        self.token_ended(shared, slot, Err(error), false, now);
                    }
                }
                if let Some(host) = shared.hosts.get_mut(host) {
                    host.note_ended(ticket, priority, number, rests_until, &shared.ledger);
                }
            }
            Place::Open { link: id, request } => {
                shared.ledger.mark_withdrawn(ticket, withdrawal);
                if let Some(link) = shared.links.get_mut(id) {
                    link.cancel(request, now);
                    self.drain(shared, id, now);
                }
            }
        }
        true
    }

    /// Ends a message of which nothing was sent and nothing will be; `cause` says why.
    fn end_unsent(&mut self, shared: &mut Shared, slot: u32, cause: Error, now: Now) {
        if shared.end_unsent(slot, &cause) {
            self.token_ended(shared, slot, Err(cause), false, now);
        }
    }

    // Access tokens

    /// Sends a request of the session's own to a token endpoint.
    fn fetch_token(&mut self, shared: &mut Shared, request: Request, now: Now) {
        if let Some(host) = self.token.queue(shared, request, now) {
            self.fill(shared, host, now);
        }
    }

    /// The token endpoint answered, or did not; `refused` says that asking again would not help.
    fn token_ended(
        &mut self,
        shared: &mut Shared,
        slot: u32,
        result: Result<Option<Request>, Error>,
        refused: bool,
        now: Now,
    ) {
        match self.token.ended(shared, slot, result, refused, now) {
            AfterFetch::Nothing => {}
            AfterFetch::Next(request) => self.fetch_token(shared, request, now),
            AfterFetch::Fill => {
                for id in shared.hosts.of_waiting_callers() {
                    self.fill(shared, id, now);
                }
            }
        }
    }

    // Those who compete for connections

    /// Makes room for a host's first connection: lets hosts go that have nothing to do, those first that were not used for
    /// longest, and then those that have had their turn. Returns whether there is room.
    fn make_room(&mut self, shared: &mut Shared, now: Now) -> bool {
        while !self.dialler.has_room(shared, now) {
            shared.settle();
            let Some(id) = shared.hosts.least_missed() else {
                return self.end_turns(shared, now);
            };
            self.close_links_of(shared, id, now);
            if shared.hosts.get(id).is_some_and(|host| !host.links().is_empty()) {
                return self.end_turns(shared, now);
            }
        }
        true
    }

    /// Ends the turns that have lasted for long, no more of them than hosts wait: their connections take no more requests. Returns
    /// whether there is room now.
    fn end_turns(&mut self, shared: &mut Shared, now: Now) -> bool {
        while let Some(id) = self.dialler.end_turn(shared, now) {
            self.close_links_of(shared, id, now);
            shared.settle();
        }
        self.dialler.has_room(shared, now)
    }

    /// Lets the connections of a host go, because another one needs its place.
    fn close_links_of(&mut self, shared: &mut Shared, id: HostId, now: Now) {
        let links = shared.hosts.get(id).map(|host| host.links().to_vec());
        for link in links.into_iter().flatten() {
            let reason = LetGoReason::MadeRoom;
            shared.outbox.note(SessionEvent::LetGo { link, reason });
            self.close_link(shared, link, now);
        }
    }

    /// Gives connections to the hosts that wait for one, as far as there is room. What waits for hosts that are connected is sent
    /// first, because a host that messages wait for is let go only when it has had its turn.
    pub(super) fn admit(&mut self, shared: &mut Shared, now: Now) {
        while let Some(id) = self.dialler.first_waiting() {
            if shared.hosts.get(id).is_some_and(Host::wants_link) && !self.make_room(shared, now) {
                return;
            }
            if let Some(id) = self.dialler.admit_first(shared) {
                self.fill(shared, id, now);
            }
            self.dialler.end_admission();
        }
    }

    /// Closes the connections when they have nothing left to do, because the session is closing.
    pub(super) fn close_when_idle(&mut self, shared: &mut Shared, now: Now) {
        if !shared.ledger.is_idle() {
            return;
        }
        // No answer comes any more that could make them certain.
        self.answers.doubts_mut().release(shared, |_| true);
        // A request for a token that nobody will use.
        for ticket in shared.ledger.tickets() {
            self.withdraw(shared, ticket, Withdrawal::Abandoned, now);
        }
        shared.ledger.find_next_due();
        for id in shared.links.ids() {
            self.close_link(shared, id, now);
        }
    }
}

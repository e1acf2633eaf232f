//! Worlds of each service.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::service::Message;
use pushcore::session::{Delivery, Session, SessionConfig};
use pushcore::{ErrorKind, Now, UnixTime};
use rustls::ServerConfig;

use super::super::book::Book;
use super::super::fixture;
use super::super::log::Log;
use super::super::rng::Rng;
use super::super::script::Script;
use super::World;
use super::tokens::Tokens;
use super::transcript::Transcript;

/// What happens when the session asks for a connection.
#[derive(Debug)]
pub enum Dial {
    /// Connects after one round trip.
    Connects(Script),
    /// The same, to a server that speaks TLS.
    Tls(Arc<ServerConfig>, Script),
    /// Connects this much later.
    Slowly(Duration, Script),
    /// Fails at once, with this.
    Fails(ErrorKind),
    /// Nothing ever comes back.
    BlackHole,
}

impl From<Script> for Dial {
    fn from(script: Script) -> Self {
        Self::Connects(script)
    }
}

impl World {
    /// A world of that seed: APNs without TLS. `network` decides what happens to each connection.
    pub fn new(
        seed: u64,
        configure: impl FnOnce(&mut SessionConfig),
        network: impl FnMut(u32, &mut Rng) -> Dial + 'static,
    ) -> Self {
        Self::with_security(seed, Security::Cleartext, configure, network)
    }

    /// A world of that seed: APNs.
    pub fn with_security(
        seed: u64,
        security: Security,
        configure: impl FnOnce(&mut SessionConfig),
        mut network: impl FnMut(u32, &mut Rng) -> Dial + 'static,
    ) -> Self {
        let opaque = !matches!(security, Security::Cleartext);
        let template = fixture::message(64);
        let tokens = Tokens::default();
        let shared = tokens.clone();
        let mut world = Self::of(
            seed,
            configure,
            move |config, now| fixture::session(shared.credentials(now), config, security.clone(), now),
            move |number| template.to(fixture::device(number)).into(),
            move |nth, _, rng| network(nth, rng),
        );
        world.book.opaque = opaque;
        world.tokens = Some(tokens);
        world
    }

    /// Web Push without TLS, to one push service.
    pub fn web_push(
        seed: u64,
        configure: impl FnOnce(&mut SessionConfig),
        mut network: impl FnMut(u32, &mut Rng) -> Dial + 'static,
    ) -> Self {
        Self::of(
            seed,
            configure,
            fixture::web_push_session,
            |number| fixture::web_push_message(fixture::PUSH_HOSTS[0], number).into(),
            move |nth, _, rng| network(nth, rng),
        )
    }

    /// FCM without TLS. `network` is told whether the connection is one to the token endpoint.
    pub fn fcm(
        seed: u64,
        configure: impl FnOnce(&mut SessionConfig),
        mut network: impl FnMut(u32, bool, &mut Rng) -> Dial + 'static,
    ) -> Self {
        let template = fixture::fcm_message();
        let mut world = Self::of(
            seed,
            configure,
            fixture::fcm_session,
            move |number| template.to(fixture::fcm_target(number)).into(),
            move |nth, to, rng| network(nth, *to == fixture::token_authority(), rng),
        );
        // Which message a request carries is in its body, and its body may come later.
        world.book.opaque = true;
        world
    }

    /// A world of that seed with sessions and messages of the caller's.
    pub fn of(
        seed: u64,
        configure: impl FnOnce(&mut SessionConfig),
        make: impl Fn(SessionConfig, Now) -> Session + 'static,
        message: impl Fn(usize) -> Message + 'static,
        network: impl FnMut(u32, &Authority, &mut Rng) -> Dial + 'static,
    ) -> Self {
        let now = Now::new(Duration::from_secs(1000), UnixTime::from_secs(1_790_000_000));
        let mut config = SessionConfig::default();
        config.seed = Some(seed);
        configure(&mut config);
        let mut rng = Rng::new(seed);
        // Every third seed moves whole buffers, the others cut them in small or middling pieces.
        let (read, write) = [(0, 0), (7, 13), (300, 700)][(seed % 3) as usize];
        Self {
            session: make(config.clone(), now),
            log: Log::default(),
            latency: Duration::from_millis(rng.between(1, 40)),
            read_at_most: read,
            write_at_most: write,
            socket_buffer: 64 * 1024,
            message: Box::new(message),
            make: Box::new(make),
            tokens: None,
            transcript: Transcript::new(),
            book: Book::new(config.delivery == Delivery::AtMostOnce),
            config,
            seed,
            now,
            rng,
            network: Box::new(network),
            dials: Vec::new(),
            dialling: BTreeMap::new(),
            garble: None,
            again: VecDeque::new(),
            most_open: 0,
            wires: BTreeMap::new(),
            orphans: Vec::new(),
            backlog: 0,
            deadline: None,
            bulk: None,
            steps_at_once: 0,
            events: Vec::new(),
            trace: VecDeque::new(),
            closed_links: 0,
        }
    }
}

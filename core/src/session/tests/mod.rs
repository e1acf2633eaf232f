//! A session on a virtual clock, with servers that answer in HTTP/1.1.

mod habits;
mod pools;
mod rate;
mod rules;
mod tokens;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, LinkId, Session, SessionConfig, SessionEvent};
use crate::error::{Error, ErrorKind};
use crate::http::Authority;
use crate::net::Security;
use crate::service::{Kind, Service};
use crate::time::{Now, UnixTime};
use crate::{adm, fcm};

/// What a server does with a request: its first line, and the time.
type Respond = Box<dyn FnMut(&str, Duration) -> String>;

/// A session, its servers, and the time.
struct World {
    session: Session,
    /// The messages are ADM's, or FCM's.
    adm: bool,
    now: Now,
    respond: Respond,
    /// Whether dialling works.
    reachable: bool,
    inboxes: BTreeMap<LinkId, Vec<u8>>,
    /// When which request came.
    requests: Vec<(Duration, String)>,
    dials: Vec<(Duration, Authority)>,
    events: Vec<SessionEvent>,
}

fn authority(host: &str) -> Authority {
    Authority::new(host, 443).unwrap()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

impl World {
    fn new(
        service: impl Into<Service>,
        config: SessionConfig,
        now: Now,
        respond: impl FnMut(&str, Duration) -> String + 'static,
    ) -> Self {
        let service = service.into();
        let adm = service.kind() == Kind::Adm;
        let mut session = Session::new(service, Security::Cleartext, config, now).unwrap();
        session.shared_mut().service.speak_http1();
        Self {
            session,
            adm,
            now,
            respond: Box::new(respond),
            reachable: true,
            inboxes: BTreeMap::new(),
            requests: Vec::new(),
            dials: Vec::new(),
            events: Vec::new(),
        }
    }

    /// ADM: a token endpoint, then messages.
    fn adm(
        configure: impl FnOnce(&mut SessionConfig),
        respond: impl FnMut(&str, Duration) -> String + 'static,
    ) -> Self {
        let credentials = adm::Credentials::new("id", "secret")
            .unwrap()
            .with_token_authority(authority("token.example"));
        let service = adm::Service::new(credentials, authority("push.example"));
        Self::new(service, configured(configure), start(), respond)
    }

    /// FCM with a token of the host's: messages only.
    fn fcm(
        configure: impl FnOnce(&mut SessionConfig),
        respond: impl FnMut(&str, Duration) -> String + 'static,
    ) -> Self {
        let credentials = fcm::Credentials::host_tokens(fcm::ProjectId::new("project").unwrap());
        credentials.supply_token("token", secs(3600), start()).unwrap();
        let service = fcm::Service::new(credentials, fcm::Hosts::all(&authority("push.example")));
        Self::new(service, configured(configure), start(), respond)
    }

    /// Moves bytes until nothing moves any more.
    fn settle(&mut self) {
        self.session.flush(self.now);
        for _ in 0..10_000 {
            let mut moved = false;
            while let Some(action) = self.session.poll_action() {
                moved = true;
                match action {
                    Action::Connect { link, authority } => {
                        self.dials.push((self.now.monotonic, authority));
                        if self.reachable {
                            self.inboxes.insert(link, Vec::new());
                            self.session.connected(link, self.now);
                        } else {
                            let error = Error::new(ErrorKind::ConnectRefused, "nobody is there");
                            self.session.connect_failed(link, error, self.now);
                        }
                    }
                    Action::Close { link, .. } => {
                        self.inboxes.remove(&link);
                    }
                }
            }
            for link in self.inboxes.keys().copied().collect::<Vec<_>>() {
                let bytes = self.session.transmit(link).to_vec();
                if bytes.is_empty() {
                    continue;
                }
                moved = true;
                self.session.transmitted(link, bytes.len());
                self.inboxes.get_mut(&link).unwrap().extend(bytes);
                self.serve(link);
            }
            assert!(self.session.stats().is_balanced(), "{:?}", self.session.stats());
            if !moved {
                self.events
                    .extend(std::iter::from_fn(|| self.session.poll_event()));
                return;
            }
        }
        panic!("a busy loop");
    }

    fn serve(&mut self, link: LinkId) {
        while let Some(line) = self.inboxes.get_mut(&link).and_then(take_request) {
            let answer = (self.respond)(&line, self.now.monotonic);
            self.requests.push((self.now.monotonic, line));
            self.session.receive(link, answer.as_bytes(), self.now);
        }
    }

    /// Lets time pass, from timer to timer.
    fn run_for(&mut self, duration: Duration) {
        let end = self.now.monotonic + duration;
        self.settle();
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            self.at(due.max(self.now.monotonic));
            self.session.handle_timeout(self.now);
            self.settle();
            let next = self.session.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now.monotonic),
                "a timer in the past: {next:?} at {:?}",
                self.now
            );
        }
        self.at(end);
    }

    fn at(&mut self, monotonic: Duration) {
        self.now = self.now.after(monotonic - self.now.monotonic);
    }

    fn submit(&mut self, count: usize) {
        for _ in 0..count {
            let now = self.now;
            let taken = match self.adm {
                true => self.session.submit(&adm_message(), Default::default(), now),
                false => self.session.submit(&fcm_message(), Default::default(), now),
            };
            taken.unwrap();
        }
        self.settle();
    }

    fn ends(&mut self) -> Vec<Result<&'static str, Error>> {
        std::iter::from_fn(|| self.session.poll_outcome())
            .map(|(_, result)| result.map(|outcome| outcome.name()))
            .collect()
    }

    fn pushes(&self) -> Vec<Duration> {
        let pushes = self
            .requests
            .iter()
            .filter(|(_, line)| !line.contains("O2/token"));
        pushes.map(|(at, _)| *at).collect()
    }
}

fn start() -> Now {
    Now::new(secs(1000), UnixTime::from_secs(1_800_000_000))
}

fn configured(configure: impl FnOnce(&mut SessionConfig)) -> SessionConfig {
    let mut config = SessionConfig {
        seed: Some(1),
        ..SessionConfig::default()
    };
    configure(&mut config);
    config
}

/// The first line of the first whole request, which is taken out.
fn take_request(inbox: &mut Vec<u8>) -> Option<String> {
    let end = inbox.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8(inbox[..end].to_vec()).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse::<usize>().unwrap());
    if inbox.len() < end + length {
        return None;
    }
    inbox.drain(..end + length);
    head.lines().next().map(str::to_owned)
}

fn adm_message() -> adm::Message {
    adm::Message::builder()
        .data("k", "v")
        .build(adm::RegistrationId::new("amzn1.adm-registration.v1.x").unwrap())
        .unwrap()
}

fn fcm_message() -> fcm::Message {
    fcm::Message::builder()
        .notification(fcm::Notification::new().title("x"))
        .build(fcm::Target::token("token").unwrap())
        .unwrap()
}

const TOKEN: &str = r#"{"access_token":"t","expires_in":3600,"token_type":"bearer"}"#;
const ADM_OK: &str = r#"{"registrationID":"amzn1.adm-registration.v1.x"}"#;
const FCM_OK: &str = r#"{"name":"projects/project/messages/1"}"#;

/// A healthy ADM.
fn adm_ok(line: &str) -> String {
    match line.contains("O2/token") {
        true => answer(200, "", TOKEN),
        false => answer(200, "", ADM_OK),
    }
}

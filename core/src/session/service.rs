//! The five services behind one face: what a session asks of a service room.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::pool::Lane;
use crate::apns::WedgeDetector;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::net::{ConnectionConfig, GoAway, Protocols, Security, h2};
use crate::outcome::{FixCredentials, Outcome, Witness};
use crate::service::MessageRef;
use crate::time::{Now, UnixTime};
use crate::{adm, apns, baidu, fcm, webpush};

/// Idle connections are kept for so long where the service has no wish of its own.
const IDLE: Duration = Duration::from_secs(600);

/// The next token is wanted in an hour.
const TOKEN_IDLE: Duration = Duration::from_secs(10);

/// A service with its credentials, and how to connect to it.
pub(super) struct Service {
    pub(super) room: Room,
    /// For pushes.
    push: Arc<ConnectionConfig>,
    /// For token endpoints and others that answer at length.
    token: Arc<ConnectionConfig>,
    /// When a fetch that was refused or failed may be tried again.
    pub(super) wait_until: Option<Duration>,
    /// The last authorization asked for (APNs), and when.
    pub(super) recent: Option<(Now, Option<Arc<HeaderBlock>>)>,
    witness: Witness<()>,
    /// What was last said of the service's clock.
    clock_skew: Option<i64>,
}

pub(super) enum Room {
    Adm {
        credentials: Arc<adm::Credentials>,
        authority: Authority,
    },
    Baidu {
        credentials: Arc<baidu::Credentials>,
        authority: Authority,
    },
    WebPush {
        credentials: Arc<webpush::Credentials>,
        policy: Arc<webpush::EndpointPolicy>,
    },
    Apns {
        credentials: apns::Credentials,
        hosts: apns::Hosts,
    },
    Fcm {
        credentials: Arc<fcm::Credentials>,
        hosts: fcm::Hosts,
    },
}

impl Room {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Room::Adm { .. } => "Adm",
            Room::Apns { .. } => "Apns",
            Room::Baidu { .. } => "Baidu",
            Room::Fcm { .. } => "Fcm",
            Room::WebPush { .. } => "WebPush",
        }
    }
}

/// What an answer has to be read against.
#[derive(Debug, Default)]
pub(super) enum Context {
    /// The answer speaks for itself.
    #[default]
    None,
    /// When the caller registered the token (APNs).
    Registered(UnixTime),
    /// A broadcast: there is no device that could be gone (APNs).
    Broadcast,
    /// The registration id used: the service may name another one (ADM).
    SentTo(adm::RegistrationId),
    /// The subscription: its provider's dialect, its age.
    WebPush(webpush::Message),
}

impl Service {
    pub(super) fn new(room: Room, push: Arc<ConnectionConfig>, token: Arc<ConnectionConfig>) -> Self {
        Self {
            room,
            push,
            token,
            wait_until: None,
            recent: None,
            witness: Witness::new(),
            clock_skew: None,
        }
    }

    /// With these choices for HTTP/2 in place of the service's habits, where pushes are carried.
    pub(super) fn with_http2(mut self, http2: Option<&h2::Config>) -> Self {
        if let Some(http2) = http2 {
            Arc::make_mut(&mut self.push).http2 = http2.clone();
        }
        self
    }

    pub(super) fn connection_config(&self, lane: Lane, authority: &Authority) -> Arc<ConnectionConfig> {
        // The list of an app's channels is far longer than the answer to a push.
        let lists = matches!(&self.room, Room::Apns { hosts, .. } if authority == hosts.management());
        match lane {
            Lane::Token => self.token.clone(),
            Lane::Metadata => metadata_config(),
            _ if lists => self.token.clone(),
            Lane::Main | Lane::Suspect | Lane::Calls => self.push.clone(),
        }
    }

    /// Writes a message into a parked request, without authorization.
    pub(super) fn write(
        &self,
        message: MessageRef<'_>,
        request: &mut Request,
        now: Now,
    ) -> Result<Context, Error> {
        match message {
            // They share what they share with others.
            MessageRef::Adm(_) | MessageRef::Apns(_) | MessageRef::ApnsBroadcast(_) => {}
            _ => request.clear(),
        }
        match (&self.room, message) {
            (Room::Adm { authority, .. }, MessageRef::Adm(message)) => {
                message.write(authority, request)?;
                Ok(Context::SentTo(message.target().clone()))
            }
            (Room::Adm { authority, .. }, MessageRef::AdmAudience(message)) => {
                message.write(authority, request);
                Ok(Context::None)
            }
            (Room::Apns { credentials, hosts }, MessageRef::Apns(message)) => {
                credentials.permits(message)?;
                message.write(hosts, request)?;
                Ok(message.registered_at().map_or(Context::None, Context::Registered))
            }
            (Room::Apns { credentials, hosts }, MessageRef::ApnsBroadcast(broadcast)) => {
                broadcast.check(credentials, now)?;
                broadcast.write(hosts, request)?;
                Ok(Context::Broadcast)
            }
            (
                Room::Baidu {
                    credentials,
                    authority,
                },
                MessageRef::Baidu(message),
            ) => {
                message.write(authority, credentials, now, request)?;
                Ok(Context::None)
            }
            (Room::Fcm { credentials, hosts }, MessageRef::Fcm(message)) => {
                message.write(hosts, credentials.project(), request)?;
                Ok(Context::None)
            }
            (Room::WebPush { policy, .. }, MessageRef::WebPush(message)) => {
                policy.check(message.subscription().endpoint())?;
                message.write(request)?;
                Ok(Context::WebPush(message.clone()))
            }
            _ => Err(Error::new(
                ErrorKind::Misuse,
                "this message is for another service",
            )),
        }
    }

    /// Reads an answer.
    pub(super) fn outcome(&self, response: &Response, context: &Context, now: Now) -> Outcome {
        match (&self.room, context) {
            (Room::Adm { .. }, Context::SentTo(target)) => adm::outcome(response, target, now),
            (Room::Baidu { .. }, _) => baidu::outcome(response, now),
            (Room::Fcm { .. }, _) => fcm::outcome(response, now),
            (Room::WebPush { credentials, .. }, Context::WebPush(message)) => {
                let subscription = message.subscription();
                if matches!(response.status, 401 | 403) {
                    credentials.observe_date(subscription.endpoint().authority(), response, now);
                }
                webpush::outcome_for(response, subscription, now)
            }
            (Room::WebPush { .. }, _) => webpush::outcome(response, now),
            (Room::Apns { credentials, .. }, context) => {
                if response.status == 403 {
                    credentials.observe_date(response, now);
                }
                match context {
                    Context::Registered(at) => apns::judge(apns::outcome(response, now), Some(*at)),
                    Context::Broadcast => apns::broadcast_outcome(response, now),
                    _ => apns::outcome(response, now),
                }
            }
            // To a topic or group.
            (Room::Adm { .. }, _) => adm::audience_outcome(response, now),
        }
    }

    /// The service's word in a GOAWAY, or its debug data as text.
    pub(super) fn go_away_reason(&self, goaway: &GoAway) -> String {
        let reason = match &self.room {
            Room::Apns { .. } => apns::go_away_reason(&goaway.debug_data),
            _ => None,
        };
        match reason {
            Some(reason) => reason.as_str().to_owned(),
            None => {
                let text = String::from_utf8_lossy(&goaway.debug_data);
                text.chars().filter(|c| !c.is_control()).take(256).collect()
            }
        }
    }

    /// Whether a GOAWAY says that the credentials are at fault (APNs: a certificate).
    pub(super) fn refuses_credentials(&self, goaway: &GoAway) -> bool {
        let outcome = match &self.room {
            Room::Apns { .. } => apns::go_away_outcome(&goaway.debug_data),
            _ => None,
        };
        matches!(outcome, Some(Outcome::FixCredentials(arm)) if !arm.refreshable && !arm.reconnect)
    }

    /// What it says of the message that the service reset its stream with this code; `None` where
    /// it says nothing (RFC 9113 §7).
    pub(super) fn reset_outcome(&self, code: u32) -> Option<Outcome> {
        match &self.room {
            Room::Apns { .. } => apns::reset_outcome(code),
            _ => None,
        }
    }

    pub(super) fn allow_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        match &self.room {
            Room::WebPush { policy, .. } => policy.check_address(authority, address),
            Room::Fcm { .. } => fcm::allow_metadata_address(authority, address),
            _ => Ok(()),
        }
    }

    /// Where requests for tokens go.
    pub(super) fn token_lane(&self) -> Lane {
        match &self.room {
            Room::Fcm { credentials, .. } if credentials.is_of_metadata_server() => Lane::Metadata,
            _ => Lane::Token,
        }
    }

    /// Whether a caller's own request goes to one of the service's hosts.
    pub(super) fn check_host(&self, request: &Request) -> Result<(), Error> {
        let Some(to) = request.authority.as_ref() else {
            return Err(Error::new(ErrorKind::Misuse, "the request names no host"));
        };
        let ours = match &self.room {
            Room::Adm { authority, .. } | Room::Baidu { authority, .. } => to == authority,
            Room::Apns { hosts, .. } => [hosts.device(), hosts.broadcast(), hosts.management()].contains(&to),
            Room::Fcm { hosts, .. } => [&hosts.fcm, &hosts.iid].contains(&to),
            Room::WebPush { policy, .. } => {
                return policy.check(&webpush::Endpoint::parse(&request.url())?);
            }
        };
        match ours {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Misuse,
                "the request is for another host than the service's",
            )),
        }
    }

    /// What the answer to a caller's own request says about the authorization and the connection.
    pub(super) fn verdict(&self, response: &Response, now: Now) -> Option<Outcome> {
        match &self.room {
            Room::Apns { credentials, .. } => {
                if response.status == 403 {
                    credentials.observe_date(response, now);
                }
                Some(apns::broadcast_outcome(response, now))
            }
            Room::Adm { .. } | Room::Fcm { .. } => (response.status == 401).then(|| {
                Outcome::FixCredentials(FixCredentials {
                    refreshable: true,
                    ..FixCredentials::default()
                })
            }),
            Room::Baidu { .. } | Room::WebPush { .. } => None,
        }
    }

    /// How long an idle connection is kept; `None` is for ever.
    pub(super) fn idle_timeout(&self, lane: Lane, chosen: Option<Duration>) -> Option<Duration> {
        let habit = match &self.room {
            Room::Apns { .. } => None,
            _ => Some(IDLE),
        };
        let timeout = chosen.or(habit);
        match lane {
            Lane::Token | Lane::Metadata => Some(timeout.unwrap_or(TOKEN_IDLE).min(TOKEN_IDLE)),
            Lane::Main | Lane::Suspect | Lane::Calls => timeout,
        }
    }

    pub(super) fn wedge_detector(&self, lane: Lane) -> Option<WedgeDetector> {
        let apns = matches!(self.room, Room::Apns { .. }) && !lane.is_for_tokens();
        apns.then(WedgeDetector::new)
    }

    /// How many requests that are no messages the service takes in a second.
    pub(super) fn call_rate(&self) -> Option<u32> {
        match &self.room {
            Room::Fcm { .. } => Some(fcm::topics::CALLS_PER_SECOND),
            _ => None,
        }
    }

    /// Whether tokens are made here, and not fetched.
    pub(super) fn mints_tokens(&self) -> bool {
        matches!(self.room, Room::Apns { .. })
    }

    /// Counts an outcome; true when it makes a wrong configuration likely.
    pub(super) fn mix_up_begins(&mut self, outcome: &Outcome) -> bool {
        self.witness.note(outcome);
        self.witness.poll_suspicion().is_some()
    }

    /// How far the service's clock is ahead of ours, the first time that an answer tells: every
    /// request that is under way with the same token brings the same answer.
    pub(super) fn clock_is_wrong(&mut self, outcome: &Outcome) -> Option<i64> {
        let Outcome::FixCredentials(arm) = outcome else {
            return None;
        };
        let seconds = arm.clock_skew?;
        let known = self.clock_skew.is_some_and(|known| known.abs_diff(seconds) <= 60);
        self.clock_skew = Some(seconds);
        (!known).then_some(seconds)
    }

    pub(super) fn is_mix_up_suspected(&self) -> bool {
        self.witness.is_suspected()
    }
}

/// Made anew for each connection: there is one in an hour.
fn metadata_config() -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::new(Security::Cleartext);
    config.protocols = Protocols::Http1Only;
    Arc::new(config)
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("room", &self.room.name())
            .finish_non_exhaustive()
    }
}

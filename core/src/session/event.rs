//! What a session tells its owner beside outcomes: actions to carry out, and events for logs and metrics. No
//! secret, no token.

use std::time::Duration;

use super::id::LinkId;
use crate::error::ErrorKind;
use crate::http::Authority;
use crate::outcome::{Scope, Suspect, Suspects};

/// A task for the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Resolve the host anew, ask [`Session::allow_address`](super::Session::allow_address) about each address,
    /// connect (through a proxy only where [`Session::is_direct`](super::Session::is_direct) is false), then
    /// call [`Session::connected`](super::Session::connected) or
    /// [`Session::connect_failed`](super::Session::connect_failed).
    Connect {
        /// The connection.
        link: LinkId,
        /// The host and port to connect to.
        authority: Authority,
    },
    /// Write what `transmit` still shows, as far as that goes without waiting, then close the
    /// socket. The link is gone already: there is nothing to report back.
    Close {
        /// The connection.
        link: LinkId,
        /// The bytes that were left to write: a last GOAWAY, an alert.
        final_bytes: Vec<u8>,
    },
}

/// Why a connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DialReason {
    /// Messages wait, and there is no connection to their host that is of use.
    First,
    /// Messages have waited for a quarter of a round trip, and every connection is full: its streams or its flow-control window.
    Full,
}

/// Why a connection is let go that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LetGoReason {
    /// The connection had nothing to do for as long as the service or the configuration wants it to be kept.
    Idle,
    /// The connection is one beside others, and had nothing to do for a minute.
    Surplus,
    /// A host that messages wait for needs the place: there are as many connections as there may be.
    MadeRoom,
}

/// Something worth a line in a log or a tick of a counter. A session keeps the
/// last 1,024 that nobody has fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A connection is being made.
    Dialling {
        /// The connection.
        link: LinkId,
        /// The host and port that it goes to.
        authority: Authority,
        /// Why the connection is made.
        reason: DialReason,
    },
    /// A connection that works is let go.
    LetGo {
        /// The connection.
        link: LinkId,
        /// Why the connection is let go.
        reason: LetGoReason,
    },
    /// A connection is ready for requests.
    Connected {
        /// The connection.
        link: LinkId,
    },
    /// A connection could not be made, or ended.
    Disconnected {
        /// The connection.
        link: LinkId,
        /// Why; `None` for an orderly end.
        error: Option<ErrorKind>,
        /// The failure, in words.
        text: Box<str>,
    },
    /// The server changed the number of streams it allows on a connection.
    SettingsChanged {
        /// The connection.
        link: LinkId,
        /// MAX_CONCURRENT_STREAMS.
        max_concurrent_streams: u32,
    },
    /// The server said GOAWAY; what it had not processed moves to another connection.
    GoAway {
        /// The connection.
        link: LinkId,
        /// The error code, 0 for a graceful shutdown.
        code: u32,
        /// The service's reason (APNs), or the debug data as text, at most 256 bytes.
        reason: Box<str>,
    },
    /// An access token or provider token was made or fetched.
    TokenRenewed,
    /// The token endpoint did not give a token.
    TokenFailed {
        /// The kind of failure.
        error: ErrorKind,
        /// The failure, in words.
        text: Box<str>,
    },
    /// A message went back to the queue.
    Requeued {
        /// Why its attempt failed; `Unknown` where no answer came in time (at least once).
        error: ErrorKind,
    },
    /// The service asked to slow down: with a 429 or 503, or by resetting a stream with
    /// ENHANCE_YOUR_CALM (scope `Connection`: that connection pauses, and has at most half as
    /// many requests in flight afterwards).
    Throttled {
        /// The traffic that has to wait.
        scope: Scope,
        /// For how long.
        after: Duration,
    },
    /// The service refused a token that we dated by a wrong clock: set this machine's clock. Tokens are
    /// dated by the service's meanwhile, if it is not more than a day off.
    ClockSkew {
        /// How far the service's clock is ahead of ours; negative when it is behind.
        seconds: i64,
    },
    /// A connection is alive, but of no use, and gets replaced: after an expired provider token,
    /// with one server error after the other, or when three requests in a row got no
    /// answer in time although PINGs are answered.
    Wedged {
        /// The connection.
        link: LinkId,
    },
    /// Many answers in a row blame the tokens: environment, topic, sender, VAPID key or payload are probably
    /// wrong. Do not delete the tokens; see [`is_mix_up_suspected`](super::Session::is_mix_up_suspected).
    MixUpSuspected {
        /// Everything that could be at fault.
        suspects: Suspects,
        /// The number of answers so far that could be explained by these suspects.
        answers: u64,
    },
    /// The service refuses the credentials: what waited for it ends as `NotSent`, and one message after a pause tries
    /// them again.
    CredentialsRefused {
        /// The refusal in words.
        text: Box<str>,
    },
    /// The service takes the credentials again.
    CredentialsAccepted,
    /// The session has found a fault in its own books ([`ErrorKind::Internal`]): a bug of ours, please report
    /// it. Messages still end, but [`Stats`](super::Stats) may be wrong from now on.
    Internal {
        /// The fault, in words.
        text: Box<str>,
    },
}

/// How much an event matters to a person who reads a log. The levels are the ones that logging libraries share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EventLevel {
    /// Somebody has to do something: messages are refused until then.
    Error,
    /// Something went wrong that the session handles by itself.
    Warning,
    /// A change that nobody has to do anything about: a server shuts down in order, credentials are taken again.
    Info,
    /// The everyday: connections come and go, tokens are renewed, messages go back to the queue.
    Debug,
}

impl EventLevel {
    /// Returns the level with that name; `None` where no level has it.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Error, Self::Warning, Self::Info, Self::Debug]
            .into_iter()
            .find(|level| level.name() == name)
    }

    /// Returns the name of the level in lower case, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// A [`SessionEvent`] as one flat record: what bindings, logs and counters read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EventParts {
    /// The event's name in snake case, the same in every language.
    pub name: &'static str,
    /// How much the event matters in a log.
    pub level: EventLevel,
    /// The connection that the event is about; `None` where it is about none.
    pub link: Option<LinkId>,
    /// A number that programs compare: the [`ErrorKind`], the error code of a GOAWAY, or the number of streams; `None` where
    /// there is none.
    pub code: Option<u32>,
    /// How long something has to wait, or how far a clock is ahead; `None` where no time is told.
    pub after: Option<Duration>,
    /// The event in words, never empty.
    pub text: String,
}

impl SessionEvent {
    /// Returns how much the event matters to a person who reads a log.
    pub const fn level(&self) -> EventLevel {
        match self {
            Self::TokenFailed { .. }
            | Self::MixUpSuspected { .. }
            | Self::CredentialsRefused { .. }
            | Self::Internal { .. } => EventLevel::Error,
            Self::Disconnected { error: Some(_), .. }
            | Self::Throttled { .. }
            | Self::ClockSkew { .. }
            | Self::Wedged { .. } => EventLevel::Warning,
            // Error code 0 announces a graceful shutdown (RFC 9113 section 6.8).
            Self::GoAway { code, .. } if *code != 0 => EventLevel::Warning,
            Self::GoAway { .. } | Self::CredentialsAccepted => EventLevel::Info,
            Self::Connected { .. }
            | Self::Disconnected { .. }
            | Self::Dialling { .. }
            | Self::LetGo { .. }
            | Self::Requeued { .. }
            | Self::SettingsChanged { .. }
            | Self::TokenRenewed => EventLevel::Debug,
        }
    }

    /// Returns the event as a flat record. Every event is taken apart here and nowhere else: one that is added and
    /// not handled does not compile.
    pub fn parts(&self) -> EventParts {
        let parts = |name, link: Option<&LinkId>, code, text: &str| EventParts {
            name,
            level: self.level(),
            link: link.copied(),
            code,
            after: None,
            text: text.to_owned(),
        };
        let number = |kind: &ErrorKind| Some(u32::from(kind.code()));
        match self {
            Self::Dialling {
                link,
                authority,
                reason,
            } => {
                let why = match reason {
                    DialReason::First => "messages wait, and no connection is of use",
                    DialReason::Full => "messages wait, and every connection is full",
                };
                parts("dialling", Some(link), None, &format!("{authority}: {why}"))
            }
            Self::LetGo { link, reason } => {
                let why = match reason {
                    LetGoReason::Idle => "the connection had nothing to do",
                    LetGoReason::Surplus => "the connection had nothing to do beside others",
                    LetGoReason::MadeRoom => "another host needs the place of the connection",
                };
                parts("let_go", Some(link), None, why)
            }
            Self::Connected { link } => parts("connected", Some(link), None, "a connection is ready"),
            Self::Disconnected { link, error, text } => {
                let text = if text.is_empty() {
                    "the connection ended in order"
                } else {
                    text
                };
                parts("disconnected", Some(link), error.as_ref().and_then(number), text)
            }
            Self::SettingsChanged {
                link,
                max_concurrent_streams,
            } => {
                let text = format!("the server allows {max_concurrent_streams} streams at a time");
                parts(
                    "settings_changed",
                    Some(link),
                    Some(*max_concurrent_streams),
                    &text,
                )
            }
            Self::GoAway { link, code, reason } => {
                let text = match &**reason {
                    "" => format!("the server says GOAWAY with error code {code}"),
                    reason => reason.to_owned(),
                };
                parts("go_away", Some(link), Some(*code), &text)
            }
            Self::TokenRenewed => parts(
                "token_renewed",
                None,
                None,
                "there is a new access or provider token",
            ),
            Self::TokenFailed { error, text } => parts("token_failed", None, number(error), text),
            Self::Requeued { error } => {
                let text = format!("a message goes back to the queue: {}", error.name());
                parts("requeued", None, number(error), &text)
            }
            Self::Throttled { scope, after } => EventParts {
                after: Some(*after),
                ..parts(
                    "throttled",
                    None,
                    None,
                    &format!(
                        "the service asks for a pause of {:.1} s, which concerns the {}",
                        after.as_secs_f64(),
                        scope.name()
                    ),
                )
            },
            Self::ClockSkew { seconds } => {
                let text = match seconds {
                    0.. => format!("the service's clock is {seconds} s ahead: set this machine's clock"),
                    _ => format!(
                        "the service's clock is {} s behind: set this machine's clock",
                        seconds.unsigned_abs()
                    ),
                };
                EventParts {
                    after: Some(Duration::from_secs(seconds.unsigned_abs())),
                    ..parts("clock_skew", None, None, &text)
                }
            }
            Self::Wedged { link } => {
                let text = "the connection is alive but of no use, and gets replaced";
                parts("wedged", Some(link), None, text)
            }
            Self::MixUpSuspected { suspects, answers } => {
                let names: Vec<_> = suspects.iter().map(Suspect::name).collect();
                let text = format!(
                    "{answers} answers blame the tokens, which are most likely good: keep them, and check {}",
                    names.join(", ")
                );
                parts("mix_up_suspected", None, None, &text)
            }
            Self::CredentialsRefused { text } => parts("credentials_refused", None, None, text),
            Self::CredentialsAccepted => parts(
                "credentials_accepted",
                None,
                None,
                "the service takes the credentials again",
            ),
            Self::Internal { text } => parts("internal", None, number(&ErrorKind::Internal), text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_name_and_words() {
        let link = LinkId::from_u64(7);
        let text = || Box::<str>::default();
        for (event, name) in [
            (
                SessionEvent::Dialling {
                    link,
                    authority: Authority::parse("push.example").unwrap(),
                    reason: DialReason::Full,
                },
                "dialling",
            ),
            (
                SessionEvent::LetGo {
                    link,
                    reason: LetGoReason::MadeRoom,
                },
                "let_go",
            ),
            (SessionEvent::Connected { link }, "connected"),
            (
                SessionEvent::Disconnected {
                    link,
                    error: None,
                    text: text(),
                },
                "disconnected",
            ),
            (
                SessionEvent::GoAway {
                    link,
                    code: 0,
                    reason: text(),
                },
                "go_away",
            ),
            (SessionEvent::TokenRenewed, "token_renewed"),
            (SessionEvent::ClockSkew { seconds: -62 }, "clock_skew"),
            (SessionEvent::Wedged { link }, "wedged"),
            (
                SessionEvent::MixUpSuspected {
                    suspects: Suspect::Topic.into(),
                    answers: 16,
                },
                "mix_up_suspected",
            ),
            (SessionEvent::CredentialsAccepted, "credentials_accepted"),
        ] {
            let parts = event.parts();
            assert_eq!(parts.name, name);
            assert!(!parts.text.is_empty(), "{name}");
        }
        let go_away = |code| SessionEvent::GoAway {
            link,
            code,
            reason: text(),
        };
        let lost = |error| SessionEvent::Disconnected {
            link,
            error,
            text: text(),
        };
        for (event, level) in [
            (go_away(0), EventLevel::Info),
            (go_away(2), EventLevel::Warning),
            (lost(None), EventLevel::Debug),
            (lost(Some(ErrorKind::ConnectionLost)), EventLevel::Warning),
            (
                SessionEvent::CredentialsRefused { text: text() },
                EventLevel::Error,
            ),
            (SessionEvent::TokenRenewed, EventLevel::Debug),
        ] {
            assert_eq!(event.parts().level, level, "{event:?}");
        }
        let pause = SessionEvent::Throttled {
            scope: Scope::Topic,
            after: Duration::from_millis(1500),
        };
        assert_eq!(
            pause.parts().text,
            "the service asks for a pause of 1.5 s, which concerns the topic"
        );
        let behind = SessionEvent::ClockSkew { seconds: -62 }.parts();
        assert_eq!(
            behind.text,
            "the service's clock is 62 s behind: set this machine's clock"
        );
    }
}

//! What happens in a session, for the program's log.

use pushcore::service::Kind;
use pushcore::session::SessionEvent;

/// Whether anybody listens: the features `log` and `tracing` are off by default, and cost nothing then.
pub const WATCHED: bool = cfg!(any(feature = "log", feature = "tracing"));

/// How much an event matters to the people who run the sender. The names are those of the levels in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// The everyday: connections come and go, tokens are renewed, messages go back to the queue.
    Debug,
    /// A change that nobody has to do anything about: a server shuts down in order, credentials are taken again.
    Info,
    /// Something that slows the sender down, and that the session deals with by itself.
    Warning,
    /// Something that only people mend: credentials, the configuration, or a fault of this library's.
    Error,
}

impl Severity {
    /// Returns how much an event matters. An event of a later version is a warning.
    pub fn of(event: &SessionEvent) -> Self {
        match event {
            SessionEvent::Connected { .. }
            | SessionEvent::Disconnected { error: None, .. }
            | SessionEvent::SettingsChanged { .. }
            | SessionEvent::TokenRenewed
            | SessionEvent::Requeued { .. } => Severity::Debug,
            SessionEvent::GoAway { code: 0, .. } | SessionEvent::CredentialsAccepted => Severity::Info,
            SessionEvent::TokenFailed { .. }
            | SessionEvent::CredentialsRefused { .. }
            | SessionEvent::MixUpSuspected { .. }
            | SessionEvent::Internal { .. } => Severity::Error,
            _ => Severity::Warning,
        }
    }

    /// Returns the name: `debug`, `info`, `warning` or `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Debug => "debug",
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Tells the program's log what happened, with the target `pushcore`: through the crate `log`, the crate `tracing`, or both, as the
/// features say. No event holds a secret or a token.
pub fn report(service: Kind, event: &SessionEvent) {
    #[cfg(feature = "log")]
    to_log(service, event);
    #[cfg(feature = "tracing")]
    to_tracing(service, event);
    #[cfg(not(any(feature = "log", feature = "tracing")))]
    let _ = (service, event);
}

#[cfg(feature = "log")]
fn to_log(service: Kind, event: &SessionEvent) {
    let level = match Severity::of(event) {
        Severity::Debug => log::Level::Debug,
        Severity::Info => log::Level::Info,
        Severity::Warning => log::Level::Warn,
        Severity::Error => log::Level::Error,
    };
    if log::log_enabled!(target: "pushcore", level) {
        let parts = event.parts();
        log::log!(target: "pushcore", level, "{service}: {}: {}", parts.name, parts.text);
    }
}

#[cfg(feature = "tracing")]
fn to_tracing(service: Kind, event: &SessionEvent) {
    /// The level is a constant of the call site.
    macro_rules! tell {
        ($level:ident) => {
            if tracing::enabled!(target: "pushcore", tracing::Level::$level) {
                let parts = event.parts();
                tracing::event!(
                    target: "pushcore",
                    tracing::Level::$level,
                    service = service.as_str(),
                    event = parts.name,
                    connection = parts.link.map(pushcore::session::LinkId::to_u64),
                    code = parts.code,
                    after_seconds = parts.after.map(|after| after.as_secs_f64()),
                    "{}",
                    parts.text
                );
            }
        };
    }
    match Severity::of(event) {
        Severity::Debug => tell!(DEBUG),
        Severity::Info => tell!(INFO),
        Severity::Warning => tell!(WARN),
        Severity::Error => tell!(ERROR),
    }
}

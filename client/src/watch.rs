//! What happens in a session, for the program's log.

use pushcore::service::Kind;
#[cfg(any(feature = "log", feature = "tracing"))]
use pushcore::session::EventLevel;
use pushcore::session::SessionEvent;

/// Whether anybody listens: the features `log` and `tracing` are off by default, and cost nothing then.
pub const WATCHED: bool = cfg!(any(feature = "log", feature = "tracing"));

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
    let level = match event.level() {
        EventLevel::Debug => log::Level::Debug,
        EventLevel::Info => log::Level::Info,
        EventLevel::Error => log::Level::Error,
        _ => log::Level::Warn,
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
    match event.level() {
        EventLevel::Debug => tell!(DEBUG),
        EventLevel::Info => tell!(INFO),
        EventLevel::Error => tell!(ERROR),
        _ => tell!(WARN),
    }
}

//! The push services, known by their hosts, and what each does in its own way.
//!
//! The figures were read or measured in November 2026. They adjust what is sent
//! and how an answer is read; none of them refuses a message.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The provider of the push service that an endpoint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// Mozilla autopush (Firefox).
    Mozilla,
    /// Google FCM (Chrome, Edge on Android, Samsung Internet, Opera, Brave).
    Fcm,
    /// Apple (Safari).
    Apple,
    /// Microsoft WNS (Edge on Windows).
    Wns,
    /// Any other: UnifiedPush, a self-hosted autopush.
    Other,
}

impl Provider {
    /// All of them.
    pub const ALL: [Provider; 5] = [
        Provider::Mozilla,
        Provider::Fcm,
        Provider::Apple,
        Provider::Wns,
        Provider::Other,
    ];

    /// The provider of a host name in lower case.
    pub fn of_host(host: &str) -> Self {
        match host {
            "fcm.googleapis.com" | "jmt17.google.com" | "android.googleapis.com" => Provider::Fcm,
            _ if is_under(host, "push.services.mozilla.com") => Provider::Mozilla,
            _ if is_under(host, "push.apple.com") => Provider::Apple,
            _ if is_under(host, "notify.windows.com") => Provider::Wns,
            _ => Provider::Other,
        }
    }

    /// The longest time to live that the service keeps; it lowers a longer one by
    /// itself (Mozilla) or refuses it (Apple).
    pub const fn longest_ttl(self) -> Duration {
        match self {
            Provider::Fcm => DAY.saturating_mul(28),
            // RFC 8030 §5.2 names no limit; a receiver need not understand 2^31 or more.
            Provider::Other => Duration::from_secs(i32::MAX as u64),
            Provider::Mozilla | Provider::Apple | Provider::Wns => DAY.saturating_mul(30),
        }
    }

    /// The largest body that the service takes, in bytes. RFC 8030 §7.2 promises
    /// 4096 everywhere, and one record of `aes128gcm` as browsers read it is never longer.
    pub const fn largest_body(self) -> usize {
        4096
    }

    /// The largest body that reaches every device behind the service. Firefox on
    /// Android gets its messages through FCM in base64, which leaves about 2744 bytes.
    pub const fn safe_body(self) -> usize {
        match self {
            Provider::Mozilla => 2744,
            _ => 4096,
        }
    }

    /// The name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Provider::Mozilla => "mozilla",
            Provider::Fcm => "fcm",
            Provider::Apple => "apple",
            Provider::Wns => "wns",
            Provider::Other => "other",
        }
    }
}

/// Whether `host` is `domain` or a name under it.
pub(super) fn is_under(host: &str, domain: &str) -> bool {
    match host.strip_suffix(domain) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_matched_on_a_dot() {
        for (host, provider) in [
            ("fcm.googleapis.com", Provider::Fcm),
            ("jmt17.google.com", Provider::Fcm),
            ("updates.push.services.mozilla.com", Provider::Mozilla),
            (
                "updates-autopush.stage.push.services.mozilla.com",
                Provider::Mozilla,
            ),
            ("web.push.apple.com", Provider::Apple),
            ("wns2-par02p.notify.windows.com", Provider::Wns),
            ("evilpush.apple.com.example.org", Provider::Other),
            ("evilpush.apple.com", Provider::Other),
            ("notnotify.windows.com", Provider::Other),
            ("evil-fcm.googleapis.com", Provider::Other),
            ("fcm.googleapis.com.evil.example", Provider::Other),
        ] {
            assert_eq!(Provider::of_host(host), provider, "{host}");
        }
    }

    #[test]
    fn sizes_are_what_the_services_take() {
        for provider in Provider::ALL {
            assert_eq!(provider.largest_body(), 4096, "RFC 8030 §7.2");
            assert!(provider.safe_body() <= provider.largest_body());
        }
        // FCM carries the body in at most 4096 bytes of base64, some of which are its envelope.
        assert_eq!(Provider::Mozilla.safe_body(), 2744);
        assert!(Provider::Mozilla.safe_body().div_ceil(3) * 4 < 4096);
    }
}

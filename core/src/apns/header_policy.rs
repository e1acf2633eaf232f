//! Which headers the compression of HTTP/2 may remember.

use crate::http::Indexing;

/// Which of Apple's two published rules for HPACK a push follows. They
/// contradict each other; APNs answers both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum HeaderPolicy {
    /// "Establishing a connection to APNs": values that rarely change may be
    /// indexed, `authorization` named among them. In the steady state of a campaign: 84 bytes of
    /// headers a push, 63 with [`compact_headers`](crate::session::SessionConfig::compact_headers).
    #[default]
    Connection,
    /// "Sending notification requests to APNs": `authorization` is never indexed,
    /// nor are an id, an expiration or a collapse id: 249 bytes of headers a push, or 228.
    Sending,
}

impl HeaderPolicy {
    /// For a header whose value a whole campaign, or a credential, has in common.
    pub(crate) fn constant(self, name: &str) -> Indexing {
        match (self, name) {
            (
                HeaderPolicy::Sending,
                "authorization" | "apns-id" | "apns-request-id" | "apns-expiration" | "apns-collapse-id",
            ) => Indexing::Without,
            _ => Indexing::Incremental,
        }
    }

    /// For a header whose value differs from push to push: under both rules it
    /// would only push useful entries out of the table.
    pub(crate) const VARYING: Indexing = Indexing::Without;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_of_apples_rules_can_be_followed() {
        let rows = [
            ("authorization", Indexing::Incremental, Indexing::Without),
            ("apns-topic", Indexing::Incremental, Indexing::Incremental),
            ("apns-push-type", Indexing::Incremental, Indexing::Incremental),
            ("apns-priority", Indexing::Incremental, Indexing::Incremental),
            ("apns-channel-id", Indexing::Incremental, Indexing::Incremental),
            ("apns-expiration", Indexing::Incremental, Indexing::Without),
            ("apns-collapse-id", Indexing::Incremental, Indexing::Without),
        ];
        for (name, connection, sending) in rows {
            assert_eq!(HeaderPolicy::Connection.constant(name), connection, "{name}");
            assert_eq!(HeaderPolicy::Sending.constant(name), sending, "{name}");
        }
        assert_eq!(HeaderPolicy::default(), HeaderPolicy::Connection);
    }
}

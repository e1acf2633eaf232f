//! Which messages share connections.

/// The kind of traffic to a host. Two lanes to one host never share a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// Pushes.
    Main,
    /// Pushes to tokens never seen good: a BadDeviceToken throttles its whole APNs connection.
    Suspect,
    /// A caller's own requests, where the service bounds their rate (FCM's topics): pushes do
    /// not wait behind them.
    Calls,
    /// Requests to a token endpoint.
    Token,
    /// Requests to the machine's metadata server: plain HTTP/1.1, never through a proxy.
    Metadata,
}

impl Lane {
    /// Whether the lane carries the session's own requests for tokens, and no caller's.
    pub(super) fn is_for_tokens(self) -> bool {
        matches!(self, Lane::Token | Lane::Metadata)
    }
}

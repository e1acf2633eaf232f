//! What an owner can choose about an HTTP/2 connection.

use std::time::Duration;

/// When to ask a silent server whether it is still there (PING, RFC 9113 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PingPolicy {
    /// Send a PING when nothing has been received for this long.
    pub idle: Duration,
    /// Give the connection up when nothing is received for this long after a PING.
    pub acknowledge: Duration,
    /// Also while no request is in flight. Some services punish that.
    pub without_streams: bool,
}

impl PingPolicy {
    /// A PING after `idle` without a byte from the server; the connection is given up when `acknowledge` passes after that. None is
    /// sent while no request is in flight.
    pub const fn new(idle: Duration, acknowledge: Duration) -> Self {
        Self {
            idle,
            acknowledge,
            without_streams: false,
        }
    }
}

impl Default for PingPolicy {
    /// 15 s of silence with requests in flight, then 10 s for the answer.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(15),
            acknowledge: Duration::from_secs(10),
            without_streams: false,
        }
    }
}

/// The choices of an HTTP/2 connection. The default suits every push service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The first stream id, odd; tests start near the end of the id space. An even value is
    /// taken as the next odd one.
    pub initial_stream_id: u32,
    /// The most requests in flight, whatever the server allows.
    pub max_in_flight: u32,
    /// The largest response header list, counted as RFC 9113 §6.5.2 does; what is above it
    /// is dropped, and four times as much ends the connection.
    pub max_header_list: u32,
    /// The largest response body, in octets; a longer one is cut.
    pub max_response_body: usize,
    /// SETTINGS_HEADER_TABLE_SIZE: how much of their headers servers may have us remember.
    pub header_table_size: u32,
    /// The largest table that requests are compressed with; the server may allow less.
    pub encoder_table_size: u32,
    /// SETTINGS_INITIAL_WINDOW_SIZE: response octets per stream; raised to at least 65,535.
    pub initial_window: u32,
    /// Response octets on the whole connection; raised to at least 65,535.
    pub connection_window: u32,
    /// How long the server may take for its SETTINGS, and to acknowledge ours.
    pub settings_timeout: Duration,
    /// Dead-peer detection; `None` leaves it to the owner.
    pub ping: Option<PingPolicy>,
    /// Whether to Huffman-code values that differ in every request (the path): fewer octets
    /// for more work. Values that repeat are always coded, once.
    pub huffman_literals: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            initial_stream_id: 1,
            max_in_flight: 1000,
            max_header_list: 16 * 1024,
            max_response_body: 64 * 1024,
            header_table_size: 4096,
            encoder_table_size: 4096,
            initial_window: 128 * 1024,
            connection_window: 1024 * 1024,
            settings_timeout: Duration::from_secs(10),
            ping: Some(PingPolicy::default()),
            huffman_literals: false,
        }
    }
}

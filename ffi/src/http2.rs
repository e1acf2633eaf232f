//! The settings of HTTP/2 connections.

use std::time::Duration;

use pushcore::net::h2::{Config, PingPolicy};

use crate::guard::Failure;
use crate::view::{Versioned, in_set, known_bits, options};

/// `max_in_flight` is set.
pub const PUSHCORE_HTTP2_SET_MAX_IN_FLIGHT: u32 = 1;
/// `max_header_list` is set.
pub const PUSHCORE_HTTP2_SET_MAX_HEADER_LIST: u32 = 2;
/// `max_response_body` is set.
pub const PUSHCORE_HTTP2_SET_MAX_RESPONSE_BODY: u32 = 4;
/// `header_table_size` is set.
pub const PUSHCORE_HTTP2_SET_HEADER_TABLE_SIZE: u32 = 8;
/// `encoder_table_size` is set.
pub const PUSHCORE_HTTP2_SET_ENCODER_TABLE_SIZE: u32 = 16;
/// `initial_window` is set.
pub const PUSHCORE_HTTP2_SET_INITIAL_WINDOW: u32 = 32;
/// `connection_window` is set.
pub const PUSHCORE_HTTP2_SET_CONNECTION_WINDOW: u32 = 64;
/// `settings_timeout_ms` is set.
pub const PUSHCORE_HTTP2_SET_SETTINGS_TIMEOUT: u32 = 128;
/// `ping_after_ms` is set; UINT64_MAX there sends no PING.
pub const PUSHCORE_HTTP2_SET_PING_AFTER: u32 = 256;
/// `ping_timeout_ms` is set.
pub const PUSHCORE_HTTP2_SET_PING_TIMEOUT: u32 = 512;

/// The settings of HTTP/2 connections. A number counts when its bit is in `set`, and is the default otherwise. All of it may be zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Http2Options {
    /// sizeof(pushcore_http2_options).
    pub struct_size: u32,
    /// PUSHCORE_HTTP2_SET_ bits.
    pub set: u32,
    /// The most requests in flight on one connection, whatever the server allows; default 1,000.
    pub max_in_flight: u32,
    /// The largest list of response headers in octets, counted as RFC 9113 section 6.5.2 does; default 16,384.
    pub max_header_list: u32,
    /// The largest response body in octets, a longer one is cut; default 65,536.
    pub max_response_body: u64,
    /// SETTINGS_HEADER_TABLE_SIZE, the octets of their headers that servers may have remembered; default 4,096.
    pub header_table_size: u32,
    /// The largest table that requests are compressed with, in octets; default 4,096.
    pub encoder_table_size: u32,
    /// SETTINGS_INITIAL_WINDOW_SIZE, response octets on a stream; default 131,072.
    pub initial_window: u32,
    /// Response octets on the whole connection; default 1,048,576.
    pub connection_window: u32,
    /// How long a server may take for its SETTINGS, and to acknowledge ours, in milliseconds; default 10,000.
    pub settings_timeout_ms: u64,
    /// The silence after which a connection with requests in flight is asked by PING, in milliseconds; by default the service's own habit.
    pub ping_after_ms: u64,
    /// How long the answer to a PING may take, in milliseconds; default 10,000.
    pub ping_timeout_ms: u64,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for Http2Options {
    const FIRST: usize = size_of::<Self>();
}

/// What the settings say; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL or readable for its `struct_size`.
pub(crate) unsafe fn read(pointer: *const Http2Options) -> Result<Option<Config>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let o = unsafe { options(pointer, "http2") }?;
    known_bits(o.set, PUSHCORE_HTTP2_SET_PING_TIMEOUT * 2 - 1, "set")?;
    let mut config = Config::default();
    for (bit, value, name, place) in [
        (
            PUSHCORE_HTTP2_SET_MAX_IN_FLIGHT,
            o.max_in_flight,
            "max_in_flight",
            &mut config.max_in_flight,
        ),
        (
            PUSHCORE_HTTP2_SET_MAX_HEADER_LIST,
            o.max_header_list,
            "max_header_list",
            &mut config.max_header_list,
        ),
        (
            PUSHCORE_HTTP2_SET_HEADER_TABLE_SIZE,
            o.header_table_size,
            "header_table_size",
            &mut config.header_table_size,
        ),
        (
            PUSHCORE_HTTP2_SET_ENCODER_TABLE_SIZE,
            o.encoder_table_size,
            "encoder_table_size",
            &mut config.encoder_table_size,
        ),
        (
            PUSHCORE_HTTP2_SET_INITIAL_WINDOW,
            o.initial_window,
            "initial_window",
            &mut config.initial_window,
        ),
        (
            PUSHCORE_HTTP2_SET_CONNECTION_WINDOW,
            o.connection_window,
            "connection_window",
            &mut config.connection_window,
        ),
    ] {
        if let Some(value) = in_set(o.set, bit, value, name)? {
            *place = value;
        }
    }
    let body = in_set(
        o.set,
        PUSHCORE_HTTP2_SET_MAX_RESPONSE_BODY,
        o.max_response_body,
        "max_response_body",
    )?;
    if let Some(most) = body {
        // A count beyond the address space is no limit.
        config.max_response_body = usize::try_from(most).unwrap_or(usize::MAX);
    }
    let time = |bit, value, name| -> Result<Option<Duration>, Failure> {
        Ok(in_set(o.set, bit, value, name)?.map(Duration::from_millis))
    };
    if let Some(most) = time(
        PUSHCORE_HTTP2_SET_SETTINGS_TIMEOUT,
        o.settings_timeout_ms,
        "settings_timeout_ms",
    )? {
        config.settings_timeout = most;
    }
    let after = time(PUSHCORE_HTTP2_SET_PING_AFTER, o.ping_after_ms, "ping_after_ms")?;
    let answer = time(
        PUSHCORE_HTTP2_SET_PING_TIMEOUT,
        o.ping_timeout_ms,
        "ping_timeout_ms",
    )?;
    if after == Some(Duration::from_millis(u64::MAX)) {
        config.ping = None;
    } else if after.is_some() || answer.is_some() {
        let usual = PingPolicy::default();
        config.ping = Some(PingPolicy::new(
            after.unwrap_or(usual.idle),
            answer.unwrap_or(usual.acknowledge),
        ));
    }
    Ok(Some(config))
}

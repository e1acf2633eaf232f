//! How clients and sessions reach the network, and the options of one message.

use std::time::Duration;

use pushcore::net::Security;
use pushcore::net::tls::{ClientIdentity, TlsConfig};
use pushcore::outcome::OnSuspicion;
use pushcore::session::{Delivery, Priority, SendOptions, SessionConfig};
use pushcore::{Error, ErrorKind};
use pushcore_client::{ClientConfig, Proxy, Resolver};

use crate::guard::Failure;
use crate::http2::Http2Options;
use crate::view::{Versioned, View, in_set, known_bits, optional};

/// A message that was written and got no answer is sent again with the same identifiers: a device may see it twice.
pub const PUSHCORE_NETWORK_AT_LEAST_ONCE: u32 = 1;
/// The text that differs in every request is compressed, too: fewer octets, more work.
pub const PUSHCORE_NETWORK_COMPACT_HEADERS: u32 = 2;
/// The bundled roots are not trusted: `ca` alone is.
pub const PUSHCORE_NETWORK_WITHOUT_BUNDLED_ROOTS: u32 = 4;
/// The proxy is the one that HTTPS_PROXY or ALL_PROXY name, with the exceptions of NO_PROXY; for clients.
pub const PUSHCORE_NETWORK_PROXY_OF_ENVIRONMENT: u32 = 8;
/// Names are looked up in the thread that drives the client, which starts no thread then; for clients.
pub const PUSHCORE_NETWORK_RESOLVE_BLOCKING: u32 = 16;
/// Connections are not encrypted: for tests, and for a proxy on the same machine that adds TLS.
pub const PUSHCORE_NETWORK_CLEARTEXT: u32 = 32;

const FLAGS: u32 = PUSHCORE_NETWORK_AT_LEAST_ONCE
    | PUSHCORE_NETWORK_COMPACT_HEADERS
    | PUSHCORE_NETWORK_WITHOUT_BUNDLED_ROOTS
    | PUSHCORE_NETWORK_PROXY_OF_ENVIRONMENT
    | PUSHCORE_NETWORK_RESOLVE_BLOCKING
    | PUSHCORE_NETWORK_CLEARTEXT;

/// `max_queued` is set.
pub const PUSHCORE_NETWORK_SET_MAX_QUEUED: u32 = 1;
/// `max_connections` is set.
pub const PUSHCORE_NETWORK_SET_MAX_CONNECTIONS: u32 = 2;
/// `max_hosts` is set.
pub const PUSHCORE_NETWORK_SET_MAX_HOSTS: u32 = 4;
/// `max_requeues` is set.
pub const PUSHCORE_NETWORK_SET_MAX_REQUEUES: u32 = 8;
/// `deadline_ms` is set.
pub const PUSHCORE_NETWORK_SET_DEADLINE: u32 = 16;
/// `response_timeout_ms` is set.
pub const PUSHCORE_NETWORK_SET_RESPONSE_TIMEOUT: u32 = 32;
/// `connect_timeout_ms` is set.
pub const PUSHCORE_NETWORK_SET_CONNECT_TIMEOUT: u32 = 64;
/// `first_backoff_ms` is set.
pub const PUSHCORE_NETWORK_SET_FIRST_BACKOFF: u32 = 128;
/// `longest_backoff_ms` is set.
pub const PUSHCORE_NETWORK_SET_LONGEST_BACKOFF: u32 = 256;
/// `idle_timeout_ms` is set; UINT64_MAX there keeps connections.
pub const PUSHCORE_NETWORK_SET_IDLE_TIMEOUT: u32 = 512;
/// `probe_after_ms` is set; UINT64_MAX there trusts connections for ever.
pub const PUSHCORE_NETWORK_SET_PROBE_AFTER: u32 = 1024;
/// `queue_wait_before_dial_ms` is set.
pub const PUSHCORE_NETWORK_SET_QUEUE_WAIT: u32 = 2048;
/// `rate` is set.
pub const PUSHCORE_NETWORK_SET_RATE: u32 = 4096;
/// `call_rate` is set.
pub const PUSHCORE_NETWORK_SET_CALL_RATE: u32 = 8192;
/// `seed` is set.
pub const PUSHCORE_NETWORK_SET_SEED: u32 = 16384;
/// `gather_us` is set; 0 there fetches answers as they come.
pub const PUSHCORE_NETWORK_SET_GATHER: u32 = 32768;

/// How a client or a session behaves. An empty view leaves a text out; a number counts when its bit is in `set`, and is the default
/// otherwise. All of it may be zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NetworkOptions {
    /// sizeof(pushcore_network_options).
    pub struct_size: u32,
    /// PUSHCORE_NETWORK_SET_ bits.
    pub set: u32,
    /// PUSHCORE_NETWORK_ flags.
    pub flags: u32,
    /// How often one message goes back to the queue before it ends as not sent; default 3.
    pub max_requeues: u32,
    /// Trust anchors beside the bundled ones, in PEM.
    pub ca: View,
    /// A client certificate in PEM. That of an APNs service is presented by itself.
    pub certificate: View,
    /// The certificate's key in PEM; empty when `certificate` holds it.
    pub certificate_key: View,
    /// A proxy: `http://[user:password@]host:port` or `socks5://...`; for clients.
    pub proxy: View,
    /// The hosts that are reached without the proxy, as NO_PROXY is written.
    pub no_proxy: View,
    /// How many messages may wait for a stream; default 2,000.
    pub max_queued: u64,
    /// How many connections to one host at most; default 8.
    pub max_connections: u64,
    /// How many hosts may be in use at a time; default 256.
    pub max_hosts: u64,
    /// From submission to the end at the latest; default 60,000.
    pub deadline_ms: u64,
    /// From the opening of the stream to the answer at the latest; default 30,000.
    pub response_timeout_ms: u64,
    /// Dialling, TLS and SETTINGS together; default 10,000.
    pub connect_timeout_ms: u64,
    /// The first wait after a failed connection; default 1,000.
    pub first_backoff_ms: u64,
    /// The longest wait between connections; default 60,000.
    pub longest_backoff_ms: u64,
    /// A connection with nothing to do is closed after this long; by default the service's own habit.
    pub idle_timeout_ms: u64,
    /// A connection that was silent for this long is asked before it is trusted; by default the service's own habit.
    pub probe_after_ms: u64,
    /// How long the oldest message may wait before another connection is opened; default 100.
    pub queue_wait_before_dial_ms: u64,
    /// The seed of the jitter of back-off; by default random.
    pub seed: u64,
    /// How long answers to a bulk send may gather at most, in microseconds; default 1,000; for clients.
    pub gather_us: u64,
    /// Messages a second at most; by default no limit.
    pub rate: u32,
    /// Calls a second at most; by default the service's own limit.
    pub call_rate: u32,
    /// The settings of HTTP/2 connections; NULL for the defaults.
    pub http2: *const Http2Options,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for NetworkOptions {
    // `http2` came later.
    const FIRST: usize = std::mem::offset_of!(NetworkOptions, http2);
}

/// What [`NetworkOptions`] say, read.
pub(crate) struct Network {
    pub(crate) config: SessionConfig,
    pub(crate) security: Security,
    proxy: Option<Proxy>,
    gather: Option<Duration>,
    resolve_blocking: bool,
}

impl Network {
    /// # Safety
    /// `options` is NULL or readable for its `struct_size`, and its views are readable.
    pub(crate) unsafe fn read(
        options: *const NetworkOptions,
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        let o = unsafe { optional(options, "options") }?;
        known_bits(o.flags, FLAGS, "flags")?;
        known_bits(o.set, PUSHCORE_NETWORK_SET_GATHER * 2 - 1, "set")?;
        let has = |flag| o.flags & flag != 0;
        let number = |bit, value: u64, name| in_set(o.set, bit, value, name);
        let count = |bit, value: u64, name: &str| -> Result<Option<usize>, Failure> {
            // A count beyond the address space is no limit.
            Ok(in_set(o.set, bit, value, name)?.map(|value| usize::try_from(value).unwrap_or(usize::MAX)))
        };
        let time = |bit, value: u64, name: &str| -> Result<Option<Duration>, Failure> {
            Ok(in_set(o.set, bit, value, name)?.map(|value| match value {
                u64::MAX => Duration::MAX,
                value => Duration::from_millis(value),
            }))
        };
        let mut config = SessionConfig::default();
        if has(PUSHCORE_NETWORK_AT_LEAST_ONCE) {
            config.delivery = Delivery::AtLeastOnce;
        }
        config.compact_headers = has(PUSHCORE_NETWORK_COMPACT_HEADERS);
        if let Some(value) = count(PUSHCORE_NETWORK_SET_MAX_QUEUED, o.max_queued, "max_queued")? {
            config.max_queued = value;
        }
        if let Some(value) = count(
            PUSHCORE_NETWORK_SET_MAX_CONNECTIONS,
            o.max_connections,
            "max_connections",
        )? {
            config.max_connections = value;
        }
        if let Some(value) = count(PUSHCORE_NETWORK_SET_MAX_HOSTS, o.max_hosts, "max_hosts")? {
            config.max_hosts = value;
        }
        if let Some(value) = in_set(
            o.set,
            PUSHCORE_NETWORK_SET_MAX_REQUEUES,
            o.max_requeues,
            "max_requeues",
        )? {
            config.max_requeues = u8::try_from(value)
                .map_err(|_| Error::new(ErrorKind::InvalidValue, "max_requeues is more than 255"))?;
        }
        for (bit, value, name, place) in [
            (
                PUSHCORE_NETWORK_SET_DEADLINE,
                o.deadline_ms,
                "deadline_ms",
                &mut config.deadline,
            ),
            (
                PUSHCORE_NETWORK_SET_RESPONSE_TIMEOUT,
                o.response_timeout_ms,
                "response_timeout_ms",
                &mut config.response_timeout,
            ),
            (
                PUSHCORE_NETWORK_SET_CONNECT_TIMEOUT,
                o.connect_timeout_ms,
                "connect_timeout_ms",
                &mut config.connect_timeout,
            ),
            (
                PUSHCORE_NETWORK_SET_FIRST_BACKOFF,
                o.first_backoff_ms,
                "first_backoff_ms",
                &mut config.first_backoff,
            ),
            (
                PUSHCORE_NETWORK_SET_LONGEST_BACKOFF,
                o.longest_backoff_ms,
                "longest_backoff_ms",
                &mut config.longest_backoff,
            ),
            (
                PUSHCORE_NETWORK_SET_QUEUE_WAIT,
                o.queue_wait_before_dial_ms,
                "queue_wait_before_dial_ms",
                &mut config.queue_wait_before_dial,
            ),
        ] {
            if let Some(value) = time(bit, value, name)? {
                *place = value;
            }
        }
        config.idle_timeout = time(
            PUSHCORE_NETWORK_SET_IDLE_TIMEOUT,
            o.idle_timeout_ms,
            "idle_timeout_ms",
        )?;
        config.probe_after = time(
            PUSHCORE_NETWORK_SET_PROBE_AFTER,
            o.probe_after_ms,
            "probe_after_ms",
        )?;
        config.seed = number(PUSHCORE_NETWORK_SET_SEED, o.seed, "seed")?;
        config.rate = in_set(o.set, PUSHCORE_NETWORK_SET_RATE, o.rate, "rate")?;
        config.call_rate = in_set(o.set, PUSHCORE_NETWORK_SET_CALL_RATE, o.call_rate, "call_rate")?;
        // SAFETY: the caller's promise.
        config.http2 = unsafe { crate::http2::read(o.http2) }?;
        config.check()?;
        let gather = number(PUSHCORE_NETWORK_SET_GATHER, o.gather_us, "gather_us")?;
        // SAFETY: the caller's promise, for each.
        let (security, proxy) = unsafe { (security(&o, identity)?, proxy(&o)?) };
        Ok(Self {
            config,
            security,
            proxy,
            gather: gather.map(Duration::from_micros),
            resolve_blocking: has(PUSHCORE_NETWORK_RESOLVE_BLOCKING),
        })
    }

    /// Refuses what only a client has a use for: whoever owns the sockets dials the proxy, too.
    pub(crate) fn of_session(self) -> Result<(SessionConfig, Security), Failure> {
        if self.proxy.is_some() || self.gather.is_some() || self.resolve_blocking {
            let context =
                "proxy, gather_us and resolving are options of a client: the owner of the sockets dials";
            return Err(Error::new(ErrorKind::Misuse, context).into());
        }
        Ok((self.config, self.security))
    }

    pub(crate) fn of_client(self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.session = self.config;
        config.security = Some(self.security);
        config.proxy = self.proxy;
        if let Some(gather) = self.gather {
            config.gather = gather;
        }
        if self.resolve_blocking {
            config.resolver = Resolver::system().blocking();
        }
        config
    }
}

/// # Safety
/// The views of `o` are readable.
unsafe fn security(o: &NetworkOptions, identity: Option<&ClientIdentity>) -> Result<Security, Failure> {
    // SAFETY: the caller's promise, for each.
    let (ca, certificate, key) = unsafe {
        (
            o.ca.bytes("ca")?,
            o.certificate.bytes("certificate")?,
            o.certificate_key.bytes("certificate_key")?,
        )
    };
    let identity = match (certificate.is_empty(), key.is_empty()) {
        (true, true) => identity.cloned(),
        (true, false) => {
            let context = "certificate_key without certificate";
            return Err(Error::new(ErrorKind::MissingField, context).into());
        }
        (false, true) => Some(ClientIdentity::from_pem(certificate, certificate)?),
        (false, false) => Some(ClientIdentity::from_pem(certificate, key)?),
    };
    let bundled = o.flags & PUSHCORE_NETWORK_WITHOUT_BUNDLED_ROOTS == 0;
    if o.flags & PUSHCORE_NETWORK_CLEARTEXT != 0 {
        if !ca.is_empty() || identity.is_some() || !bundled {
            let context = "ca, certificates and roots are of no use without encryption";
            return Err(Error::new(ErrorKind::Conflict, context).into());
        }
        return Ok(Security::Cleartext);
    }
    let mut tls = TlsConfig::builder();
    if !ca.is_empty() {
        tls = tls.add_roots(ca);
    }
    if !bundled {
        tls = tls.without_bundled_roots();
    }
    if let Some(identity) = identity {
        tls = tls.identity(identity);
    }
    Ok(Security::Tls(tls.build()?))
}

/// # Safety
/// The views of `o` are readable.
unsafe fn proxy(o: &NetworkOptions) -> Result<Option<Proxy>, Failure> {
    // SAFETY: the caller's promise, for both.
    let (url, except) = unsafe { (o.proxy.optional("proxy")?, o.no_proxy.optional("no_proxy")?) };
    let of_environment = o.flags & PUSHCORE_NETWORK_PROXY_OF_ENVIRONMENT != 0;
    match (url, except, of_environment) {
        (Some(_), _, true) | (None, Some(_), _) => {
            let context = "proxy and the environment's exclude each other, and no_proxy needs proxy";
            Err(Error::new(ErrorKind::Conflict, context).into())
        }
        (None, None, true) => Ok(Proxy::of_environment()?),
        (None, None, false) => Ok(None),
        (Some(url), except, false) => Ok(Some(Proxy::parse(url)?.except(except.unwrap_or_default()))),
    }
}

/// `deadline_ms` is set.
pub const PUSHCORE_SEND_SET_DEADLINE: u32 = 1;

/// The token has never been seen good (an import, a guess): the message goes over connections of its own.
pub const PUSHCORE_SEND_SUSPECT: u32 = 1;
/// The message is one of many: a doubtful answer may be held back until others make it certain. Batches say so by themselves.
pub const PUSHCORE_SEND_BULK: u32 = 2;
/// Ends messages as not sent when many answers in a row blame the tokens, so that the configuration is probably wrong.
pub const PUSHCORE_SEND_STOP_ON_SUSPICION: u32 = 4;

/// The message leaves before those of a bulk send, although it is one of many.
pub const PUSHCORE_SEND_INTERACTIVE: u32 = 8;
/// The message leaves after those that somebody waits for, although it is alone.
pub const PUSHCORE_SEND_AFTER_OTHERS: u32 = 16;

/// The options of one message, or of many. All of it may be zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CSendOptions {
    /// sizeof(pushcore_send_options).
    pub struct_size: u32,
    /// PUSHCORE_SEND_SET_DEADLINE.
    pub set: u32,
    /// PUSHCORE_SEND_ flags.
    pub flags: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// From submission to the end at the latest, in milliseconds; by default that of the client or session.
    pub deadline_ms: u64,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CSendOptions {
    const FIRST: usize = size_of::<Self>();
}

/// # Safety
/// `options` is NULL or readable for its `struct_size`.
pub(crate) unsafe fn send_options(options: *const CSendOptions) -> Result<SendOptions, Failure> {
    // SAFETY: the caller's promise.
    let o = unsafe { optional(options, "options") }?;
    known_bits(o.set, PUSHCORE_SEND_SET_DEADLINE, "set")?;
    let known = PUSHCORE_SEND_SUSPECT
        | PUSHCORE_SEND_BULK
        | PUSHCORE_SEND_STOP_ON_SUSPICION
        | PUSHCORE_SEND_INTERACTIVE
        | PUSHCORE_SEND_AFTER_OTHERS;
    known_bits(o.flags, known, "flags")?;
    known_bits(o.reserved, 0, "reserved")?;
    let mut made = SendOptions::default();
    let deadline = in_set(o.set, PUSHCORE_SEND_SET_DEADLINE, o.deadline_ms, "deadline_ms")?;
    made.deadline = deadline.map(Duration::from_millis);
    made.suspect = o.flags & PUSHCORE_SEND_SUSPECT != 0;
    made.bulk = o.flags & PUSHCORE_SEND_BULK != 0;
    made.priority = match o.flags & (PUSHCORE_SEND_INTERACTIVE | PUSHCORE_SEND_AFTER_OTHERS) {
        0 => None,
        PUSHCORE_SEND_INTERACTIVE => Some(Priority::Interactive),
        PUSHCORE_SEND_AFTER_OTHERS => Some(Priority::Bulk),
        _ => {
            let context = "flags: interactive and after others exclude each other";
            return Err(Error::new(ErrorKind::Conflict, context).into());
        }
    };
    if o.flags & PUSHCORE_SEND_STOP_ON_SUSPICION != 0 {
        made.on_suspicion = OnSuspicion::Stop;
    }
    Ok(made)
}

//! Fault scripts: which requests are to go wrong, and how.

use crate::latency::Latency;
use crate::random::Random;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A scripted fault. The first script that matches a request and is not used up shapes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `apns`, `fcm`, `webpush`, `adm` or `baidu`; absent matches all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Matches when the request's path, query or body contains this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Matches only requests on the n-th connection (from 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
    /// Let this many matching requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// Fire this many times; absent means for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Fire on one matching request in `every` (after `skip`); 0 and 1 mean each.
    #[serde(default)]
    pub every: u64,
    /// Fire with this probability, 0 to 1, on each request that `skip` and `every` leave;
    /// absent means always. What it hits is settled by the sandbox's seed, or by `seed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// This script's own seed, in place of the sandbox's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Judge, register and log the request before the fault strikes. The default is
    /// false: the service never sees it.
    #[serde(default)]
    pub processed: bool,
    /// The action.
    pub action: Action,
}

/// The effect of a fault. Frame-level actions need HTTP/2; on HTTP/1.1 they close the connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Answer with this instead. `body` is sent as text if it is a string, else as JSON.
    Answer {
        /// Status code; unknown ones are fine.
        status: u16,
        /// Extra headers.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Absent: HEADERS with END_STREAM and no body.
        #[serde(default)]
        body: Option<Value>,
    },
    /// Answer late.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// The ordinary answer, late by what a distribution says.
    Latency {
        /// The distribution.
        distribution: Latency,
    },
    /// Never answer this request; the connection lives on.
    NoAnswer,
    /// RST_STREAM with this code in place of the answer.
    Rst {
        /// Error code; 7 is REFUSED_STREAM, 8 CANCEL.
        code: u32,
    },
    /// GOAWAY, and then perhaps the end of the connection.
    Goaway {
        /// The last stream id it names.
        last: LastStream,
        /// Error code.
        #[serde(default)]
        code: u32,
        /// Debug data, sent as it is.
        #[serde(default)]
        debug: String,
        /// Close the TCP connection after it.
        #[serde(default)]
        close: bool,
        /// Answer the request as well (before closing).
        #[serde(default)]
        answer: bool,
    },
    /// End the connection.
    Close {
        /// How.
        how: CloseHow,
    },
    /// The connection stays open and nothing is read or written any more.
    Silence,
    /// A SETTINGS frame with these (id, value) pairs, then the ordinary answer.
    Settings {
        /// For example `[[3, 1]]` for MAX_CONCURRENT_STREAMS = 1.
        values: Vec<(u16, u32)>,
    },
    /// Send no WINDOW_UPDATE from now on: the client runs out of window.
    StarveWindow,
    /// Read the connection at this pace from now on: the client's socket fills up.
    SlowRead {
        /// Bytes of TLS plaintext; 0 counts as 1.
        bytes_per_second: u32,
    },
    /// Shape the frames of the ordinary answers on this connection from now on.
    Shape {
        /// Largest DATA payload; 1 gives a frame a byte.
        #[serde(default)]
        data: Option<usize>,
        /// Padding bytes added to each DATA frame.
        #[serde(default)]
        pad: Option<u8>,
        /// Largest header-block fragment: HEADERS plus CONTINUATION frames.
        #[serde(default)]
        fragment: Option<usize>,
    },
    /// Interim responses (100, 102, 103 ...) before the ordinary answer.
    Interim {
        /// Status codes, three digits from 100 to 199.
        statuses: Vec<u16>,
    },
    /// Raw bytes into the connection (`hex`), `repeat` times, then the ordinary answer.
    /// `{stream}` in the hex stands for the request's stream id, 8 digits.
    Raw {
        /// Hexadecimal.
        hex: String,
        /// Default 1.
        #[serde(default = "once")]
        repeat: u32,
    },
}

fn once() -> u32 {
    1
}

/// The treatment of a new connection that is not served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ConnectFault {
    /// Closed before TLS.
    Close,
    /// Never answers the client's hello.
    Hold,
    /// These bytes in place of the server's hello, then closed.
    Garbage {
        /// Hexadecimal.
        hex: String,
    },
    /// TLS, then these bytes in place of HTTP, then nothing more until the client goes: an
    /// empty `hex` is a server without SETTINGS, `474f` one that says `GO`.
    AfterTls {
        /// Hexadecimal.
        hex: String,
    },
}

/// The last stream id of a scripted GOAWAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastStream {
    /// This request's stream, or the highest one processed so far if that is higher.
    This,
    /// The highest stream processed so far: this request (unless later ones overtook it)
    /// was provably not processed.
    Before,
    /// 0: nothing was processed, says the server; true only at a connection's start.
    Zero,
    /// 2^31-1: the first half of a graceful shutdown.
    Max,
    /// Any id, true or not. No stream above it is processed from now on.
    Id(u32),
}

/// How a scripted close ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseHow {
    /// TLS close_notify, then FIN.
    Clean,
    /// FIN without close_notify.
    Fin,
    /// TCP RST.
    Reset,
    /// Half a frame, then TCP RST.
    ResetMidFrame,
}

impl Fault {
    /// A fault that strikes every request until it has fired `times` times.
    pub fn new(service: &str, times: u64, action: Action) -> Self {
        Self {
            service: Some(service.to_owned()),
            contains: None,
            connection: None,
            skip: 0,
            times: Some(times),
            every: 0,
            probability: None,
            seed: None,
            processed: false,
            action,
        }
    }

    /// The service exists, and probability and distribution are what they say.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn check(&self) -> Result<(), String> {
        if let Some(service) = &self.service {
            known(service)?;
        }
        match self.probability {
            Some(probability) if !(0.0..=1.0).contains(&probability) => {
                return Err(format!("{probability} is no probability"));
            }
            _ => {}
        }
        match &self.action {
            Action::Latency { distribution } => distribution.check(),
            _ => Ok(()),
        }
    }
}

/// The services' names, as scripts and settings use them.
pub(crate) const SERVICES: [&str; 5] = ["apns", "fcm", "webpush", "adm", "baidu"];

/// The service of this name.
pub(crate) fn known(name: &str) -> Result<&'static str, String> {
    let found = SERVICES.into_iter().find(|service| *service == name);
    found.ok_or_else(|| format!("{name:?} is none of {}", SERVICES.join(", ")))
}

/// A fault at work: how often it matched and fired.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) fault: Fault,
    pub(crate) matched: u64,
    pub(crate) fired: u64,
    pub(crate) random: Random,
}

impl Script {
    /// The `number`-th script of a sandbox with this seed.
    pub(crate) fn new(fault: Fault, seed: u64, number: u64) -> Self {
        let random = match fault.seed {
            Some(own) => Random::new(own, "fault"),
            None => Random::new(seed, &format!("fault {number}")),
        };
        Self {
            fault,
            matched: 0,
            fired: 0,
            random,
        }
    }
}

impl Script {
    /// Counts a request and says whether the fault strikes it.
    pub(crate) fn strikes(
        &mut self,
        service: &str,
        haystack: &dyn Fn(&str) -> bool,
        connection: u64,
    ) -> bool {
        let fault = &self.fault;
        if fault.service.as_deref().is_some_and(|wanted| wanted != service)
            || fault.connection.is_some_and(|wanted| wanted != connection)
            || fault.contains.as_deref().is_some_and(|text| !haystack(text))
            || fault.times.is_some_and(|times| self.fired >= times)
        {
            return false;
        }
        self.matched += 1;
        let strikes =
            self.matched > fault.skip && (fault.every <= 1 || (self.matched - fault.skip) % fault.every == 0);
        // One draw for each candidate, hit or miss.
        let strikes = strikes && fault.probability.is_none_or(|chance| self.random.unit() < chance);
        self.fired += u64::from(strikes);
        strikes
    }
}

impl Action {
    /// The name used in scripts and in the log.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "answer",
            Self::Delay { .. } => "delay",
            Self::Latency { .. } => "latency",
            Self::NoAnswer => "no_answer",
            Self::Rst { .. } => "rst",
            Self::Goaway { .. } => "goaway",
            Self::Close { .. } => "close",
            Self::Silence => "silence",
            Self::Settings { .. } => "settings",
            Self::StarveWindow => "starve_window",
            Self::SlowRead { .. } => "slow_read",
            Self::Shape { .. } => "shape",
            Self::Interim { .. } => "interim",
            Self::Raw { .. } => "raw",
        }
    }
}

impl Action {
    /// Some answer is sent, sooner or later.
    pub(crate) fn answers(&self) -> bool {
        self.keeps_the_answer() || matches!(self, Self::Answer { .. })
    }

    /// The service judges the request and its answer is sent, sooner or later.
    pub(crate) fn keeps_the_answer(&self) -> bool {
        match self {
            Self::Delay { .. }
            | Self::Latency { .. }
            | Self::SlowRead { .. }
            | Self::Settings { .. }
            | Self::StarveWindow
            | Self::Shape { .. }
            | Self::Interim { .. }
            | Self::Raw { .. } => true,
            Self::Goaway { answer, .. } => *answer,
            Self::Answer { .. } | Self::NoAnswer | Self::Rst { .. } | Self::Close { .. } | Self::Silence => {
                false
            }
        }
    }
}

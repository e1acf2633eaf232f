//! What a sandbox can be told at start.

use crate::apns::{ContentMismatch, Environment};
use crate::fault::Fault;
use crate::latency::Latency;
use crate::shared::Profile;
use std::path::PathBuf;

/// The loopback ports; 0 takes a free one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// APNs device pushes (and broadcasts, as one of Apple's texts has it).
    pub apns: u16,
    /// APNs channel management.
    pub apns_management: u16,
    /// APNs broadcasts, on a host of their own, as Apple's other text has it.
    pub apns_broadcast: u16,
    /// FCM, its OAuth endpoint, and the legacy topic calls.
    pub fcm: u16,
    /// The metadata server of a machine in Google's cloud, plain HTTP.
    pub metadata: u16,
    /// The Web Push service.
    pub webpush: u16,
    /// ADM and its token endpoint.
    pub adm: u16,
    /// Baidu.
    pub baidu: u16,
    /// The control endpoint, plain HTTP.
    pub control: u16,
}

/// Start options; the default is strict, on free ports, in a directory that goes with the sandbox.
#[derive(Clone, Debug)]
pub struct Config {
    /// Ports.
    pub ports: Ports,
    /// Strictness.
    pub profile: Profile,
    /// Where `ca.pem` and the generated credentials are written. `None`: a new
    /// directory under the system's temporary one, removed at the end.
    pub state_dir: Option<PathBuf>,
    /// The APNs environment to play.
    pub environment: Environment,
    /// Bundle ids that the APNs key may push to; the first is the ready line's topic.
    pub bundles: Vec<String>,
    /// The FCM project id.
    pub project_id: String,
    /// APNs: 1 stream until the first good provider token.
    pub governor: bool,
    /// APNs: 1 stream again after a rejection, until the next success.
    pub governor_penalty: bool,
    /// APNs: devices are online from the start; by default they are away.
    pub apns_online: bool,
    /// APNs: what happens to pushes whose body is not of their push type.
    pub apns_content_mismatch: ContentMismatch,
    /// APNs: how late [`ContentMismatch::Delay`] delivers, milliseconds of the sandbox's clock.
    pub apns_content_delay_ms: u32,
    /// Lifetime of minted access tokens in seconds.
    pub token_lifetime: i64,
    /// The seed of everything that is left to chance: latencies, faults with a probability.
    pub seed: u64,
    /// How long a service (`None`: every service) takes to answer; those not named answer at once.
    pub latency: Vec<(Option<String>, Latency)>,
    /// Bytes that the log may take: when it is full, the oldest records are forgotten (and counted,
    /// `forgotten` of `GET /stats`), and with them what [`accepted`](crate::Sandbox::accepted) could say.
    /// A push takes about one and a half kilobytes. The default is 512 MiB.
    pub log_limit: usize,
    /// What changes over the control endpoint have to show; `None` makes one up. It is in the ready line.
    pub control_token: Option<String>,
    /// Say on standard error, once for each rule, when the strict profile refuses what real servers let pass.
    pub explain: bool,
    /// Fault scripts from the start.
    pub faults: Vec<Fault>,
    /// The name in the addresses of the ready line; it must resolve to 127.0.0.1.
    pub host: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ports: Ports::default(),
            profile: Profile::Strict,
            state_dir: None,
            environment: Environment::Development,
            bundles: vec!["com.example.app".to_owned(), "com.example.other".to_owned()],
            project_id: "pushcore-sandbox".to_owned(),
            governor: true,
            governor_penalty: false,
            apns_online: false,
            apns_content_mismatch: ContentMismatch::Warn,
            apns_content_delay_ms: 60_000,
            token_lifetime: 3600,
            seed: 0,
            latency: Vec::new(),
            log_limit: 512 << 20,
            control_token: None,
            explain: false,
            faults: Vec::new(),
            host: "localhost".to_owned(),
        }
    }
}

//! The running sandbox.

use crate::adm::{Adm, AdmRegistration};
use crate::apns::{Apns, Check, ContentMismatch, DeviceToken, EnvironmentKeyReason, StoredNotification};
use crate::config::{Config, Ports};
use crate::connections::Connection;
use crate::fault::{ConnectFault, Fault};
use crate::fcm::{Fcm, Registration};
use crate::files::{absolute, names, write_private};
use crate::latency::Latency;
use crate::record::Record;
use crate::serve;
use crate::shared::{Door, Moment, Profile, Shared, State};
use crate::tls::Authority;
use crate::webpush::{NewSubscription, Subscription, SubscriptionState, WebPush};
use serde_json::{Value, json};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// All services, running on threads of their own until this is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    ports: Ports,
    ca_pem: String,
    ready: Value,
    state_dir: PathBuf,
    temporary: bool,
}

impl Sandbox {
    /// Makes a CA, keys, tokens and subscriptions, and starts every service on 127.0.0.1.
    ///
    /// # Errors
    /// When a port is taken, or the state directory cannot be written.
    pub fn start(config: Config) -> io::Result<Self> {
        let (state_dir, temporary) = match config.state_dir.clone() {
            Some(dir) => (dir, false),
            None => {
                let name = format!("pushcore-sandbox-{}", crate::ids::hex(&crate::ids::random::<8>()));
                (std::env::temp_dir().join(name), true)
            }
        };
        std::fs::create_dir_all(&state_dir)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("pushcore-sandbox")
            .enable_all()
            .build()?;
        let mut listeners = Vec::new();
        let mut ports = config.ports;
        for door in Door::ALL {
            let port = port_of(&mut ports, door);
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, *port))?;
            listener.set_nonblocking(true)?;
            *port = listener.local_addr()?.port();
            listeners.push((door, listener));
        }
        let authority = |port: u16| format!("{}:{port}", config.host);

        let mut apns = Apns::new(
            config.profile,
            config.environment,
            config.bundles.clone(),
            config.governor,
        );
        apns.penalty = config.governor_penalty;
        apns.content_mismatch = config.apns_content_mismatch;
        apns.content_delay_ms = i64::from(config.apns_content_delay_ms);
        let mut fcm = Fcm::new(config.profile, &config.project_id);
        fcm.token_lifetime = config.token_lifetime;
        fcm.token_uri = format!("https://{}/token", authority(ports.fcm));
        let mut webpush = WebPush::new(config.profile);
        webpush.origin = format!("https://{}", authority(ports.webpush));
        let mut adm = Adm::new(config.profile);
        adm.token_lifetime = config.token_lifetime;
        let mut state = State::new(apns, fcm, webpush, adm, config.seed);
        for (service, latency) in &config.latency {
            check(state.latencies.set(service.as_deref(), Some(*latency)))?;
        }
        for fault in config.faults.clone() {
            check(fault.check())?;
            state.add_fault(fault);
        }
        let now = crate::clock::Clock::default().now_ms();
        if config.apns_online {
            let unix_ms = now;
            state.apns.set_presence(None, Some(0), Moment { unix_ms });
        }
        let (mut ready, mut files) = crate::ready::populate(&mut state, now)?;

        let ca = Authority::new(&names(&config.host))?;
        state.apns.issuer = Some(ca.issuer()?);
        let (certificates, made) = crate::apns::certificates(&mut state.apns, &ca)?;
        ready["apns"]["certificates"] = certificates;
        files.extend(made);
        for (name, text) in files
            .iter()
            .map(|(name, text)| (name.as_str(), text))
            .chain([("ca.pem", &ca.ca_pem)])
        {
            write_private(&state_dir.join(name), text)?;
        }
        ready["ca_file"] = json!("ca.pem");
        ready["state_dir"] = json!(std::path::absolute(&state_dir)?);
        ready["profile"] = json!(config.profile);
        ready["apns"]["authority"] = json!(authority(ports.apns));
        ready["apns"]["management"] = json!(authority(ports.apns_management));
        ready["apns"]["broadcast"] = json!(authority(ports.apns_broadcast));
        ready["fcm"]["authority"] = json!(authority(ports.fcm));
        ready["fcm"]["metadata"] = json!(authority(ports.metadata));
        ready["adm"]["authority"] = json!(authority(ports.adm));
        ready["adm"]["token_uri"] = json!(format!("https://{}/auth/O2/token", authority(ports.adm)));
        ready["baidu"]["authority"] = json!(authority(ports.baidu));
        ready["webpush"]["authority"] = json!(authority(ports.webpush));
        ready["control"] = json!({ "url": format!("http://127.0.0.1:{}", ports.control) });
        absolute(&mut ready, &state_dir);

        let shared = Arc::new(Shared::new(state));
        *shared.ready.lock().unwrap_or_else(PoisonError::into_inner) = ready.clone();
        let h2_only = TlsAcceptor::from(ca.server(&[b"h2"], true)?);
        let both = TlsAcceptor::from(ca.server(&[b"h2", b"http/1.1"], false)?);
        // Never blocks on the runtime: the caller may be inside one of its own.
        let entered = runtime.enter();
        for (door, listener) in listeners {
            let acceptor = match door {
                Door::Control | Door::Metadata => None,
                _ if door.is_apns() => Some(h2_only.clone()),
                _ => Some(both.clone()),
            };
            let listener = tokio::net::TcpListener::from_std(listener)?;
            runtime.spawn(serve::listen(shared.clone(), door, listener, acceptor));
        }
        drop(entered);
        Ok(Self {
            shared,
            runtime: Some(runtime),
            ports,
            ca_pem: ca.ca_pem,
            ready,
            state_dir,
            temporary,
        })
    }

    /// The ports in use.
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The CA certificate, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Addresses, credential files, tokens and subscriptions: the JSON that the binary prints.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// The directory with `ca.pem` and the credentials.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Every request judged so far, oldest first.
    pub fn log(&self) -> Vec<Record> {
        let now = self.shared.now();
        let mut state = self.shared.state();
        state.settle(now);
        state.log.clone()
    }

    /// How often a service took a push to this target: the exactly-once oracle.
    pub fn accepted(&self, service: &str, target: &str) -> usize {
        let state = self.shared.state();
        let taken = |record: &&Record| {
            record.is_push() && record.service == service && record.target.as_deref() == Some(target)
        };
        state.log.iter().filter(taken).count()
    }

    /// What clients did to their connections, oldest first.
    pub fn connection_notes(&self) -> Vec<Connection> {
        self.shared.notes.list()
    }

    /// Connections opened so far, on all ports.
    pub fn connections(&self) -> u64 {
        self.shared.connections()
    }

    /// Streams refused because the client exceeded the announced limit.
    pub fn refused_streams(&self) -> u64 {
        self.shared.state().refused_streams
    }

    /// FCM access tokens minted so far.
    pub fn tokens_minted(&self) -> u64 {
        self.shared.state().fcm.mints
    }

    /// ADM access tokens minted so far.
    pub fn adm_tokens_minted(&self) -> u64 {
        self.shared.state().adm.mints
    }

    /// Empties the log and the fault scripts; registries stay.
    pub fn reset(&self) {
        self.shared.state().reset();
        self.shared.notes.reset();
    }

    /// Adds a fault script, after those already there.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().add_fault(fault);
    }

    /// How long a service (`apns`, `fcm`, ...) takes to answer from now on; all of them when
    /// `service` is `None`, at once when `latency` is.
    ///
    /// # Errors
    /// In words, for an unknown service and a distribution that is none.
    pub fn set_latency(&self, service: Option<&str>, latency: Option<Latency>) -> Result<(), String> {
        self.shared.state().latencies.set(service, latency)
    }

    /// What is left to chance (latencies, faults with a probability) begins anew, with this seed.
    pub fn set_seed(&self, seed: u64) {
        self.shared.state().set_seed(seed);
    }

    /// What happens to the next connection to this service (`apns`, `fcm`, ...); several
    /// queue up.
    pub fn connect_fault(&self, service: &str, fault: ConnectFault) {
        self.shared
            .state()
            .connect_faults
            .push((service.to_owned(), fault));
    }

    /// Registers a device token, or changes one: set `unregistered_at` to end its life at
    /// a time, clear it to bring it back.
    pub fn register_apns(&self, token: DeviceToken) {
        let key = token.token.to_ascii_lowercase();
        self.shared.state().apns.tokens.insert(key, token);
    }

    /// Gives the team one more app. Connections that have carried a push do not learn of it.
    pub fn add_apns_bundle(&self, bundle: &str) {
        self.shared.state().apns.bundles.push(bundle.to_owned());
    }

    /// What APNs would have in store now for devices that are away.
    pub fn apns_stored(&self) -> Vec<StoredNotification> {
        let now = self.shared.now();
        let mut state = self.shared.state();
        state.settle(now);
        state.apns.stored().cloned().collect()
    }

    /// A device (`None`: every device that nothing else was said of) comes online and gets
    /// what is in store for it, and everything after it at once; `after_ms` later by the
    /// sandbox's clock. Devices are away until then.
    pub fn apns_online(&self, token: Option<&str>, after_ms: u32) {
        self.apns_presence(token, Some(after_ms));
    }

    /// A device (`None`: every device that nothing else was said of) goes away.
    pub fn apns_away(&self, token: Option<&str>) {
        self.apns_presence(token, None);
    }

    fn apns_presence(&self, token: Option<&str>, online_in_ms: Option<u32>) {
        let now = self.shared.now();
        let mut state = self.shared.state();
        state.apns.set_presence(token, online_in_ms.map(i64::from), now);
        state.write_news();
    }

    /// The records of the pushes that devices got, in the order in which they got them.
    pub fn apns_delivered(&self) -> Vec<Record> {
        let now = self.shared.now();
        let mut state = self.shared.state();
        state.settle(now);
        state.delivered().into_iter().cloned().collect()
    }

    /// What happens to pushes whose body is not of their push type.
    pub fn set_apns_content_mismatch(&self, what: ContentMismatch) {
        self.shared.state().apns.content_mismatch = what;
    }

    /// How late [`ContentMismatch::Delay`] delivers, by the sandbox's clock.
    pub fn set_apns_content_delay_ms(&self, delay: u32) {
        self.shared.state().apns.content_delay_ms = i64::from(delay);
    }

    /// How a key of the other environment is refused; `None` leaves it to the profile.
    pub fn set_apns_environment_key_reason(&self, reason: Option<EnvironmentKeyReason>) {
        self.shared.state().apns.environment_key_reason = reason;
    }

    /// Registers an FCM token or installation id, or changes one.
    pub fn register_fcm(&self, token: &str, registration: Registration) {
        self.shared
            .state()
            .fcm
            .registrations
            .insert(token.to_owned(), registration);
    }

    /// Registers an ADM registration id, or changes one.
    pub fn register_adm(&self, id: &str, registration: AdmRegistration) {
        self.shared
            .state()
            .adm
            .registrations
            .insert(id.to_owned(), registration);
    }

    /// Binds a Baidu channel id.
    pub fn register_baidu(&self, channel_id: &str) {
        self.shared.state().baidu.channels.insert(channel_id.to_owned());
    }

    /// Makes every access token (of FCM and ADM) minted so far invalid.
    pub fn revoke_access_tokens(&self) {
        let mut state = self.shared.state();
        state.fcm.revoke_all();
        state.adm.revoke_all();
    }

    /// Lifetime of access tokens minted from now on, seconds.
    pub fn set_token_lifetime(&self, seconds: i64) {
        let mut state = self.shared.state();
        state.fcm.token_lifetime = seconds;
        state.adm.token_lifetime = seconds;
    }

    /// Makes a Web Push subscription. `None` when its server key is no P-256 point.
    pub fn subscribe(&self, wanted: &NewSubscription) -> Option<Subscription> {
        self.shared.state().webpush.subscribe(wanted)
    }

    /// Expires, throttles or revives a subscription; false when the endpoint is unknown.
    pub fn set_subscription(&self, endpoint: &str, state: SubscriptionState) -> bool {
        self.shared.state().webpush.set_state(endpoint, state)
    }

    /// Changes the strictness of all services.
    pub fn set_profile(&self, profile: Profile) {
        self.shared.state().set_profile(profile);
    }

    /// Changes the order of APNs' checks. Checks left out are not made.
    pub fn set_apns_order(&self, order: &[Check]) {
        self.shared.state().apns.order = order.to_vec();
    }

    /// Sets the sandbox's clock this far from the system's, in milliseconds.
    pub fn set_clock_offset_ms(&self, offset: i64) {
        self.shared.clock.set_offset_ms(offset);
    }

    /// Waits until somebody posts to `/shutdown` of the control endpoint.
    pub async fn shutdown_requested(&self) {
        self.shared.stop.notified().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // On a thread of its own, since a runtime may not be stopped from inside another.
            let stop = std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_millis(200)));
            let _ = stop.join();
        }
        if self.temporary {
            // Nothing can be done about a directory that will not go.
            let _ = std::fs::remove_dir_all(&self.state_dir);
        }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}

/// Nonsense in the configuration.
fn check<T>(result: Result<T, String>) -> io::Result<T> {
    result.map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn port_of(ports: &mut Ports, door: Door) -> &mut u16 {
    match door {
        Door::Apns => &mut ports.apns,
        Door::ApnsManagement => &mut ports.apns_management,
        Door::ApnsBroadcast => &mut ports.apns_broadcast,
        Door::Fcm => &mut ports.fcm,
        Door::Metadata => &mut ports.metadata,
        Door::WebPush => &mut ports.webpush,
        Door::Adm => &mut ports.adm,
        Door::Baidu => &mut ports.baidu,
        Door::Control => &mut ports.control,
    }
}

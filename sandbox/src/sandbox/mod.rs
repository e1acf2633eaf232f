//! The running sandbox.

mod start;

use crate::adm::AdmRegistration;
use crate::apns::{Check, ContentMismatch, DeviceToken, EnvironmentKeyReason, StoredNotification};
use crate::config::Ports;
use crate::connections::Connection;
use crate::date::DateHeader;
use crate::fault::{ConnectFault, Fault};
use crate::fcm::Registration;
use crate::latency::Latency;
use crate::record::Record;
use crate::shared::{Profile, Shared};
use crate::webpush::{NewSubscription, Subscription, SubscriptionState};
use crate::workers::Workers;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All services, running on threads of their own until this is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    ports: Ports,
    ca_pem: String,
    ready: Value,
    state_dir: PathBuf,
    temporary: bool,
    /// Serve until they are dropped.
    workers: Option<Workers>,
}

impl Sandbox {
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
        state.log.iter().map(Record::shown).collect()
    }

    /// How often a service took a push to this target: the exactly-once oracle.
    pub fn accepted(&self, service: &str, target: &str) -> usize {
        let state = self.shared.state();
        let taken = |record: &&Record| {
            record.is_push() && record.service == service && record.target.as_deref() == Some(target)
        };
        state.log.iter().filter(taken).count()
    }

    /// Returns the misdeeds of clients on their connections, oldest first.
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

    /// Sets what the answers of a service (`apns`, `fcm`, ...) say in `date` from now on; `None` is the default: nothing on
    /// HTTP/2, the machine's time on HTTP/1.1.
    ///
    /// # Errors
    /// In words, for an unknown service.
    pub fn set_date(&self, service: &str, date: Option<DateHeader>) -> Result<(), String> {
        self.shared.state().dates.set(service, date)
    }

    /// Starts everything that is left to chance (latencies, faults with a probability) anew, with this seed.
    pub fn set_seed(&self, seed: u64) {
        self.shared.state().set_seed(seed);
    }

    /// Sets the treatment of the next connection to this service (`apns`, `fcm`, ...); several
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

    /// Returns the pushes that APNs would have in store now for devices that are away.
    pub fn apns_stored(&self) -> Vec<StoredNotification> {
        let now = self.shared.now();
        let mut state = self.shared.state();
        state.settle(now);
        state.apns.stored()
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
        state.delivered().into_iter().map(Record::shown).collect()
    }

    /// Sets the treatment of pushes whose body is not of their push type.
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
        // Nobody writes into the directory any more.
        drop(self.workers.take());
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

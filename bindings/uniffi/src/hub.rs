//! One notification to the devices of several services.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use pushcore::notification::{App, Device, Notification, Platform as CorePlatform, Retries as CoreRetries};
use pushcore::service::{Kind, Service as CoreService};
use pushcore::{Error, ErrorKind};
use pushcore_client::hub::{Batch as CoreBatch, Delivery, Hub as CoreHub};

use crate::batch::{Ended, Progress};
use crate::error::{Failure, PushError};
use crate::message::ServiceKind;
use crate::metrics::Metrics;
use crate::notification::{Feedback, device};
use crate::options::{ClientOptions, Environment, SendOptions};
use crate::outcome::{Outcome, mirror};
use crate::service::Service;
use crate::values::Seconds;

/// How long a wait lasts before it looks whether the batch was cancelled: as in `Batch`.
const SLICE: Duration = Duration::from_millis(100);

mirror! {
    /// The system that a device runs, as far as the form of a message depends on it.
    Platform of CorePlatform, Web:
    /// Android, and Amazon's Fire OS.
    Android
    /// iOS, iPadOS, macOS, watchOS, tvOS and visionOS.
    Apple
    /// A browser.
    Web
}

impl From<Platform> for CorePlatform {
    fn from(platform: Platform) -> Self {
        match platform {
            Platform::Android => Self::Android,
            Platform::Apple => Self::Apple,
            Platform::Web => Self::Web,
        }
    }
}

/// One client of a hub.
#[derive(Clone, uniffi::Record)]
pub struct HubClient {
    /// The service.
    pub service: Arc<Service>,
    /// The app that the client serves; nil for all apps of the service that no other client serves by name.
    #[uniffi(default = None)]
    pub app: Option<String>,
    /// The only platform that the client serves; nil for all.
    #[uniffi(default = None)]
    pub platform: Option<Platform>,
    /// How the client reaches the network; nil takes the hub's options.
    #[uniffi(default = None)]
    pub options: Option<ClientOptions>,
}

/// When a message of a hub is sent again. A field left out has the value of the standard policy in docs/notification.md.
#[derive(Clone, Copy, Debug, Default, PartialEq, uniffi::Record)]
pub struct Retries {
    /// How often a message is tried at most.
    #[uniffi(default = None)]
    pub attempts: Option<u32>,
    /// From the first attempt to the last one at most.
    #[uniffi(default = None)]
    pub total: Option<Seconds>,
    /// The first wait where the service names none; the waits double.
    #[uniffi(default = None)]
    pub first_wait: Option<Seconds>,
    /// The longest wait where the service names none.
    #[uniffi(default = None)]
    pub longest_wait: Option<Seconds>,
    /// Whether a message that may have been taken is sent again, with the same id.
    #[uniffi(default = false)]
    pub resend_unknown: bool,
}

impl Retries {
    fn read(&self) -> Result<CoreRetries, PushError> {
        let mut policy = CoreRetries::custom().resend_unknown(self.resend_unknown);
        if let Some(attempts) = self.attempts {
            policy = policy.attempts(attempts);
        }
        if let Some(total) = Seconds::optional(self.total)? {
            policy = policy.total(total);
        }
        if let Some(wait) = Seconds::optional(self.first_wait)? {
            policy = policy.first_wait(wait);
        }
        if let Some(wait) = Seconds::optional(self.longest_wait)? {
            policy = policy.longest_wait(wait);
        }
        Ok(policy.build()?)
    }
}

/// How a hub treats its list.
#[derive(Clone, Copy, Debug, Default, PartialEq, uniffi::Record)]
pub struct HubOptions {
    /// When a message is sent again; nil is the standard policy.
    #[uniffi(default = None)]
    pub retries: Option<Retries>,
    /// How many messages of one service wait in the hub; nil is 5,000.
    #[uniffi(default = None)]
    pub queue: Option<u32>,
    /// The time in which a service has to clear its queue, lest it hold the others back; nil is five minutes.
    #[uniffi(default = None)]
    pub patience: Option<Seconds>,
    /// How many tokens of a list are remembered, so that one which comes twice is sent to once; nil is the standard of docs/hub.md.
    #[uniffi(default = None)]
    pub remember: Option<u32>,
    /// From a device's turn to its end at the latest, all attempts together; nil sets no such bound.
    #[uniffi(default = None)]
    pub total_deadline: Option<Seconds>,
}

/// A device of a hub's list.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Recipient {
    /// The device, in the form of docs/notification.md.
    pub device_json: String,
    /// A number of the caller's own, which comes back with the end.
    #[uniffi(default = 0)]
    pub tag: u64,
}

/// The end of a notification to one device.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Delivered {
    /// The answer, or the reason why there is none, with the caller's number.
    pub ended: Ended,
    /// The change in the caller's table; nil where the device itself could not be read.
    pub feedback: Option<Feedback>,
    /// How often the message was tried.
    pub attempts: u32,
    /// Why the message is not sent again, in a word of docs/notification.md; nil where nothing was tried.
    pub stop: Option<String>,
}

impl Delivered {
    /// The end of a device that was refused before anything was sent.
    fn refused(tag: u64, failure: Failure) -> Self {
        Self {
            ended: Ended {
                tag,
                outcome: None,
                failure: Some(failure),
            },
            feedback: None,
            attempts: 0,
            stop: None,
        }
    }
}

impl From<Delivery<(u64, Device)>> for Delivered {
    fn from(delivery: Delivery<(u64, Device)>) -> Self {
        let (tag, _) = delivery.item;
        let (outcome, failure) = match &delivery.result {
            Ok(outcome) => (Some(Outcome::from(outcome)), None),
            Err(error) => (None, Some(Failure::from(error))),
        };
        Self {
            ended: Ended {
                tag,
                outcome,
                failure,
            },
            feedback: Some(Feedback::from(&delivery.feedback)),
            attempts: delivery.attempts.made(),
            stop: delivery.stop.map(|stop| stop.name().to_owned()),
        }
    }
}

/// The app of a hub's client, with its environment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HubApp {
    /// The service.
    pub service: ServiceKind,
    /// The environment; production for services that know none.
    pub environment: Environment,
    /// The app's name; nil for a client of all apps.
    pub name: Option<String>,
    /// The platform; nil for a client of all.
    pub platform: Option<Platform>,
}

impl From<&App> for HubApp {
    fn from(app: &App) -> Self {
        Self {
            service: app.service().into(),
            environment: app.environment().into(),
            name: app.name().map(str::to_owned),
            platform: app.platform().map(Platform::from),
        }
    }
}

/// How far one client of a hub is with a list.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct HubProgress {
    /// The app that the client serves.
    pub app: HubApp,
    /// How far it is.
    pub progress: Progress,
}

/// The counts and latencies of one client of a hub.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct HubMetrics {
    /// The app that the client serves.
    pub app: HubApp,
    /// The counts and latencies.
    pub metrics: Metrics,
}

/// The number of offered devices that were dealt with, and the refusals among them.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct HubSubmitted {
    /// How many of them, from the first, were taken or refused: offer the others again after a wait.
    pub taken: u32,
    /// The devices that were refused, before anything was sent.
    pub refused: Vec<Delivered>,
}

/// A client for each of several services: one list of devices, one notification, one list of results.
#[derive(uniffi::Object)]
pub struct Hub(Arc<CoreHub>);

#[uniffi::export]
impl Hub {
    /// Returns a hub of clients, at most one for an app in an environment. They are opened when first needed.
    #[uniffi::constructor]
    pub fn open(
        clients: Vec<HubClient>,
        client_options: ClientOptions,
        options: HubOptions,
    ) -> Result<Arc<Self>, PushError> {
        let mut hub = CoreHub::builder();
        for client in &clients {
            let service = &client.service;
            let mut app = App::new(Kind::from(service.kind()));
            if let Some(name) = &client.app {
                app = app.named(name)?;
            }
            if let CoreService::Apns(apns) = &service.service {
                app = app.in_environment(apns.hosts().environment())?;
            }
            if let Some(platform) = client.platform {
                app = app.on(platform.into())?;
            }
            let network = client.options.as_ref().unwrap_or(&client_options);
            let config = network.client(service.identity.as_ref())?;
            hub = hub.client(app, service.service.clone(), config);
        }
        if let Some(retries) = options.retries {
            hub = hub.retries(retries.read()?);
        }
        if let Some(queue) = options.queue {
            hub = hub.queue(queue as usize);
        }
        if let Some(patience) = Seconds::optional(options.patience)? {
            hub = hub.patience(patience);
        }
        if let Some(most) = options.remember {
            hub = hub.remember(most as usize);
        }
        if let Some(longest) = Seconds::optional(options.total_deadline)? {
            hub = hub.total_deadline(longest);
        }
        Ok(Arc::new(Self(Arc::new(hub.build()?))))
    }

    /// Begins to send a notification (the JSON of docs/notification.md) to the devices that are submitted. `options` are those of
    /// each attempt.
    pub fn batch(&self, notification_json: String, options: SendOptions) -> Result<Arc<HubBatch>, PushError> {
        let notification = Notification::from_json(notification_json.as_bytes())?;
        let batch = CoreBatch::of_notification(Arc::clone(&self.0), notification).options(options.read()?);
        Ok(Arc::new(HubBatch {
            inner: Mutex::new(batch),
            cancelled: AtomicBool::new(false),
        }))
    }

    /// Returns the counts and latencies of every client that has been opened.
    pub fn metrics(&self) -> Result<Vec<HubMetrics>, PushError> {
        let metrics = self.0.metrics()?;
        Ok(metrics
            .iter()
            .map(|(app, metrics)| HubMetrics {
                app: HubApp::from(*app),
                metrics: Metrics::from(metrics),
            })
            .collect())
    }

    /// Returns the counts and latencies as text for a scraper, in the form of OpenMetrics 1.0, with the labels `app` and
    /// `environment`.
    pub fn open_metrics(&self) -> Result<String, PushError> {
        Ok(self.0.open_metrics()?)
    }

    /// Takes no more messages, and waits on the calling thread until all have ended, at most for `longest`; nil waits for all.
    /// Returns whether everything has ended.
    pub fn shutdown_blocking(&self, longest: Option<Seconds>) -> Result<bool, PushError> {
        match Seconds::optional(longest)? {
            Some(longest) => Ok(self.0.close_for(longest)?),
            None => {
                self.0.close()?;
                Ok(true)
            }
        }
    }
}

type Inner = CoreBatch<(u64, Device)>;

/// A notification to a list of devices in the caller's own loop: submit, wait, submit again. One thread drives it; `cancel` may come
/// from another. The last reference that goes cancels what has not ended.
#[derive(uniffi::Object)]
pub struct HubBatch {
    inner: Mutex<Inner>,
    cancelled: AtomicBool,
}

impl HubBatch {
    /// Nothing in here panics half-way through a change; a poisoned lock is still whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

#[uniffi::export]
impl HubBatch {
    /// Submits devices, in their order, until there are no more or a service has no room.
    ///
    /// A device that cannot be read is refused by itself. Where fewer are taken than were offered, call `wait` and offer the others
    /// again.
    pub fn submit(&self, recipients: Vec<Recipient>) -> Result<HubSubmitted, PushError> {
        let mut submitted = HubSubmitted {
            taken: 0,
            refused: Vec::new(),
        };
        let mut batch = self.lock();
        for Recipient { device_json, tag } in recipients {
            if self.is_cancelled() || !batch.is_open() {
                let kind = match self.is_cancelled() {
                    true => ErrorKind::Cancelled,
                    false => ErrorKind::Closed,
                };
                let failure = Failure::from(&Error::new(kind, "the hub's batch takes no more"));
                submitted.refused.push(Delivered::refused(tag, failure));
            } else {
                match device(&device_json) {
                    Ok(device) => {
                        if batch.offer((tag, device)).is_err() {
                            break;
                        }
                    }
                    Err(error) => {
                        let refused = Delivered::refused(tag, error.failure().clone());
                        submitted.refused.push(refused);
                    }
                }
            }
            submitted.taken += 1;
        }
        Ok(submitted)
    }

    /// Waits on the calling thread until something has ended, at most for `longest`; returns what has ended. Returns at once where
    /// nothing is under way.
    pub fn wait(&self, longest: Seconds) -> Result<Vec<Delivered>, PushError> {
        let until = pushcore_client::now()
            .monotonic
            .saturating_add(longest.duration()?);
        loop {
            let left = until.saturating_sub(pushcore_client::now().monotonic);
            let mut batch = self.lock();
            if self.is_cancelled() {
                batch.cancel();
            }
            let ended: Vec<_> = batch.wait(left.min(SLICE)).map(Delivered::from).collect();
            if !ended.is_empty() || left.is_zero() || batch.is_idle() {
                return Ok(ended);
            }
        }
    }

    /// Says that no device follows, so that doubtful answers are not held back for others.
    pub fn finish(&self) -> Result<(), PushError> {
        self.lock().finish();
        Ok(())
    }

    /// Cancels what has not ended: the ends come from `wait` like any other. May be called while another thread waits.
    pub fn cancel(&self) -> Result<(), PushError> {
        self.cancelled.store(true, Ordering::Release);
        match self.inner.try_lock() {
            Ok(mut batch) => batch.cancel(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().cancel(),
            // The thread that waits sees the mark within a slice.
            Err(TryLockError::WouldBlock) => {}
        }
        Ok(())
    }

    /// Returns whether every device that was taken has its end; ends may still have to be fetched.
    pub fn is_idle(&self) -> Result<bool, PushError> {
        Ok(self.lock().is_idle())
    }

    /// Returns how far each client is.
    pub fn progress(&self) -> Result<Vec<HubProgress>, PushError> {
        let batch = self.lock();
        let progress = batch.progress().map(|(app, progress)| HubProgress {
            app: HubApp::from(app),
            progress: Progress::from(&progress),
        });
        Ok(progress.collect())
    }
}

//! A hub: one client for each app that is configured, and a mixed list of devices.

use std::sync::Arc;
use std::time::Duration;

use pushcore::apns::Environment;
use pushcore::notification::{self, App, Retries};
use pushcore::{Error, ErrorKind, Outcome as Answer};
use pushcore_client::hub::{AsDevice, Delivery};

use crate::apns::{PUSHCORE_APNS_PRODUCTION, PUSHCORE_APNS_SANDBOX};
use crate::client::timeout;
use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give, value, wanted, write};
use crate::handle::{Shared, borrow, free, handles};
use crate::network::{CSendOptions, Network, NetworkOptions, send_options};
use crate::notification::{Device, Feedback, Notification, action_number, platform_of};
use crate::outcome::Outcome;
use crate::result::{CResult, Ending};
use crate::service::Service;
use crate::view::{Versioned, View, array, fill, in_set, known_bits, no_such};

/// A client for each app that is configured. Share it between threads.
pub struct Hub {
    pub(crate) hub: Arc<pushcore_client::hub::Hub>,
}

/// The ends of one notification to many devices, in the order of the devices. Immutable; may be shared between threads.
pub struct Deliveries {
    ends: Vec<End>,
}

/// The end of one of them.
pub(crate) struct End {
    result: Result<Answer, Error>,
    feedback: notification::Feedback,
    attempts: u32,
}

impl End {
    pub(crate) fn of<T>(delivery: Delivery<T>) -> Self {
        Self {
            attempts: delivery.attempts.made(),
            result: delivery.result,
            feedback: delivery.feedback,
        }
    }

    pub(crate) fn at(ends: &[End], index: usize) -> Result<&End, Failure> {
        let found = ends.get(index);
        found.ok_or_else(|| Error::new(ErrorKind::Misuse, "there is no delivery at this index").into())
    }

    /// The result of the last attempt, for the device of this number.
    pub(crate) fn plain(&self, user_data: u64) -> CResult {
        let ending = Ending {
            user_data,
            ticket: u64::MAX,
            result: self.result.clone(),
        };
        ending.plain()
    }

    pub(crate) fn action(&self) -> u32 {
        action_number(&self.feedback)
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(crate) fn outcome(&self) -> Result<Outcome, Error> {
        let outcome = self.result.clone()?;
        Ok(Outcome { outcome })
    }

    pub(crate) fn feedback(&self) -> Feedback {
        let feedback = self.feedback.clone();
        Feedback { feedback }
    }
}

handles! {
    Hub = 25 "pushcore_hub",
    Deliveries = 26 "pushcore_deliveries",
}

/// One client of a hub.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HubClient {
    /// sizeof(pushcore_hub_client).
    pub struct_size: u32,
    /// For APNs PUSHCORE_APNS_PRODUCTION or PUSHCORE_APNS_SANDBOX; 0 for other services.
    pub environment: u32,
    /// The only platform that the client serves, a PUSHCORE_PLATFORM_ constant; 0 for all.
    pub platform: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The service (required).
    pub service: *const Service,
    /// How the client behaves; NULL for the defaults.
    pub network: *const NetworkOptions,
    /// The app that the client serves; empty for all apps of the service that no other client serves by name.
    pub app: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for HubClient {
    const FIRST: usize = size_of::<Self>();
}

/// `queue` is set.
pub const PUSHCORE_HUB_SET_QUEUE: u32 = 1;
/// `patience_ms` is set; UINT64_MAX there waits for every service.
pub const PUSHCORE_HUB_SET_PATIENCE: u32 = 2;
/// `remembered` is set; 0 there remembers none.
pub const PUSHCORE_HUB_SET_REMEMBERED: u32 = 4;
/// `total_deadline_ms` is set.
pub const PUSHCORE_HUB_SET_TOTAL_DEADLINE: u32 = 8;

/// The options of a hub.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HubOptions {
    /// sizeof(pushcore_hub_options).
    pub struct_size: u32,
    /// PUSHCORE_HUB_SET_ bits.
    pub set: u32,
    /// The clients, each by a pointer (at least one).
    pub clients: *const *const HubClient,
    /// The number of `clients`.
    pub client_count: usize,
    /// When a message is sent again, in the form of docs/notification.md; empty for the standard.
    pub retries: View,
    /// How many messages of one service wait in the hub; default 5,000.
    pub queue: u64,
    /// The time in which a service has to clear its queue, in milliseconds; default 300,000.
    pub patience_ms: u64,
    /// The number of devices that are remembered, to notice a token that comes twice; default 917,504.
    pub remembered: u64,
    /// The time from the moment at which a device is taken to its end at the latest, in milliseconds, all attempts together; by default no
    /// limit.
    pub total_deadline_ms: u64,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for HubOptions {
    // `remembered` came later.
    const FIRST: usize = std::mem::offset_of!(HubOptions, remembered);
}

/// The end of one notification to one device.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CDelivery {
    /// sizeof(pushcore_delivery), set by the caller.
    pub struct_size: u32,
    /// A PUSHCORE_FEEDBACK_ constant: what to do with the device.
    pub feedback: u32,
    /// How often the message was tried.
    pub attempts: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The result of the last attempt; `user_data` is the index of the device.
    pub result: CResult,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CDelivery {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a hub. No client is opened before its first message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_new(
    options: *const HubOptions,
    out: *mut *mut Hub,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.set, PUSHCORE_HUB_SET_TOTAL_DEADLINE * 2 - 1, "set")?;
        let mut builder = pushcore_client::hub::Hub::builder();
        for client in array(o.clients, o.client_count, "clients")? {
            let c = crate::view::options(*client, "client")?;
            known_bits(c.reserved, 0, "reserved")?;
            let service = borrow(c.service, "service")?;
            let network = Network::read(c.network, service.identity.as_ref())?;
            let mut app = App::new(service.service.kind());
            if let Some(name) = c.app.optional("app")? {
                app = app.named(name)?;
            }
            app = match c.environment {
                PUSHCORE_APNS_PRODUCTION => app,
                PUSHCORE_APNS_SANDBOX => app.in_environment(Environment::Sandbox)?,
                _ => return Err(no_such("environment")),
            };
            if let Some(platform) = platform_of(c.platform)? {
                app = app.on(platform)?;
            }
            builder = builder.client(app, service.service.clone(), network.of_client());
        }
        let retries = o.retries.bytes("retries")?;
        if !retries.is_empty() {
            builder = builder.retries(Retries::from_json(retries)?);
        }
        if let Some(most) = in_set(o.set, PUSHCORE_HUB_SET_QUEUE, o.queue, "queue")? {
            // A count beyond the address space is no limit.
            builder = builder.queue(usize::try_from(most).unwrap_or(usize::MAX));
        }
        if let Some(ms) = in_set(o.set, PUSHCORE_HUB_SET_PATIENCE, o.patience_ms, "patience_ms")? {
            builder = builder.patience(match ms {
                u64::MAX => Duration::MAX,
                ms => Duration::from_millis(ms),
            });
        }
        if let Some(most) = in_set(o.set, PUSHCORE_HUB_SET_REMEMBERED, o.remembered, "remembered")? {
            builder = builder.remember(usize::try_from(most).unwrap_or(usize::MAX));
        }
        let total = in_set(
            o.set,
            PUSHCORE_HUB_SET_TOTAL_DEADLINE,
            o.total_deadline_ms,
            "total_deadline_ms",
        )?;
        if let Some(ms) = total {
            builder = builder.total_deadline(Duration::from_millis(ms));
        }
        let hub = builder.build()?;
        give(out, Hub { hub: Arc::new(hub) })
    })
}

/// A device of the caller's array, by its index.
struct Item<'a>(usize, Shared<'a, Device>);

impl AsDevice for Item<'_> {
    fn as_device(&self) -> &pushcore::notification::Device {
        &self.1.device
    }
}

/// Sends a notification to `count` devices, waits until each of them has its end, and gives the ends. A larger list goes in parts: the
/// connections stay open. `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_notify(
    hub: *const Hub,
    notification: *const Notification,
    devices: *const *const Device,
    count: usize,
    options: *const CSendOptions,
    out: *mut *mut Deliveries,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let (hub, notification) = (borrow(hub, "hub")?, borrow(notification, "notification")?);
        let options = send_options(options)?;
        let devices = array(devices, count, "devices")?.iter().enumerate();
        let items = devices.map(|(index, device)| Ok(Item(index, borrow(*device, "device")?)));
        let items = items.collect::<Result<Vec<_>, Failure>>()?;
        let mut ends: Vec<Option<End>> = Vec::new();
        ends.resize_with(count, || None);
        let notification = notification.notification.clone();
        for delivery in hub.hub.notify(notification, items).options(options) {
            let index = delivery.item.0;
            if let Some(place) = ends.get_mut(index) {
                *place = Some(End::of(delivery));
            }
        }
        let ends: Option<Vec<_>> = ends.into_iter().collect();
        let ends =
            ends.ok_or_else(|| Error::new(ErrorKind::Internal, "a device without an end: please report it"))?;
        give(out, Deliveries { ends })
    })
}

/// Takes no more messages, and waits at most `timeout_ms` until those taken have ended and the connections are closed. `closed` gets
/// whether that is so; it may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_close(
    hub: *const Hub,
    timeout_ms: u64,
    closed: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let hub = borrow(hub, "hub")?;
        let end = pushcore_client::now().monotonic + timeout(timeout_ms);
        let is_closed = loop {
            let left = end.saturating_sub(pushcore_client::now().monotonic);
            let is_closed = hub.hub.close_for(left)?;
            if is_closed || left.is_zero() {
                break is_closed;
            }
        };
        write(closed, is_closed);
        Ok(())
    })
}

/// Gives the hub back; its connections are closed at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_free(hub: *mut Hub) {
    value!((), { free(hub) });
}

/// Returns the number of ends, which is the number of devices; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_deliveries_count(deliveries: *const Deliveries) -> usize {
    value!(0, { borrow(deliveries, "deliveries")?.ends.len() })
}

/// Fills in the end of a device by its index, up to `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_deliveries_at(
    deliveries: *const Deliveries,
    index: usize,
    delivery: *mut CDelivery,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(delivery, "delivery")?;
        let deliveries = borrow(deliveries, "deliveries")?;
        let end = End::at(&deliveries.ends, index)?;
        let made = CDelivery {
            struct_size: 0,
            feedback: end.action(),
            attempts: end.attempts(),
            reserved: 0,
            result: end.plain(index as u64),
        };
        fill(delivery, &made, "delivery")
    })
}

/// Gives the outcome of a device by its index. When the message had no answer, the failure is the message's own error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_deliveries_outcome(
    deliveries: *const Deliveries,
    index: usize,
    out: *mut *mut Outcome,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let deliveries = borrow(deliveries, "deliveries")?;
        give(out, End::at(&deliveries.ends, index)?.outcome()?)
    })
}

/// Gives what the end of a device by its index means for the caller's table of devices.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_deliveries_feedback(
    deliveries: *const Deliveries,
    index: usize,
    out: *mut *mut Feedback,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let deliveries = borrow(deliveries, "deliveries")?;
        give(out, End::at(&deliveries.ends, index)?.feedback())
    })
}

/// Gives the ends back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_deliveries_free(deliveries: *mut Deliveries) {
    value!((), { free(deliveries) });
}

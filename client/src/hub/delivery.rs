//! The end of one notification to one device.

use pushcore::notification::{Attempts, Device, Feedback, Stop};
use pushcore::{Error, Outcome};

/// The end of one notification to one device.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery<T> {
    /// What the source yielded: the device, alone or with a key or message of the caller's.
    pub item: T,
    /// The service's answer to the last attempt, or why there is none. `NotSent` with the cause `QueueFull` is a device that was
    /// handed back without an attempt; see [`HubBuilder::patience`](super::HubBuilder::patience).
    pub result: Result<Outcome, Error>,
    /// What the result means for the caller's table of devices.
    pub feedback: Feedback,
    /// How often and since when the message was tried: what [`Retries`](pushcore::notification::Retries) needs to go on later.
    pub attempts: Attempts,
    /// Why the message is not sent again; `None` where nothing was tried.
    pub stop: Option<Stop>,
}

/// Something with a device in it: a [`Device`], alone or behind a key of the caller's.
pub trait AsDevice {
    /// Returns the device.
    fn as_device(&self) -> &Device;
}

impl AsDevice for Device {
    fn as_device(&self) -> &Device {
        self
    }
}

impl<D: AsDevice + ?Sized> AsDevice for &D {
    fn as_device(&self) -> &Device {
        (**self).as_device()
    }
}

impl<D: AsDevice + ?Sized> AsDevice for Box<D> {
    fn as_device(&self) -> &Device {
        (**self).as_device()
    }
}

impl<D: AsDevice + ?Sized> AsDevice for std::sync::Arc<D> {
    fn as_device(&self) -> &Device {
        (**self).as_device()
    }
}

/// A key of the caller's, then the device.
impl<K, D: AsDevice> AsDevice for (K, D) {
    fn as_device(&self) -> &Device {
        self.1.as_device()
    }
}

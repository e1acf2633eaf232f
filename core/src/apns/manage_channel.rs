//! A call about channels, as a value.

use super::channels::{ChannelCall, channel_request};
use super::ids::{ApnsId, BundleId};
use super::service::Service;
use crate::error::Error;
use crate::http::Request;
use crate::time::Now;

/// A [`ChannelCall`] for one app: a value that any language can hold and that
/// [`service::Call`](crate::service::Call) sends.
#[derive(Clone, Debug)]
pub struct ManageChannel {
    bundle: BundleId,
    call: ChannelCall,
    id: Option<ApnsId>,
}

impl ManageChannel {
    /// Returns the call for the app with this bundle id.
    pub fn new(bundle: BundleId, call: ChannelCall) -> Self {
        Self {
            bundle,
            call,
            id: None,
        }
    }

    /// Asks APNs to repeat this id as `apns-request-id`.
    #[must_use]
    pub fn id(mut self, id: ApnsId) -> Self {
        self.id = Some(id);
        self
    }

    /// Returns what is to be done.
    pub fn call(&self) -> &ChannelCall {
        &self.call
    }

    pub(crate) fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
        let (credentials, hosts) = (service.credentials(), service.hosts());
        channel_request(&self.call, &self.bundle, self.id, credentials, hosts, now)
    }
}

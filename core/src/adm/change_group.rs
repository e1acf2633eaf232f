//! A call about a group, as a value.

use super::audience::{Group, GroupCall, group_request};
use super::registration_id::RegistrationId;
use super::service::Service;
use crate::error::Error;
use crate::http::Request;
use crate::time::Now;

/// A [`GroupCall`] with its group and members: a value that any language can hold and that
/// [`service::Call`](crate::service::Call) sends.
#[derive(Clone, Debug)]
pub struct ChangeGroup {
    call: GroupCall,
    group: Group,
    members: Vec<RegistrationId>,
}

impl ChangeGroup {
    /// Returns the call.
    pub fn new(call: GroupCall, group: Group, members: Vec<RegistrationId>) -> Self {
        Self { call, group, members }
    }

    pub(crate) fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
        let (credentials, authority) = (service.credentials(), service.authority());
        group_request(self.call, &self.group, &self.members, credentials, authority, now)
    }
}

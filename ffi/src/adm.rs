//! ADM: services, everyday messages, group calls.

use std::sync::Arc;
use std::time::Duration;

use pushcore::adm::{self, ChangeGroup, Group, GroupCall, Priority, RegistrationId};
use pushcore::http::Authority;
use pushcore::service::{Kind, Target};
use pushcore::{Error, ErrorKind};

use crate::call::Call;
use crate::error::ErrorObject;
use crate::guard::{Status, entry, give};
use crate::message::Message;
use crate::service::Service;
use crate::view::{Pair, Versioned, View, array, in_set, known_bits, no_such, texts};

/// An ADM service. An empty view leaves an optional text out.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AdmServiceOptions {
    /// sizeof(pushcore_adm_service_options).
    pub struct_size: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The client id of the security profile (required).
    pub client_id: View,
    /// The client secret of the security profile (required).
    pub client_secret: View,
    /// `host:port` in place of Amazon's token endpoint, for a sandbox.
    pub token_host: View,
    /// `host:port` in place of Amazon's host, for a sandbox.
    pub host: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for AdmServiceOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes an ADM service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_adm_service_new(
    options: *const AdmServiceOptions,
    out: *mut *mut Service,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.reserved, 0, "reserved")?;
        let (id, secret) = (
            o.client_id.text("client_id")?,
            o.client_secret.text("client_secret")?,
        );
        let mut credentials = adm::Credentials::new(id, secret)?;
        if let Some(host) = o.token_host.optional("token_host")? {
            credentials = credentials.with_token_authority(Authority::parse(host)?);
        }
        let host = match o.host.optional("host")? {
            Some(host) => Authority::parse(host)?,
            None => adm::default_authority(),
        };
        give(out, Service::new(adm::Service::new(Arc::new(credentials), host)))
    })
}

/// `ttl_s` is set.
pub const PUSHCORE_ADM_SET_TTL: u32 = 1;

/// The device is woken for the message at once.
pub const PUSHCORE_ADM_HIGH_PRIORITY: u32 = 1;
/// The message carries the MD5 of its data, which the app can check.
pub const PUSHCORE_ADM_WITH_MD5: u32 = 2;

/// The everyday fields of an ADM message. An empty view leaves a text out; a number counts when its bit is in `set`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AdmMessageOptions {
    /// sizeof(pushcore_adm_message_options).
    pub struct_size: u32,
    /// PUSHCORE_ADM_SET_TTL.
    pub set: u32,
    /// PUSHCORE_ADM_HIGH_PRIORITY and PUSHCORE_ADM_WITH_MD5.
    pub flags: u32,
    /// How long Amazon keeps the message, in seconds.
    pub ttl_s: u32,
    /// A registration id, {"topic":"..."} or {"group":"..."} (required).
    pub target: View,
    /// The data that the app gets.
    pub data: *const Pair,
    /// The number of `data`.
    pub data_count: usize,
    /// A notification as Amazon documents it, a JSON object.
    pub notification: View,
    /// Messages with one key replace each other while the device is away.
    pub consolidation_key: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for AdmMessageOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Builds a message out of the everyday fields.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_adm_message_new(
    options: *const AdmMessageOptions,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.set, PUSHCORE_ADM_SET_TTL, "set")?;
        known_bits(
            o.flags,
            PUSHCORE_ADM_HIGH_PRIORITY | PUSHCORE_ADM_WITH_MD5,
            "flags",
        )?;
        let mut builder = adm::Message::builder();
        for pair in array(o.data, o.data_count, "data")? {
            let (name, text) = pair.texts("data")?;
            builder = builder.data(name, text);
        }
        let notification = o.notification.bytes("notification")?;
        if !notification.is_empty() {
            builder = builder.notification(notification)?;
        }
        if o.flags & PUSHCORE_ADM_HIGH_PRIORITY != 0 {
            builder = builder.priority(Priority::High);
        }
        if o.flags & PUSHCORE_ADM_WITH_MD5 != 0 {
            builder = builder.with_md5();
        }
        if let Some(ttl) = in_set(o.set, PUSHCORE_ADM_SET_TTL, o.ttl_s, "ttl_s")? {
            builder = builder.ttl(Duration::from_secs(u64::from(ttl)));
        }
        if let Some(key) = o.consolidation_key.optional("consolidation_key")? {
            builder = builder.consolidation_key(key);
        }
        let message = match Target::parse(Kind::Adm, o.target.text("target")?)? {
            Target::Adm(id) => builder.build(id)?.into(),
            Target::AdmAudience(audience) => builder.build_for(audience)?.into(),
            _ => return Err(Error::new(ErrorKind::Internal, "a target of another service").into()),
        };
        give(out, Message { message })
    })
}

/// Makes a group of registrations.
pub const PUSHCORE_ADM_GROUP_CREATE: u32 = 1;
/// Lets registrations join a group.
pub const PUSHCORE_ADM_GROUP_ADD: u32 = 2;
/// Lets registrations leave a group.
pub const PUSHCORE_ADM_GROUP_REMOVE: u32 = 3;

/// A call about a group.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AdmCallOptions {
    /// sizeof(pushcore_adm_call_options).
    pub struct_size: u32,
    /// A PUSHCORE_ADM_GROUP_ constant.
    pub kind: u32,
    /// The group's name (required).
    pub group: View,
    /// Registration ids (at least one).
    pub members: *const View,
    /// The number of `members`.
    pub member_count: usize,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for AdmCallOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a call about a group.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_adm_call_new(
    options: *const AdmCallOptions,
    out: *mut *mut Call,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        let what = match o.kind {
            PUSHCORE_ADM_GROUP_CREATE => GroupCall::Create,
            PUSHCORE_ADM_GROUP_ADD => GroupCall::Add,
            PUSHCORE_ADM_GROUP_REMOVE => GroupCall::Remove,
            _ => return Err(no_such("kind")),
        };
        let members = texts(o.members, o.member_count, "members")?;
        let members = members.into_iter().map(RegistrationId::new);
        let members = members.collect::<Result<_, _>>()?;
        let call = ChangeGroup::new(what, Group::new(o.group.text("group")?)?, members);
        give(out, Call { call: call.into() })
    })
}

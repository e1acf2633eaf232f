//! APNs: credentials, messages, requests.

use pushcore::apns::{self, ApnsId, CollapseId, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
use pushcore::crypto::Es256Key;
use pushcore::{Error, ErrorKind};

use crate::error::ErrorObject;
use crate::guard::{Failure, Status, borrow, free, give, guard};
use crate::request::Request;
use crate::view::{CNow, View};

/// A signing key with its id and its team's. Immutable; may be shared between threads.
pub struct ApnsCredentials {
    credentials: apns::Credentials,
}

/// One push to one device.
pub struct ApnsMessage {
    message: apns::Message,
}

/// The fields of a push. Zero (an empty view) leaves an optional field out.
#[repr(C)]
pub struct ApnsMessageOptions {
    /// sizeof(pushcore_apns_message_options).
    pub struct_size: u32,
    /// 1, 5 or 10; 0 is the push type's own default.
    pub priority: u32,
    /// "alert", "background", "voip" ... (required).
    pub push_type: View,
    /// The device token in hex (required).
    pub device_token: View,
    /// The topic with the push type's suffix (required).
    pub topic: View,
    /// The payload, a JSON object (required).
    pub payload: View,
    /// A UUID in canonical form.
    pub apns_id: View,
    /// At most 64 bytes.
    pub collapse_id: View,
}

/// Reads a `.p8` file's content. Key id and team id have 10 characters.
///
/// # Safety
/// The views are readable; `out` is writable; `error` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_credentials_new(
    p8: View,
    key_id: View,
    team_id: View,
    out: *mut *mut ApnsCredentials,
    error: *mut *mut ErrorObject,
) -> Status {
    let body = || {
        // SAFETY: the caller's promise covers each of the four.
        let (p8, key_id, team_id) =
            unsafe { (p8.bytes("p8")?, key_id.text("key_id")?, team_id.text("team_id")?) };
        let key = Es256Key::from_pem(p8)?;
        let credentials = apns::Credentials::token(KeyId::parse(key_id)?, TeamId::parse(team_id)?, key);
        // SAFETY: the caller's promise.
        unsafe { give(out, ApnsCredentials { credentials }) }
    };
    // SAFETY: the caller's promise.
    unsafe { guard(error, body) }
}

/// Gives the credentials back.
///
/// # Safety
/// `credentials` is NULL or live; it is dead afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_credentials_free(credentials: *mut ApnsCredentials) {
    // SAFETY: the caller's promise.
    unsafe { free(credentials) }
}

/// Builds a message. Everything that APNs would refuse is refused here, with Apple's own reason.
///
/// # Safety
/// `options` is readable for its `struct_size`, its views are readable; `out` is writable; `error` is
/// NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_message_new(
    options: *const ApnsMessageOptions,
    out: *mut *mut ApnsMessage,
    error: *mut *mut ErrorObject,
) -> Status {
    let body = || {
        // The size comes first and alone: a caller built against an older header owns fewer bytes.
        // SAFETY: the caller's promise; struct_size is the first field.
        let size = *unsafe { borrow(options.cast::<u32>(), "options") }?;
        if (size as usize) < size_of::<ApnsMessageOptions>() {
            let context = "struct_size of the options is too small: set it to sizeof";
            return Err(Failure::from(Error::new(ErrorKind::Misuse, context)));
        }
        // SAFETY: the caller owns at least as many bytes as the struct has.
        let options = unsafe { borrow(options, "options") }?;
        // SAFETY: the caller's promise covers every view.
        let message = unsafe { build(options) }?;
        // SAFETY: the caller's promise.
        unsafe { give(out, ApnsMessage { message }) }
    };
    // SAFETY: the caller's promise.
    unsafe { guard(error, body) }
}

/// # Safety
/// Every view of `options` is readable.
unsafe fn build(options: &ApnsMessageOptions) -> Result<apns::Message, Failure> {
    // SAFETY: the caller's promise, for each.
    let (kind, device, topic, payload, id, collapse) = unsafe {
        (
            options.push_type.text("push_type")?,
            options.device_token.text("device_token")?,
            options.topic.text("topic")?,
            options.payload.bytes("payload")?,
            options.apns_id.text("apns_id")?,
            options.collapse_id.text("collapse_id")?,
        )
    };
    let kind = PushType::from_name(kind)
        .ok_or_else(|| Error::new(ErrorKind::InvalidValue, "push_type is none of apns's push types"))?;
    let mut builder = apns::Message::builder(kind)
        .device(DeviceToken::parse(device)?)
        .topic(Topic::parse(topic)?)
        .payload(Payload::raw(payload)?);
    if options.priority != 0 {
        let number = u8::try_from(options.priority)
            .ok()
            .and_then(apns::Priority::from_u8);
        let priority = number.ok_or_else(|| Error::new(ErrorKind::InvalidValue, "priority is 1, 5 or 10"))?;
        builder = builder.priority(priority);
    }
    if !options.apns_id.is_empty() {
        builder = builder.id(ApnsId::parse(id)?);
    }
    if !options.collapse_id.is_empty() {
        builder = builder.collapse_id(CollapseId::parse(collapse)?);
    }
    Ok(builder.build()?)
}

/// Gives the message back.
///
/// # Safety
/// `message` is NULL or live; it is dead afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_message_free(message: *mut ApnsMessage) {
    // SAFETY: the caller's promise.
    unsafe { free(message) }
}

/// The HTTP/2 request that sends the message to APNs, for any HTTP client: production, or Apple's
/// sandbox when `sandbox` is true.
///
/// # Safety
/// The handles are live; `out` is writable; `error` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_request(
    message: *const ApnsMessage,
    credentials: *const ApnsCredentials,
    sandbox: bool,
    now: CNow,
    out: *mut *mut Request,
    error: *mut *mut ErrorObject,
) -> Status {
    let body = || {
        // SAFETY: the caller's promise, for both.
        let (message, credentials) =
            unsafe { (borrow(message, "message")?, borrow(credentials, "credentials")?) };
        let environment = if sandbox {
            apns::Environment::Sandbox
        } else {
            apns::Environment::Production
        };
        let hosts = environment.hosts();
        let request = apns::request(&message.message, &credentials.credentials, &hosts, now.into())?;
        // SAFETY: the caller's promise.
        unsafe { give(out, Request::new(request)) }
    };
    // SAFETY: the caller's promise.
    unsafe { guard(error, body) }
}

//! Web Push: services, everyday messages, calls about messages that were sent.

use std::sync::Arc;
use std::time::Duration;

use pushcore::crypto::Es256Key;
use pushcore::service::Target as AnyTarget;
use pushcore::webpush::{self, Subscription, Topic, Urgency};
use pushcore::{Error, ErrorKind};

use crate::call::Call;
use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give};
use crate::handle::borrow;
use crate::message::{Message, Target};
use crate::policy::{EndpointPolicy, policy};
use crate::service::Service;
use crate::view::{Versioned, View, in_set, known_bits, no_such};

/// `subject` may be anything, and not only a mailto: or https: URL.
pub const PUSHCORE_WEB_PUSH_ANY_SUBJECT: u32 = 1;

/// A Web Push service.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WebPushServiceOptions {
    /// sizeof(pushcore_web_push_service_options).
    pub struct_size: u32,
    /// PUSHCORE_WEB_PUSH_ANY_SUBJECT.
    pub flags: u32,
    /// The VAPID key in any form that pushcore_signing_key_read takes (required).
    pub key: View,
    /// Where the push service reaches the sender: a mailto: or https: URL (required).
    pub subject: View,
    /// The endpoints that are accepted; NULL for those of the public push services.
    pub endpoints: *const EndpointPolicy,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for WebPushServiceOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a Web Push service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_web_push_service_new(
    options: *const WebPushServiceOptions,
    out: *mut *mut Service,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.flags, PUSHCORE_WEB_PUSH_ANY_SUBJECT, "flags")?;
        let key = Es256Key::read(o.key.bytes("key")?)?;
        let subject = o.subject.text("subject")?;
        let credentials = match o.flags & PUSHCORE_WEB_PUSH_ANY_SUBJECT != 0 {
            true => webpush::Credentials::with_any_subject(key, subject)?,
            false => webpush::Credentials::new(key, subject)?,
        };
        let service = webpush::Service::new(credentials, policy(o.endpoints)?);
        give(out, Service::new(service))
    })
}

/// `ttl_s` is set; 0 there means now or never.
pub const PUSHCORE_WEB_PUSH_SET_TTL: u32 = 1;
/// `payload` is set: an empty one is a message of no bytes, and none wakes the device up.
pub const PUSHCORE_WEB_PUSH_SET_PAYLOAD: u32 = 2;

/// Wakes the device on power and Wi-Fi only.
pub const PUSHCORE_WEB_PUSH_URGENCY_VERY_LOW: u32 = 1;
/// Wakes the device on power or Wi-Fi.
pub const PUSHCORE_WEB_PUSH_URGENCY_LOW: u32 = 2;
/// Wakes the device on neither power nor Wi-Fi.
pub const PUSHCORE_WEB_PUSH_URGENCY_NORMAL: u32 = 3;
/// Wakes the device with a low battery, too.
pub const PUSHCORE_WEB_PUSH_URGENCY_HIGH: u32 = 4;

/// The fields of a Web Push message. An empty view leaves a text out; a number counts when its bit is in `set`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WebPushMessageOptions {
    /// sizeof(pushcore_web_push_message_options).
    pub struct_size: u32,
    /// PUSHCORE_WEB_PUSH_SET_ bits.
    pub set: u32,
    /// A PUSHCORE_WEB_PUSH_URGENCY_ constant; 0 says nothing.
    pub urgency: u32,
    /// How long the service keeps the message, in seconds; 28 days without its bit.
    pub ttl_s: u32,
    /// The subscription as the browser gives it, a JSON object (required).
    pub subscription: View,
    /// The bytes that the device gets, encrypted: at most 3993. Without its bit in `set` an empty view is no payload.
    pub payload: View,
    /// Replaces an undelivered message of the same topic: at most 32 letters, digits, - and _.
    pub topic: View,
    /// The endpoints that are accepted; NULL for those of the public push services.
    pub endpoints: *const EndpointPolicy,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for WebPushMessageOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Builds a message. Everything that a push service would refuse is refused here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_web_push_message_new(
    options: *const WebPushMessageOptions,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(
            o.set,
            PUSHCORE_WEB_PUSH_SET_TTL | PUSHCORE_WEB_PUSH_SET_PAYLOAD,
            "set",
        )?;
        let subscription = Subscription::parse(o.subscription.bytes("subscription")?, &policy(o.endpoints)?)?;
        let mut builder = webpush::Message::builder(Arc::new(subscription));
        let payload = o.payload.bytes("payload")?;
        if o.set & PUSHCORE_WEB_PUSH_SET_PAYLOAD != 0 || !payload.is_empty() {
            builder = builder.payload(payload);
        }
        if let Some(ttl) = in_set(o.set, PUSHCORE_WEB_PUSH_SET_TTL, o.ttl_s, "ttl_s")? {
            builder = builder.ttl(Duration::from_secs(u64::from(ttl)));
        }
        builder = match o.urgency {
            0 => builder,
            PUSHCORE_WEB_PUSH_URGENCY_VERY_LOW => builder.urgency(Urgency::VeryLow),
            PUSHCORE_WEB_PUSH_URGENCY_LOW => builder.urgency(Urgency::Low),
            PUSHCORE_WEB_PUSH_URGENCY_NORMAL => builder.urgency(Urgency::Normal),
            PUSHCORE_WEB_PUSH_URGENCY_HIGH => builder.urgency(Urgency::High),
            _ => return Err(no_such("urgency")),
        };
        if let Some(topic) = o.topic.optional("topic")? {
            builder = builder.topic(Topic::new(topic)?);
        }
        let message = builder.build()?;
        give(
            out,
            Message {
                message: message.into(),
            },
        )
    })
}

/// Takes back a message that the device has not got yet: `url` is the `location` of its outcome.
pub const PUSHCORE_WEB_PUSH_WITHDRAW: u32 = 1;
/// Asks for receipts: `url` is the `receipt` of the message's outcome.
pub const PUSHCORE_WEB_PUSH_RECEIPTS: u32 = 2;

/// `wait_s` is set.
pub const PUSHCORE_WEB_PUSH_SET_WAIT: u32 = 1;

/// A call about a message that was sent.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WebPushCallOptions {
    /// sizeof(pushcore_web_push_call_options).
    pub struct_size: u32,
    /// PUSHCORE_WEB_PUSH_WITHDRAW or PUSHCORE_WEB_PUSH_RECEIPTS.
    pub kind: u32,
    /// PUSHCORE_WEB_PUSH_SET_WAIT.
    pub set: u32,
    /// How long the service may wait for a receipt before it answers, in seconds.
    pub wait_s: u32,
    /// The URL out of the outcome (required).
    pub url: View,
    /// The subscription that the message was sent to (required).
    pub target: *const Target,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for WebPushCallOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a call about a message that was sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_web_push_call_new(
    options: *const WebPushCallOptions,
    out: *mut *mut Call,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.set, PUSHCORE_WEB_PUSH_SET_WAIT, "set")?;
        let target = borrow(o.target, "target")?;
        let AnyTarget::WebPush(subscription) = &target.target else {
            return Err(Failure::from(Error::new(
                ErrorKind::InvalidTarget,
                "target is no web push subscription",
            )));
        };
        let (url, subscription) = (o.url.text("url")?, Arc::clone(subscription));
        let call = match o.kind {
            PUSHCORE_WEB_PUSH_WITHDRAW => webpush::Withdraw::new(url, subscription).into(),
            PUSHCORE_WEB_PUSH_RECEIPTS => {
                let mut call = webpush::AskForReceipts::new(url, subscription);
                if let Some(wait) = in_set(o.set, PUSHCORE_WEB_PUSH_SET_WAIT, o.wait_s, "wait_s")? {
                    call = call.wait(Duration::from_secs(u64::from(wait)));
                }
                call.into()
            }
            _ => return Err(no_such("kind")),
        };
        give(out, Call { call })
    })
}

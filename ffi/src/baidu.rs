//! Baidu: services, everyday messages, calls about messages, tags, timers and topics.

use std::sync::Arc;
use std::time::Duration;

use pushcore::baidu::{self, AndroidNotification, DeployStatus, DeviceType, Page};
use pushcore::http::Authority;
use pushcore::service::{Kind, Target};
use pushcore::{Error, ErrorKind, UnixTime};

use crate::call::Call;
use crate::error::ErrorObject;
use crate::guard::{Status, entry, give};
use crate::message::Message;
use crate::service::Service;
use crate::view::{Versioned, View, in_set, known_bits, no_such, texts};

/// A Baidu service. An empty view leaves an optional text out.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BaiduServiceOptions {
    /// sizeof(pushcore_baidu_service_options).
    pub struct_size: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The API key (required).
    pub api_key: View,
    /// The secret key (required).
    pub secret_key: View,
    /// `host:port` in place of Baidu's host, for a sandbox.
    pub host: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for BaiduServiceOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a Baidu service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_baidu_service_new(
    options: *const BaiduServiceOptions,
    out: *mut *mut Service,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.reserved, 0, "reserved")?;
        let credentials =
            baidu::Credentials::new(o.api_key.text("api_key")?, o.secret_key.text("secret_key")?)?;
        let host = match o.host.optional("host")? {
            Some(host) => Authority::parse(host)?,
            None => baidu::default_authority(),
        };
        give(
            out,
            Service::new(baidu::Service::new(Arc::new(credentials), host)),
        )
    })
}

/// A notification that Baidu's Android SDK draws: `title`, `description`, or `content` in Baidu's words.
pub const PUSHCORE_BAIDU_ANDROID: u32 = 1;
/// A message that the Android app alone reads: `content`, a JSON object.
pub const PUSHCORE_BAIDU_ANDROID_RAW: u32 = 2;
/// A payload for Apple's devices: `content`, a JSON object with `aps`.
pub const PUSHCORE_BAIDU_IOS: u32 = 3;

/// `ttl_s` is set.
pub const PUSHCORE_BAIDU_SET_TTL: u32 = 1;
/// `send_at_s` is set.
pub const PUSHCORE_BAIDU_SET_SEND_AT: u32 = 2;

/// The app is a development build (Apple's devices).
pub const PUSHCORE_BAIDU_DEVELOPMENT: u32 = 1;
/// The app is a production build (Apple's devices).
pub const PUSHCORE_BAIDU_PRODUCTION: u32 = 2;

/// The everyday fields of a Baidu message. An empty view leaves a text out; a number counts when its bit is in `set`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BaiduMessageOptions {
    /// sizeof(pushcore_baidu_message_options).
    pub struct_size: u32,
    /// PUSHCORE_BAIDU_ANDROID, PUSHCORE_BAIDU_ANDROID_RAW or PUSHCORE_BAIDU_IOS (required).
    pub kind: u32,
    /// PUSHCORE_BAIDU_SET_ bits.
    pub set: u32,
    /// PUSHCORE_BAIDU_DEVELOPMENT or PUSHCORE_BAIDU_PRODUCTION; 0 says nothing.
    pub deploy: u32,
    /// How long Baidu keeps the message, in seconds.
    pub ttl_s: u64,
    /// When the message is sent, in seconds since 1970.
    pub send_at_s: u64,
    /// A channel id, or an object: {"devices":[...]}, {"tag":"..."}, {"all":true} (required).
    pub target: View,
    /// The title of the notification.
    pub title: View,
    /// The text of the notification.
    pub description: View,
    /// The message as Baidu documents it, a JSON object.
    pub content: View,
    /// The topic under which statistics are kept.
    pub topic_id: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for BaiduMessageOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Builds a message out of the everyday fields.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_baidu_message_new(
    options: *const BaiduMessageOptions,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.set, PUSHCORE_BAIDU_SET_TTL | PUSHCORE_BAIDU_SET_SEND_AT, "set")?;
        let content = o.content.bytes("content")?;
        let (title, description) = (o.title.optional("title")?, o.description.optional("description")?);
        let is_drawn = title.is_some() || description.is_some();
        if is_drawn && (o.kind != PUSHCORE_BAIDU_ANDROID || !content.is_empty()) {
            let context = "title and description are for kind android, and exclude content";
            return Err(Error::new(ErrorKind::Conflict, context).into());
        }
        let mut builder = match o.kind {
            PUSHCORE_BAIDU_ANDROID if is_drawn => {
                let drawn = AndroidNotification::new(description.unwrap_or_default());
                let drawn = title.into_iter().fold(drawn, |drawn, text| drawn.title(text));
                baidu::Message::android(drawn)?
            }
            PUSHCORE_BAIDU_ANDROID => baidu::Message::android(AndroidNotification::from_json(content)?)?,
            PUSHCORE_BAIDU_ANDROID_RAW => baidu::Message::android_raw(content)?,
            PUSHCORE_BAIDU_IOS => baidu::Message::ios(content)?,
            _ => return Err(no_such("kind")),
        };
        builder = match o.deploy {
            0 => builder,
            PUSHCORE_BAIDU_DEVELOPMENT => builder.deploy_status(DeployStatus::Development),
            PUSHCORE_BAIDU_PRODUCTION => builder.deploy_status(DeployStatus::Production),
            _ => return Err(no_such("deploy")),
        };
        if let Some(ttl) = in_set(o.set, PUSHCORE_BAIDU_SET_TTL, o.ttl_s, "ttl_s")? {
            builder = builder.ttl(Duration::from_secs(ttl));
        }
        if let Some(time) = in_set(o.set, PUSHCORE_BAIDU_SET_SEND_AT, o.send_at_s, "send_at_s")? {
            builder = builder.send_at(UnixTime::from_secs(time));
        }
        if let Some(topic) = o.topic_id.optional("topic_id")? {
            builder = builder.topic_id(topic);
        }
        let Target::Baidu(target) = Target::parse(Kind::Baidu, o.target.text("target")?)? else {
            return Err(Error::new(ErrorKind::Internal, "a target of another service").into());
        };
        let message = builder.build(target)?;
        give(
            out,
            Message {
                message: message.into(),
            },
        )
    })
}

/// Asks whether messages have been sent, and how many devices they reached: `items` are their ids.
pub const PUSHCORE_BAIDU_MESSAGE_STATUS: u32 = 1;
/// Asks for the messages that timers have sent; `name` is a timer's id, or empty for all.
pub const PUSHCORE_BAIDU_TIMER_RECORDS: u32 = 2;
/// Asks for the messages that were sent under a topic id, which is `name`.
pub const PUSHCORE_BAIDU_TOPIC_RECORDS: u32 = 3;
/// Asks how many devices the app has.
pub const PUSHCORE_BAIDU_DEVICE_STATISTICS: u32 = 4;
/// Asks how many messages of a topic id arrived; `name` is the topic id.
pub const PUSHCORE_BAIDU_TOPIC_STATISTICS: u32 = 5;
/// Lists the topic ids in use.
pub const PUSHCORE_BAIDU_TOPICS: u32 = 6;
/// Lists the app's tags, or the one that is `name`.
pub const PUSHCORE_BAIDU_TAGS: u32 = 7;
/// Makes a tag, which is `name`.
pub const PUSHCORE_BAIDU_CREATE_TAG: u32 = 8;
/// Deletes a tag, which is `name`.
pub const PUSHCORE_BAIDU_DELETE_TAG: u32 = 9;
/// Gives devices a tag: `name`, and `items` are channel ids.
pub const PUSHCORE_BAIDU_TAG_DEVICES: u32 = 10;
/// Takes a tag from devices: `name`, and `items` are channel ids.
pub const PUSHCORE_BAIDU_UNTAG_DEVICES: u32 = 11;
/// Asks how many devices have a tag, which is `name`.
pub const PUSHCORE_BAIDU_DEVICES_WITH_TAG: u32 = 12;
/// Lists the timers that wait, or the one that is `name`.
pub const PUSHCORE_BAIDU_TIMERS: u32 = 13;
/// Takes back a message whose time has not come; `name` is the timer's id.
pub const PUSHCORE_BAIDU_CANCEL_TIMER: u32 = 14;

/// `since_s` and `until_s` are set.
pub const PUSHCORE_BAIDU_SET_BETWEEN: u32 = 1;

/// The call is about Android's devices; the default.
pub const PUSHCORE_BAIDU_DEVICES_ANDROID: u32 = 3;
/// The call is about Apple's devices.
pub const PUSHCORE_BAIDU_DEVICES_IOS: u32 = 4;

/// A call about messages, tags, timers or topics.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct BaiduCallOptions {
    /// sizeof(pushcore_baidu_call_options).
    pub struct_size: u32,
    /// A PUSHCORE_BAIDU_ constant from PUSHCORE_BAIDU_MESSAGE_STATUS to PUSHCORE_BAIDU_CANCEL_TIMER.
    pub kind: u32,
    /// PUSHCORE_BAIDU_SET_BETWEEN.
    pub set: u32,
    /// PUSHCORE_BAIDU_DEVICES_ANDROID or PUSHCORE_BAIDU_DEVICES_IOS; 0 says nothing.
    pub devices: u32,
    /// The first entry of a list, from 0.
    pub start: u32,
    /// The most entries of a list, 1 to 100, of topics 1 to 20; 0 is the service's choice.
    pub limit: u32,
    /// The begin of a time range, in seconds since 1970.
    pub since_s: u64,
    /// The end of a time range, in seconds since 1970.
    pub until_s: u64,
    /// A tag, a timer's id or a topic id, as the constants say.
    pub name: View,
    /// Message ids or channel ids, as the constants say.
    pub items: *const View,
    /// The number of `items`.
    pub item_count: usize,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for BaiduCallOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a call about messages, tags, timers or topics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_baidu_call_new(
    options: *const BaiduCallOptions,
    out: *mut *mut Call,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.set, PUSHCORE_BAIDU_SET_BETWEEN, "set")?;
        let mut page = Page::default();
        page.start = o.start;
        if o.limit != 0 {
            // A limit that does not fit is refused by the call as one that is too large.
            page.limit = Some(u8::try_from(o.limit).unwrap_or(u8::MAX));
        }
        let (name, optional) = (o.name.text("name")?, o.name.optional("name")?);
        let items = texts(o.items, o.item_count, "items")?;
        let mut call = match o.kind {
            PUSHCORE_BAIDU_MESSAGE_STATUS => baidu::Call::message_status(items)?,
            PUSHCORE_BAIDU_TIMER_RECORDS => baidu::Call::timer_records(optional, page)?,
            PUSHCORE_BAIDU_TOPIC_RECORDS => baidu::Call::topic_records(name, page)?,
            PUSHCORE_BAIDU_DEVICE_STATISTICS => baidu::Call::device_statistics(),
            PUSHCORE_BAIDU_TOPIC_STATISTICS => baidu::Call::topic_statistics(name)?,
            PUSHCORE_BAIDU_TOPICS => baidu::Call::topics(page)?,
            PUSHCORE_BAIDU_TAGS => baidu::Call::tags(optional, page)?,
            PUSHCORE_BAIDU_CREATE_TAG => baidu::Call::create_tag(name)?,
            PUSHCORE_BAIDU_DELETE_TAG => baidu::Call::delete_tag(name)?,
            PUSHCORE_BAIDU_TAG_DEVICES => baidu::Call::tag_devices(name, items)?,
            PUSHCORE_BAIDU_UNTAG_DEVICES => baidu::Call::untag_devices(name, items)?,
            PUSHCORE_BAIDU_DEVICES_WITH_TAG => baidu::Call::devices_with_tag(name)?,
            PUSHCORE_BAIDU_TIMERS => baidu::Call::timers(optional, page)?,
            PUSHCORE_BAIDU_CANCEL_TIMER => baidu::Call::cancel_timer(name)?,
            _ => return Err(no_such("kind")),
        };
        let between = in_set(
            o.set,
            PUSHCORE_BAIDU_SET_BETWEEN,
            (o.since_s, o.until_s),
            "since_s or until_s",
        )?;
        if let Some((since, until)) = between {
            call = call.between(UnixTime::from_secs(since), UnixTime::from_secs(until))?;
        }
        call = match o.devices {
            0 => call,
            PUSHCORE_BAIDU_DEVICES_ANDROID => call.of_device_type(DeviceType::Android),
            PUSHCORE_BAIDU_DEVICES_IOS => call.of_device_type(DeviceType::Ios),
            _ => return Err(no_such("devices")),
        };
        give(out, Call { call: call.into() })
    })
}

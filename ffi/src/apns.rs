//! APNs: credentials, services, everyday messages, calls.

use pushcore::apns::{
    self, Alert, ApnsId, Aps, BundleId, ChannelCall, ChannelId, CollapseId, DeviceToken, Expiration, KeyId,
    Payload, PushType, Sound, StoragePolicy, TeamId, Topic,
};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::{Error, ErrorKind, UnixTime};

use crate::call::Call;
use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give, value};
use crate::handle::{borrow, free, handles};
use crate::http::Request;
use crate::message::Message;
use crate::service::Service;
use crate::view::{CNow, Versioned, View, in_set, known_bits, no_such, texts};

/// A signing key with its id and its team's. Immutable; may be shared between threads. pushcore_apns_service_new needs none.
pub struct ApnsCredentials {
    credentials: apns::Credentials,
}

handles! {
    ApnsCredentials = 13 "pushcore_apns_credentials",
}

/// A message to one device.
pub type ApnsMessage = Message;

/// `expiration_s` is set; 0 there means one attempt, nothing stored.
pub const PUSHCORE_APNS_SET_EXPIRATION: u32 = 1;
/// `badge` is set; 0 there takes the badge away.
pub const PUSHCORE_APNS_SET_BADGE: u32 = 2;
/// `registered_ms` is set.
pub const PUSHCORE_APNS_SET_REGISTERED: u32 = 4;

/// The app is woken in the background (`content-available`).
pub const PUSHCORE_APNS_CONTENT_AVAILABLE: u32 = 1;
/// An extension of the app may change the notification (`mutable-content`).
pub const PUSHCORE_APNS_MUTABLE_CONTENT: u32 = 2;

/// The fields of a push. An empty view leaves a text out; a number counts when its bit is in `set`.
#[repr(C)]
#[derive(Clone, Copy)]
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
    /// The payload, a JSON object. Required, unless one of the fields from `title` on makes it.
    pub payload: View,
    /// A UUID in canonical form.
    pub apns_id: View,
    /// At most 64 bytes.
    pub collapse_id: View,
    /// PUSHCORE_APNS_SET_ bits.
    pub set: u32,
    /// PUSHCORE_APNS_CONTENT_AVAILABLE and PUSHCORE_APNS_MUTABLE_CONTENT.
    pub flags: u32,
    /// Until when APNs keeps the push, in seconds since 1970.
    pub expiration_s: u64,
    /// When the device's token was registered, in milliseconds since 1970: an older refusal is about another registration.
    pub registered_ms: u64,
    /// The number on the app's icon.
    pub badge: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The title of the alert.
    pub title: View,
    /// The second line of the alert.
    pub subtitle: View,
    /// The text of the alert.
    pub body: View,
    /// "default", or a file in the app's bundle.
    pub sound: View,
    /// The id by which notifications are grouped.
    pub thread_id: View,
    /// The category, which names the actions.
    pub category: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for ApnsMessageOptions {
    const FIRST: usize = std::mem::offset_of!(ApnsMessageOptions, set);
}

/// Reads a `.p8` file's content. Key id and team id have 10 characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_credentials_new(
    p8: View,
    key_id: View,
    team_id: View,
    out: *mut *mut ApnsCredentials,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (key_id, team_id) = (key_id.text("key_id")?, team_id.text("team_id")?);
        let key = Es256Key::from_pem(p8.bytes("p8")?)?;
        let credentials = apns::Credentials::token(KeyId::parse(key_id)?, TeamId::parse(team_id)?, key);
        give(out, ApnsCredentials { credentials })
    })
}

/// Gives the credentials back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_credentials_free(credentials: *mut ApnsCredentials) {
    value!((), { free(credentials) });
}

/// Builds a message out of the everyday fields. Everything that APNs would refuse is refused here, with Apple's own reason.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_message_new(
    options: *const ApnsMessageOptions,
    out: *mut *mut ApnsMessage,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let message = build(&crate::view::options(options, "options")?)?;
        give(
            out,
            Message {
                message: message.into(),
            },
        )
    })
}

/// # Safety
/// Every view of `options` is readable.
unsafe fn build(options: &ApnsMessageOptions) -> Result<apns::Message, Failure> {
    let set = options.set;
    let all = PUSHCORE_APNS_SET_EXPIRATION | PUSHCORE_APNS_SET_BADGE | PUSHCORE_APNS_SET_REGISTERED;
    known_bits(set, all, "set")?;
    known_bits(options.reserved, 0, "reserved")?;
    // SAFETY: the caller's promise, for each.
    let (kind, device, topic, id, collapse, payload) = unsafe {
        (
            options.push_type.text("push_type")?,
            options.device_token.text("device_token")?,
            options.topic.text("topic")?,
            options.apns_id.optional("apns_id")?,
            options.collapse_id.optional("collapse_id")?,
            payload(options)?,
        )
    };
    let kind = PushType::from_name(kind)
        .ok_or_else(|| Error::new(ErrorKind::InvalidValue, "push_type is none of apns's push types"))?;
    let mut builder = apns::Message::builder(kind)
        .device(DeviceToken::parse(device)?)
        .topic(Topic::parse(topic)?)
        .payload(payload);
    if options.priority != 0 {
        let number = u8::try_from(options.priority)
            .ok()
            .and_then(apns::Priority::from_u8);
        let priority = number.ok_or_else(|| Error::new(ErrorKind::InvalidValue, "priority is 1, 5 or 10"))?;
        builder = builder.priority(priority);
    }
    if let Some(id) = id {
        builder = builder.id(ApnsId::parse(id)?);
    }
    if let Some(collapse) = collapse {
        builder = builder.collapse_id(CollapseId::parse(collapse)?);
    }
    let expiration = in_set(
        set,
        PUSHCORE_APNS_SET_EXPIRATION,
        options.expiration_s,
        "expiration_s",
    )?;
    builder = match expiration {
        None => builder,
        Some(0) => builder.expiration(Expiration::Once),
        Some(time) => builder.expiration(Expiration::Until(UnixTime::from_secs(time))),
    };
    let registered = in_set(
        set,
        PUSHCORE_APNS_SET_REGISTERED,
        options.registered_ms,
        "registered_ms",
    )?;
    if let Some(time) = registered {
        builder = builder.registered_at(UnixTime::from_millis(time));
    }
    Ok(builder.build()?)
}

/// The payload that was given, or the one that the fields make.
///
/// # Safety
/// Every view of `options` is readable.
unsafe fn payload(options: &ApnsMessageOptions) -> Result<Payload, Failure> {
    let known = PUSHCORE_APNS_CONTENT_AVAILABLE | PUSHCORE_APNS_MUTABLE_CONTENT;
    known_bits(options.flags, known, "flags")?;
    let badge = in_set(options.set, PUSHCORE_APNS_SET_BADGE, options.badge, "badge")?;
    // SAFETY: the caller's promise, for each.
    let (title, subtitle, body, sound, thread, category, raw) = unsafe {
        (
            options.title.optional("title")?,
            options.subtitle.optional("subtitle")?,
            options.body.optional("body")?,
            options.sound.optional("sound")?,
            options.thread_id.optional("thread_id")?,
            options.category.optional("category")?,
            options.payload.bytes("payload")?,
        )
    };
    let texts = [title, subtitle, body, sound, thread, category];
    let is_made = options.flags != 0 || badge.is_some() || texts.iter().any(Option::is_some);
    if !is_made {
        return Ok(Payload::raw(raw)?);
    }
    if !raw.is_empty() {
        let context = "payload and the fields that make one exclude each other";
        return Err(Error::new(ErrorKind::Conflict, context).into());
    }
    let mut aps = Aps::new();
    if title.is_some() || subtitle.is_some() || body.is_some() {
        let mut alert = Alert::new();
        alert = title.into_iter().fold(alert, |alert, text| alert.title(text));
        alert = subtitle
            .into_iter()
            .fold(alert, |alert, text| alert.subtitle(text));
        alert = body.into_iter().fold(alert, |alert, text| alert.body(text));
        aps = aps.alert(alert);
    }
    aps = badge.into_iter().fold(aps, Aps::badge);
    aps = sound
        .into_iter()
        .fold(aps, |aps, name| aps.sound(Sound::named(name)));
    aps = thread.into_iter().fold(aps, |aps, id| aps.thread_id(id));
    aps = category.into_iter().fold(aps, |aps, name| aps.category(name));
    if options.flags & PUSHCORE_APNS_CONTENT_AVAILABLE != 0 {
        aps = aps.content_available();
    }
    if options.flags & PUSHCORE_APNS_MUTABLE_CONTENT != 0 {
        aps = aps.mutable_content();
    }
    Ok(Payload::new(aps))
}

/// Gives the message back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_message_free(message: *mut ApnsMessage) {
    value!((), { free(message) });
}

/// The HTTP/2 request that sends the message to APNs, for any HTTP client: production, or Apple's
/// sandbox when `sandbox` is true. pushcore_service_request does the same for every service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_request(
    message: *const ApnsMessage,
    credentials: *const ApnsCredentials,
    sandbox: bool,
    now: CNow,
    out: *mut *mut Request,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let message = borrow(message, "message")?;
        let credentials = borrow(credentials, "credentials")?;
        let environment = match sandbox {
            true => apns::Environment::Sandbox,
            false => apns::Environment::Production,
        };
        let service = apns::Service::new(credentials.credentials.clone(), environment.hosts());
        let service = pushcore::service::Service::from(service);
        give(out, Request::new(service.request(&message.message, now.into())?))
    })
}

/// The credentials are a `.p8` signing key: `key`, `key_id`, `team_id`.
pub const PUSHCORE_APNS_SIGNING_KEY: u32 = 1;
/// The credentials are a client certificate in PEM: `certificate`, and `key` unless `certificate` holds the key, too.
pub const PUSHCORE_APNS_CERTIFICATE: u32 = 2;
/// The credentials are a client certificate in a PKCS#12 file: `certificate`, `password`.
pub const PUSHCORE_APNS_PKCS12: u32 = 3;
/// The credentials are provider tokens that pushcore_service_supply_token hands in: `key_id`, `team_id`.
pub const PUSHCORE_APNS_PROVIDER_TOKENS: u32 = 4;

/// Apple's production environment.
pub const PUSHCORE_APNS_PRODUCTION: u32 = 0;
/// Apple's development environment, which Apple calls its sandbox.
pub const PUSHCORE_APNS_SANDBOX: u32 = 1;

/// An APNs service. An empty view leaves an optional text out.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ApnsServiceOptions {
    /// sizeof(pushcore_apns_service_options).
    pub struct_size: u32,
    /// What the credentials are: PUSHCORE_APNS_SIGNING_KEY and so on (required).
    pub credentials: u32,
    /// PUSHCORE_APNS_PRODUCTION or PUSHCORE_APNS_SANDBOX.
    pub environment: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The signing key (the content of a `.p8` file), or the key of a certificate.
    pub key: View,
    /// 10 characters.
    pub key_id: View,
    /// 10 characters.
    pub team_id: View,
    /// The client certificate: PEM or PKCS#12.
    pub certificate: View,
    /// The password of the PKCS#12 file.
    pub password: View,
    /// The bundle ids that the signing key is restricted to; none for a key of the whole team.
    pub topics: *const View,
    /// The number of `topics`.
    pub topic_count: usize,
    /// `host:port` in place of Apple's host, for a sandbox or a relay; channels are managed there, too.
    pub host: View,
    /// `host:port` in place of the host that channels are managed at.
    pub management_host: View,
    /// `host:port` in place of the host that broadcasts go to.
    pub broadcast_host: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for ApnsServiceOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes an APNs service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_service_new(
    options: *const ApnsServiceOptions,
    out: *mut *mut Service,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.reserved, 0, "reserved")?;
        let environment = match o.environment {
            PUSHCORE_APNS_PRODUCTION => apns::Environment::Production,
            PUSHCORE_APNS_SANDBOX => apns::Environment::Sandbox,
            _ => return Err(no_such("environment")),
        };
        let mut hosts = environment.hosts();
        if let Some(host) = o.host.optional("host")? {
            let host = Authority::parse(host)?;
            hosts = hosts.with_device(host.clone()).with_management(host);
        }
        if let Some(host) = o.management_host.optional("management_host")? {
            hosts = hosts.with_management(Authority::parse(host)?);
        }
        if let Some(host) = o.broadcast_host.optional("broadcast_host")? {
            hosts = hosts.with_broadcast(Authority::parse(host)?);
        }
        let ids = || -> Result<(KeyId, TeamId), Failure> {
            let (key, team) = (o.key_id.text("key_id")?, o.team_id.text("team_id")?);
            Ok((KeyId::parse(key)?, TeamId::parse(team)?))
        };
        let service = |credentials| Service::new(apns::Service::new(credentials, hosts));
        let made = match o.credentials {
            PUSHCORE_APNS_SIGNING_KEY => {
                let (key_id, team_id) = ids()?;
                let topics = texts(o.topics, o.topic_count, "topics")?;
                let scope = match topics.is_empty() {
                    true => apns::KeyScope::Team,
                    false => {
                        let bundles = topics.iter().map(|topic| BundleId::parse(topic));
                        apns::KeyScope::Topics(bundles.collect::<Result<_, _>>()?)
                    }
                };
                let key = Es256Key::from_pem(o.key.bytes("key")?)?;
                let policy = apns::HeaderPolicy::default();
                service(apns::Credentials::token_with(key_id, team_id, key, scope, policy))
            }
            PUSHCORE_APNS_PROVIDER_TOKENS => {
                let (key_id, team_id) = ids()?;
                service(apns::Credentials::imported(key_id, team_id))
            }
            #[cfg(feature = "net")]
            PUSHCORE_APNS_CERTIFICATE => {
                let certificate = o.certificate.bytes("certificate")?;
                let key = match o.key.is_empty() {
                    true => certificate,
                    false => o.key.bytes("key")?,
                };
                let identity = pushcore::net::tls::ClientIdentity::from_pem(certificate, key)?;
                let certificate = apns::ClientCertificate::from_pem(certificate, key)?;
                Service {
                    identity: Some(identity),
                    ..service(apns::Credentials::certificate(certificate))
                }
            }
            #[cfg(feature = "net")]
            PUSHCORE_APNS_PKCS12 => {
                let file = o.certificate.bytes("certificate")?;
                let password = o.password.text("password")?;
                let identity = pushcore::net::tls::ClientIdentity::from_pkcs12(file, password)?;
                let chain = identity.chain().map(<[u8]>::to_vec).collect();
                // The connection has the key; nothing here asks the certificate for it.
                let certificate = apns::ClientCertificate::from_der(chain, Vec::new())?;
                Service {
                    identity: Some(identity),
                    ..service(apns::Credentials::certificate(certificate))
                }
            }
            _ => return Err(no_such("credentials")),
        };
        give(out, made)
    })
}

/// Creates a channel for Live Activities.
pub const PUSHCORE_APNS_CHANNEL_CREATE: u32 = 1;
/// Asks for the policy of a channel.
pub const PUSHCORE_APNS_CHANNEL_READ: u32 = 2;
/// Deletes a channel, for good.
pub const PUSHCORE_APNS_CHANNEL_DELETE: u32 = 3;
/// Lists all channels.
pub const PUSHCORE_APNS_CHANNEL_LIST: u32 = 4;

/// A channel that stores nothing.
pub const PUSHCORE_APNS_NO_STORAGE: u32 = 0;
/// A channel that stores the most recent broadcast.
pub const PUSHCORE_APNS_MOST_RECENT: u32 = 1;

/// A call about an app's channels.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ApnsCallOptions {
    /// sizeof(pushcore_apns_call_options).
    pub struct_size: u32,
    /// A PUSHCORE_APNS_CHANNEL_ constant.
    pub kind: u32,
    /// PUSHCORE_APNS_NO_STORAGE or PUSHCORE_APNS_MOST_RECENT, for a channel that is created.
    pub storage: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The bundle id of the app (required).
    pub bundle: View,
    /// The channel's id, to read and to delete.
    pub channel: View,
    /// A UUID that APNs repeats as `apns-request-id`.
    pub request_id: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for ApnsCallOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a call about an app's channels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_apns_call_new(
    options: *const ApnsCallOptions,
    out: *mut *mut Call,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.reserved, 0, "reserved")?;
        let channel = || -> Result<ChannelId, Failure> { Ok(ChannelId::parse(o.channel.text("channel")?)?) };
        let what = match o.kind {
            PUSHCORE_APNS_CHANNEL_CREATE => {
                let number = u8::try_from(o.storage).ok();
                let storage = number.and_then(StoragePolicy::from_u8);
                ChannelCall::Create(storage.ok_or_else(|| no_such("storage"))?)
            }
            PUSHCORE_APNS_CHANNEL_READ => ChannelCall::Read(channel()?),
            PUSHCORE_APNS_CHANNEL_DELETE => ChannelCall::Delete(channel()?),
            PUSHCORE_APNS_CHANNEL_LIST => ChannelCall::List,
            _ => return Err(no_such("kind")),
        };
        let mut call = apns::ManageChannel::new(BundleId::parse(o.bundle.text("bundle")?)?, what);
        if let Some(id) = o.request_id.optional("request_id")? {
            call = call.id(ApnsId::parse(id)?);
        }
        give(out, Call { call: call.into() })
    })
}

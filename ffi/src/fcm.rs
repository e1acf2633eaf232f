//! FCM: services, everyday messages, topic calls.

use std::time::Duration;

use pushcore::fcm::{
    self, AndroidConfig, AndroidPriority, Notification, RegistrationId, StringMap, Topic, topics,
};
use pushcore::http::Authority;
use pushcore::service::Kind;
use pushcore::service::Target;
use pushcore::{Error, ErrorKind};

use crate::call::Call;
use crate::error::ErrorObject;
use crate::guard::{Status, entry, give};
use crate::message::Message;
use crate::service::Service;
use crate::view::{Pair, Versioned, View, array, in_set, known_bits, no_such, texts};

/// The credentials are the key file of a service account.
pub const PUSHCORE_FCM_SERVICE_ACCOUNT: u32 = 1;
/// The credentials are any credential file of Google's, as GOOGLE_APPLICATION_CREDENTIALS names them.
pub const PUSHCORE_FCM_FILE: u32 = 2;
/// The tokens come from the metadata server of Google's cloud: `project` is required.
pub const PUSHCORE_FCM_METADATA_SERVER: u32 = 3;
/// The tokens are handed in by pushcore_service_supply_token: `project` is required.
pub const PUSHCORE_FCM_ACCESS_TOKENS: u32 = 4;

/// An FCM service. An empty view leaves an optional text out.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FcmServiceOptions {
    /// sizeof(pushcore_fcm_service_options).
    pub struct_size: u32,
    /// What the credentials are: PUSHCORE_FCM_SERVICE_ACCOUNT and so on (required).
    pub credentials: u32,
    /// The content of the credential file.
    pub file: View,
    /// The project's id, in place of the file's.
    pub project: View,
    /// `host:port` in place of Google's token endpoint, for a sandbox.
    pub token_host: View,
    /// `host:port` in place of Google's hosts, for a sandbox.
    pub host: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for FcmServiceOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes an FCM service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_fcm_service_new(
    options: *const FcmServiceOptions,
    out: *mut *mut Service,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        let file = o.file.bytes("file")?;
        let project = o.project.optional("project")?;
        let trusted = o
            .token_host
            .optional("token_host")?
            .map(Authority::parse)
            .transpose()?;
        let project_id = || fcm::ProjectId::new(project.unwrap_or_default());
        let mut credentials = match o.credentials {
            PUSHCORE_FCM_SERVICE_ACCOUNT => {
                fcm::Credentials::service_account_for(file, project, trusted.as_ref())?
            }
            PUSHCORE_FCM_FILE => match &trusted {
                Some(host) => fcm::Credentials::from_file_trusting(file, project, host)?,
                None => fcm::Credentials::from_file(file, project)?,
            },
            PUSHCORE_FCM_METADATA_SERVER => fcm::Credentials::metadata_server(project_id()?),
            PUSHCORE_FCM_ACCESS_TOKENS => fcm::Credentials::host_tokens(project_id()?),
            _ => return Err(no_such("credentials")),
        };
        if let Some(host) = trusted {
            credentials = credentials.with_token_authority(host);
        }
        let hosts = match o.host.optional("host")? {
            Some(host) => fcm::Hosts::all(&Authority::parse(host)?),
            None => fcm::Hosts::default(),
        };
        give(out, Service::new(fcm::Service::new(credentials, hosts)))
    })
}

/// `ttl_s` is set; 0 there means now or never.
pub const PUSHCORE_FCM_SET_TTL: u32 = 1;

/// The service checks the message and sends nothing.
pub const PUSHCORE_FCM_VALIDATE_ONLY: u32 = 1;
/// Android is woken for the message at once.
pub const PUSHCORE_FCM_HIGH_PRIORITY: u32 = 2;

/// The everyday fields of an FCM message. An empty view leaves a text out; a number counts when its bit is in `set`. Everything else:
/// pushcore_message_from_json.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FcmMessageOptions {
    /// sizeof(pushcore_fcm_message_options).
    pub struct_size: u32,
    /// PUSHCORE_FCM_SET_ bits.
    pub set: u32,
    /// PUSHCORE_FCM_VALIDATE_ONLY and PUSHCORE_FCM_HIGH_PRIORITY.
    pub flags: u32,
    /// For how long Android's devices get the message when they are away, in seconds.
    pub ttl_s: u32,
    /// A registration token, or an object: {"topic":"news"}, {"fid":"..."}, {"condition":"..."} (required).
    pub target: View,
    /// The title of the notification.
    pub title: View,
    /// The text of the notification.
    pub body: View,
    /// The URL of the notification's image.
    pub image: View,
    /// The data that the app gets.
    pub data: *const Pair,
    /// The number of `data`.
    pub data_count: usize,
    /// Messages with one key replace each other while an Android device is away.
    pub collapse_key: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for FcmMessageOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Builds a message out of the everyday fields. Everything that FCM would refuse is refused here, with the path of the field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_fcm_message_new(
    options: *const FcmMessageOptions,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.set, PUSHCORE_FCM_SET_TTL, "set")?;
        known_bits(
            o.flags,
            PUSHCORE_FCM_VALIDATE_ONLY | PUSHCORE_FCM_HIGH_PRIORITY,
            "flags",
        )?;
        let Target::Fcm(target) = Target::parse(Kind::Fcm, o.target.text("target")?)? else {
            return Err(Error::new(ErrorKind::Internal, "a target of another service").into());
        };
        let mut builder = fcm::Message::builder();
        let (title, body) = (o.title.optional("title")?, o.body.optional("body")?);
        let image = o.image.optional("image")?;
        if title.is_some() || body.is_some() || image.is_some() {
            let mut shown = Notification::new();
            shown = title.into_iter().fold(shown, |shown, text| shown.title(text));
            shown = body.into_iter().fold(shown, |shown, text| shown.body(text));
            shown = image.into_iter().fold(shown, |shown, url| shown.image(url));
            builder = builder.notification(shown);
        }
        let pairs = array(o.data, o.data_count, "data")?;
        if !pairs.is_empty() {
            let data = pairs.iter().map(|pair| pair.texts("data"));
            let data: StringMap = data.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
            builder = builder.data(data);
        }
        let mut android = None;
        let mut change = |with: &dyn Fn(AndroidConfig) -> AndroidConfig| {
            android = Some(with(android.take().unwrap_or_else(AndroidConfig::new)));
        };
        if let Some(ttl) = in_set(o.set, PUSHCORE_FCM_SET_TTL, o.ttl_s, "ttl_s")? {
            change(&|android| android.ttl(Duration::from_secs(u64::from(ttl))));
        }
        if o.flags & PUSHCORE_FCM_HIGH_PRIORITY != 0 {
            change(&|android| android.priority(AndroidPriority::High));
        }
        if let Some(key) = o.collapse_key.optional("collapse_key")? {
            change(&|android| android.collapse_key(key));
        }
        if let Some(android) = android {
            builder = builder.android(android);
        }
        let message = builder.build(target)?;
        let message = message.validate_only(o.flags & PUSHCORE_FCM_VALIDATE_ONLY != 0);
        give(
            out,
            Message {
                message: message.into(),
            },
        )
    })
}

/// Subscribes a registration token or installation id to a topic.
pub const PUSHCORE_FCM_TOPIC_SUBSCRIBE: u32 = 1;
/// Ends a subscription.
pub const PUSHCORE_FCM_TOPIC_UNSUBSCRIBE: u32 = 2;
/// Asks for a page of one token's subscriptions.
pub const PUSHCORE_FCM_TOPIC_LIST: u32 = 3;
/// Subscribes up to 1,000 registration tokens with one request.
pub const PUSHCORE_FCM_TOPIC_SUBSCRIBE_MANY: u32 = 4;
/// Ends the subscriptions of up to 1,000 registration tokens with one request.
pub const PUSHCORE_FCM_TOPIC_UNSUBSCRIBE_MANY: u32 = 5;

/// A call about topic subscriptions.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FcmCallOptions {
    /// sizeof(pushcore_fcm_call_options).
    pub struct_size: u32,
    /// A PUSHCORE_FCM_TOPIC_ constant.
    pub kind: u32,
    /// The number of subscriptions on a page, 1 to 2,000; 0 is the service's choice.
    pub page_size: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// Registration tokens or installation ids: one, or many where `kind` says so.
    pub registrations: *const View,
    /// The number of `registrations`.
    pub registration_count: usize,
    /// The topic, except for a list.
    pub topic: View,
    /// The token of the next page, out of the page before.
    pub page_token: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for FcmCallOptions {
    const FIRST: usize = size_of::<Self>();
}

/// Makes a call about topic subscriptions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_fcm_call_new(
    options: *const FcmCallOptions,
    out: *mut *mut Call,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let o = crate::view::options(options, "options")?;
        known_bits(o.reserved, 0, "reserved")?;
        let registrations = texts(o.registrations, o.registration_count, "registrations")?;
        let mut registrations = registrations
            .into_iter()
            .map(RegistrationId::new)
            .collect::<Result<Vec<_>, _>>()?;
        let topic = || -> Result<Topic, crate::guard::Failure> { Ok(Topic::new(o.topic.text("topic")?)?) };
        let many = |action, registrations| -> Result<_, crate::guard::Failure> {
            Ok(topics::ChangeMany::new(action, topic()?, registrations).into())
        };
        let call = match o.kind {
            PUSHCORE_FCM_TOPIC_SUBSCRIBE_MANY => many(topics::BatchAction::Add, registrations)?,
            PUSHCORE_FCM_TOPIC_UNSUBSCRIBE_MANY => many(topics::BatchAction::Remove, registrations)?,
            PUSHCORE_FCM_TOPIC_SUBSCRIBE | PUSHCORE_FCM_TOPIC_UNSUBSCRIBE | PUSHCORE_FCM_TOPIC_LIST => {
                let (Some(one), true) = (registrations.pop(), registrations.is_empty()) else {
                    let context = "registrations: this call is about exactly one";
                    return Err(Error::new(ErrorKind::InvalidValue, context).into());
                };
                match o.kind {
                    PUSHCORE_FCM_TOPIC_SUBSCRIBE => topics::Subscribe::new(one, topic()?).into(),
                    PUSHCORE_FCM_TOPIC_UNSUBSCRIBE => topics::Unsubscribe::new(one, topic()?).into(),
                    _ => {
                        let mut list = topics::ListSubscriptions::new(one);
                        if o.page_size != 0 {
                            // A size that does not fit is refused by the call as one that is too large.
                            list = list.page_size(u16::try_from(o.page_size).unwrap_or(u16::MAX));
                        }
                        if let Some(token) = o.page_token.optional("page_token")? {
                            list = list.page_token(token);
                        }
                        list.into()
                    }
                }
            }
            _ => return Err(no_such("kind")),
        };
        give(out, Call { call })
    })
}

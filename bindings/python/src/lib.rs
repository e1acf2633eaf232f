//! The Python binding of `pushcore`: converts and calls, and holds no logic of its own.

mod activity;
mod adm;
mod adm_audience;
mod adm_credentials;
mod apns;
mod apns_broadcast;
mod apns_credentials;
mod apns_parts;
mod apns_payload;
mod baidu;
mod baidu_calls;
mod baidu_credentials;
mod base;
mod batch;
mod blocking_batch;
mod calls;
mod client;
mod device;
mod dialect;
mod errors;
mod fcm;
mod fcm_credentials;
mod fcm_topics;
mod fields;
mod http;
mod http2;
mod hub;
mod keys;
mod message;
mod metrics;
mod notification;
mod outcome;
mod outcome_parts;
mod progress;
mod recipe;
mod results;
mod retries;
mod selection;
mod send_many;
mod service;
mod session;
mod template;
mod tunnel;
mod values;
mod watch;
mod webpush;
mod webpush_message;

use pyo3::prelude::*;

/// The extension module. Everything public is re-exported by the package `pushcore`.
#[pymodule(gil_used = false)]
mod _pushcore {
    #[pymodule_export]
    use crate::activity::Activity;
    #[pymodule_export]
    use crate::adm::AdmMessage;
    #[pymodule_export]
    use crate::adm_audience::{AdmAudienceMessage, AdmGroups};
    #[pymodule_export]
    use crate::adm_credentials::AdmCredentials;
    #[pymodule_export]
    use crate::apns::ApnsMessage;
    #[pymodule_export]
    use crate::apns_broadcast::{ApnsBroadcast, ApnsChannels};
    #[pymodule_export]
    use crate::apns_credentials::ApnsCredentials;
    #[pymodule_export]
    use crate::apns_parts::{LiveActivity, Localized};
    #[pymodule_export]
    use crate::baidu::BaiduMessage;
    #[pymodule_export]
    use crate::baidu_calls::BaiduCalls;
    #[pymodule_export]
    use crate::baidu_credentials::BaiduCredentials;
    #[pymodule_export]
    use crate::base::PyMessage;
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::blocking_batch::BlockingBatch;
    #[pymodule_export]
    use crate::calls::Call;
    #[pymodule_export]
    use crate::client::BlockingClient;
    #[pymodule_export]
    use crate::device::{Device, Feedback, feedback, restore_device};
    #[pymodule_export]
    use crate::dialect::{Dialect, DialectJob, DialectReply, DialectStep, token_digest};
    #[pymodule_export]
    use crate::errors::error_kinds;
    #[pymodule_export]
    use crate::fcm::FcmMessage;
    #[pymodule_export]
    use crate::fcm_credentials::FcmCredentials;
    #[pymodule_export]
    use crate::fcm_topics::FcmTopics;
    #[pymodule_export]
    use crate::http::{Request, Response};
    #[pymodule_export]
    use crate::hub::HubBoard;
    #[pymodule_export]
    use crate::keys::SigningKey;
    #[pymodule_export]
    use crate::message::{message_from_json, restore_message};
    #[pymodule_export]
    use crate::metrics::{PyHistogram, PyMetrics};
    #[pymodule_export]
    use crate::notification::{Campaign, Notification, NotificationLoss};
    #[pymodule_export]
    use crate::outcome::{
        Accepted, FixCredentials, PyOutcome, Rejected, RetryLater, TokenGone, TokenMismatch, restore_outcome,
    };
    #[pymodule_export]
    use crate::progress::{Event, PyProgress};
    #[pymodule_export]
    use crate::recipe::PySecret;
    #[pymodule_export]
    use crate::results::{AdmGroupResult, TopicPage, TopicResult, TopicSubscription};
    #[pymodule_export]
    use crate::retries::{Attempts, Retries, Retry};
    #[pymodule_export]
    use crate::selection::{Selection, TagExpression, pushpad_signature};
    #[pymodule_export]
    use crate::send_many::SendMany;
    #[pymodule_export]
    use crate::service::Service;
    #[pymodule_export]
    use crate::session::Session;
    #[pymodule_export]
    use crate::template::PyTemplate;
    #[pymodule_export]
    use crate::tunnel::Tunnel;
    #[pymodule_export]
    use crate::values::load_credential;
    #[pymodule_export]
    use crate::webpush::{EndpointPolicy, ReceiverKeys, Subscription, VapidCredentials};
    #[pymodule_export]
    use crate::webpush_message::WebPushMessage;

    /// The version of the package and of the core in it.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}

//! Requests that are not messages: channels, topics, withdrawals.

use std::sync::Arc;
use std::time::Duration;

use pushcore::apns::{self, ApnsId, BundleId, ChannelCall, ChannelOutcome};
use pushcore::fcm::{self, RegistrationId, Topic, topics};
use pushcore::http;
use pushcore::webpush;
use pushcore::{Error, ErrorKind, Now};
use pushcore::{adm, baidu};
use pyo3::prelude::*;

use crate::adm_audience::AdmGroupResult;
use crate::apns_broadcast::policy_name;
use crate::errors::OrRaise;
use crate::fcm_topics::{TopicPage, TopicResult};
use crate::http::{Request, Response};
use crate::outcome::outcome;
use crate::service::Room;
use crate::values::{Str, clock};
use crate::webpush::EndpointPolicy;

/// A request to a service that is not a message: `Client.call` sends it and reads the answer.
///
/// Made by `ApnsChannels`, `FcmTopics`, `AdmGroups`, `BaiduCalls` and `WebPushMessage.withdraw`. With an HTTP client of one's
/// own: send what `request` gives, and hand the answer to `outcome`.
#[pyclass(frozen, generic, module = "pushcore")]
pub(crate) struct Call(pub(crate) Kind);

pub(crate) enum Kind {
    Channel {
        call: ChannelCall,
        bundle: BundleId,
        id: Option<ApnsId>,
    },
    AdmGroup {
        call: adm::GroupCall,
        group: adm::Group,
        members: Vec<adm::RegistrationId>,
    },
    Baidu(baidu::Call),
    Subscribe(RegistrationId, Topic),
    Unsubscribe(RegistrationId, Topic),
    Topics {
        registration: RegistrationId,
        page_size: Option<u16>,
        page_token: Option<String>,
    },
    Batch {
        action: topics::BatchAction,
        topic: Topic,
        tokens: Vec<RegistrationId>,
    },
    Withdraw {
        location: String,
        subscription: Arc<webpush::Subscription>,
    },
    Receipts {
        receipt: String,
        wait: Option<Duration>,
        subscription: Arc<webpush::Subscription>,
    },
}

impl Call {
    /// The request, with the credentials and hosts of `room`.
    pub(crate) fn make(&self, room: &Room, now: Now) -> Result<http::Request, Error> {
        match (&self.0, room) {
            (Kind::Channel { call, bundle, id }, Room::Apns(credentials, hosts)) => {
                apns::channel_request(call, bundle, *id, credentials, hosts, now)
            }
            (
                Kind::Withdraw {
                    location,
                    subscription,
                },
                Room::WebPush(credentials, policy),
            ) => webpush::delete(location, subscription, policy, credentials, now),
            (
                Kind::Receipts {
                    receipt,
                    wait,
                    subscription,
                },
                Room::WebPush(credentials, policy),
            ) => webpush::receipts(receipt, *wait, subscription, policy, credentials, now),
            (Kind::AdmGroup { call, group, members }, Room::Adm(credentials, host)) => {
                adm::group_request(*call, group, members, credentials, host, now)
            }
            (Kind::Baidu(call), Room::Baidu(credentials, host)) => {
                baidu::call_request(call, credentials, host, now)
            }
            (kind, Room::Fcm(credentials, hosts)) => fcm_request(kind, credentials, hosts, now),
            _ => Err(another_service()),
        }
    }

    /// What the answer says.
    pub(crate) fn read(&self, py: Python<'_>, answer: &http::Response, now: Now) -> PyResult<Py<PyAny>> {
        match &self.0 {
            Kind::Channel { call, .. } => match apns::channel_outcome(call, answer, now) {
                ChannelOutcome::Created(Some(id)) => text(py, id.as_str()),
                ChannelOutcome::Read(Some(policy)) => text(py, policy_name(policy)),
                ChannelOutcome::Listed(ids) => {
                    let ids: Vec<&str> = ids.iter().map(apns::ChannelId::as_str).collect();
                    Ok(ids.into_pyobject(py)?.unbind())
                }
                ChannelOutcome::Refused(refusal) => outcome(py, refusal),
                // Deleted; or done, and what came of it is not readable: the body is kept.
                _ => outcome(py, apns::broadcast_outcome(answer, now)),
            },
            Kind::AdmGroup { .. } => match adm::group_outcome(answer, now) {
                adm::GroupOutcome::Done { succeeded, failed } => {
                    Ok(Py::new(py, AdmGroupResult::new(succeeded, failed))?.into_any())
                }
                adm::GroupOutcome::Refused(refusal) => outcome(py, refusal),
                _ => outcome(py, adm::audience_outcome(answer, now)),
            },
            Kind::Baidu(_) => match baidu::call_outcome(answer, now) {
                baidu::CallOutcome::Answered(value) => {
                    let loads = py.import("json")?.getattr("loads")?;
                    Ok(loads.call1((value.to_string(),))?.unbind())
                }
                baidu::CallOutcome::Refused(refusal) => outcome(py, refusal),
                _ => outcome(py, baidu::outcome(answer, now)),
            },
            Kind::Subscribe(..) | Kind::Unsubscribe(..) => outcome(py, topics::outcome(answer, now)),
            Kind::Topics { .. } => match topics::page(answer, now) {
                Ok(page) => Ok(Py::new(py, TopicPage::from(page))?.into_any()),
                Err(refusal) => outcome(py, *refusal),
            },
            Kind::Batch { tokens, .. } => match topics::batch_results(answer, tokens.len(), now) {
                Ok(results) => {
                    let results: Vec<TopicResult> = results.into_iter().map(TopicResult::from).collect();
                    Ok(results.into_pyobject(py)?.unbind())
                }
                Err(refusal) => outcome(py, *refusal),
            },
            Kind::Receipts { subscription, .. } => match webpush::Receipt::read(answer) {
                Some(webpush::Receipt::Delivered) => text(py, "delivered"),
                Some(webpush::Receipt::Expired) => text(py, "expired"),
                _ => outcome(py, webpush::outcome_for(answer, subscription, now)),
            },
            Kind::Withdraw { subscription, .. } => {
                outcome(py, webpush::outcome_for(answer, subscription, now))
            }
        }
    }
}

#[pymethods]
impl Call {
    /// The request for an HTTP client of one's own. FCM's credentials need a token first.
    #[pyo3(signature = (credentials, *, environment=None, host=None, policy=None, now=None))]
    fn request(
        &self,
        py: Python<'_>,
        credentials: &Bound<'_, PyAny>,
        environment: Option<Str>,
        host: Option<Str>,
        policy: Option<&EndpointPolicy>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let room = Room::of(credentials, environment, host, policy)?;
        let now = clock(py, now)?;
        py.detach(|| self.make(&room, now)).map(Request).or_raise(py)
    }

    /// What the answer to that request means.
    #[pyo3(signature = (response, *, now=None))]
    fn outcome(
        &self,
        py: Python<'_>,
        response: &Response,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.read(py, &response.0, clock(py, now)?)
    }

    fn __repr__(&self) -> &'static str {
        match &self.0 {
            Kind::Channel { call, .. } => match call {
                ChannelCall::Create(_) => "<Call: create a channel>",
                ChannelCall::Read(_) => "<Call: read a channel>",
                ChannelCall::Delete(_) => "<Call: delete a channel>",
                _ => "<Call: list the channels>",
            },
            Kind::AdmGroup { .. } => "<Call: change a group>",
            Kind::Baidu(_) => "<Call: ask Baidu>",
            Kind::Subscribe(..) => "<Call: subscribe to a topic>",
            Kind::Unsubscribe(..) => "<Call: unsubscribe from a topic>",
            Kind::Topics { .. } => "<Call: list topic subscriptions>",
            Kind::Batch { .. } => "<Call: topic subscriptions of many tokens>",
            Kind::Withdraw { .. } => "<Call: withdraw a message>",
            Kind::Receipts { .. } => "<Call: ask for receipts>",
        }
    }
}

fn fcm_request(
    kind: &Kind,
    credentials: &fcm::Credentials,
    hosts: &fcm::Hosts,
    now: Now,
) -> Result<http::Request, Error> {
    match kind {
        Kind::Subscribe(registration, topic) => {
            topics::subscribe(registration, topic, credentials, hosts, now)
        }
        Kind::Unsubscribe(registration, topic) => {
            topics::unsubscribe(registration, topic, credentials, hosts, now)
        }
        Kind::Topics {
            registration,
            page_size,
            page_token,
        } => topics::list(
            registration,
            *page_size,
            page_token.as_deref(),
            credentials,
            hosts,
            now,
        ),
        Kind::Batch {
            action,
            topic,
            tokens,
        } => topics::legacy_batch(*action, topic, tokens, credentials, hosts, now),
        _ => Err(another_service()),
    }
}

fn another_service() -> Error {
    Error::new(ErrorKind::Misuse, "this call is for another service")
}

fn text(py: Python<'_>, text: &str) -> PyResult<Py<PyAny>> {
    Ok(text.into_pyobject(py)?.into_any().unbind())
}

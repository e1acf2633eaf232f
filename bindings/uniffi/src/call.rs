//! Requests that are no messages: channels, topics, groups, withdrawals, reports.

use std::time::Duration;

use pushcore::adm::{ChangeGroup, Group, GroupCall};
use pushcore::apns::{BundleId, ChannelCall, ChannelId, ManageChannel, StoragePolicy};
use pushcore::baidu::{self, DeviceType, Page};
use pushcore::fcm::{RegistrationId, Topic, topics};
use pushcore::service::{self, AnyCall, Call as _, Kind, Target};
use pushcore::webpush::{AskForReceipts, EndpointPolicy, Withdraw};
use pushcore::{Error, ErrorKind, adm};

use crate::error::PushError;
use crate::outcome::Outcome;
use crate::request::{Request, Response};
use crate::service::Service;
use crate::values::{Seconds, Time};

/// The broadcasts that a channel keeps for devices that are offline; fixed when the channel is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ChannelStorage {
    /// Nothing, at a higher publishing budget.
    NoStorage,
    /// The most recent broadcast, for up to eight hours.
    MostRecent,
}

/// The part of a list of Baidu's that is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct BaiduPage {
    /// The first entry, from 0.
    #[uniffi(default = 0)]
    pub start: u32,
    /// The most entries, 1 to 100, of topics 1 to 20; nil is the service's choice.
    #[uniffi(default = None)]
    pub limit: Option<u8>,
}

impl BaiduPage {
    fn read(self) -> Page {
        let mut page = Page::default();
        page.start = self.start;
        page.limit = self.limit;
        page
    }
}

/// The devices that a call of Baidu's is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum BaiduDevices {
    /// Android's.
    Android,
    /// Apple's.
    Ios,
}

/// The subject of a call to Baidu.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum BaiduSubject {
    /// The state of messages that were sent.
    MessageStatus {
        /// The ids of the messages.
        ids: Vec<String>,
    },
    /// The messages that a timer has sent.
    TimerRecords {
        /// The timer; nil is all of them.
        #[uniffi(default = None)]
        timer: Option<String>,
        /// The part of the list.
        #[uniffi(default)]
        page: BaiduPage,
    },
    /// The messages that went to a topic.
    TopicRecords {
        /// The topic.
        topic: String,
        /// The part of the list.
        #[uniffi(default)]
        page: BaiduPage,
    },
    /// The number of devices, by day.
    DeviceStatistics,
    /// The number of a topic's messages, by day.
    TopicStatistics {
        /// The topic.
        topic: String,
    },
    /// The topics.
    Topics {
        /// The part of the list.
        #[uniffi(default)]
        page: BaiduPage,
    },
    /// The tags.
    Tags {
        /// The tag to look for; nil is all of them.
        #[uniffi(default = None)]
        tag: Option<String>,
        /// The part of the list.
        #[uniffi(default)]
        page: BaiduPage,
    },
    /// A new tag.
    CreateTag {
        /// The tag.
        tag: String,
    },
    /// The end of a tag.
    DeleteTag {
        /// The tag.
        tag: String,
    },
    /// A tag for devices.
    TagDevices {
        /// The tag.
        tag: String,
        /// The channel ids of the devices.
        devices: Vec<String>,
    },
    /// The end of a tag for devices.
    UntagDevices {
        /// The tag.
        tag: String,
        /// The channel ids of the devices.
        devices: Vec<String>,
    },
    /// The number of devices with a tag.
    DevicesWithTag {
        /// The tag.
        tag: String,
    },
    /// The timers that have not fired.
    Timers {
        /// The timer; nil is all of them.
        #[uniffi(default = None)]
        timer: Option<String>,
        /// The part of the list.
        #[uniffi(default)]
        page: BaiduPage,
    },
    /// The end of a timer.
    CancelTimer {
        /// The timer.
        timer: String,
    },
}

impl BaiduSubject {
    fn read(&self) -> Result<baidu::Call, Error> {
        fn texts(texts: &[String]) -> impl Iterator<Item = &str> {
            texts.iter().map(String::as_str)
        }
        match self {
            Self::MessageStatus { ids } => baidu::Call::message_status(texts(ids)),
            Self::TimerRecords { timer, page } => baidu::Call::timer_records(timer.as_deref(), page.read()),
            Self::TopicRecords { topic, page } => baidu::Call::topic_records(topic, page.read()),
            Self::DeviceStatistics => Ok(baidu::Call::device_statistics()),
            Self::TopicStatistics { topic } => baidu::Call::topic_statistics(topic),
            Self::Topics { page } => baidu::Call::topics(page.read()),
            Self::Tags { tag, page } => baidu::Call::tags(tag.as_deref(), page.read()),
            Self::CreateTag { tag } => baidu::Call::create_tag(tag),
            Self::DeleteTag { tag } => baidu::Call::delete_tag(tag),
            Self::TagDevices { tag, devices } => baidu::Call::tag_devices(tag, texts(devices)),
            Self::UntagDevices { tag, devices } => baidu::Call::untag_devices(tag, texts(devices)),
            Self::DevicesWithTag { tag } => baidu::Call::devices_with_tag(tag),
            Self::Timers { timer, page } => baidu::Call::timers(timer.as_deref(), page.read()),
            Self::CancelTimer { timer } => baidu::Call::cancel_timer(timer),
        }
    }
}

/// A request to a service that is no message.
#[derive(Clone, PartialEq, uniffi::Enum)]
pub enum Call {
    /// Creates a channel for Live Activities (APNs). The answer is a text: the channel's id.
    ApnsCreateChannel {
        /// The app's bundle id.
        bundle: String,
        /// The broadcasts that the channel keeps.
        storage: ChannelStorage,
    },
    /// Asks what a channel keeps (APNs). The answer is a text: `no_storage` or `most_recent`.
    ApnsReadChannel {
        /// The app's bundle id.
        bundle: String,
        /// The channel's id.
        channel: String,
    },
    /// Deletes a channel, for good (APNs).
    ApnsDeleteChannel {
        /// The app's bundle id.
        bundle: String,
        /// The channel's id.
        channel: String,
    },
    /// Lists the channels of an app (APNs). The answer is texts.
    ApnsListChannels {
        /// The app's bundle id.
        bundle: String,
    },
    /// Subscribes a registration to a topic (FCM).
    FcmSubscribe {
        /// A registration token or an installation id.
        registration: String,
        /// The topic.
        topic: String,
    },
    /// Ends the subscription of a registration (FCM).
    FcmUnsubscribe {
        /// A registration token or an installation id.
        registration: String,
        /// The topic.
        topic: String,
    },
    /// Lists the topics of a registration (FCM). The answer is a page.
    FcmListSubscriptions {
        /// A registration token or an installation id.
        registration: String,
        /// The number of subscriptions on a page, 1 to 2,000; nil is the service's choice.
        #[uniffi(default = None)]
        page_size: Option<u16>,
        /// The token out of the page before; nil asks for the first one.
        #[uniffi(default = None)]
        page_token: Option<String>,
    },
    /// Subscribes up to 1,000 registration tokens with one request (FCM). The answer is a batch.
    FcmSubscribeMany {
        /// The registration tokens.
        registrations: Vec<String>,
        /// The topic.
        topic: String,
    },
    /// Ends the subscriptions of up to 1,000 registration tokens with one request (FCM). The answer is a batch.
    FcmUnsubscribeMany {
        /// The registration tokens.
        registrations: Vec<String>,
        /// The topic.
        topic: String,
    },
    /// Makes a group of registrations (ADM). The answer is a group.
    AdmCreateGroup {
        /// The group's name.
        group: String,
        /// The registration ids, at least one.
        members: Vec<String>,
    },
    /// Lets registrations join a group (ADM). The answer is a group.
    AdmAddToGroup {
        /// The group's name.
        group: String,
        /// The registration ids, at least one.
        members: Vec<String>,
    },
    /// Lets registrations leave a group (ADM). The answer is a group.
    AdmRemoveFromGroup {
        /// The group's name.
        group: String,
        /// The registration ids, at least one.
        members: Vec<String>,
    },
    /// Takes back a message that the push service still holds (Web Push).
    WebPushWithdraw {
        /// The `location` of the message's outcome.
        location: String,
        /// The JSON of the subscription that the message was sent to.
        subscription: String,
    },
    /// Asks whether a message was delivered (Web Push). The answer is a text.
    WebPushReceipts {
        /// The `receipt` of the message's outcome.
        receipt: String,
        /// The JSON of the subscription that the message was sent to.
        subscription: String,
        /// How long the push service may wait before it answers; nil leaves that to the service.
        #[uniffi(default = None)]
        wait: Option<Seconds>,
    },
    /// Asks Baidu for reports, tags, timers and topics. The answer is JSON, in Baidu's words.
    Baidu {
        /// The subject.
        subject: BaiduSubject,
        /// The devices that the call is about; nil says nothing.
        #[uniffi(default = None)]
        devices: Option<BaiduDevices>,
        /// The begin of a time range; nil where there is none.
        #[uniffi(default = None)]
        since: Option<Time>,
        /// The end of a time range; nil where there is none.
        #[uniffi(default = None)]
        until: Option<Time>,
    },
}

impl Call {
    /// Reads the call. An endpoint is judged by `policy`.
    pub(crate) fn read(&self, policy: &EndpointPolicy) -> Result<AnyCall, PushError> {
        let manage = |bundle: &str, call| -> Result<AnyCall, Error> {
            Ok(ManageChannel::new(BundleId::parse(bundle)?, call).into())
        };
        let many = |action, registrations: &[String], topic: &str| -> Result<AnyCall, Error> {
            let tokens = registrations.iter().map(|token| RegistrationId::new(token));
            let tokens = tokens.collect::<Result<_, _>>()?;
            Ok(topics::ChangeMany::new(action, Topic::new(topic)?, tokens).into())
        };
        let group = |call, group: &str, members: &[String]| -> Result<AnyCall, Error> {
            let members = members.iter().map(|id| adm::RegistrationId::new(id));
            Ok(ChangeGroup::new(call, Group::new(group)?, members.collect::<Result<_, _>>()?).into())
        };
        let subscription = |json: &str| match Target::parse_under(Kind::WebPush, json, policy)? {
            Target::WebPush(subscription) => Ok(subscription),
            _ => Err(Error::new(ErrorKind::Internal, "a target of another service")),
        };
        Ok(match self {
            Self::ApnsCreateChannel { bundle, storage } => {
                let storage = match storage {
                    ChannelStorage::NoStorage => StoragePolicy::NoStorage,
                    ChannelStorage::MostRecent => StoragePolicy::MostRecent,
                };
                manage(bundle, ChannelCall::Create(storage))?
            }
            Self::ApnsReadChannel { bundle, channel } => {
                manage(bundle, ChannelCall::Read(ChannelId::parse(channel)?))?
            }
            Self::ApnsDeleteChannel { bundle, channel } => {
                manage(bundle, ChannelCall::Delete(ChannelId::parse(channel)?))?
            }
            Self::ApnsListChannels { bundle } => manage(bundle, ChannelCall::List)?,
            Self::FcmSubscribe { registration, topic } => {
                topics::Subscribe::new(RegistrationId::new(registration)?, Topic::new(topic)?).into()
            }
            Self::FcmUnsubscribe { registration, topic } => {
                topics::Unsubscribe::new(RegistrationId::new(registration)?, Topic::new(topic)?).into()
            }
            Self::FcmListSubscriptions {
                registration,
                page_size,
                page_token,
            } => {
                let mut list = topics::ListSubscriptions::new(RegistrationId::new(registration)?);
                list = page_size.iter().fold(list, |list, size| list.page_size(*size));
                list = page_token.iter().fold(list, |list, token| list.page_token(token));
                list.into()
            }
            Self::FcmSubscribeMany { registrations, topic } => {
                many(topics::BatchAction::Add, registrations, topic)?
            }
            Self::FcmUnsubscribeMany { registrations, topic } => {
                many(topics::BatchAction::Remove, registrations, topic)?
            }
            Self::AdmCreateGroup { group: name, members } => group(GroupCall::Create, name, members)?,
            Self::AdmAddToGroup { group: name, members } => group(GroupCall::Add, name, members)?,
            Self::AdmRemoveFromGroup { group: name, members } => group(GroupCall::Remove, name, members)?,
            Self::WebPushWithdraw {
                location,
                subscription: json,
            } => Withdraw::new(location, subscription(json)?).into(),
            Self::WebPushReceipts {
                receipt,
                subscription: json,
                wait,
            } => {
                let call = AskForReceipts::new(receipt, subscription(json)?);
                let wait: Option<Duration> = Seconds::optional(*wait)?;
                wait.into_iter().fold(call, AskForReceipts::wait).into()
            }
            Self::Baidu {
                subject,
                devices,
                since,
                until,
            } => {
                let mut call = subject.read()?;
                call = match devices {
                    None => call,
                    Some(BaiduDevices::Android) => call.of_device_type(DeviceType::Android),
                    Some(BaiduDevices::Ios) => call.of_device_type(DeviceType::Ios),
                };
                match (since, until) {
                    (None, None) => call,
                    (Some(since), Some(until)) => call.between(since.unix()?, until.unix()?)?,
                    _ => {
                        let text = "a time range has a begin and an end";
                        return Err(Error::new(ErrorKind::MissingField, text).into());
                    }
                }
                .into()
            }
        })
    }
}

/// A subscription to a topic.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct TopicSubscription {
    /// The topic.
    pub topic: String,
    /// When the subscription was made; nil where the service does not tell.
    pub created: Option<Time>,
    /// The resource's name, which holds the registration.
    pub name: String,
}

/// The result of one registration token of a call for many.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum TopicResult {
    /// Done.
    Done,
    /// The token is dead: delete it.
    TokenGone,
    /// The change may work later.
    RetryLater {
        /// The service's word.
        reason: String,
    },
    /// The change will not work.
    Rejected {
        /// The service's word.
        reason: String,
    },
}

/// The answer to a call.
#[derive(Clone, PartialEq, uniffi::Enum)]
pub enum CallAnswer {
    /// The id of a channel that was made, or a word such as `delivered`.
    Text {
        /// The text.
        text: String,
    },
    /// The ids of channels.
    Texts {
        /// The texts.
        texts: Vec<String>,
    },
    /// The result of a change to a group.
    Group {
        /// The number of members that the change worked for.
        succeeded: u64,
        /// The registration ids that the change did not work for.
        failed: Vec<String>,
    },
    /// The answer of Baidu.
    Json {
        /// The JSON.
        json: String,
    },
    /// A page of topic subscriptions.
    Page {
        /// The subscriptions.
        subscriptions: Vec<TopicSubscription>,
        /// The token of the next page; nil on the last one.
        next_page_token: Option<String>,
    },
    /// A result for each token, in their order.
    Batch {
        /// The results.
        results: Vec<TopicResult>,
    },
    /// Done, without more to say; done, but not readable, with the body kept; or refused.
    Outcome {
        /// The outcome.
        outcome: Outcome,
    },
}

impl From<service::CallAnswer> for CallAnswer {
    fn from(answer: service::CallAnswer) -> Self {
        match answer {
            service::CallAnswer::Text(text) => Self::Text { text },
            service::CallAnswer::Texts(texts) => Self::Texts { texts },
            service::CallAnswer::Group { succeeded, failed } => Self::Group { succeeded, failed },
            service::CallAnswer::Json(value) => Self::Json {
                json: value.to_string(),
            },
            service::CallAnswer::Page(page) => Self::Page {
                subscriptions: page
                    .subscriptions
                    .into_iter()
                    .map(|one| TopicSubscription {
                        topic: one.topic,
                        created: one.create_time.map(|time| Time::from(time.to_unix())),
                        name: one.name,
                    })
                    .collect(),
                next_page_token: page.next_page_token,
            },
            service::CallAnswer::Batch(results) => Self::Batch {
                results: results
                    .into_iter()
                    .map(|result| match result {
                        topics::BatchResult::Done => TopicResult::Done,
                        topics::BatchResult::TokenGone => TopicResult::TokenGone,
                        topics::BatchResult::RetryLater(reason) => TopicResult::RetryLater { reason },
                        topics::BatchResult::Rejected(reason) => TopicResult::Rejected { reason },
                        // Nobody knows such a result here; C says the same.
                        _ => TopicResult::Rejected {
                            reason: String::new(),
                        },
                    })
                    .collect(),
            },
            service::CallAnswer::Outcome(outcome) => Self::Outcome {
                outcome: Outcome::from(&outcome),
            },
        }
    }
}

#[uniffi::export]
impl Service {
    /// Returns the request that makes a call, complete with its authorization.
    #[uniffi::method(default(at = None))]
    pub fn call_request(&self, call: Call, at: Option<Time>) -> Result<Request, PushError> {
        let now = Time::now(at)?;
        let request = call.read(self.policy())?.request(&self.service, now)?;
        Ok(Request::from(&request))
    }

    /// Reads the answer to a call. A refusal is an answer; an error is about the call.
    #[uniffi::method(default(at = None))]
    pub fn call_answer(
        &self,
        call: Call,
        response: Response,
        at: Option<Time>,
    ) -> Result<CallAnswer, PushError> {
        let (now, call) = (Time::now(at)?, call.read(self.policy())?);
        Ok(call.read(&response.into(), now).into())
    }
}

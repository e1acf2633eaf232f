//! Broadcasts: one Live Activity update for everyone who follows a channel
//! ("Sending broadcast push notification requests to APNs").

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::answer::outcome;
use super::channels::{ChannelId, StoragePolicy};
use super::credentials::Credentials;
use super::environment::Hosts;
use super::expiration::Expiration;
use super::form::BroadcastForm;
use super::header_policy::HeaderPolicy;
use super::ids::{ApnsId, BundleId};
use super::payload::Payload;
use super::push_type::{Priority, PushType};
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Headers, Method, Request, Response};
use crate::json::form::Word;
use crate::json::{Item, Object, Path};
use crate::outcome::{Outcome, Rejected, RetryLater, Scope, TokenGone, TokenMismatch};
use crate::time::Now;

/// The largest payload of a broadcast, in bytes.
const LIMIT: usize = 5120;
/// The longest time that a storing channel keeps a broadcast.
const LONGEST: Duration = Duration::from_secs(8 * 3600);

/// A Live Activity's update or end, to everyone who follows a channel.
#[derive(Clone)]
pub struct Broadcast {
    bundle: BundleId,
    channel: ChannelId,
    policy: StoragePolicy,
    priority: Priority,
    expiration: Expiration,
    id: Option<ApnsId>,
    headers: HeaderPolicy,
    body: Arc<[u8]>,
    common: Arc<HeaderBlock>,
}

impl Broadcast {
    /// Begins a broadcast to a channel, whose policy decides on the expiration.
    pub fn builder(bundle: BundleId, channel: ChannelId, policy: StoragePolicy) -> BroadcastBuilder {
        BroadcastBuilder {
            bundle,
            channel,
            policy,
            payload: None,
            priority: None,
            expiration: None,
            id: None,
            headers: HeaderPolicy::default(),
        }
    }

    /// The payload as it is sent.
    pub fn body(&self) -> &Arc<[u8]> {
        &self.body
    }

    /// The broadcast as JSON (`docs/messages.md`). A field that is added does not compile until it stands here.
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let Self {
            bundle,
            channel,
            policy,
            priority,
            expiration,
            id,
            headers,
            body,
            common: _,
        } = self;
        let mut form = Object::new();
        form.insert("bundle", bundle.as_str());
        form.insert("channel", channel.as_str());
        form.insert("storage_policy", u32::from(policy.as_u8()));
        form.insert("expiration", expiration.form());
        form.insert("priority", u32::from(priority.as_u8()));
        if let Some(id) = id {
            form.insert("id", id.as_str());
        }
        if *headers != HeaderPolicy::default() {
            form.insert("header_policy", headers.word());
        }
        let mut payload = Object::new();
        payload.insert("raw", Item::Own(String::from_utf8_lossy(body).into()));
        form.insert("payload", payload);
        form.write(out);
    }

    /// Checks what depends on the time of sending; the errors are those of [`broadcast_request`].
    pub(crate) fn check(&self, credentials: &Credentials, now: Now) -> Result<(), Error> {
        credentials.permits_bundle(&self.bundle)?;
        match self.expiration {
            Expiration::Until(time) if time.saturating_since(now.unix) > LONGEST => Err(Error::new(
                ErrorKind::InvalidValue,
                "a broadcast is stored for 8 hours at most (BadExpirationDate)",
            )),
            _ => Ok(()),
        }
    }

    /// Fills a cleared request, all but the authorization.
    pub(crate) fn write(&self, hosts: &Hosts, request: &mut Request) -> Result<(), Error> {
        request.method = Method::Post;
        request.path.push_str("/4/broadcasts/apps/");
        request.path.push_str(self.bundle.as_str());
        if let Some(id) = &self.id {
            request
                .headers
                .push("apns-request-id", id.as_str(), HeaderPolicy::VARYING)?;
        }
        request.share(hosts.broadcast(), &self.common, &self.body);
        Ok(())
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast")
            .field("bundle", &self.bundle)
            .field("common", &self.common)
            .field("id", &self.id)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// Makes a [`Broadcast`].
#[derive(Clone, Debug)]
pub struct BroadcastBuilder {
    bundle: BundleId,
    channel: ChannelId,
    policy: StoragePolicy,
    payload: Option<Payload>,
    priority: Option<Priority>,
    expiration: Option<Expiration>,
    id: Option<ApnsId>,
    headers: HeaderPolicy,
}

impl BroadcastBuilder {
    /// The builder that a form describes. A field that is added to either does not compile until
    /// it stands here.
    pub(super) fn from_form(form: BroadcastForm, at: &Path<'_>) -> Result<Self, Error> {
        let BroadcastForm {
            bundle,
            channel,
            storage_policy,
            payload,
            priority,
            expiration,
            id,
            header_policy,
        } = form;
        Ok(Self {
            bundle: bundle.ok_or_else(|| at.missing("bundle"))?,
            channel: channel.ok_or_else(|| at.missing("channel"))?,
            policy: storage_policy.ok_or_else(|| at.missing("storage_policy"))?,
            payload,
            priority,
            expiration,
            id,
            headers: header_policy.unwrap_or_default(),
        })
    }

    /// The body: an update or an end; a broadcast cannot start an activity.
    #[must_use]
    pub fn payload(mut self, payload: impl Into<Payload>) -> Self {
        self.payload = Some(payload.into());
        self
    }

    /// How urgent it is; 10 if left out.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// How long it is kept; `Once` if left out, and the only choice where the channel stores nothing.
    #[must_use]
    pub fn expiration(mut self, expiration: Expiration) -> Self {
        self.expiration = Some(expiration);
        self
    }

    /// The request's id; APNs makes one otherwise.
    #[must_use]
    pub fn id(mut self, id: ApnsId) -> Self {
        self.id = Some(id);
        self
    }

    /// Which of Apple's rules for header compression to follow.
    #[must_use]
    pub fn header_policy(mut self, policy: HeaderPolicy) -> Self {
        self.headers = policy;
        self
    }

    /// The broadcast.
    ///
    /// # Errors
    /// `InvalidTopic` when the bundle id carries a push type's suffix (`TopicDisallowed`);
    /// `InvalidValue` for an expiration that the channel's policy excludes (`BadExpirationDate`)
    /// or a priority of 1 (`BadPriority`); `Conflict` for the start of an activity; what
    /// [`MessageBuilder::template`](super::MessageBuilder::template) says of payloads, at 5120 bytes.
    pub fn build(self) -> Result<Broadcast, Error> {
        let rules = PushType::LiveActivity.rules();
        if self.bundle.as_str().ends_with(rules.suffix) {
            return Err(Error::new(
                ErrorKind::InvalidTopic,
                "the bundle id of a broadcast carries no suffix (TopicDisallowed)",
            ));
        }
        let priority = self.priority.unwrap_or(Priority::Immediate);
        if !rules.priorities.contains(&priority) {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "a broadcast does not take priority 1 (BadPriority)",
            ));
        }
        let expiration = self.expiration.unwrap_or(Expiration::Once);
        if self.policy == StoragePolicy::NoStorage && expiration != Expiration::Once {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "a channel that stores nothing takes only an expiration of 0 (BadExpirationDate)",
            ));
        }
        let payload = self.payload.ok_or_else(|| {
            Error::new(
                ErrorKind::PayloadEmpty,
                "the broadcast has no payload (PayloadEmpty)",
            )
        })?;
        if payload.starts_activity() {
            return Err(Error::new(
                ErrorKind::Conflict,
                "a broadcast cannot start a live activity",
            ));
        }
        let body = payload.encode(PushType::LiveActivity, LIMIT)?;
        let mut headers = Headers::new();
        let mut put = |name: &str, value: &str| headers.push(name, value, self.headers.constant(name));
        put("apns-channel-id", self.channel.as_str())?;
        put("apns-push-type", rules.name)?;
        put("apns-priority", priority.as_str())?;
        if let Some(value) = expiration.write(&mut [0; 20])? {
            put("apns-expiration", value)?;
        }
        Ok(Broadcast {
            bundle: self.bundle,
            channel: self.channel,
            policy: self.policy,
            priority,
            expiration,
            id: self.id,
            headers: self.headers,
            body,
            common: HeaderBlock::new(headers),
        })
    }
}

/// Reads the answer of APNs to a broadcast: as [`outcome`](super::outcome) reads that to a push,
/// but where that speaks of a device, this speaks of a channel.
pub fn broadcast_outcome(response: &Response, now: Now) -> Outcome {
    match outcome(response, now) {
        Outcome::RetryLater(retry) if retry.scope == Scope::Device => Outcome::RetryLater(RetryLater {
            scope: Scope::Topic,
            ..retry
        }),
        // There is no device token that could be gone.
        Outcome::TokenGone(TokenGone { evidence, .. })
        | Outcome::TokenMismatch(TokenMismatch { evidence, .. }) => Outcome::Rejected(Rejected { evidence }),
        other => other,
    }
}

/// The request that sends `broadcast`; [`broadcast_outcome`] reads its answer.
///
/// # Errors
/// `InvalidTopic` when the key is not for that app (`TopicDisallowed`); `InvalidValue` when
/// it expires later than in the 8 hours that a channel stores (`BadExpirationDate`); what
/// [`Credentials::authorization`] says.
pub fn broadcast_request(
    broadcast: &Broadcast,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    broadcast.check(credentials, now)?;
    let mut request = Request::new();
    broadcast.write(hosts, &mut request)?;
    request.authorization = credentials.authorization(now)?;
    Ok(request)
}

#[cfg(test)]
mod tests;

//! Broadcast channels: create, read, list, delete ("Sending channel management
//! requests to APNs").

use serde_json::{Value, json};

use super::broadcast::broadcast_outcome;
use super::credentials::Credentials;
use super::environment::Hosts;
use super::header_policy::HeaderPolicy;
use super::ids::{ApnsId, BundleId};
use crate::error::{Error, ErrorKind};
use crate::http::{Body, Method, Request, Response};
use crate::outcome::Outcome;
use crate::time::Now;

/// The id of a broadcast channel: base64, of any length. APNs makes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChannelId(Box<str>);

impl ChannelId {
    /// 1 to 255 characters of base64 in either alphabet.
    ///
    /// # Errors
    /// `InvalidValue` (APNs: `MissingChannelId`, `BadChannelId`) for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "the channel id is empty (MissingChannelId)",
            ));
        }
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b);
        if text.len() > 255 || !text.bytes().all(fits) {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "the channel id is not base64 (BadChannelId)",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The messages that a channel keeps for devices that are offline; fixed when the channel is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoragePolicy {
    /// 0: nothing, at a higher publishing budget. Broadcasts to it expire at once.
    NoStorage,
    /// 1: the most recent broadcast, for up to 8 hours.
    MostRecent,
}

impl StoragePolicy {
    /// 0 or 1.
    pub const fn as_u8(self) -> u8 {
        match self {
            StoragePolicy::NoStorage => 0,
            StoragePolicy::MostRecent => 1,
        }
    }

    /// Returns the policy's name in every language: `no_storage` or `most_recent`.
    pub const fn name(self) -> &'static str {
        match self {
            StoragePolicy::NoStorage => "no_storage",
            StoragePolicy::MostRecent => "most_recent",
        }
    }

    /// Returns the policy with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [StoragePolicy::NoStorage, StoragePolicy::MostRecent];
        all.into_iter().find(|policy| policy.name() == name)
    }

    /// From 0 or 1.
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(StoragePolicy::NoStorage),
            1 => Some(StoragePolicy::MostRecent),
            _ => None,
        }
    }
}

/// One thing to do with an app's channels. An app has at most 10,000 in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelCall {
    /// Creates a channel for Live Activities; the policy cannot be changed later.
    Create(StoragePolicy),
    /// Asks for the policy of a channel.
    Read(ChannelId),
    /// Deletes a channel, for good.
    Delete(ChannelId),
    /// Lists all channels.
    List,
}

/// The result of a [`ChannelCall`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChannelOutcome {
    /// 201: the channel exists. `None` only if APNs failed to name it.
    Created(Option<ChannelId>),
    /// The channel's policy. `None` if it is one that this version does not know.
    Read(Option<StoragePolicy>),
    /// It is gone. Broadcasts already stored may still arrive.
    Deleted,
    /// All channels of the app. Ids that are not base64 are left out.
    Listed(Vec<ChannelId>),
    /// No, as for a push; never `Accepted`.
    Refused(Outcome),
}

/// The request that makes the call. `id` comes back as `apns-request-id`.
///
/// # Errors
/// `InvalidTopic` when the key is not for that app (`TopicDisallowed`); what
/// [`Credentials::authorization`] says.
pub fn channel_request(
    call: &ChannelCall,
    bundle: &BundleId,
    id: Option<ApnsId>,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    credentials.permits_bundle(bundle)?;
    let mut request = Request::new();
    let list = matches!(call, ChannelCall::List);
    let leaf = if list { "all-channels" } else { "channels" };
    request.path = format!("/1/apps/{}/{leaf}", bundle.as_str());
    request.authority = Some(hosts.management().clone());
    request.authorization = credentials.authorization(now)?;
    if let Some(id) = id {
        request
            .headers
            .push("apns-request-id", id.as_str(), HeaderPolicy::VARYING)?;
    }
    request.method = match call {
        ChannelCall::Create(policy) => {
            let body = json!({ "message-storage-policy": policy.as_u8(), "push-type": "LiveActivity" });
            request.body = Body::Own(body.to_string().into_bytes());
            Method::Post
        }
        ChannelCall::Delete(_) => Method::Delete,
        ChannelCall::Read(_) | ChannelCall::List => Method::Get,
    };
    if let ChannelCall::Read(channel) | ChannelCall::Delete(channel) = call {
        request
            .headers
            .push("apns-channel-id", channel.as_str(), HeaderPolicy::VARYING)?;
    }
    Ok(request)
}

/// Reads the answer of APNs to a channel call. Never fails.
pub fn channel_outcome(call: &ChannelCall, response: &Response, now: Now) -> ChannelOutcome {
    if !(200..300).contains(&response.status) {
        return ChannelOutcome::Refused(broadcast_outcome(response, now));
    }
    let body = || serde_json::from_slice::<Value>(&response.body).unwrap_or_default();
    match call {
        ChannelCall::Create(_) => ChannelOutcome::Created(
            response
                .header("apns-channel-id")
                .and_then(|id| ChannelId::parse(id).ok()),
        ),
        ChannelCall::Read(_) => ChannelOutcome::Read(
            body()["message-storage-policy"]
                .as_u64()
                .and_then(|number| u8::try_from(number).ok())
                .and_then(StoragePolicy::from_u8),
        ),
        ChannelCall::Delete(_) => ChannelOutcome::Deleted,
        ChannelCall::List => ChannelOutcome::Listed(
            body()["channels"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|id| ChannelId::parse(id.as_str()?).ok())
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests;

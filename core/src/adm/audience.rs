//! Messages to a topic or a group, and the groups themselves.
//!
//! Amazon's pages *Topic Based Messaging* and *Group Based Messaging*. Apps subscribe themselves to topics; a
//! security profile has at most 100 topics, a topic at most 10,000 app instances. The members of a group
//! are the caller's to keep ([`group_request`]).

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::Credentials;
use super::answer::classify;
use super::message::{COMMON, MessageBuilder, Template};
use super::registration_id::RegistrationId;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, Body, HeaderBlock, Headers, Indexing, Request, Response};
use crate::json;
use crate::outcome::Outcome;
use crate::time::Now;

/// The longest name that is sent; Amazon names no limit.
const LONGEST_NAME: usize = 512;

/// The name of a group: letters and digits, as Amazon asks, and `_` and `-`, as in its own example.
/// It must not hold anything confidential.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group(Arc<str>);

impl Group {
    /// Checks a name.
    ///
    /// # Errors
    /// `InvalidTarget` when it is empty, longer than 512 characters, or holds other characters.
    pub fn new(name: &str) -> Result<Self, Error> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        checked(name, name.bytes().all(fits)).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a topic that apps have subscribed to: text without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Checks a name.
    ///
    /// # Errors
    /// `InvalidTarget` when it is empty, longer than 512 bytes, or holds control characters.
    pub fn new(name: &str) -> Result<Self, Error> {
        checked(name, !name.chars().any(char::is_control)).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn checked(name: &str, fits: bool) -> Result<Arc<str>, Error> {
    if name.is_empty() || name.len() > LONGEST_NAME || !fits {
        return Err(Error::new(
            ErrorKind::InvalidTarget,
            "the name of a group or topic is empty, too long, or holds what it must not",
        ));
    }
    Ok(name.into())
}

/// The audience that one message reaches at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "ADM has topics and groups; a third kind would need a method of its own"
)]
pub enum Audience {
    /// The subscribers of a topic.
    Topic(Topic),
    /// The members of a group.
    Group(Group),
}

/// One checked message for a topic or a group. Made by [`MessageBuilder::build_for`].
#[derive(Clone)]
pub struct AudienceMessage {
    body: Arc<[u8]>,
    /// The length of the body without the target and the brace after it: the target stands last.
    head: usize,
    /// How many members of the body do not come from `extra`: they stand first.
    typed: u8,
    audience: Audience,
}

impl MessageBuilder {
    /// Checks the message and encodes it for a topic or a group.
    ///
    /// # Errors
    /// As [`MessageBuilder::build`].
    pub fn build_for(&self, audience: Audience) -> Result<AudienceMessage, Error> {
        self.template()?.to_audience(audience)
    }
}

impl Audience {
    /// The name of the field, and its value.
    pub(crate) fn field(&self) -> (&'static str, &str) {
        match self {
            Audience::Topic(topic) => ("topic", topic.as_str()),
            Audience::Group(group) => ("group", group.as_str()),
        }
    }
}

impl AudienceMessage {
    /// `whole` is the body without a target, and never an empty object.
    pub(super) fn new(whole: &[u8], typed: u8, audience: Audience) -> Self {
        let head = whole.len().saturating_sub(1);
        let mut body = Vec::with_capacity(whole.len() + 64);
        body.extend_from_slice(whole.get(..head).unwrap_or_default());
        let (field, name) = audience.field();
        body.extend_from_slice(b",\"");
        body.extend_from_slice(field.as_bytes());
        body.extend_from_slice(b"\":");
        json::write_text(name, &mut body);
        body.push(b'}');
        Self {
            body: body.into(),
            head,
            typed,
            audience,
        }
    }

    /// Returns the same message for another topic or group.
    #[must_use]
    pub fn to(&self, audience: Audience) -> Self {
        Self::new(&self.whole(), self.typed, audience)
    }

    /// The message without its target.
    pub fn template(&self) -> Template {
        Template::of_body(self.whole().into(), self.typed)
    }

    /// The body without the target.
    fn whole(&self) -> Vec<u8> {
        let mut whole = self.body.get(..self.head).unwrap_or_default().to_vec();
        whole.push(b'}');
        whole
    }

    /// The message as JSON (`docs/messages.md`). A field that is added does not compile until it stands here.
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let Self {
            body: _,
            head: _,
            typed,
            audience,
        } = self;
        super::message::write_form(&self.whole(), *typed, Some(audience.field()), out);
    }

    /// Returns the target of the message.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// The body of the request: JSON.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Writes the request, without authorization, into a cleared `request`.
    pub fn write(&self, authority: &Authority, request: &mut Request) {
        request.authority = Some(authority.clone());
        request.path.push_str(match self.audience {
            Audience::Topic(_) => "/v1/messaging/topic/messages",
            Audience::Group(_) => "/v1/messaging/group/messages",
        });
        request.common = Some(Arc::clone(&COMMON));
        request.body = Body::Shared(Arc::clone(&self.body));
    }
}

impl fmt::Debug for AudienceMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudienceMessage")
            .field("audience", &self.audience)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// One complete request: the message with the authorization at hand.
///
/// # Errors
/// `TokenNeeded` when no access token is at hand.
pub fn audience_request(
    message: &AudienceMessage,
    credentials: &Credentials,
    authority: &Authority,
    now: Now,
) -> Result<Request, Error> {
    let mut request = Request::new();
    message.write(authority, &mut request);
    request.authorization = Some(credentials.authorization(now)?);
    Ok(request)
}

/// Reads the answer to a message to a topic or a group. Total, by the rules of [`outcome`](super::outcome),
/// except that there is no device whose registration could be gone or replaced.
pub fn audience_outcome(response: &Response, now: Now) -> Outcome {
    classify(response, None, now)
}

/// A change to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupCall {
    /// It is made, of these registrations.
    Create,
    /// These registrations join it.
    Add,
    /// These registrations leave it.
    Remove,
}

/// Makes or changes a group. Read the answer with [`group_outcome`].
///
/// # Errors
/// `InvalidValue` without registration ids; `TokenNeeded` when no access token is at hand.
pub fn group_request(
    call: GroupCall,
    group: &Group,
    members: &[RegistrationId],
    credentials: &Credentials,
    authority: &Authority,
    now: Now,
) -> Result<Request, Error> {
    if members.is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue, "no registration id"));
    }
    let operation = match call {
        GroupCall::Create => "create",
        GroupCall::Add => "add",
        GroupCall::Remove => "remove",
    };
    let members: Vec<&str> = members.iter().map(RegistrationId::as_str).collect();
    let body = json!({ "operation": operation, "group_name": group.as_str(), "registration_ids": members });
    let mut request = Request::new();
    request.authority = Some(authority.clone());
    request.path.push_str("/v1/messaging/group/operations");
    request.common = Some(Arc::clone(&JSON));
    request.authorization = Some(credentials.authorization(now)?);
    request.body = body.to_string().into_bytes().into();
    Ok(request)
}

/// The result of a [`group_request`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum GroupOutcome {
    /// ADM did it, for some of the registrations or for all.
    Done {
        /// How many it was done for; a group that none was added to is not created.
        succeeded: u64,
        /// The registration ids that the change failed for; ADM gives no reason.
        failed: Vec<String>,
    },
    /// ADM refused.
    Refused(Outcome),
}

/// Reads the answer to [`group_request`].
pub fn group_outcome(response: &Response, now: Now) -> GroupOutcome {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match body.get("success").and_then(Value::as_u64) {
        Some(succeeded) if (200..300).contains(&response.status) => {
            let failed = body.get("failed_registration_ids").and_then(Value::as_array);
            let failed = failed.into_iter().flatten().filter_map(Value::as_str);
            GroupOutcome::Done {
                succeeded,
                failed: failed.map(str::to_owned).collect(),
            }
        }
        // A 2xx that does not say what was done is no success that one could build on.
        _ if (200..300).contains(&response.status) => GroupOutcome::Refused(Outcome::unreadable(response)),
        _ => GroupOutcome::Refused(classify(response, None, now)),
    }
}

/// The headers of a group operation, which has no message version because it is no message.
static JSON: LazyLock<Arc<HeaderBlock>> = LazyLock::new(|| {
    let mut headers = Headers::new();
    for name in ["content-type", "accept"] {
        headers
            .push(name, "application/json", Indexing::Incremental)
            .expect("constant headers");
    }
    HeaderBlock::new(headers)
});

#[cfg(test)]
#[path = "audience_tests.rs"]
mod tests;

//! Messages, templates and targets of any service.

use pushcore::service;

use crate::bytes::Bytes;
use crate::error::ErrorObject;
use crate::guard::{Status, entry, give, value};
use crate::handle::{borrow, free, handles};
use crate::http::Response;
use crate::kinds::{service_number, service_of};
use crate::outcome::Outcome;
use crate::policy::{EndpointPolicy, policy};
use crate::view::{CNow, View};

/// One checked message to one target. Immutable; may be shared between threads.
pub struct Message {
    pub(crate) message: service::Message,
}

/// A checked message without a target, encoded once. Immutable; may be shared between threads.
pub struct Template {
    pub(crate) template: service::Template,
}

/// A device, or all that a topic, group, tag or condition names. Immutable; may be shared between threads.
pub struct Target {
    pub(crate) target: service::Target,
}

handles! {
    Message = 10 "pushcore_message",
    Template = 11 "pushcore_template",
    Target = 12 "pushcore_target",
}

/// Reads a message to `service` (a PUSHCORE_SERVICE_ constant) in the form of docs/messages.md. `endpoints` is for Web Push and may be
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_message_from_json(
    service: u32,
    json: View,
    endpoints: *const EndpointPolicy,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let kind = service_of(service)?;
        let message = service::Message::from_json_under(kind, json.bytes("json")?, &policy(endpoints)?)?;
        give(out, Message { message })
    })
}

/// Writes the message as JSON, which pushcore_message_from_json reads. It holds the target: for the caller's own storage, not for logs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_message_to_json(
    message: *const Message,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        give(out, Bytes::new(borrow(message, "message")?.message.to_json()))
    })
}

/// Returns the PUSHCORE_SERVICE_ constant of the service that the message is for; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_message_service(message: *const Message) -> u32 {
    value!(0, { service_number(borrow(message, "message")?.message.kind()) })
}

/// Makes the same message to another target. Payload and headers are shared, nothing is encoded again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_message_to(
    message: *const Message,
    target: *const Target,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (message, target) = (borrow(message, "message")?, borrow(target, "target")?);
        let message = message.message.to(&target.target)?;
        give(out, Message { message })
    })
}

/// Makes the message without its target.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_message_template(
    message: *const Message,
    out: *mut *mut Template,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let template = borrow(message, "message")?.message.template()?;
        give(out, Template { template })
    })
}

/// Writes the payload: the body of the request (ADM, APNs, FCM), `msg` (Baidu), or what is encrypted (Web Push).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_message_payload(
    message: *const Message,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let message = borrow(message, "message")?;
        give(out, Bytes::new(message.message.payload()))
    })
}

/// Reads the answer to the message without any credentials; see pushcore_service_outcome.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_message_outcome(
    message: *const Message,
    response: *const Response,
    now: CNow,
    out: *mut *mut Outcome,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (message, response) = (borrow(message, "message")?, borrow(response, "response")?);
        let outcome = message.message.outcome(&response.response, now.into());
        give(out, Outcome { outcome })
    })
}

/// Gives the message back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_message_free(message: *mut Message) {
    value!((), { free(message) });
}

/// Reads a message without a target in the form of docs/messages.md.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_template_from_json(
    service: u32,
    json: View,
    out: *mut *mut Template,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let template = service::Template::from_json(service_of(service)?, json.bytes("json")?)?;
        give(out, Template { template })
    })
}

/// Writes the template as JSON, which pushcore_template_from_json reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_template_to_json(
    template: *const Template,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let json = borrow(template, "template")?.template.to_json();
        give(out, Bytes::new(json))
    })
}

/// Returns the PUSHCORE_SERVICE_ constant of the service that the template is for; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_template_service(template: *const Template) -> u32 {
    value!(0, {
        service_number(borrow(template, "template")?.template.kind())
    })
}

/// Makes the message to a target. Nothing is encoded again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_template_to(
    template: *const Template,
    target: *const Target,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (template, target) = (borrow(template, "template")?, borrow(target, "target")?);
        let message = template.template.to(&target.target)?;
        give(out, Message { message })
    })
}

/// Gives the template back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_template_free(template: *mut Template) {
    value!((), { free(template) });
}

/// Reads a target's text: the token of a device, an object such as {"topic":"news"}, or for Web Push the subscription. `endpoints` is for
/// Web Push and may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_target_parse(
    service: u32,
    text: View,
    endpoints: *const EndpointPolicy,
    out: *mut *mut Target,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let kind = service_of(service)?;
        let target = service::Target::parse_under(kind, text.text("text")?, &policy(endpoints)?)?;
        give(out, Target { target })
    })
}

/// Writes the text that pushcore_target_parse reads: for the caller's own storage, not for logs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_target_to_text(
    target: *const Target,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let text = borrow(target, "target")?.target.to_text();
        give(out, Bytes::new(text))
    })
}

/// Returns the PUSHCORE_SERVICE_ constant of the service that the target is of; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_target_service(target: *const Target) -> u32 {
    value!(0, { service_number(borrow(target, "target")?.target.kind()) })
}

/// Gives the target back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_target_free(target: *mut Target) {
    value!((), { free(target) });
}

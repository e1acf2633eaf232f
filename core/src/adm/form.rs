//! ADM messages as JSON: the tables of their fields. `docs/messages.md` is written from them.

use super::audience::{Audience, AudienceMessage, Group, Topic};
use super::message::{Message, MessageBuilder, Priority, Template};
use super::registration_id::RegistrationId;
use crate::error::{Error, ErrorKind};
use crate::json::form::{Form, RawText, Texts, form, text_form, word_form};
use crate::json::{Members, Node, Path};

form! {
    /// One message. Exactly one of `registration_id` (a device), `topic` and `group`; a template is the same without
    /// them. At least one of `data`, `notification` and `consolidation_key`.
    MessageForm "ADM: message"
    {
        /// The registration id of a device.
        registration_id: RegistrationId, "", "1 to 4095 visible ASCII characters", "path";
        /// A topic, whose subscribers all get the message.
        topic: Topic, "", "1 to 512 bytes, no control characters", "`topic`";
        /// A group, whose members all get the message.
        group: Group, "", "1 to 512 letters, digits, `_`, `-`", "`group`";
        /// The texts that the app gets.
        data: Texts, "none", "with `notification` 6144 bytes", "`data`";
        /// The notification that the user sees, as Amazon documents it (a beta).
        notification: RawText, "none", "with `data` 6144 bytes", "`notification`";
        /// How eagerly the message is delivered.
        priority: Priority, "ADM decides", "", "`priority`";
        /// Messages with one key replace each other while the device is away.
        consolidation_key: String, "none", "1 to 64 characters", "`consolidationKey`";
        /// How many seconds the message is kept for a device that is away.
        expires_after: u64, "a week", "60 to 2678400", "`expiresAfter`";
        /// Adds the checksum of the data.
        md5: bool, "false", "", "`md5`";
        /// Other fields of the body.
        extra: Members, "none", "none that is set by its type", "body";
    }
}

text_form!(RegistrationId, RegistrationId::new, "string", {"type": "string", "pattern": "^[!-~]{1,4095}$"});
text_form!(Topic, Topic::new, "string", {"type": "string", "minLength": 1, "maxLength": 512});
text_form!(Group, Group::new, "string", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,512}$"});

word_form!(Priority {
    Priority::Normal => "normal" = Priority::Normal,
    Priority::High => "high" = Priority::High,
});

/// A message, as [`read`] finds it.
pub(crate) enum Either {
    Message(Message),
    Audience(AudienceMessage),
}

/// Reads a message to a device, a topic or a group.
pub(crate) fn read(node: Node<'_>, at: &Path<'_>) -> Result<Either, Error> {
    let (builder, target) = MessageBuilder::from_form(MessageForm::read(node, at)?, at)?;
    let made = match target {
        (Some(id), None, None) => builder.build(id).map(Either::Message),
        (None, Some(topic), None) => builder.build_for(Audience::Topic(topic)).map(Either::Audience),
        (None, None, Some(group)) => builder.build_for(Audience::Group(group)).map(Either::Audience),
        _ => {
            let what = "not exactly one of registration_id, topic and group";
            return Err(at.error(ErrorKind::InvalidTarget, what));
        }
    };
    made.map_err(|error| at.wrap(&error))
}

/// Reads a message without a target.
pub(crate) fn read_template(node: Node<'_>, at: &Path<'_>) -> Result<Template, Error> {
    let (builder, target) = MessageBuilder::from_form(MessageForm::read(node, at)?, at)?;
    if target != (None, None, None) {
        let what = "registration_id, topic and group belong to one message, not to a template";
        return Err(at.error(ErrorKind::InvalidTarget, what));
    }
    builder.template().map_err(|error| at.wrap(&error))
}

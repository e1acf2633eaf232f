//! Baidu messages as JSON: the tables of their fields. `docs/messages.md` is written from them.

#[cfg(test)]
use serde_json::{Value, json};

use super::message::{DeployStatus, Message, MessageBuilder, Template};
use super::notification::{AndroidNotification, OpenType};
use super::target::Target;
use crate::error::{Error, ErrorKind};
#[cfg(test)]
use crate::json::form::Table;
use crate::json::form::{Form, RawText, form, word_form};
use crate::json::{Members, Node, Path};
use crate::time::UnixTime;

form! {
    /// One message. A template is the same without `target`.
    MessageForm "Baidu: message"
    {
        /// The platform, and who handles the message: the SDK's notification, the Android app itself, iOS.
        kind: MessageKind, "required", "", "`device_type`, `msg_type`";
        /// The message as Baidu documents it, or for `ios` the payload of APNs.
        msg: RawText, "required, or `notification`", "one JSON object of 4096 bytes; `android`: with `description`; `ios`: with `aps`", "`msg`";
        /// The notification, in place of `msg`.
        notification: AndroidNotification, "", "for `android` only", "`msg`";
        /// The target.
        target: Target, "required", "", "the method; `channel_id`, `channel_ids`, `tag` or `selector`";
        /// How many seconds the message is kept for a device that is away.
        expires_after: u64, "five hours", "1 to 604800", "`msg_expires`";
        /// A name that statistics are kept under.
        topic_id: String, "none", "1 to 128 characters; for devices only", "`topic_id`";
        /// When the message is sent.
        send_at: UnixTime, "now", "a minute to a year ahead; for `all` and tags only", "`send_time`";
        /// Which certificate of the iOS app is used.
        deploy_status: DeployStatus, "required for `ios`", "for `ios` only", "`deploy_status`";
    }
}

form! {
    /// The target. Exactly one member.
    TargetForm "Baidu: target"
    {
        /// One device, by its channel id.
        device: String, "", "1 to 256 visible ASCII characters", "`push/single_device`";
        /// Several Android devices, by their channel ids.
        devices: Vec<String>, "", "at least one", "`push/batch_device`";
        /// Every device of the app.
        all: bool, "", "true", "`push/all`";
        /// Every device with a tag.
        tag: String, "", "1 to 128 characters", "`push/tags`, type 1";
        /// Every Android device that a smart tag selects: Baidu's own JSON.
        selector: RawText, "", "one JSON object", "`push/tags`, type 6";
    }
}

form! {
    /// A notification that Baidu's Android SDK draws.
    NotificationForm "Baidu: notification"
    {
        /// The text.
        description: String, "required", "", "`description`";
        /// The title.
        title: String, "the app's name", "", "`title`";
        /// A style that the app has registered, by number.
        builder_id: u32, "0", "", "`notification_builder_id`";
        /// Sound, vibration, and whether the user can clear the notification.
        basic_style: StyleForm, "all three", "", "`notification_basic_style`";
        /// The target of a tap; the word `app` is the app.
        open: OpenType, "nothing", "", "`open_type`";
        /// Anything, for the app.
        custom_content: Members, "none", "", "`custom_content`";
        /// Other fields, such as `net_support` or `pkg_version`.
        extra: Members, "none", "", "`msg`";
    }
}

form! {
    /// How a notification is drawn.
    StyleForm "Baidu: basic_style"
    {
        /// Plays a sound.
        sound: bool, "false", "", "4";
        /// Vibrates.
        vibrate: bool, "false", "", "2";
        /// Can be cleared by the user.
        clearable: bool, "false", "", "1";
    }
}

form! {
    /// The target of a tap on a notification: `url` or `package`.
    OpenForm "Baidu: open"
    {
        /// A web page.
        url: String, "", "", "`url`, `open_type` 1";
        /// Whether the user is asked first.
        confirm: bool, "false", "with `url`", "`user_confirm`";
        /// An intent, as `pkg_content` describes it.
        package: String, "", "", "`pkg_content`, `open_type` 2";
    }
}

/// The platform, and who handles the message.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum MessageKind {
    Android,
    AndroidRaw,
    Ios,
}

word_form!(MessageKind {
    MessageKind::Android => "android" = MessageKind::Android,
    MessageKind::AndroidRaw => "android_raw" = MessageKind::AndroidRaw,
    MessageKind::Ios => "ios" = MessageKind::Ios,
});

word_form!(DeployStatus {
    DeployStatus::Development => "development" = DeployStatus::Development,
    DeployStatus::Production => "production" = DeployStatus::Production,
});

impl Form for Target {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        let TargetForm {
            device,
            devices,
            all,
            tag,
            selector,
        } = TargetForm::read(node, at)?;
        let (made, name) = match (device, devices, all, tag, selector) {
            (Some(id), None, None, None, None) => (Target::device(&id), "device"),
            (None, Some(ids), None, None, None) => {
                (Target::devices(ids.iter().map(String::as_str)), "devices")
            }
            (None, None, Some(true), None, None) => return Ok(Target::all()),
            (None, None, None, Some(tag), None) => (Target::tag(&tag), "tag"),
            (None, None, None, None, Some(RawText(json))) => (Target::selector(json.as_bytes()), "selector"),
            _ => {
                return Err(at.error(
                    ErrorKind::InvalidTarget,
                    "not exactly one of device, devices, all, tag and selector",
                ));
            }
        };
        made.map_err(|error| at.field(name).wrap(&error))
    }

    #[cfg(test)]
    fn schema() -> Value {
        TargetForm::schema()
    }

    #[cfg(test)]
    fn kind() -> String {
        TargetForm::kind()
    }

    #[cfg(test)]
    fn tables(into: &mut Vec<Table>) {
        TargetForm::tables(into);
    }
}

impl Form for OpenType {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        if let Some(text) = node.string() {
            return match text.as_str() {
                "app" => Ok(OpenType::App),
                _ => Err(at.error(ErrorKind::InvalidValue, "not app, nor an object")),
            };
        }
        let OpenForm {
            url,
            confirm,
            package,
        } = OpenForm::read(node, at)?;
        match (url, confirm, package) {
            (Some(url), confirm, None) => Ok(OpenType::Url {
                url,
                confirm: confirm.unwrap_or_default(),
            }),
            (None, None, Some(content)) => Ok(OpenType::Package(content)),
            _ => Err(at.error(ErrorKind::Conflict, "not url (and confirm), nor package")),
        }
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"anyOf": [{"const": "app"}, OpenForm::schema()]})
    }

    #[cfg(test)]
    fn kind() -> String {
        format!("`\"app\"`, or {}", OpenForm::kind())
    }

    #[cfg(test)]
    fn tables(into: &mut Vec<Table>) {
        OpenForm::tables(into);
    }
}

impl Form for AndroidNotification {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        let NotificationForm {
            description,
            title,
            builder_id,
            basic_style,
            open,
            custom_content,
            extra,
        } = NotificationForm::read(node, at)?;
        let mut made = AndroidNotification::new(description.ok_or_else(|| at.missing("description"))?);
        if let Some(title) = title {
            made = made.title(title);
        }
        if let Some(id) = builder_id {
            made = made.builder_id(id);
        }
        if let Some(StyleForm {
            sound,
            vibrate,
            clearable,
        }) = basic_style
        {
            let set = Option::unwrap_or_default;
            made = made.basic_style(set(sound), set(vibrate), set(clearable));
        }
        if let Some(open) = open {
            made = made.open(open);
        }
        if let Some(content) = custom_content {
            made = made.with_members("custom_content", &content);
        }
        for (name, value) in extra.unwrap_or_default().iter() {
            made = made.with_json(name, value.clone());
        }
        Ok(made)
    }

    #[cfg(test)]
    fn schema() -> Value {
        NotificationForm::schema()
    }

    #[cfg(test)]
    fn kind() -> String {
        NotificationForm::kind()
    }

    #[cfg(test)]
    fn tables(into: &mut Vec<Table>) {
        NotificationForm::tables(into);
    }
}

/// Reads a message.
pub(crate) fn read(node: Node<'_>, at: &Path<'_>) -> Result<Message, Error> {
    let (builder, target) = MessageBuilder::from_form(MessageForm::read(node, at)?, at)?;
    let target = target.ok_or_else(|| at.field("target").error(ErrorKind::InvalidTarget, "required"))?;
    builder.build(target).map_err(|error| at.wrap(&error))
}

/// Reads a message without a target.
pub(crate) fn read_template(node: Node<'_>, at: &Path<'_>) -> Result<Template, Error> {
    let (builder, target) = MessageBuilder::from_form(MessageForm::read(node, at)?, at)?;
    if target.is_some() {
        let what = "belongs to one message, not to a template";
        return Err(at.field("target").error(ErrorKind::InvalidTarget, what));
    }
    builder.template().map_err(|error| at.wrap(&error))
}

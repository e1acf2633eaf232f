//! The content of a message: every field that any of the channels has.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::request::{short, text, texts, variables, wrong};
use super::substitute::Variables;

/// The content of a message, as `ADMMessage`, `APNSMessage`, `BaiduMessage`, `DefaultMessage`,
/// `DefaultPushNotificationMessage`, `GCMMessage` and the templates have it. A field that was not given is `None`.
#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) action: Option<Action>,
    pub(super) badge: Option<i64>,
    pub(super) body: Option<String>,
    pub(super) category: Option<String>,
    /// `CollapseId`, `CollapseKey` or `ConsolidationKey`.
    pub(super) collapse: Option<String>,
    pub(super) data: Vec<(String, String)>,
    pub(super) expires_after: Option<String>,
    pub(super) icon: Option<String>,
    pub(super) image_icon_url: Option<String>,
    pub(super) image_url: Option<String>,
    pub(super) md5: Option<String>,
    pub(super) media_url: Option<String>,
    pub(super) priority: Option<String>,
    pub(super) push_type: Option<String>,
    pub(super) raw: Option<String>,
    pub(super) package: Option<String>,
    pub(super) silent: Option<bool>,
    pub(super) small_image_icon_url: Option<String>,
    pub(super) sound: Option<String>,
    pub(super) thread_id: Option<String>,
    pub(super) time_to_live: Option<i64>,
    pub(super) title: Option<String>,
    pub(super) url: Option<String>,
    pub(super) variables: Variables,
}

/// What a tap on the notification does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// `OPEN_APP`
    OpenApp,
    /// `DEEP_LINK`
    DeepLink,
    /// `URL`
    Url,
}

impl Content {
    /// Reads a message. `place` is the name of the member that holds it, which decides about the fields.
    pub(super) fn read(
        map: &Map<String, Value>,
        place: &str,
        unknown: &mut Vec<String>,
    ) -> Result<Self, Fault> {
        let fields = fields(place);
        for name in map.keys() {
            if !fields.contains(&name.as_str()) {
                unknown.push(format!("{place}.{}", short(name)));
            }
        }
        let value = Value::Object(
            map.iter()
                .filter(|(name, _)| fields.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        );
        let get = |name: &str| text(&value, name);
        let action = match get("Action")?.as_deref() {
            None => None,
            Some("OPEN_APP") => Some(Action::OpenApp),
            Some("DEEP_LINK") => Some(Action::DeepLink),
            Some("URL") => Some(Action::Url),
            Some(_) => return Err(wrong("Action", "one of OPEN_APP, DEEP_LINK, URL")),
        };
        let silent = match value.get("SilentPush") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(silent)) => Some(*silent),
            Some(_) => return Err(wrong("SilentPush", "a boolean")),
        };
        let collapse = match (get("CollapseId")?, get("CollapseKey")?) {
            (None, None) => get("ConsolidationKey")?,
            (id, key) => id.or(key),
        };
        Ok(Self {
            action,
            badge: whole(&value, "Badge")?,
            body: get("Body")?,
            category: get("Category")?,
            collapse,
            data: texts(&value, "Data")?,
            expires_after: get("ExpiresAfter")?,
            icon: get("IconReference")?,
            image_icon_url: get("ImageIconUrl")?,
            image_url: get("ImageUrl")?,
            md5: get("MD5")?,
            media_url: get("MediaUrl")?,
            priority: get("Priority")?,
            push_type: get("APNSPushType")?,
            raw: get("RawContent")?,
            package: get("RestrictedPackageName")?,
            silent,
            small_image_icon_url: get("SmallImageIconUrl")?,
            sound: get("Sound")?,
            thread_id: get("ThreadId")?,
            time_to_live: whole(&value, "TimeToLive")?,
            title: get("Title")?,
            url: get("Url")?,
            variables: variables(&value, "Substitutions")?,
        })
    }

    /// Fills the fields that were not given from a message of lower rank.
    pub(super) fn fill(&mut self, other: &Content) {
        macro_rules! fill {
            ($($field:ident)+) => {
                $(if self.$field.is_none() {
                    self.$field.clone_from(&other.$field);
                })+
            };
        }
        fill!(action badge body category collapse expires_after icon image_icon_url image_url md5 media_url priority
            push_type raw package silent small_image_icon_url sound thread_id time_to_live title url);
        if self.data.is_empty() {
            self.data.clone_from(&other.data);
        }
        for (name, value) in &other.variables {
            self.variables
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
    }
}

fn whole(value: &Value, name: &str) -> Result<Option<i64>, Fault> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(number) => match number.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(name, "an integer")),
        },
    }
}

/// The fields of each shape, from the service model.
fn fields(place: &str) -> &'static [&'static str] {
    match place {
        "DefaultMessage" => &["Body", "Substitutions"],
        "DefaultPushNotificationMessage" => &[
            "Action",
            "Body",
            "Data",
            "SilentPush",
            "Substitutions",
            "Title",
            "Url",
        ],
        "APNSMessage" => &[
            "APNSPushType",
            "Action",
            "Badge",
            "Body",
            "Category",
            "CollapseId",
            "Data",
            "MediaUrl",
            "PreferredAuthenticationMethod",
            "Priority",
            "RawContent",
            "SilentPush",
            "Sound",
            "Substitutions",
            "ThreadId",
            "TimeToLive",
            "Title",
            "Url",
        ],
        "GCMMessage" => &[
            "Action",
            "Body",
            "CollapseKey",
            "Data",
            "IconReference",
            "ImageIconUrl",
            "ImageUrl",
            "PreferredAuthenticationMethod",
            "Priority",
            "RawContent",
            "RestrictedPackageName",
            "SilentPush",
            "SmallImageIconUrl",
            "Sound",
            "Substitutions",
            "TimeToLive",
            "Title",
            "Url",
        ],
        "ADMMessage" => &[
            "Action",
            "Body",
            "ConsolidationKey",
            "Data",
            "ExpiresAfter",
            "IconReference",
            "ImageIconUrl",
            "ImageUrl",
            "MD5",
            "RawContent",
            "SilentPush",
            "SmallImageIconUrl",
            "Sound",
            "Substitutions",
            "Title",
            "Url",
        ],
        "BaiduMessage" => &[
            "Action",
            "Body",
            "Data",
            "IconReference",
            "ImageIconUrl",
            "ImageUrl",
            "RawContent",
            "SilentPush",
            "SmallImageIconUrl",
            "Sound",
            "Substitutions",
            "TimeToLive",
            "Title",
            "Url",
        ],
        // The messages of a template.
        _ => &[
            "Action",
            "Body",
            "ImageIconUrl",
            "ImageUrl",
            "MediaUrl",
            "RawContent",
            "SmallImageIconUrl",
            "Sound",
            "Title",
            "Url",
        ],
    }
}

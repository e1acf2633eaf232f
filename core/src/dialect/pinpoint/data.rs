//! The flat map of texts that AWS's Android SDK reads, and raw content.

use serde_json::{Map, Value};

use super::content::{Action, Content};
use super::plan::Extra;

/// The flat map of a message to FCM, ADM or Baidu. AWS's SDK draws the notification from it.
pub(super) fn flat(content: &Content, extra: &Extra) -> Vec<(String, String)> {
    let mut map: Vec<(String, String)> = Vec::with_capacity(12);
    let mut push = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            map.push((name.to_owned(), value.to_owned()));
        }
    };
    // Exactly one of the three: the SDK tries url, deeplink and openApp in this order.
    match (content.action, content.url.as_deref()) {
        (Some(Action::Url), Some(url)) => push("pinpoint.url", Some(url)),
        (Some(Action::DeepLink), Some(url)) => push("pinpoint.deeplink", Some(url)),
        _ => push("pinpoint.openApp", Some("true")),
    }
    push("pinpoint.notification.title", content.title.as_deref());
    push("pinpoint.notification.body", content.body.as_deref());
    let silent = content.silent.unwrap_or_default();
    push(
        "pinpoint.notification.silentPush",
        Some(if silent { "1" } else { "0" }),
    );
    push("pinpoint.notification.imageUrl", content.image_url.as_deref());
    push(
        "pinpoint.notification.imageIconUrl",
        content.image_icon_url.as_deref(),
    );
    // The SDK's spelling, which is not the API's.
    push(
        "pinpoint.notification.imageSmallIconUrl",
        content.small_image_icon_url.as_deref(),
    );
    push("pinpoint.notification.icon", content.icon.as_deref());
    push("pinpoint.notification.sound", content.sound.as_deref());
    if !content.data.is_empty() {
        push("pinpoint.jsonBody", Some(&object(&content.data).to_string()));
    }
    // Without this key the SDK drops the push.
    push("pinpoint.campaign.campaign_id", Some("_DIRECT"));
    if let Some(context) = extra.context() {
        push("pinpoint", Some(&Value::Object(context).to_string()));
    }
    map
}

/// Texts as a JSON object.
pub(super) fn object(pairs: &[(String, String)]) -> Value {
    let pairs = pairs
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(value.clone())));
    Value::Object(pairs.collect())
}

/// Reads raw content: a JSON object, or one with single quotes as AWS's own documentation has it for ADM and Baidu.
/// `None` for anything else.
pub(super) fn raw(text: &str) -> Option<Map<String, Value>> {
    let strict = crate::json::parse_object(text.as_bytes()).ok();
    strict.or_else(|| crate::json::parse_object(double_quoted(text).as_bytes()).ok())
}

/// A value as a text, because the data of ADM and FCM holds texts alone.
pub(super) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Turns strings in single quotes into strings in double quotes.
fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'') => {
                quote = Some('\'');
                out.push('"');
            }
            (None, '"') => {
                quote = Some('"');
                out.push('"');
            }
            (Some(_), '\\') => match chars.next() {
                Some('\'') => out.push('\''),
                Some(escaped) => {
                    out.push('\\');
                    out.push(escaped);
                }
                None => out.push('\\'),
            },
            (Some('\''), '"') => out.push_str("\\\""),
            (Some(open), c) if c == open => {
                quote = None;
                out.push('"');
            }
            (_, c) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_quotes_are_read_as_the_documentation_writes_them() {
        // awsdocs/amazon-pinpoint-developer-guide, mobile-sdk-android-push-adm.md.
        let text = "{'pinpoint.campaign.campaign_id':'_DIRECT','pinpoint.notification.silentPush':0,'pinpoint.openApp':true,'pinpoint.notification.title':'Hello','pinpoint.notification.body':'Hello World.'}";
        let map = raw(text).unwrap();
        assert_eq!(as_text(&map["pinpoint.openApp"]), "true");
        assert_eq!(as_text(&map["pinpoint.notification.silentPush"]), "0");
        assert_eq!(map["pinpoint.notification.body"], "Hello World.");
        let awkward = raw(r#"{'a"b':'it\'s \u00e9\n', "c": "it's"}"#).unwrap();
        assert_eq!(awkward["a\"b"], "it's é\n");
        assert_eq!(awkward["c"], "it's");
        for text in ["", "[]", "'a'", "{'a':'b}", "{a:1}", "{'a':1}x", "null"] {
            assert!(raw(text).is_none(), "{text}");
        }
    }
}

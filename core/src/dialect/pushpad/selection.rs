//! Whom a notification is for.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use super::tags::TagExpression;
use crate::error::{Error, ErrorKind};
use crate::json;

/// The subscriptions that a Pushpad request means: the `filter` of its steps, read once and asked of every subscription.
///
/// A subscription is selected when its uid is among `uids` and its tags match one of `tags`; what is absent or `null`
/// selects everybody, and an empty list nobody.
///
/// ```
/// use pushcore::dialect::Selection;
///
/// # fn main() -> Result<(), pushcore::Error> {
/// let selection = Selection::from_json(br#"{"uids": ["anna", "ben"], "tags": ["paid && !trial", "staff"]}"#)?;
/// assert!(selection.selects(Some("anna"), &["paid"]));
/// assert!(!selection.selects(Some("anna"), &["paid", "trial"]));
/// assert!(!selection.selects(None, &["staff"]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Selection {
    uids: Option<HashSet<String>>,
    tags: Option<Vec<TagExpression>>,
}

impl Selection {
    /// Reads a filter.
    ///
    /// # Errors
    /// `InvalidPayload` for what is not a JSON object; `InvalidValue` for members of another type and for what is no tag
    /// expression.
    pub fn from_json(filter: &[u8]) -> Result<Self, Error> {
        Self::read(&json::parse_object(filter)?)
    }

    /// Returns whether a subscription with this uid and these tags is selected. `uid` is `None` for a subscription of
    /// nobody in particular.
    pub fn selects(&self, uid: Option<&str>, tags: &[impl AsRef<str>]) -> bool {
        let uid_fits = match &self.uids {
            None => true,
            Some(uids) => uid.is_some_and(|uid| uids.contains(uid)),
        };
        uid_fits
            && match &self.tags {
                None => true,
                Some(expressions) => expressions.iter().any(|expression| expression.matches(tags)),
            }
    }

    pub(super) fn read(filter: &Map<String, Value>) -> Result<Self, Error> {
        let tags = texts(filter, "tags")?;
        let tags = tags.map(|tags| tags.iter().map(|tag| TagExpression::parse(tag)).collect());
        Ok(Self {
            uids: texts(filter, "uids")?.map(HashSet::from_iter),
            tags: tags.transpose()?,
        })
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Uids name people.
        f.debug_struct("Selection")
            .field("uids", &self.uids.as_ref().map(HashSet::len))
            .field("tags", &self.tags)
            .finish()
    }
}

/// Returns a list of texts; `None` where the member is absent or `null`. A single value is a list of one, as Pushpad's
/// Ruby client sends it. A number is a text, because that client makes a text of a user's id only sometimes.
pub(super) fn texts(map: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Error> {
    let wrong = || Error::new(ErrorKind::InvalidValue, format!("{name} is not a list of texts"));
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(wrong()),
    };
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items.iter().map(text).collect::<Result<_, _>>().map(Some),
        Some(value) => Ok(Some(vec![text(value)?])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(filter: &str, uid: Option<&str>, tags: &[&str]) -> bool {
        Selection::from_json(filter.as_bytes()).unwrap().selects(uid, tags)
    }

    #[test]
    fn absent_is_everybody_and_empty_is_nobody() {
        for filter in ["{}", r#"{"uids":null,"tags":null}"#] {
            assert!(selects(filter, None, &[]), "{filter}");
            assert!(selects(filter, Some("anna"), &["a"]), "{filter}");
        }
        for filter in [r#"{"uids":[]}"#, r#"{"tags":[]}"#, r#"{"uids":[],"tags":["a"]}"#] {
            assert!(!selects(filter, None, &[]), "{filter}");
            assert!(!selects(filter, Some("anna"), &["a"]), "{filter}");
        }
    }

    #[test]
    fn uids_and_tags_both_have_to_fit_and_one_expression_is_enough() {
        let filter = r#"{"uids":["anna",7],"tags":["tag1 && tag2","tag3"]}"#;
        assert!(selects(filter, Some("anna"), &["tag3"]));
        assert!(selects(filter, Some("7"), &["tag1", "tag2"]));
        assert!(!selects(filter, Some("anna"), &["tag1"]));
        assert!(!selects(filter, Some("ben"), &["tag3"]));
        assert!(!selects(filter, None, &["tag3"]));
        assert!(selects(r#"{"tags":"a || b"}"#, None, &["b"]));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in [
            "[]",
            r#"{"uids":[null]}"#,
            r#"{"uids":{}}"#,
            r#"{"tags":[true]}"#,
            r#"{"tags":["a &"]}"#,
        ] {
            assert!(Selection::from_json(filter.as_bytes()).is_err(), "{filter}");
        }
    }
}

//! Message variables: `{{name}}` in a text.

use std::collections::BTreeMap;

/// The values of variables. The first value of a list counts.
pub(super) type Variables = BTreeMap<String, String>;

/// Puts the values into a text.
///
/// # Errors
/// The name of a variable that has no value.
pub(super) fn substitute(text: &str, variables: &Variables) -> Result<String, String> {
    replace(text, |name| variables.get(name).cloned())
}

/// Puts the values into JSON text, inside its strings. `{{` stands nowhere else in JSON.
pub(super) fn substitute_json(text: &str, variables: &Variables) -> Result<String, String> {
    replace(text, |name| {
        let quoted = serde_json::to_string(variables.get(name)?).ok()?;
        Some(quoted.get(1..quoted.len().checked_sub(1)?)?.to_owned())
    })
}

fn replace(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else {
            break;
        };
        out.push_str(before);
        let name = name.trim();
        out.push_str(&value(name).ok_or_else(|| name.to_owned())?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_once() {
        let variables: Variables = [("a", "{{b}}"), ("b", "\"\n"), ("é x", "1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        for (text, expected) in [
            ("", ""),
            ("no {a} }} {{", "no {a} }} {{"),
            ("{{a}}{{ é x }}!", "{{b}}1!"),
        ] {
            assert_eq!(substitute(text, &variables).unwrap(), expected);
        }
        assert_eq!(substitute("{{c}}", &variables), Err("c".to_owned()));
        assert_eq!(
            substitute_json(r#"{"k":{"v":"{{b}}"}}"#, &variables).unwrap(),
            r#"{"k":{"v":"\"\n"}}"#
        );
    }
}

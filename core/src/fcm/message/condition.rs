//! The grammar of topic conditions: `'a' in topics`, `!`, `&&`, `||`, parentheses.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind};

/// The most topics in one condition.
const MOST_TOPICS: usize = 5;
const LONGEST: usize = 8192;

/// Checks a condition. Reads from left to right without recursion, so depth costs nothing.
pub(super) fn check(text: &str) -> Result<(), Error> {
    let fail = |what: &str, at: usize| {
        Err(Error::new(
            ErrorKind::InvalidCondition,
            format!("condition: {what} at byte {at}"),
        ))
    };
    if text.len() > LONGEST {
        return fail("longer than 8192 bytes, cut", LONGEST);
    }
    let mut rest = text.trim_start();
    let mut depth = 0usize;
    let mut topics = BTreeSet::new();
    // Whether an operand comes next (a topic, `!`, `(`), or an operator (`&&`, `||`, `)`).
    let mut operand = true;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        if operand {
            if let Some(after) = rest.strip_prefix('!') {
                rest = after;
            } else if let Some(after) = rest.strip_prefix('(') {
                depth += 1;
                rest = after;
            } else {
                let Some((topic, after)) = topic(rest) else {
                    return fail("expected 'name' in topics", at);
                };
                topics.insert(topic);
                if topics.len() > MOST_TOPICS {
                    return fail("more than five topics", at);
                }
                rest = after;
                operand = false;
            }
        } else if let Some(after) = rest.strip_prefix("&&").or_else(|| rest.strip_prefix("||")) {
            operand = true;
            rest = after;
        } else if let (Some(after), true) = (rest.strip_prefix(')'), depth > 0) {
            depth -= 1;
            rest = after;
        } else {
            return fail("expected &&, || or the end", at);
        }
        rest = rest.trim_start();
    }
    if operand {
        return fail("a topic is missing", text.len());
    }
    if depth > 0 {
        return fail("a parenthesis is not closed", text.len());
    }
    Ok(())
}

/// Reads `'name' in topics`; gives the name and what follows.
fn topic(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('\'')?.split_once('\'')?;
    if name.is_empty() || name.len() > 900 || !name.bytes().all(is_topic_byte) {
        return None;
    }
    let spaced = |text: &'_ str| text.starts_with([' ', '\t']);
    let rest = rest.trim_start().strip_prefix("in")?;
    if !spaced(rest) {
        return None;
    }
    let rest = rest.trim_start().strip_prefix("topics")?;
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    rest.chars().next().is_none_or(ends).then_some((name, rest))
}

/// The alphabet of topics, and of analytics labels.
pub(crate) fn is_topic_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_documented_forms() {
        for text in [
            "'TopicA' in topics",
            "'TopicA' in topics && ('TopicB' in topics || 'TopicC' in topics)",
            "!('X' in topics)",
            "!'X' in topics",
            "('a' in topics)&&('b' in topics)",
            "'a' in topics && 'b' in topics && 'c' in topics && 'd' in topics && 'e' in topics",
            "'a' in topics || ('a' in topics && 'b' in topics && 'c' in topics && 'd' in topics && 'e' in topics)",
            "  'a-_.~%1' in topics  ",
            &format!("{}'a' in topics{}", "(".repeat(2000), ")".repeat(2000)),
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            " ",
            "'a' in topics &&& (((",
            "'a' in topics &&",
            "&& 'a' in topics",
            "'a' in topics & 'b' in topics",
            "'a' in topics 'b' in topics",
            "('a' in topics",
            "'a' in topics)",
            "()",
            "!",
            "'a'",
            "'a' in topic",
            "'a' in topicss",
            "'a' intopics",
            "a in topics",
            "\"a\" in topics",
            "'' in topics",
            "'a b' in topics",
            "'é' in topics",
            "'a in topics",
            "'/topics/a' in topics",
            "'a' in topics and 'b' in topics",
            "'1' in topics||'2' in topics||'3' in topics||'4' in topics||'5' in topics||'6' in topics",
            &"(".repeat(9000),
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidCondition, "{text}");
        }
        let text = check("'a' in topics && b").unwrap_err().to_string();
        assert_eq!(text, "condition: expected 'name' in topics at byte 17");
    }
}

//! Tag expressions, for example `tag1 && !tag2 || tag3`.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// The largest number of parentheses that are open at the same time.
const DEEPEST: usize = 64;
/// The longest expression, in bytes: longer than any form that a person fills in, short enough to be read at no cost.
const LONGEST: usize = 4096;

/// A condition on the tags of a subscription, read once and used for every subscription.
///
/// The operators are `!`, `&&` and `||`, from highest to lowest precedence, and parentheses. A tag is made of
/// `a-z A-Z 0-9 _ - . : @ #`. White space stands between all of them as the writer likes.
///
/// ```
/// use pushcore::dialect::TagExpression;
///
/// # fn main() -> Result<(), pushcore::Error> {
/// let expression = TagExpression::parse("paid && !optout:news || friend_of:Anna")?;
/// assert!(expression.matches(&["paid"]));
/// assert!(!expression.matches(&["paid", "optout:news"]));
/// assert!(expression.matches(&["optout:news", "friend_of:Anna"]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TagExpression {
    /// The expression in postfix order, because neither reading nor using that order needs recursion.
    steps: Vec<Step>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Step {
    Tag(String),
    Not,
    And,
    Or,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Parenthesis,
    Or,
    And,
    Not,
}

impl TagExpression {
    /// Reads an expression.
    ///
    /// # Errors
    /// `InvalidValue` with the place of the fault for what is not an expression, has more than 64 parentheses open at the
    /// same time, or is longer than 4096 bytes.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "a tag expression is longer than 4096 bytes",
            ));
        }
        let (mut steps, mut waiting, mut depth) = (Vec::new(), Vec::new(), 0_usize);
        let bytes = text.as_bytes();
        let (mut at, mut operand) = (0, true);
        while let Some(&byte) = bytes.get(at) {
            let pair = bytes.get(at.saturating_add(1)) == Some(&byte);
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'!' if operand => {
                    waiting.push(Waiting::Not);
                    at += 1;
                }
                b'(' if operand => {
                    depth += 1;
                    if depth > DEEPEST {
                        return Err(Error::new(
                            ErrorKind::InvalidValue,
                            "a tag expression has more than 64 parentheses open",
                        ));
                    }
                    waiting.push(Waiting::Parenthesis);
                    at += 1;
                }
                b')' if !operand && depth > 0 => {
                    settle(&mut steps, &mut waiting, Waiting::Or);
                    waiting.pop();
                    depth -= 1;
                    at += 1;
                }
                b'&' | b'|' if !operand && pair => {
                    let operator = if byte == b'&' { Waiting::And } else { Waiting::Or };
                    settle(&mut steps, &mut waiting, operator);
                    waiting.push(operator);
                    operand = true;
                    at += 2;
                }
                _ if operand && is_tag(byte) => {
                    let end = bytes[at..]
                        .iter()
                        .position(|&byte| !is_tag(byte))
                        .map_or(bytes.len(), |length| at + length);
                    steps.push(Step::Tag(text.get(at..end).unwrap_or_default().to_owned()));
                    operand = false;
                    at = end;
                }
                _ => return Err(unexpected(at)),
            }
        }
        if operand || depth > 0 {
            return Err(unexpected(at));
        }
        settle(&mut steps, &mut waiting, Waiting::Or);
        Ok(Self { steps })
    }

    /// Returns whether a subscription with these tags is meant.
    pub fn matches(&self, tags: &[impl AsRef<str>]) -> bool {
        let mut stack: Vec<bool> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let value = match step {
                Step::Tag(tag) => tags.iter().any(|there| there.as_ref() == tag),
                Step::Not => !stack.pop().unwrap_or_default(),
                Step::And | Step::Or => {
                    let (right, left) = (stack.pop().unwrap_or_default(), stack.pop().unwrap_or_default());
                    match step {
                        Step::And => left && right,
                        _ => left || right,
                    }
                }
            };
            stack.push(value);
        }
        stack.pop().unwrap_or_default()
    }
}

impl fmt::Debug for TagExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tags may name people.
        f.debug_struct("TagExpression")
            .field("steps", &self.steps.len())
            .finish()
    }
}

/// Moves every waiting operator that binds at least as strongly as `least` to the steps.
fn settle(steps: &mut Vec<Step>, waiting: &mut Vec<Waiting>, least: Waiting) {
    let strength = |operator: Waiting| match operator {
        Waiting::Parenthesis => 0,
        Waiting::Or => 1,
        Waiting::And => 2,
        Waiting::Not => 3,
    };
    while let Some(&operator) = waiting.last() {
        if strength(operator) < strength(least) {
            return;
        }
        waiting.pop();
        match operator {
            Waiting::Parenthesis => {}
            Waiting::Or => steps.push(Step::Or),
            Waiting::And => steps.push(Step::And),
            Waiting::Not => steps.push(Step::Not),
        }
    }
}

/// Returns whether a byte may stand in a tag (Pushpad's documentation of tags).
pub(super) fn is_tag(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'@' | b'#')
}

fn unexpected(at: usize) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format!("not a tag expression from byte {at} on"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, tags: &[&str]) -> bool {
        TagExpression::parse(text).unwrap().matches(tags)
    }

    #[test]
    fn precedence_is_as_documented() {
        // "!tag1 || tag2 && tag3 is interpreted as ((!tag1) || (tag2 && tag3))" (Pushpad's documentation of tags).
        for bits in 0..8_u32 {
            let held = |bit: u32| bits & bit != 0;
            let (one, two, three) = (held(1), held(2), held(4));
            let tags: Vec<&str> = [(one, "tag1"), (two, "tag2"), (three, "tag3")]
                .iter()
                .filter(|(held, _)| *held)
                .map(|(_, tag)| *tag)
                .collect();
            for (text, expected) in [
                ("!tag1 || tag2 && tag3", !one || (two && three)),
                ("tag1 && tag2 || tag3", (one && two) || three),
                ("tag3 || tag1 && tag2", three || (one && two)),
                ("tag1&&(tag2||tag3)", one && (two || three)),
                ("!(tag1 || tag2) && tag3", !(one || two) && three),
                ("!!tag1", one),
                ("! ! ! tag1", !one),
                ("!tag1 && !tag2", !one && !two),
                ("((tag1))", one),
                ("(tag1 && tag2) && !(tag3)", one && two && !three),
                ("tag1 && !tag2 && tag3", one && !two && three),
            ] {
                assert_eq!(matches(text, &tags), expected, "{text} with {tags:?}");
            }
        }
    }

    #[test]
    fn every_letter_of_the_alphabet() {
        let recorded = "zip_code:28865 && !optout:local_events || friend_of:Organizer123";
        assert!(matches(recorded, &["zip_code:28865"]));
        assert!(!matches(recorded, &["zip_code:28865", "optout:local_events"]));
        assert!(matches("a-b.c@d#e_F9:x", &["a-b.c@d#e_F9:x"]));
        assert!(!matches("tag", &["Tag", "tag1", "ta"]));
        assert!(!matches("tag", &[]));
    }

    #[test]
    fn what_is_no_expression_is_refused_with_its_place() {
        for (text, at) in [
            ("", 0),
            ("   ", 3),
            ("a b", 2),
            ("a &", 2),
            ("a & b", 2),
            ("a &&", 4),
            ("&& a", 0),
            ("a || || b", 5),
            ("a |& b", 2),
            ("!", 1),
            ("a !b", 2),
            ("()", 1),
            ("(a", 2),
            ("a)", 1),
            ("(a))", 3),
            ("a && (b || )", 11),
            ("a(b)", 1),
            ("ta/g", 2),
            ("é", 0),
            ("a\u{a0}", 1),
            ("\"a\"", 0),
        ] {
            let error = TagExpression::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "{text}");
            assert!(
                error.context().ends_with(&format!("byte {at} on")),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn five_hundred_nested_parentheses_are_refused() {
        let nested = |count: usize| format!("{}a{}", "(".repeat(count), ")".repeat(count));
        assert!(matches(&nested(64), &["a"]));
        assert!(TagExpression::parse(&nested(65)).is_err());
        assert!(TagExpression::parse(&nested(500)).is_err());
        assert!(TagExpression::parse(&"(".repeat(4000)).is_err());
        // Neither reading nor using an expression recurses.
        assert!(matches(&format!("{}a", "!".repeat(4000)), &["a"]));
        assert!(TagExpression::parse(&format!("{}a", "!".repeat(4096))).is_err());
        assert!(matches(&format!("{}a", "b||".repeat(1000)), &["a"]));
    }
}

//! Where in a message a value stands, for error texts.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// The longest name of a member that is shown whole, in characters: the forms' own names fit.
const LONGEST_NAME: usize = 40;
/// The longest path that is shown whole, in bytes: an error's text has 256 at most.
const LONGEST_PATH: usize = 120;

/// The place of a value: `message.android.ttl`.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The root of every form.
    pub(crate) const MESSAGE: Path<'static> = Path::root("message");

    pub(crate) const fn root(name: &'a str) -> Self {
        Path {
            parent: None,
            step: Step::Name(name),
        }
    }

    pub(crate) fn field(&'a self, name: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Name(name),
        }
    }

    pub(crate) fn item(&'a self, index: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    pub(crate) fn error(&self, kind: ErrorKind, what: impl fmt::Display) -> Error {
        Error::new(kind, format!("{self}: {what}"))
    }

    /// The error of a value that stands here.
    pub(crate) fn wrap(&self, error: &Error) -> Error {
        self.error(error.kind(), error.context())
    }

    /// The error of a member that the form does not have.
    pub(crate) fn unknown(&self, name: &str) -> Error {
        self.field(name).error(ErrorKind::InvalidPayload, "unknown field")
    }

    /// The error of a member that must be there.
    pub(crate) fn missing(&self, name: &str) -> Error {
        self.field(name).error(ErrorKind::MissingField, "required")
    }

    fn write(&self, out: &mut String) {
        if let Some(parent) = self.parent {
            parent.write(out);
        }
        match self.step {
            Step::Name(name) => {
                if self.parent.is_some() {
                    out.push('.');
                }
                write_name(name, out);
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
}

/// Appends a member's name: a key of the caller's may be anything, so it is cut and made harmless.
pub(super) fn write_name(name: &str, out: &mut String) {
    let mut chars = name.chars();
    for c in chars.by_ref().take(LONGEST_NAME) {
        out.push(if c.is_ascii_graphic() { c } else { '?' });
    }
    if chars.next().is_some() {
        out.push_str("..");
    }
}

/// The end of a path that is too long, because the end says more than the beginning.
pub(super) fn shorten(path: &str) -> String {
    match path.len().checked_sub(LONGEST_PATH) {
        // All of it is ASCII.
        Some(over @ 1..) => format!("..{}", path.get(over..).unwrap_or_default()),
        _ => path.to_owned(),
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&shorten(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_short_and_harmless() {
        let root = Path::MESSAGE;
        let long = "k\u{1b}é".repeat(60);
        let (a, b) = (root.field("a"), root.field(&long));
        assert_eq!(a.item(3).field("b").to_string(), "message.a[3].b");
        assert_eq!(b.to_string(), format!("message.{}k..", "k??".repeat(13)));
        let names: Vec<String> = (0..30).map(|n| format!("name{n}")).collect();
        fn deep(path: &Path<'_>, names: &[String]) -> String {
            match names.split_first() {
                Some((name, rest)) => deep(&path.field(name), rest),
                None => path.error(ErrorKind::InvalidPayload, "unknown field").to_string(),
            }
        }
        let text = deep(&root, &names);
        assert!(
            text.len() < 200 && text.starts_with("..") && text.ends_with("name29: unknown field"),
            "{text}"
        );
    }
}

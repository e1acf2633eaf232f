//! Text of others, made safe to print: one line of bounded length.

use std::fmt;

/// Text of a peer or a caller that goes into an error, a log line or a terminal.
///
/// It is written without control characters, line separators and characters that change the direction of text, because a terminal
/// or a log would obey them, and cut after a number of bytes.
pub(crate) struct Printable<'a> {
    text: &'a str,
    most: usize,
}

impl<'a> Printable<'a> {
    /// `text`, of which at most `most` bytes are written.
    pub(crate) fn new(text: &'a str, most: usize) -> Self {
        Self { text, most }
    }

    /// Whether the text is written as it is.
    pub(crate) fn is_plain(&self) -> bool {
        self.text.len() <= self.most && !self.text.chars().any(is_obeyed)
    }
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        if self.is_plain() {
            return f.write_str(self.text);
        }
        for (at, one) in self.text.char_indices() {
            if at + one.len_utf8() > self.most {
                return f.write_str("...");
            }
            f.write_char(if is_obeyed(one) { '\u{FFFD}' } else { one })?;
        }
        Ok(())
    }
}

/// Whether a terminal, an editor or a log does something at this character instead of showing it.
pub(crate) fn is_obeyed(one: char) -> bool {
    let direction = matches!(one, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    one.is_control() || direction || matches!(one, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_plain_text_as_it_is() {
        for text in ["", "BadDeviceToken", "gr\u{fc}\u{df}e \u{1F600}"] {
            assert_eq!(Printable::new(text, 40).to_string(), text);
        }
    }

    #[test]
    fn writes_nothing_that_a_terminal_obeys() {
        let hostile = "a\u{1b}[2Jb\r\nc\u{202e}d\u{2028}e\u{9b}f\0g\u{7f}";
        let shown = Printable::new(hostile, 100).to_string();
        assert_eq!(
            shown,
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}g\u{fffd}"
        );
    }

    #[test]
    fn cuts_between_characters() {
        let long = "\u{e9}".repeat(1000);
        assert_eq!(Printable::new(&long, 5).to_string(), "\u{e9}\u{e9}...");
        assert_eq!(Printable::new(&"x".repeat(9), 9).to_string(), "x".repeat(9));
    }
}

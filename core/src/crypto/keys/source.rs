//! What a caller handed over where a key or a credential file is asked for: the content itself, or
//! the name of a file.

use std::str::Chars;

use zeroize::Zeroizing;

use crate::crypto::base64;
use crate::secret::Secret;

/// The longest path that Linux opens, in bytes (`PATH_MAX`, linux/limits.h).
const LONGEST_PATH: usize = 4096;
/// The longest name of one file, in bytes (`NAME_MAX`, linux/limits.h).
const LONGEST_NAME: usize = 255;
/// The most wrappings (quotes, base64, JSON strings) that are taken off, one inside the other.
const MOST_WRAPPINGS: usize = 4;

/// A value that a caller handed over where a key, a certificate or a credential file is asked for.
///
/// Content is recognised first, in each form that [`Es256Key::read`](crate::crypto::Es256Key::read) and
/// [`Credentials::service_account`](crate::fcm::Credentials::service_account) read, because a key that is
/// taken for a file name ends up in the error of the failed opening.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeySource<'a> {
    /// The content itself, with what wrapped it (quotes, base64, UTF-16) taken off.
    Content(Secret<Vec<u8>>),
    /// A text that cannot be content and that a file may be named. It may still be a mangled secret:
    /// no error may quote it.
    Path(&'a str),
    /// A text without the shape of a path or of a key: the name of a file where there is one, and otherwise
    /// content whose reader says what is wrong with it. No error may quote it.
    Either(&'a str),
}

impl<'a> KeySource<'a> {
    /// Tells content from the name of a file. A value that is neither comes back as content, whose reader
    /// says what is wrong with it.
    #[must_use]
    pub fn of(value: &'a [u8]) -> Self {
        match std::str::from_utf8(value) {
            Ok(text) if may_be_path(text) && !is_content(text) => match looks_like_path(text) {
                true => Self::Path(text),
                false => Self::Either(text),
            },
            _ => Self::Content(Self::content(value)),
        }
    }

    /// The content of a file, or a value that is known to be content, with what wrapped it taken off.
    #[must_use]
    pub fn content(value: &[u8]) -> Secret<Vec<u8>> {
        Secret::new(content(value).to_vec())
    }
}

/// Takes off what environment variables, shells, editors and vaults wrap around a key or a credential
/// file: a byte order mark, UTF-16, quotes, a JSON string, base64 of a text or of DER, typographic dashes.
pub(crate) fn content(input: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut value = Zeroizing::new(input.to_vec());
    if value.len() > MAX_WRAPPED {
        return value;
    }
    for _ in 0..MOST_WRAPPINGS {
        match unwrapped(&value) {
            Some(inner) => value = Zeroizing::new(inner),
            None => break,
        }
    }
    value
}

/// The largest input that wrappings are looked for in, in bytes: base64 of a bundle of the 10 MiB that
/// certificates and PKCS#12 files may have.
const MAX_WRAPPED: usize = 14 * 1024 * 1024;

/// The value inside the outermost wrapping; `None` where there is no wrapping.
fn unwrapped(value: &[u8]) -> Option<Vec<u8>> {
    if let Some(rest) = value.strip_prefix(b"\xef\xbb\xbf") {
        return Some(rest.to_vec());
    }
    if let Some(text) = utf16(value) {
        return Some(text.into_bytes());
    }
    let text = std::str::from_utf8(value).ok()?;
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == '\0' || is_invisible(c));
    if !text.is_ascii() && trimmed.is_ascii() && trimmed.len() < text.len() {
        return Some(trimmed.as_bytes().to_vec());
    }
    if let Some(inner) = unquoted(trimmed) {
        return Some(inner.into_bytes());
    }
    // A JSON object whose quotes a shell escaped: the inside of a JSON string.
    if trimmed.starts_with('{') && trimmed.split('"').next().is_some_and(|head| head.ends_with('\\')) {
        let quoted = Zeroizing::new(["\"", trimmed, "\""].concat());
        let inner = json_string(&quoted)?;
        return Some(inner.into_bytes());
    }
    if trimmed.starts_with('{') {
        return None;
    }
    if trimmed.contains("BEGIN") && !trimmed.is_ascii() {
        let plain = typewritten(trimmed);
        return (plain != trimmed).then(|| plain.into_bytes());
    }
    let inner = from_base64(trimmed)?;
    is_wrapped_content(&inner).then(|| inner.to_vec())
}

/// Whether a text is a key or a credential file, whole or broken, rather than a name.
fn is_content(text: &str) -> bool {
    let inner = content(text.as_bytes());
    let Ok(inner) = std::str::from_utf8(&inner) else {
        return true;
    };
    // A quote that was never closed.
    let trimmed = inner.trim().trim_start_matches(['"', '\'', '`']).trim_start();
    if trimmed.is_empty() || trimmed.starts_with(['{', '[']) || has_pem_mark(trimmed) {
        return true;
    }
    // What is left of base64: a bare key, which has no mark of its own, and DER that was cut short.
    match from_base64(trimmed) {
        Some(bytes) => matches!(
            (bytes.len(), bytes.first()),
            (31..=33, _) | (64 | 65, _) | (48.., Some(0x30))
        ),
        // Base64 with a character lost is longer than the names that people give to files.
        None => begins_like_base64_of_a_key(trimmed),
    }
}

/// Whether a text begins as base64 of DER, of PEM or of JSON does. `M` and `A` to `P` are what the
/// octets 0x30, 0x8. become.
fn begins_like_base64_of_a_key(text: &str) -> bool {
    let body = text.bytes().filter(|b| !b.is_ascii_whitespace());
    let in_alphabet = body
        .clone()
        .filter(|b| b.is_ascii_alphanumeric() || b"+/-_=".contains(b))
        .count();
    let marks = [
        "MII",
        "MIG",
        "MHc",
        "MHcC",
        "MEE",
        "MDE",
        "LS0tLS1CRUdJTi",
        "eyJ",
        "ewog",
        "ewoJ",
    ];
    let length = body.count();
    length >= 40 && length - in_alphabet <= length / 16 && marks.iter().any(|mark| text.starts_with(mark))
}

fn has_pem_mark(text: &str) -> bool {
    let upper = Zeroizing::new(text.to_ascii_uppercase());
    upper.contains("-----BEGIN")
        || upper.starts_with("-----")
        || ((upper.contains("BEGIN ") || upper.contains("END "))
            && (upper.contains("KEY") || upper.contains("CERTIFICATE")))
}

/// Whether a file may have this name: one line of visible text, no part of it too long.
fn may_be_path(text: &str) -> bool {
    !text.trim().is_empty()
        && text.len() <= LONGEST_PATH
        && !text.chars().any(char::is_control)
        && text.split(['/', '\\']).all(|name| name.len() <= LONGEST_NAME)
}

/// Whether a text has a separator or an extension, as the names that people give to key files do.
fn looks_like_path(text: &str) -> bool {
    let name = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let has_extension =
        (1..=10).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric());
    // Base64 holds slashes too, but no key in it is this short.
    let has_separator = name.len() < text.len() && text.len() < MUST_BE_LONGER;
    has_extension || has_separator || text.starts_with('/')
}

/// Keys in base64 have at least this many characters, in PKCS#8 without the public key (67 octets).
const MUST_BE_LONGER: usize = 90;

/// Whether bytes that came out of base64 are again a text with a mark of its own, or DER.
fn is_wrapped_content(bytes: &[u8]) -> bool {
    let marked = |text: &str| {
        let text = text.trim();
        text.starts_with('{') || has_pem_mark(text) || begins_like_base64_of_a_key(text)
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => marked(text.trim_start_matches('\u{feff}')),
        // DER of a key, a certificate or a PKCS#12 file: a SEQUENCE as long as what there is.
        Err(_) => utf16(bytes).is_some_and(|text| marked(&text)) || is_der(bytes),
    }
}

fn is_der(bytes: &[u8]) -> bool {
    let whole: usize = match bytes {
        [0x30, 0x80, ..] => return bytes.len() > 64, // PKCS#12 is often BER
        [0x30, length @ 0x20..=0x7f, ..] => usize::from(*length) + 2,
        [0x30, 0x81, length, ..] => usize::from(*length) + 3,
        [0x30, 0x82, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])) + 4,
        [0x30, 0x83, a, b, c, ..] => (usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c)) + 5,
        _ => return false,
    };
    whole == bytes.len()
}

/// The bytes of base64 of either alphabet, whatever white space is in it; `None` for anything else.
fn from_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    base64::decode(&without_blanks(text))
        .map(Zeroizing::new)
        .filter(|bytes| !bytes.is_empty())
}

/// The text without white space. No buffer grows, because what it grows out of is not overwritten.
pub(super) fn without_blanks(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    out.extend(text.split_whitespace());
    out
}

/// The text inside one pair of quotes; `None` where there is none. Between double quotes stands a JSON
/// string or what a shell left.
fn unquoted(text: &str) -> Option<String> {
    const PAIRS: &[(char, char)] = &[('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}')];
    let inner = PAIRS
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))?;
    match text.starts_with('"').then(|| json_string(text)).flatten() {
        Some(parsed) => Some(parsed),
        None => Some(inner.to_owned()),
    }
}

/// The text of a JSON string, raw line ends in it included, which JSON forbids and shells make. Not read by `serde_json`, whose
/// buffer for strings with escapes is not overwritten.
fn json_string(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    // Never larger than what it is made of, so that no smaller buffer is left behind.
    let mut out = Zeroizing::new(String::with_capacity(inner.len()));
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => out.push(unescaped(&mut chars)?),
            c => out.push(c),
        }
    }
    Some(std::mem::take(&mut *out))
}

/// The character that an escape of JSON stands for (RFC 8259 §7), behind its backslash.
fn unescaped(chars: &mut Chars<'_>) -> Option<char> {
    let unit = |chars: &mut Chars<'_>| {
        let digits: Option<String> = (0..4).map(|_| chars.next()).collect();
        u16::from_str_radix(
            &digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?,
            16,
        )
        .ok()
    };
    Some(match chars.next()? {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let first = unit(chars)?;
            let second = match first {
                0xd800..0xdc00 => {
                    (chars.next()? == '\\' && chars.next()? == 'u').then_some(())?;
                    Some(unit(chars)?)
                }
                _ => None,
            };
            char::decode_utf16([Some(first), second].into_iter().flatten())
                .next()?
                .ok()?
        }
        _ => return None,
    })
}

/// The JSON with blanks for the line ends inside its strings, escaped, escaped twice or raw, and without escapes that are not
/// needed. Environment variables often turn the `\n` of a key file into line ends, which JSON does not allow there (RFC 8259 §7);
/// a key reads the same with blanks; and what needs no unescaping is not copied into a buffer of `serde_json`'s, which is not
/// overwritten.
pub(crate) fn plain_json(json: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(json.len()));
    let mut inside = false;
    let mut chars = json.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                inside = !inside;
                out.push(c);
            }
            '\\' if inside => {
                let rest = chars.as_str();
                let twice = rest.starts_with("\\n") || rest.starts_with("\\r");
                let mut after = chars.clone();
                match unescaped(&mut after) {
                    Some('\n' | '\r' | '\t') => {
                        out.push(' ');
                        chars = after;
                    }
                    Some('\\') if twice => {
                        out.push(' ');
                        chars = after;
                        chars.next();
                    }
                    Some(plain @ (' ' | '!' | '#'..='[' | ']'..='~')) => {
                        out.push(plain);
                        chars = after;
                    }
                    // A quote, a backslash, other characters, and what is no escape.
                    _ => {
                        out.push(c);
                        out.extend(chars.next());
                    }
                }
            }
            c if inside && c.is_ascii_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// UTF-16 as Windows writes it, with a byte order mark or, where each second octet is zero, without.
fn utf16(value: &[u8]) -> Option<String> {
    let (body, little) = match value {
        [0xff, 0xfe, body @ ..] => (body, true),
        [0xfe, 0xff, body @ ..] => (body, false),
        [b' '..=b'~', 0, b' '..=b'~' | b'\r' | b'\n', 0, ..] => (value, true),
        [0, b' '..=b'~', 0, b' '..=b'~' | b'\r' | b'\n', ..] => (value, false),
        _ => return None,
    };
    if body.len() % 2 != 0 || body.is_empty() {
        return None;
    }
    let units = body
        .chunks_exact(2)
        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    let units = units.map(|pair| match little {
        true => u16::from_le_bytes(pair),
        false => u16::from_be_bytes(pair),
    });
    // A unit has at most three octets of UTF-8.
    let mut text = Zeroizing::new(String::with_capacity(body.len() / 2 * 3));
    for c in char::decode_utf16(units) {
        text.push(c.ok()?);
    }
    Some(std::mem::take(&mut *text))
}

/// The text as a typewriter would have it: typographic dashes, blanks of all kinds and marks that nobody
/// sees come from editors and web pages.
fn typewritten(text: &str) -> String {
    // A dash of three octets becomes five hyphens.
    let mut out = String::with_capacity(text.len() * 2);
    let mut dashes = 0;
    let mut typographic = false;
    let flush = |out: &mut String, dashes: &mut usize, typographic: &mut bool| {
        match *typographic {
            // An em dash stands for two or three hyphens: how many cannot be known, five are right.
            true => out.push_str("-----"),
            false => out.extend(std::iter::repeat_n('-', *dashes)),
        }
        (*dashes, *typographic) = (0, false);
    };
    for c in text.chars() {
        let dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
        if dash {
            dashes += 1;
            typographic |= c != '-';
            continue;
        }
        if dashes > 0 {
            flush(&mut out, &mut dashes, &mut typographic);
        }
        match c {
            c if is_invisible(c) => {}
            '\u{2028}' | '\u{2029}' | '\u{85}' => out.push('\n'),
            c if c.is_whitespace() && !c.is_ascii() => out.push(' '),
            c => out.push(c),
        }
    }
    if dashes > 0 {
        flush(&mut out, &mut dashes, &mut typographic);
    }
    out
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{ad}')
}

#[cfg(test)]
mod tests;

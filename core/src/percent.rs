//! Percent-encoding: path segments and form fields.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `text` as one segment of a path: everything but the unreserved
/// characters of RFC 3986 §2.3 becomes `%XX`. A segment that is `.` or `..`
/// would mean another path, so its dots are encoded too.
pub(crate) fn segment(out: &mut String, text: &str) {
    let dots = matches!(text, "." | "..");
    for byte in text.bytes() {
        match byte {
            b'.' if dots => out.push_str("%2E"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => escape(out, byte),
        }
    }
}

/// Undoes [`segment`].
pub(crate) fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|&b| char::from(b).to_digit(16));
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends `text` as PHP's `urlencode` writes it: letters, digits, `-`, `.` and
/// `_` stay, a space becomes `+`, everything else `%XX`. Every decoder of
/// `application/x-www-form-urlencoded` reads it back; Baidu's signature needs
/// exactly this form.
pub(crate) fn form(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(byte.into()),
            b' ' => out.push('+'),
            _ => escape(out, byte),
        }
    }
}

/// Appends `name=value` to a form, with `&` before it unless it is the first.
pub(crate) fn pair(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    form(out, name);
    out.push('=');
    form(out, value);
}

fn escape(out: &mut String, byte: u8) {
    out.push('%');
    for nibble in [byte >> 4, byte & 0x0f] {
        out.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0').into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_stays_one_segment() {
        for (text, wire) in [
            ("abc-._~XYZ09", "abc-._~XYZ09"),
            ("a/b?c#d e%", "a%2Fb%3Fc%23d%20e%25"),
            ("..", "%2E%2E"),
            (".", "%2E"),
            ("a.b", "a.b"),
            ("é\r\n\0", "%C3%A9%0D%0A%00"),
        ] {
            let mut out = String::new();
            segment(&mut out, text);
            assert_eq!(out, wire, "{text:?}");
        }
    }

    #[test]
    fn forms_follow_php() {
        let mut out = String::new();
        pair(&mut out, "a", "x &=#+*~!'()_-.");
        pair(&mut out, "é", "1");
        assert_eq!(out, "a=x+%26%3D%23%2B%2A%7E%21%27%28%29_-.&%C3%A9=1");
    }
}

//! `Link` (RFC 8288), as far as receipts need it.

use crate::http::Response;

/// The relation type of a receipt subscription (RFC 8030 §5.1).
pub(super) const RECEIPT: &str = "urn:ietf:params:push:receipt";

/// The target of the first link with the relation type `wanted`, as the service wrote it.
pub(super) fn target<'a>(response: &'a Response, wanted: &str) -> Option<&'a str> {
    let fields = response.headers.iter().filter(|header| header.name == "link");
    fields
        .flat_map(|header| Links(header.value))
        .find(|(_, parameters)| has_relation(parameters, wanted))
        .map(|(target, _)| target)
}

/// The links of one field: each the text between `<` and `>`, and the parameters after it.
struct Links<'a>(&'a str);

impl<'a> Iterator for Links<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (_, rest) = self.0.split_once('<')?;
        let (target, rest) = rest.split_once('>')?;
        let end = end_outside_quotes(rest, ',');
        let (parameters, rest) = rest.split_at_checked(end)?;
        self.0 = rest;
        Some((target, parameters))
    }
}

/// Where the first `end` stands that is not inside a quoted string; the whole length without one.
fn end_outside_quotes(text: &str, end: char) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == end && !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// Whether the first `rel` (later ones do not count, §3.3) names the relation type.
fn has_relation(mut parameters: &str, wanted: &str) -> bool {
    loop {
        let (parameter, rest) = parameters
            .split_at_checked(end_outside_quotes(parameters, ';'))
            .unwrap_or((parameters, ""));
        if let Some((name, value)) = parameter.split_once('=') {
            if name.trim().eq_ignore_ascii_case("rel") {
                let mut types = value.trim().trim_matches('"').split_ascii_whitespace();
                return types.any(|one| one.eq_ignore_ascii_case(wanted));
            }
        }
        match rest.strip_prefix(';') {
            Some(rest) => parameters = rest,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(fields: &[&str]) -> Option<String> {
        let response = fields.iter().fold(Response::new(202, ""), |response, value| {
            response.with_header("Link", value)
        });
        target(&response, RECEIPT).map(str::to_owned)
    }

    #[test]
    fn the_receipt_is_found_among_links() {
        // RFC 8030 §5.1 writes it like the first.
        for fields in [
            &["</r/3Z>; rel=\"urn:ietf:params:push:receipt\""][..],
            &["</r/3Z>;rel=urn:ietf:params:push:receipt"],
            &["</r/3Z>; REL = \"urn:ietf:params:push:RECEIPT\" "],
            &["</r/3Z>; title=\"a, <b>; rel=x\"; rel=\"urn:ietf:params:push:receipt\""],
            &["</r/3Z>; title=\"\\\", \"; rel=\"next urn:ietf:params:push:receipt\""],
            &["</p>; rel=\"urn:ietf:params:push\", </r/3Z>; rel=\"urn:ietf:params:push:receipt\""],
            &[
                "</p>; rel=\"urn:ietf:params:push\"",
                "</r/3Z>; rel=\"urn:ietf:params:push:receipt\"",
            ],
            &["garbage", "</r/3Z>; rel=\"urn:ietf:params:push:receipt\""],
        ] {
            assert_eq!(receipt(fields).as_deref(), Some("/r/3Z"), "{fields:?}");
        }
    }

    #[test]
    fn what_is_no_receipt_is_none() {
        for field in [
            "",
            "</p>; rel=\"urn:ietf:params:push\"",
            "</p>; rel=\"urn:ietf:params:push:set\"",
            "</r>; rel=\"next\"; rel=\"urn:ietf:params:push:receipt\"",
            "</r>; title=\"; rel=urn:ietf:params:push:receipt",
            "</r; rel=\"urn:ietf:params:push:receipt\"",
            "/r; rel=\"urn:ietf:params:push:receipt\"",
            "</r>",
            "<é>; é; rel",
        ] {
            assert_eq!(receipt(&[field]), None, "{field}");
        }
    }
}

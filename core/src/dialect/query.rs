//! Names and values of a query or of a form.

use crate::percent;

/// Reads `a=1&b%5B%5D=x+y` as names and values, decoded, in their order. Total: a broken escape stays as it is.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent::decode(&text.replace('+', " "));
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_decoded_and_in_order() {
        let found = pairs("page=1&uids%5B%5D=user+1&uids[]=%C3%A9&&tags=a%26%26b%3D&flag&broken=%zz");
        let expected = [
            ("page", "1"),
            ("uids[]", "user 1"),
            ("uids[]", "é"),
            ("tags", "a&&b="),
            ("flag", ""),
            ("broken", "%zz"),
        ];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(pairs("").is_empty());
    }
}

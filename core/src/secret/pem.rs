//! PEM (RFC 7468) with private keys in it, read without a copy of their text that stays.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A block of a PEM text.
#[derive(Clone, Copy)]
pub(crate) struct PemBlock<'a> {
    label: &'a str,
    body: &'a str,
}

impl<'a> PemBlock<'a> {
    /// The blocks of a text, in order. A block without its end line is the last one, and broken.
    pub(crate) fn all(text: &'a [u8]) -> Vec<Self> {
        let mut blocks = Vec::new();
        // What is no text has no block, and what stands between blocks may be anything.
        for part in text.utf8_chunks().map(|chunk| chunk.valid()) {
            let mut rest = part;
            while let Some((_, tail)) = rest.split_once("-----BEGIN ") {
                let Some((label, tail)) = tail.split_once("-----") else {
                    break;
                };
                let end = tail.find("-----END ");
                let body = end.map_or("-----", |end| tail.get(..end).unwrap_or_default());
                blocks.push(Self { label, body });
                rest = end.and_then(|end| tail.get(end..)).unwrap_or_default();
            }
        }
        blocks
    }

    /// The words between BEGIN and the dashes.
    pub(crate) fn label(&self) -> &'a str {
        self.label
    }

    /// The octets; `None` where they are not base64.
    pub(crate) fn content(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut body = Zeroizing::new(String::with_capacity(self.body.len()));
        body.extend(self.body.chars().filter(|c| !c.is_ascii_whitespace()));
        STANDARD.decode(body.as_bytes()).ok().map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_wherever_they_stand() {
        let text = b"\xff words\n-----BEGIN A-----\r\nAQID\r\n-----END A-----\nx: y\n-----BEGIN B C-----\nBA==\n-----END B C-----";
        let found: Vec<_> = PemBlock::all(text)
            .iter()
            .map(|block| (block.label(), block.content().map(|content| content.to_vec())))
            .collect();
        assert_eq!(found, [("A", Some(vec![1, 2, 3])), ("B C", Some(vec![4]))]);
    }

    #[test]
    fn what_is_broken_has_no_content() {
        for text in [
            "-----BEGIN A-----\nAQID\n",
            "-----BEGIN A-----\nA*\n-----END A-----",
        ] {
            let blocks = PemBlock::all(text.as_bytes());
            assert_eq!(blocks.len(), 1, "{text}");
            assert!(blocks.iter().all(|block| block.content().is_none()), "{text}");
        }
        assert!(PemBlock::all(b"-----BEGIN ").is_empty());
        assert!(PemBlock::all(b"").is_empty());
    }
}

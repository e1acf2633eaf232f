//! How a client compresses its headers: an observer beside `h2`, which judges them.

use crate::exchange::{Coding, HeaderAudit};
use std::collections::VecDeque;

/// SETTINGS_HEADER_TABLE_SIZE, which no sandbox changes of its own accord.
const TABLE: usize = 4096;
const HEADERS: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// Follows the header blocks of one connection.
pub(super) struct Auditor {
    decoder: fluke_hpack::Decoder<'static>,
    /// Sizes of the entries of the dynamic table, newest first.
    entries: VecDeque<usize>,
    limit: usize,
    block: Vec<u8>,
    /// A block made no sense; what comes after cannot be understood.
    lost: bool,
}

impl Auditor {
    pub(super) fn new() -> Self {
        Self {
            decoder: fluke_hpack::Decoder::new(),
            entries: VecDeque::new(),
            limit: TABLE,
            block: Vec::new(),
            lost: false,
        }
    }

    /// One HEADERS or CONTINUATION frame; at the block's end its size and what was seen.
    pub(super) fn frame(
        &mut self,
        kind: u8,
        flags: u8,
        payload: &[u8],
    ) -> Option<(usize, Option<HeaderAudit>)> {
        let fragment = if kind == HEADERS {
            self.block.clear();
            fragment(flags, payload).unwrap_or_default()
        } else {
            payload
        };
        self.block.extend_from_slice(fragment);
        if flags & END_HEADERS == 0 {
            return None;
        }
        let block = std::mem::take(&mut self.block);
        let audit = if self.lost { None } else { self.read(&block) };
        self.lost = audit.is_none();
        Some((block.len(), audit))
    }

    fn read(&mut self, mut block: &[u8]) -> Option<HeaderAudit> {
        let mut audit = HeaderAudit::default();
        while !block.is_empty() {
            let (coding, length) = representation(block)?;
            let (one, rest) = block.split_at_checked(length)?;
            block = rest;
            let Some(coding) = coding else {
                // The decoder takes a change of the table's size only with a field behind it.
                self.limit = integer(one, 5)?.0.min(TABLE);
                self.decoder.set_max_table_size(self.limit);
                audit.evicted += self.shrink();
                continue;
            };
            let fields = self.decoder.decode(one).ok()?;
            let (name, value) = fields.into_iter().next()?;
            match name.as_slice() {
                b":path" => audit.path = Some(coding),
                b"authorization" => audit.authorization = Some(coding),
                _ => {}
            }
            if coding == Coding::Incremental {
                audit.inserted += 1;
                self.entries.push_front(name.len() + value.len() + 32);
                audit.evicted += self.shrink();
            }
        }
        Some(audit)
    }

    /// Throws the oldest entries out until the rest fits.
    fn shrink(&mut self) -> u32 {
        let mut evicted = 0;
        while self.entries.iter().sum::<usize>() > self.limit {
            self.entries.pop_back();
            evicted += 1;
        }
        evicted
    }
}

/// The header block's part of a HEADERS frame (RFC 9113 §6.2).
fn fragment(flags: u8, mut payload: &[u8]) -> Option<&[u8]> {
    let mut padding = 0;
    if flags & PADDED != 0 {
        let (&length, rest) = payload.split_first()?;
        (padding, payload) = (usize::from(length), rest);
    }
    if flags & PRIORITY != 0 {
        payload = payload.get(5..)?;
    }
    payload.get(..payload.len().checked_sub(padding)?)
}

/// The first representation of a block (RFC 7541 §6) and its length; no coding for a
/// change of the table's size.
fn representation(block: &[u8]) -> Option<(Option<Coding>, usize)> {
    let (coding, prefix) = match *block.first()? {
        0x80.. => return Some((Some(Coding::Indexed), integer(block, 7)?.1)),
        0x40..=0x7f => (Coding::Incremental, 6),
        0x20..=0x3f => return Some((None, integer(block, 5)?.1)),
        0x10..=0x1f => (Coding::Never, 4),
        0..=0x0f => (Coding::Without, 4),
    };
    let (index, mut length) = integer(block, prefix)?;
    for _ in 0..if index == 0 { 2 } else { 1 } {
        let (text, head) = integer(block.get(length..)?, 7)?;
        length = length.checked_add(head)?.checked_add(text)?;
    }
    Some((Some(coding), length))
}

/// An integer with a prefix of that many bits, and how many bytes it takes (RFC 7541 §5.1).
fn integer(bytes: &[u8], prefix: u32) -> Option<(usize, usize)> {
    let mask = (1_usize << prefix) - 1;
    let first = usize::from(*bytes.first()?) & mask;
    if first < mask {
        return Some((first, 1));
    }
    let mut value = mask;
    for (i, byte) in bytes.iter().enumerate().skip(1).take(4) {
        value += usize::from(byte & 0x7f) << (7 * (i - 1));
        if byte & 0x80 == 0 {
            return Some((value, i + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        crate::serve::frame::unhex(text)
    }

    /// RFC 7541 §C.4: three requests on one connection, Huffman-coded.
    #[test]
    fn the_examples_of_the_rfc_are_followed() {
        let mut auditor = Auditor::new();
        for (hex, length, path, inserted) in [
            (
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                17,
                Coding::Indexed,
                1,
            ),
            ("8286 84be 5886 a8eb 1064 9cbf", 12, Coding::Indexed, 1),
            (
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
                24,
                Coding::Indexed,
                1,
            ),
        ] {
            let (size, audit) = auditor.frame(HEADERS, END_HEADERS, &unhex(hex)).expect("a block");
            let audit = audit.expect("an audit");
            assert_eq!((size, audit.path, audit.inserted), (length, Some(path), inserted));
        }
        assert_eq!(auditor.entries, [54, 53, 57]);
        // A smaller table throws the oldest out.
        let (_, audit) = auditor
            .frame(HEADERS, END_HEADERS, &unhex("3f31 82"))
            .expect("a block");
        assert_eq!(audit.expect("an audit").evicted, 2);
    }

    #[test]
    fn padding_priority_and_continuation_are_no_part_of_the_block() {
        let mut auditor = Auditor::new();
        let first = [&[2_u8][..], &[0; 5], &[0x04, 0x02, b'/'], &[0, 0]].concat();
        assert!(auditor.frame(HEADERS, PADDED | PRIORITY, &first).is_none());
        let (size, audit) = auditor.frame(9, END_HEADERS, b"x").expect("a block");
        assert_eq!(
            (size, audit.and_then(|audit| audit.path)),
            (4, Some(Coding::Without))
        );
        let (_, audit) = auditor
            .frame(HEADERS, END_HEADERS, &[0x17, 0x05])
            .expect("a block");
        assert!(audit.is_none() && auditor.lost);
    }
}

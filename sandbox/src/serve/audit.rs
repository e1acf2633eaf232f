//! How a client compresses its headers: an observer beside `h2`, which judges them.

use super::frame::PRIORITY;
use crate::exchange::{Coding, HeaderAudit};
use fluke_hpack::huffman::HuffmanDecoder;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::OnceLock;

/// SETTINGS_HEADER_TABLE_SIZE, which no sandbox changes of its own accord.
const TABLE: usize = 4096;
/// Entries of the static table.
const STATIC: u8 = 61;
const HEADERS: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// Follows the header blocks of one connection. Of a field's text it reads what it must: names
/// that are written out, and the length of values that go into the table.
pub(super) struct Auditor {
    huffman: HuffmanDecoder,
    /// The dynamic table, newest first.
    entries: VecDeque<Entry>,
    /// Sum of the entries' sizes.
    used: usize,
    limit: usize,
    block: Vec<u8>,
    /// Where in the latest block the value of `:scheme` is, when it is `https:`.
    odd_scheme: Option<Range<usize>>,
    /// A block made no sense; what comes after cannot be understood.
    lost: bool,
}

/// An entry of either table.
#[derive(Clone, Copy)]
struct Entry {
    name: Name,
    size: usize,
}

/// The name of a field, as far as it matters.
#[derive(Clone, Copy)]
struct Name {
    what: What,
    length: usize,
}

#[derive(Clone, Copy)]
enum What {
    Path,
    Authorization,
    Other,
}

impl Name {
    fn of(name: &[u8]) -> Self {
        let what = match name {
            b":path" => What::Path,
            b"authorization" => What::Authorization,
            _ => What::Other,
        };
        let length = name.len();
        Self { what, length }
    }
}

/// The names of the static table (RFC 7541 appendix A), as `fluke-hpack` has it.
fn static_names() -> &'static [Name] {
    static NAMES: OnceLock<Vec<Name>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut decoder = fluke_hpack::Decoder::new();
        let fields = (1..=STATIC).filter_map(|index| decoder.decode(&[0x80 | index]).ok());
        fields.flatten().map(|(name, _)| Name::of(&name)).collect()
    })
}

impl Auditor {
    pub(super) fn new() -> Self {
        Self {
            huffman: HuffmanDecoder::new(),
            entries: VecDeque::new(),
            used: 0,
            limit: TABLE,
            block: Vec::new(),
            odd_scheme: None,
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
        let size = block.len();
        self.block = block;
        Some((size, audit))
    }

    /// The place of the latest whole block's `:scheme` value, length octet included, when it is `https:`.
    pub(super) fn odd_scheme(&mut self) -> Option<Range<usize>> {
        self.odd_scheme.take()
    }

    fn read(&mut self, mut block: &[u8]) -> Option<HeaderAudit> {
        let mut audit = HeaderAudit::default();
        let whole = block.len();
        self.odd_scheme = None;
        while !block.is_empty() {
            let field = Field::read(block)?;
            block = block.get(field.length..)?;
            let Some(coding) = field.coding else {
                self.limit = field.index.min(TABLE);
                audit.evicted += self.shrink();
                continue;
            };
            let name = match field.name {
                Some(text) => Name::of(&self.text(text)?),
                None => self.name(field.index)?,
            };
            match name.what {
                What::Path => audit.path = Some(coding),
                What::Authorization => audit.authorization = Some(coding),
                What::Other => {}
            }
            // `:scheme` is 6 and 7 in the static table; the value ends the field.
            if let (6 | 7, Some(value)) = (field.index, field.value) {
                if *self.text(value)? == *b"https:" {
                    let end = whole - block.len();
                    self.odd_scheme = Some(end - value.octets.len() - 1..end);
                }
            }
            if coding == Coding::Incremental {
                let value = self.text(field.value?)?.len();
                let size = name.length + value + 32;
                audit.inserted += 1;
                self.used += size;
                self.entries.push_front(Entry { name, size });
                audit.evicted += self.shrink();
            }
        }
        Some(audit)
    }

    /// The name of an entry of the two tables, which are counted as one from 1.
    fn name(&self, index: usize) -> Option<Name> {
        let index = index.checked_sub(1)?;
        let fixed = static_names();
        match index.checked_sub(fixed.len()) {
            Some(index) => self.entries.get(index).map(|entry| entry.name),
            None => fixed.get(index).copied(),
        }
    }

    /// A string as it was before Huffman's coding, if that was used.
    fn text<'a>(&mut self, text: Text<'a>) -> Option<Cow<'a, [u8]>> {
        if text.huffman {
            return self.huffman.decode(text.octets).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(text.octets))
    }

    /// Throws the oldest entries out until the rest fits.
    fn shrink(&mut self) -> u32 {
        let mut evicted = 0;
        while self.used > self.limit {
            let oldest = self.entries.pop_back();
            self.used -= oldest.map_or(self.used, |entry| entry.size);
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

/// A string literal (RFC 7541 §5.2).
#[derive(Clone, Copy)]
struct Text<'a> {
    huffman: bool,
    octets: &'a [u8],
}

impl<'a> Text<'a> {
    /// The literal at this place, and where it ends.
    fn read(block: &'a [u8], at: usize) -> Option<(Self, usize)> {
        let block = block.get(at..)?;
        let (length, head) = integer(block, 7)?;
        let end = head.checked_add(length)?;
        let text = Self {
            huffman: block.first()? & 0x80 != 0,
            octets: block.get(head..end)?,
        };
        Some((text, at.checked_add(end)?))
    }
}

/// One representation (RFC 7541 §6).
struct Field<'a> {
    /// `None` for a change of the table's size, which is then the index.
    coding: Option<Coding>,
    /// The index of the field or of its name; 0 when the name is written out.
    index: usize,
    name: Option<Text<'a>>,
    value: Option<Text<'a>>,
    /// Octets that it takes.
    length: usize,
}

impl<'a> Field<'a> {
    /// The first of a block.
    fn read(block: &'a [u8]) -> Option<Self> {
        let (coding, prefix) = match *block.first()? {
            0x80.. => (Some(Coding::Indexed), 7),
            0x40..=0x7f => (Some(Coding::Incremental), 6),
            0x20..=0x3f => (None, 5),
            0x10..=0x1f => (Some(Coding::Never), 4),
            0..=0x0f => (Some(Coding::Without), 4),
        };
        let (index, length) = integer(block, prefix)?;
        let mut field = Self {
            coding,
            index,
            name: None,
            value: None,
            length,
        };
        if matches!(coding, None | Some(Coding::Indexed)) {
            return Some(field);
        }
        if index == 0 {
            let (name, end) = Text::read(block, field.length)?;
            (field.name, field.length) = (Some(name), end);
        }
        let (value, end) = Text::read(block, field.length)?;
        (field.value, field.length) = (Some(value), end);
        Some(field)
    }
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
        let sizes: Vec<usize> = auditor.entries.iter().map(|entry| entry.size).collect();
        assert_eq!((sizes, auditor.used), (vec![54, 53, 57], 164));
        // A smaller table throws the oldest out.
        let (_, audit) = auditor
            .frame(HEADERS, END_HEADERS, &unhex("3f31 82"))
            .expect("a block");
        assert_eq!(audit.expect("an audit").evicted, 2);
    }

    #[test]
    fn the_static_table_is_whole() {
        let names = static_names();
        assert_eq!(names.len(), usize::from(STATIC));
        let of = |index: usize| names.get(index - 1).map(|name| (name.what as u8, name.length));
        assert_eq!(of(4), Some((What::Path as u8, 5)));
        assert_eq!(of(23), Some((What::Authorization as u8, 13)));
        assert_eq!(of(61), Some((What::Other as u8, "www-authenticate".len())));
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

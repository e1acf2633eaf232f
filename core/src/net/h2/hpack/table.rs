//! The static and the dynamic table (RFC 7541 §2.3).

use std::collections::VecDeque;

use super::ENTRY_OVERHEAD;

/// RFC 7541 Appendix A; index 1 is the first.
#[rustfmt::skip]
pub(super) static STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"),
    (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), (":status", "200"),
    (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""), ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""), ("accept-ranges", ""), ("accept", ""), ("access-control-allow-origin", ""),
    ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""),
    ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""),
    ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
    ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""),
    ("link", ""), ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""),
    ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""),
    ("retry-after", ""), ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""),
    ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
    ("www-authenticate", ""),
];

/// Where a field stands in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Name and value.
    Field(usize),
    /// The name with another value.
    Name(usize),
    /// Nowhere.
    Nothing,
}

/// A field in one buffer, which is used again when the field is evicted.
#[derive(Debug, Default)]
struct Entry {
    bytes: Vec<u8>,
    name_len: usize,
}

impl Entry {
    fn parts(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at(self.name_len.min(self.bytes.len()))
    }

    fn size(&self) -> usize {
        self.bytes.len() + ENTRY_OVERHEAD
    }
}

/// The dynamic table of one direction; the newest entry has index 62.
#[derive(Debug)]
pub(super) struct Table {
    entries: VecDeque<Entry>,
    spare: Vec<Entry>,
    size: usize,
    max: usize,
}

impl Table {
    pub(super) fn new(max: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            spare: Vec::new(),
            size: 0,
            max,
        }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Changes the maximum size, evicting what no longer fits (§4.3).
    pub(super) fn set_max(&mut self, max: usize) {
        self.max = max;
        self.evict_to(max);
        if max == 0 {
            self.spare.clear();
        }
    }

    fn evict_to(&mut self, room: usize) {
        while self.size > room {
            let Some(mut entry) = self.entries.pop_back() else {
                self.size = 0;
                return;
            };
            self.size -= entry.size();
            // As many spare buffers as entries is all that inserting ever needs.
            if self.spare.len() < 16 {
                entry.bytes.clear();
                self.spare.push(entry);
            }
        }
    }

    /// Inserts a field (§4.4): one larger than the table empties it.
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let size = name.len() + value.len() + ENTRY_OVERHEAD;
        if size > self.max {
            self.evict_to(0);
            return;
        }
        self.evict_to(self.max - size);
        let mut entry = self.spare.pop().unwrap_or_default();
        entry.bytes.extend_from_slice(name);
        entry.bytes.extend_from_slice(value);
        entry.name_len = name.len();
        self.size += size;
        self.entries.push_front(entry);
    }

    /// The field at `index`, static or dynamic.
    pub(super) fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let index = index.checked_sub(1)?;
        match STATIC.get(index) {
            Some((name, value)) => Some((name.as_bytes(), value.as_bytes())),
            None => Some(self.entries.get(index - STATIC.len())?.parts()),
        }
    }

    /// Looks for a field, the dynamic table first: there stands what repeats on a connection.
    pub(super) fn find(&self, name: &[u8], value: &[u8]) -> Found {
        let mut by_name = Found::Nothing;
        for (at, entry) in self.entries.iter().enumerate() {
            let (entry_name, entry_value) = entry.parts();
            if entry_name == name {
                let index = STATIC.len() + 1 + at;
                if entry_value == value {
                    return Found::Field(index);
                }
                if by_name == Found::Nothing {
                    by_name = Found::Name(index);
                }
            }
        }
        let mut static_name = Found::Nothing;
        for (at, (static_name_text, static_value)) in STATIC.iter().enumerate() {
            if static_name_text.as_bytes() == name {
                if static_value.as_bytes() == value {
                    return Found::Field(at + 1);
                }
                if static_name == Found::Nothing {
                    static_name = Found::Name(at + 1);
                }
            }
        }
        match static_name {
            Found::Nothing => by_name,
            found => found,
        }
    }

    /// The index of an entry with this name, or 0. Static names are not looked at first
    /// because the names of the push services' own headers are not among them.
    pub(super) fn find_name(&self, name: &[u8]) -> usize {
        if let Some(at) = self.entries.iter().position(|entry| entry.parts().0 == name) {
            return STATIC.len() + 1 + at;
        }
        STATIC
            .iter()
            .position(|(text, _)| text.as_bytes() == name)
            .map_or(0, |at| at + 1)
    }
}

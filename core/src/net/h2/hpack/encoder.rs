//! From fields to the wire.

use std::sync::Arc;

use super::super::huffman;
use super::table::{Found, Table};
use super::{ENTRY_OVERHEAD, integer};
use crate::http::{Authority, HeaderBlock, Headers, Indexing, Method, Request};

/// How many encoded blocks are kept: an authorization and a few campaigns at a time.
const CACHED_BLOCKS: usize = 8;

/// `:path`, a literal without indexing: the name is entry 4 of the static table.
const PATH: u8 = 0x04;

/// A [`HeaderBlock`] as it goes onto the wire for as long as the table stays as it is.
#[derive(Debug)]
struct Cached {
    block: u64,
    /// The generation of the table that `wire` refers to; `None` while it is not usable.
    generation: Option<u64>,
    wire: Vec<u8>,
    list_size: usize,
}

/// The compression state of one direction.
#[derive(Debug)]
pub(crate) struct Encoder {
    table: Table,
    /// Counts every change of the table: indices are valid within one generation.
    generation: u64,
    /// Our own bound on the table; the peer's SETTINGS can only lower it.
    bound: usize,
    /// Size updates to announce: the smallest since the last block, and the last.
    update: Option<(usize, usize)>,
    cache: Vec<Cached>,
    oldest: usize,
    authority: Cached,
    authority_text: String,
    usual: Option<Usual>,
    huffman_literals: bool,
}

/// The part that a campaign's requests have in common, as it went onto the wire last: all but the path and
/// the headers of one request alone.
#[derive(Debug)]
struct Usual {
    /// The generation of the table that it refers to.
    generation: u64,
    method: Method,
    authority: Authority,
    blocks: [Option<Arc<HeaderBlock>>; 2],
    /// Before the path's text, and behind it.
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Usual {
    /// Whether the request has the same blocks, or blocks that say the same: messages with a body of
    /// their own each have their headers in one of their own, too.
    fn has_blocks_of(&self, request: &Request) -> bool {
        let same = |ours: &Option<Arc<HeaderBlock>>, theirs: &Option<Arc<HeaderBlock>>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs) || ours.headers() == theirs.headers(),
            (None, None) => true,
            _ => false,
        };
        let [authorization, common] = &self.blocks;
        same(authorization, &request.authorization) && same(common, &request.common)
    }
}

impl Encoder {
    /// An encoder that uses a table of at most `bound` octets. `huffman_literals`: whether
    /// values that differ in every request are Huffman-coded where that is shorter.
    pub(crate) fn new(bound: usize, huffman_literals: bool) -> Self {
        let mut encoder = Self {
            table: Table::new(4096),
            generation: 0,
            bound,
            update: None,
            cache: Vec::new(),
            oldest: 0,
            authority: Cached {
                block: 0,
                generation: None,
                wire: Vec::new(),
                list_size: 0,
            },
            authority_text: String::new(),
            usual: None,
            huffman_literals,
        };
        encoder.peer_limit(4096);
        encoder
    }

    /// The peer announced SETTINGS_HEADER_TABLE_SIZE `limit`.
    pub(crate) fn peer_limit(&mut self, limit: usize) {
        let max = limit.min(self.bound);
        if max == self.table.max() {
            return;
        }
        self.table.set_max(max);
        self.generation += 1;
        let smallest = self.update.map_or(max, |(smallest, _)| smallest.min(max));
        self.update = Some((smallest, max));
    }

    /// Appends the header block of a request.
    pub(crate) fn request(&mut self, request: &Request, authority: &Authority, out: &mut Vec<u8>) {
        match &self.usual {
            Some(usual)
                if usual.generation == self.generation
                    && usual.has_blocks_of(request)
                    && usual.method == request.method
                    && usual.authority.same(authority)
                    && self.update.is_none() =>
            {
                out.extend_from_slice(&usual.head);
                self.literal(request.path.as_bytes(), out);
                out.extend_from_slice(&usual.tail);
            }
            _ => self.unusual(request, authority, out),
        }
        if !request.headers.is_empty() {
            self.headers(&request.headers, out);
        }
    }

    /// All but the headers of the request alone.
    fn unusual(&mut self, request: &Request, authority: &Authority, out: &mut Vec<u8>) {
        self.begin(out);
        let (before, start) = (self.generation, out.len());
        match request.method {
            Method::Post => self.indexed(3, out),
            Method::Get => self.indexed(2, out),
            other => self.method(other.as_str(), out),
        }
        self.indexed(7, out);
        self.authority(authority.as_str(), out);
        out.push(PATH);
        let head = out.get(start..).unwrap_or_default().to_vec();
        self.literal(request.path.as_bytes(), out);
        let start = out.len();
        for block in [&request.authorization, &request.common].into_iter().flatten() {
            self.block(block, out);
        }
        // Insertions moved the indices that it uses itself: good the next time.
        self.usual = (before == self.generation).then(|| Usual {
            generation: before,
            method: request.method,
            authority: authority.clone(),
            blocks: [request.authorization.clone(), request.common.clone()],
            head,
            tail: out.get(start..).unwrap_or_default().to_vec(),
        });
    }

    /// Begins a header block: announces a change of the table's size (§4.2).
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some((smallest, last)) = self.update.take() {
            if smallest < last {
                integer::write(smallest, 5, 0x20, out);
            }
            integer::write(last, 5, 0x20, out);
        }
    }

    /// Appends a field of the static table by its index.
    pub(crate) fn indexed(&mut self, index: u8, out: &mut Vec<u8>) {
        out.push(0x80 | index);
    }

    /// Appends `:method` where the static table does not hold it.
    pub(crate) fn method(&mut self, method: &str, out: &mut Vec<u8>) {
        self.field(b":method", method.as_bytes(), Indexing::Incremental, out);
    }

    /// Appends `:authority`, which is the same in every request of a connection.
    pub(crate) fn authority(&mut self, authority: &str, out: &mut Vec<u8>) {
        if self.authority.generation == Some(self.generation) && self.authority_text == authority {
            out.extend_from_slice(&self.authority.wire);
            return;
        }
        let (before, start) = (self.generation, out.len());
        self.field(b":authority", authority.as_bytes(), Indexing::Incremental, out);
        self.authority.generation = (before == self.generation).then_some(before);
        self.authority.wire.clear();
        self.authority
            .wire
            .extend_from_slice(out.get(start..).unwrap_or_default());
        self.authority_text.clear();
        self.authority_text.push_str(authority);
    }

    /// Appends the fields of a block: a few octets once the table holds them.
    pub(crate) fn block(&mut self, block: &HeaderBlock, out: &mut Vec<u8>) {
        let at = self.cache_entry(block);
        if let Some(cached) = self.cache.get(at) {
            if cached.generation == Some(self.generation) {
                out.extend_from_slice(&cached.wire);
                return;
            }
        }
        let (before, start) = (self.generation, out.len());
        // What is encoded once may take its time: also what the table must not hold.
        let asked = std::mem::replace(&mut self.huffman_literals, true);
        self.headers(block.headers(), out);
        self.huffman_literals = asked;
        // An insertion moved the indices that this block itself uses: good the next time.
        let generation = (before == self.generation).then_some(before);
        if let Some(cached) = self.cache.get_mut(at) {
            cached.generation = generation;
            cached.wire.clear();
            if generation.is_some() {
                cached
                    .wire
                    .extend_from_slice(out.get(start..).unwrap_or_default());
            }
        }
    }

    /// The size of a block's fields as SETTINGS_MAX_HEADER_LIST_SIZE counts it.
    pub(crate) fn block_list_size(&mut self, block: &HeaderBlock) -> usize {
        let at = self.cache_entry(block);
        self.cache.get(at).map_or(0, |cached| cached.list_size)
    }

    fn cache_entry(&mut self, block: &HeaderBlock) -> usize {
        if let Some(at) = self.cache.iter().position(|cached| cached.block == block.id()) {
            return at;
        }
        let list_size = list_size(block.headers());
        if self.cache.len() < CACHED_BLOCKS {
            self.cache.push(Cached {
                block: block.id(),
                generation: None,
                wire: Vec::new(),
                list_size,
            });
            return self.cache.len() - 1;
        }
        let at = self.oldest;
        self.oldest = (self.oldest + 1) % CACHED_BLOCKS;
        if let Some(cached) = self.cache.get_mut(at) {
            cached.block = block.id();
            cached.generation = None;
            cached.list_size = list_size;
        }
        at
    }

    /// Appends each field of a list.
    pub(crate) fn headers(&mut self, headers: &Headers, out: &mut Vec<u8>) {
        for (name, value, indexing) in headers.octets() {
            self.field(name, value, indexing, out);
        }
    }

    pub(super) fn field(&mut self, name: &[u8], value: &[u8], indexing: Indexing, out: &mut Vec<u8>) {
        match indexing {
            Indexing::Incremental => match self.table.find(name, value) {
                Found::Field(index) => integer::write(index, 7, 0x80, out),
                Found::Name(index) => self.insert(index, name, value, self.table.max() / 4 * 3, out),
                Found::Nothing => self.insert(0, name, value, self.table.max() / 4 * 3, out),
            },
            Indexing::Without => match self.table.find_name(name) {
                // Once with indexing, so that later requests refer to the name.
                0 => self.insert(0, name, value, self.table.max() / 8, out),
                index => {
                    integer::write(index, 4, 0x00, out);
                    self.literal(value, out);
                }
            },
            Indexing::Never => {
                let index = self.table.find_name(name);
                integer::write(index, 4, 0x10, out);
                if index == 0 {
                    shorter(name, out);
                }
                self.literal(value, out);
            }
        }
    }

    /// A literal that enters the table, or, where it would push out too much else, does not.
    fn insert(&mut self, name_index: usize, name: &[u8], value: &[u8], room: usize, out: &mut Vec<u8>) {
        let fits = name.len() + value.len() + ENTRY_OVERHEAD <= room;
        if fits {
            integer::write(name_index, 6, 0x40, out);
        } else {
            integer::write(name_index, 4, 0x00, out);
        }
        if name_index == 0 {
            shorter(name, out);
        }
        shorter(value, out);
        if fits {
            self.table.insert(name, value);
            self.generation += 1;
        }
    }

    #[inline(always)]
    fn literal(&self, value: &[u8], out: &mut Vec<u8>) {
        if self.huffman_literals {
            shorter(value, out);
        } else {
            integer::write(value.len(), 7, 0x00, out);
            out.extend_from_slice(value);
        }
    }
}

/// The size of a list as SETTINGS_MAX_HEADER_LIST_SIZE counts it (RFC 9113 §6.5.2).
pub(crate) fn list_size(headers: &Headers) -> usize {
    headers
        .iter()
        .map(|header| header.name.len() + header.value.len() + ENTRY_OVERHEAD)
        .sum()
}

/// A string literal in the shorter of the two codes.
fn shorter(text: &[u8], out: &mut Vec<u8>) {
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        integer::write(coded, 7, 0x80, out);
        huffman::encode(text, out);
    } else {
        integer::write(text.len(), 7, 0x00, out);
        out.extend_from_slice(text);
    }
}

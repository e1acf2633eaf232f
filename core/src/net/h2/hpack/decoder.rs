//! From the wire to fields.

use super::super::huffman;
use super::integer;
use super::table::Table;

/// The header block is broken, and with it the table: the connection is lost
/// (COMPRESSION_ERROR, RFC 9113 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecodeError(pub(crate) &'static str);

/// The decompression state of one direction.
#[derive(Debug)]
pub(crate) struct Decoder {
    table: Table,
    /// The largest table that our SETTINGS allow.
    limit: usize,
    /// Our SETTINGS shrank the table below its size: the next block must begin with an update.
    update_due: bool,
    /// Counts what has happened to the table: what an index means holds until then.
    generation: u64,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Decoder {
    /// A decoder whose peer may use a table of up to `limit` octets.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            // Until our SETTINGS are acknowledged the peer may use the default size.
            table: Table::new(4096),
            limit: limit.max(4096),
            update_due: false,
            generation: 0,
            name: Vec::new(),
            value: Vec::new(),
        }
    }

    /// The peer acknowledged SETTINGS_HEADER_TABLE_SIZE `limit`.
    pub(crate) fn acknowledged(&mut self, limit: usize) {
        self.limit = limit;
        self.update_due = self.table.max() > limit;
    }

    /// Returns a number that stays the same while the same octets mean the same fields; `None` while a change of the
    /// table's size has to come first.
    pub(crate) fn generation(&self) -> Option<u64> {
        (!self.update_due).then_some(self.generation)
    }

    /// Decodes one whole header block, handing each field to `sink` in order.
    ///
    /// # Errors
    /// [`DecodeError`]; the decoder must not be used again.
    pub(crate) fn decode(
        &mut self,
        mut input: &[u8],
        mut sink: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), DecodeError> {
        let Self {
            table,
            limit,
            update_due,
            generation,
            name,
            value,
        } = self;
        let mut fields_seen = false;
        while let Some((&first, rest)) = input.split_first() {
            input = rest;
            if first & 0xe0 == 0x20 {
                let max = integer::read(first, 5, &mut input).ok_or(DecodeError("integer too large"))?;
                if fields_seen {
                    return Err(DecodeError("table size update after a field"));
                }
                if max > *limit {
                    return Err(DecodeError("table size update above the limit"));
                }
                table.set_max(max);
                *generation += 1;
                *update_due = false;
                continue;
            }
            if *update_due {
                return Err(DecodeError("table size update is missing"));
            }
            fields_seen = true;
            if first & 0x80 != 0 {
                let index = integer::read(first, 7, &mut input).ok_or(DecodeError("integer too large"))?;
                let (name, value) = table.get(index).ok_or(DecodeError("index outside the table"))?;
                sink(name, value);
                continue;
            }
            let (prefix, insert) = if first & 0x40 != 0 { (6, true) } else { (4, false) };
            *generation += u64::from(insert);
            let index = integer::read(first, prefix, &mut input).ok_or(DecodeError("integer too large"))?;
            if index == 0 {
                let text = string(&mut input, name)?;
                if let Some(raw) = text {
                    name.clear();
                    name.extend_from_slice(raw);
                }
                match string(&mut input, value)? {
                    Some(raw) => field(table, name, raw, insert, &mut sink),
                    None => field(table, name, value, insert, &mut sink),
                }
                continue;
            }
            let indexed = table.get(index).ok_or(DecodeError("index outside the table"))?.0;
            if insert {
                // The entry may be evicted by its own insertion.
                name.clear();
                name.extend_from_slice(indexed);
                match string(&mut input, value)? {
                    Some(raw) => field(table, name, raw, true, &mut sink),
                    None => field(table, name, value, true, &mut sink),
                }
            } else {
                match string(&mut input, value)? {
                    Some(raw) => sink(indexed, raw),
                    None => sink(indexed, value),
                }
            }
        }
        if *update_due && fields_seen {
            return Err(DecodeError("table size update is missing"));
        }
        Ok(())
    }
}

fn field(table: &mut Table, name: &[u8], value: &[u8], insert: bool, sink: &mut impl FnMut(&[u8], &[u8])) {
    if insert {
        table.insert(name, value);
    }
    sink(name, value);
}

/// Reads a string literal (§5.2): raw octets come back as they stand, Huffman-coded ones
/// are decoded into `decoded` and `None` is returned.
fn string<'a>(input: &mut &'a [u8], decoded: &mut Vec<u8>) -> Result<Option<&'a [u8]>, DecodeError> {
    let (&first, rest) = input.split_first().ok_or(DecodeError("string is missing"))?;
    *input = rest;
    let length = integer::read(first, 7, input).ok_or(DecodeError("integer too large"))?;
    let (text, rest) = input
        .split_at_checked(length)
        .ok_or(DecodeError("string is cut short"))?;
    *input = rest;
    if first & 0x80 == 0 {
        return Ok(Some(text));
    }
    decoded.clear();
    huffman::decode(text, decoded).map_err(|_| DecodeError("huffman code is invalid"))?;
    Ok(None)
}

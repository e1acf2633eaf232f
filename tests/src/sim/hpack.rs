//! Header blocks (RFC 7541), written by hand: what a script wants, allowed or not.

/// An integer with a prefix of `bits` bits under the pattern `first` (RFC 7541 §5.1).
pub fn integer(out: &mut Vec<u8>, first: u8, bits: u8, value: usize) {
    let max = (1usize << bits) - 1;
    if value < max {
        out.push(first | u8::try_from(value).expect("below the prefix"));
        return;
    }
    out.push(first | u8::try_from(max).expect("a prefix of at most 8 bits"));
    let mut rest = value - max;
    while rest >= 128 {
        out.push(u8::try_from(rest % 128).expect("below 128") | 0x80);
        rest /= 128;
    }
    out.push(u8::try_from(rest).expect("below 128"));
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    integer(out, 0, 7, text.len());
    out.extend_from_slice(text);
}

/// An indexed field (RFC 7541 §6.1). `:status: 200` is 8; the dynamic table begins at 62.
pub fn indexed(out: &mut Vec<u8>, index: usize) {
    integer(out, 0x80, 7, index);
}

/// A literal without indexing, with a literal name (§6.2.2).
pub fn literal(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.push(0);
    string(out, name);
    string(out, value);
}

/// A literal with incremental indexing, with a literal name (§6.2.1).
pub fn remembered(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.push(0x40);
    string(out, name);
    string(out, value);
}

/// A dynamic table size update (§6.3).
pub fn table_size(out: &mut Vec<u8>, size: usize) {
    integer(out, 0x20, 5, size);
}

/// A block of literals.
pub fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        literal(&mut out, name.as_ref(), value.as_ref());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7541 C.1.1 to C.1.3 and C.2.1, C.2.4.
    #[test]
    fn the_examples_of_the_rfc() {
        let encode = |bits, value| {
            let mut out = Vec::new();
            integer(&mut out, 0, bits, value);
            out
        };
        assert_eq!(encode(5, 10), [0x0a]);
        assert_eq!(encode(5, 1337), [0x1f, 0x9a, 0x0a]);
        assert_eq!(encode(8, 42), [0x2a]);
        let mut out = Vec::new();
        remembered(&mut out, b"custom-key", b"custom-header");
        assert_eq!(out, b"\x40\x0acustom-key\x0dcustom-header");
        out.clear();
        indexed(&mut out, 2);
        assert_eq!(out, [0x82]);
    }

    /// RFC 7541 C.4.1 to C.4.3 (Huffman, dynamic table): the foreign decoder is sane.
    #[test]
    fn the_decoder_of_the_peer_reads_the_examples_of_the_rfc() {
        let mut decoder = fluke_hpack::Decoder::new();
        let blocks: [&[u8]; 3] = [
            b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
            b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
            b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
        ];
        let last: Vec<_> = blocks
            .iter()
            .map(|block| decoder.decode(block).expect("a block of the RFC"))
            .collect();
        let text =
            |index: usize, field: usize| String::from_utf8(last[index][field].1.clone()).expect("text");
        assert_eq!(text(0, 3), "www.example.com");
        assert_eq!(text(1, 4), "no-cache");
        assert_eq!(last[2][4], (b"custom-key".to_vec(), b"custom-value".to_vec()));
    }
}

//! What `h2` refuses before a service sees it.

/// A stream that `h2` reset, or a connection that it ended, for what the client did.
pub(super) struct Refused {
    /// 0 is the connection.
    pub(super) stream: u32,
    code: u32,
    debug: String,
}

/// How refusals reach the log.
pub(super) type Watch = Box<dyn Fn(Refused) + Send + Sync>;

impl Refused {
    /// Reads an RST_STREAM or GOAWAY frame of `h2`; `None` for other frames, and for those that accuse nobody.
    pub(super) fn read(kind: u8, stream: u32, payload: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_be_bytes(*payload.get(at..)?.first_chunk()?));
        let (stream, code, debug) = match kind {
            3 => (stream, number(0)?, &[][..]),
            7 => (0, number(4)?, payload.get(8..)?),
            _ => return None,
        };
        // NO_ERROR, REFUSED_STREAM and CANCEL are the server's own business.
        if matches!(code, 0 | 7 | 8) {
            return None;
        }
        let debug = String::from_utf8_lossy(debug).into_owned();
        Some(Self { stream, code, debug })
    }

    /// The error code by its name (RFC 9113 §7), and what `h2` adds.
    pub(super) fn reason(&self) -> String {
        let name = match self.code {
            1 => "PROTOCOL_ERROR: malformed frames, pseudo-headers or headers",
            2 => "INTERNAL_ERROR",
            3 => "FLOW_CONTROL_ERROR: more DATA than the window allows",
            5 => "STREAM_CLOSED: frames on a stream that had ended",
            6 => "FRAME_SIZE_ERROR: a frame of a wrong length",
            9 => "COMPRESSION_ERROR: HPACK that cannot be read",
            11 => "ENHANCE_YOUR_CALM: a flood",
            _ => "an HTTP/2 error",
        };
        match self.debug.as_str() {
            "" => name.to_owned(),
            debug => format!("{name} ({debug})"),
        }
    }
}

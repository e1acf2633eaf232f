//! What leaves: frames of `h2`, as the script wants them, and what the service asks for.

use super::Tls;
use super::frame::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PADDED, SETTINGS, WINDOW_UPDATE, frame_header,
    goaway, settings, stream_of, whole_frame,
};
use super::refused::{Refused, Watch};
use super::wire::{Command, End, HeaderBlocks, PIPE, was_seen};
use crate::fault::CloseHow;
use bytes::{Buf, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

/// `h2` to peer.
#[derive(Default)]
pub(super) struct Outbound {
    /// Replaces the first SETTINGS frame.
    initial: Option<Vec<(u16, u32)>>,
    starve: bool,
    data: Option<usize>,
    pad: Option<u8>,
    fragment: Option<usize>,
    close_after: Option<u32>,
    /// What `h2` refused of its own accord, until the log has it.
    refused: Vec<Refused>,
}

impl Outbound {
    /// These settings replace those of `h2`.
    pub(super) fn new(settings: Vec<(u16, u32)>) -> Self {
        Self {
            initial: Some(settings),
            ..Self::default()
        }
    }

    pub(super) async fn pump(
        &mut self,
        from: &mut ReadHalf<DuplexStream>,
        to: &mut WriteHalf<Tls>,
        commands: &mut mpsc::UnboundedReceiver<(Command, Option<oneshot::Sender<()>>)>,
        header_blocks: &HeaderBlocks,
        watch: &Watch,
    ) -> io::Result<End> {
        let mut buffer = BytesMut::new();
        let mut out = Vec::new();
        let mut alive = true;
        loop {
            // All that `h2` has to say leaves in one piece, in records as large as they can be.
            buffer.reserve(PIPE);
            tokio::select! {
                biased;
                command = commands.recv(), if alive => {
                    let Some((command, done)) = command else { alive = false; continue };
                    // Nothing goes before the server's preface.
                    if self.initial.is_some() && from.read_buf(&mut buffer).await? == 0 {
                        return Ok(End::Eof);
                    }
                    let mut end = self.frames(&mut buffer, &mut out);
                    self.tell(header_blocks, watch);
                    match command {
                        Command::Settings(values) => settings(&values, &mut out),
                        Command::Goaway { last, code, debug } => goaway(last, code, &debug, &mut out),
                        Command::Raw(bytes, times) => {
                            for _ in 0..times {
                                out.extend_from_slice(&bytes);
                            }
                        }
                        Command::Close(how) => {
                            if how == CloseHow::ResetMidFrame {
                                frame_header(100, DATA, 0, 1, &mut out);
                                out.extend_from_slice(b"{\"reason\":");
                            }
                            end = Some(End::Scripted(how));
                        }
                        Command::CloseAfter { stream } => self.close_after = Some(stream),
                        Command::Silence => end = Some(End::Silence),
                        Command::StarveWindow => self.starve = true,
                        Command::Shape { data, pad, fragment } => {
                            (self.data, self.pad, self.fragment) = (data, pad, fragment);
                        }
                    }
                    to.write_all(&out).await?;
                    to.flush().await?;
                    out.clear();
                    if let Some(done) = done {
                        let _ = done.send(());
                    }
                    if let Some(end) = end {
                        return Ok(end);
                    }
                }
                read = from.read_buf(&mut buffer) => {
                    if read? == 0 {
                        return Ok(End::Eof);
                    }
                    let end = self.frames(&mut buffer, &mut out);
                    self.tell(header_blocks, watch);
                    to.write_all(&out).await?;
                    to.flush().await?;
                    out.clear();
                    if let Some(end) = end {
                        return Ok(end);
                    }
                }
            }
        }
    }

    /// Tells of refusals. A stream that a service saw was reset by a script, and its request is in the log.
    fn tell(&mut self, header_blocks: &HeaderBlocks, watch: &Watch) {
        for refused in self.refused.drain(..) {
            if refused.stream == 0 || !was_seen(header_blocks, refused.stream) {
                watch(refused);
            }
        }
    }

    /// Moves whole frames from `buffer` to `out`, as the script wants them.
    fn frames(&mut self, buffer: &mut BytesMut, out: &mut Vec<u8>) -> Option<End> {
        let mut end = None;
        let mut rest = &buffer[..];
        while let Some((frame, behind)) = whole_frame(rest).and_then(|length| rest.split_at_checked(length)) {
            rest = behind;
            let (kind, flags, stream) = (frame[3], frame[4], stream_of(frame));
            let payload = &frame[9..];
            self.refused.extend(Refused::read(kind, stream, payload));
            match kind {
                SETTINGS if flags & 1 == 0 && self.initial.is_some() => {
                    settings(&self.initial.take().unwrap_or_default(), out);
                }
                WINDOW_UPDATE if self.starve => {}
                DATA if self.data.is_some() || self.pad.is_some() => {
                    self.shape_data(payload, flags, stream, out)
                }
                HEADERS if self.fragment.is_some() && flags & END_HEADERS != 0 => {
                    self.fragment_headers(payload, flags, stream, out);
                }
                _ => out.extend_from_slice(frame),
            }
            let last = (kind == DATA || kind == HEADERS) && flags & END_STREAM != 0;
            if last && self.close_after == Some(stream) {
                end = Some(End::Scripted(CloseHow::Clean));
                break;
            }
        }
        let rest = rest.len();
        buffer.advance(buffer.len() - rest);
        end
    }

    fn shape_data(&self, payload: &[u8], flags: u8, stream: u32, out: &mut Vec<u8>) {
        let size = self.data.unwrap_or(16_000).clamp(1, 16_000);
        let chunks: Vec<&[u8]> = if payload.is_empty() {
            vec![payload]
        } else {
            payload.chunks(size).collect()
        };
        for (i, chunk) in chunks.iter().enumerate() {
            let mut flags = if i + 1 == chunks.len() {
                flags
            } else {
                flags & !END_STREAM
            };
            let pad = usize::from(self.pad.unwrap_or(0));
            let extra = if self.pad.is_some() { 1 + pad } else { 0 };
            if let Some(pad) = self.pad {
                flags |= PADDED;
                frame_header(chunk.len() + extra, DATA, flags, stream, out);
                out.push(pad);
            } else {
                frame_header(chunk.len(), DATA, flags, stream, out);
            }
            out.extend_from_slice(chunk);
            out.resize(out.len() + pad, 0);
        }
    }

    fn fragment_headers(&self, payload: &[u8], flags: u8, stream: u32, out: &mut Vec<u8>) {
        let size = self.fragment.unwrap_or(16_000).clamp(1, 16_000);
        let count = payload.len().div_ceil(size).max(1);
        for i in 0..count {
            let part = payload
                .get(i * size..((i + 1) * size).min(payload.len()))
                .unwrap_or_default();
            let end = if i + 1 == count { END_HEADERS } else { 0 };
            let (kind, flags) = if i == 0 {
                (HEADERS, flags & !END_HEADERS | end)
            } else {
                (CONTINUATION, end)
            };
            frame_header(part.len(), kind, flags, stream, out);
            out.extend_from_slice(part);
        }
    }
}

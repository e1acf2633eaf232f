//! The frame filter between the `h2` crate and TLS.
//!
//! `h2` cannot change MAX_CONCURRENT_STREAMS on a living connection and will not
//! misbehave, so its bytes pass through here: frames are counted, replaced, split,
//! padded, dropped or added, and the connection can be ended at any byte.

use super::Tls;
use super::audit::Auditor;
use super::frame::{
    CONTINUATION, DATA, END_HEADERS, HEADERS, PADDED, PRIORITY, SETTINGS, frame_header, stream_of,
    whole_frame,
};
use super::outbound::Outbound;
use super::refused::Watch;
use crate::connections::Note;
use crate::exchange::HeaderAudit;
use crate::fault::CloseHow;
use bytes::{Buf, BytesMut};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

const PREFACE: usize = 24;
/// Bytes read at once.
const READ: usize = 64 * 1024;
/// `h2` may write as much before the peer takes any of it.
pub(super) const PIPE: usize = 256 * 1024;

/// The facts about the wire that a service may ask for.
#[derive(Debug)]
pub(super) enum Command {
    Settings(Vec<(u16, u32)>),
    Goaway {
        last: u32,
        code: u32,
        debug: String,
    },
    Raw(Vec<u8>, u32),
    Close(CloseHow),
    /// Close cleanly once this stream's last frame is out.
    CloseAfter {
        stream: u32,
    },
    Silence,
    StarveWindow,
    Shape {
        data: Option<usize>,
        pad: Option<u8>,
        fragment: Option<usize>,
    },
}

/// The facts about header blocks of streams that no service has seen yet, in the order
/// in which they came.
pub(super) type HeaderBlocks = Arc<Mutex<VecDeque<HeaderBlock>>>;

/// Size and coding of a stream's header block.
pub(super) struct HeaderBlock {
    stream: u32,
    size: usize,
    audit: Option<HeaderAudit>,
}

/// Whether a service has asked for the stream's header block.
pub(super) fn was_seen(blocks: &HeaderBlocks, stream: u32) -> bool {
    let blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
    !blocks.iter().any(|block| block.stream == stream)
}

/// The service's end of the filter.
pub(super) struct WireHandle {
    commands: mpsc::UnboundedSender<(Command, Option<oneshot::Sender<()>>)>,
    header_blocks: HeaderBlocks,
    pace: Arc<AtomicU32>,
}

impl WireHandle {
    /// Reads no faster than this from now on.
    pub(super) fn slow_read(&self, bytes_per_second: u32) {
        self.pace.store(bytes_per_second.max(1), Ordering::Relaxed);
    }

    /// Asks; a closed connection needs nothing any more.
    pub(super) fn send(&self, command: Command) {
        let _ = self.commands.send((command, None));
    }

    /// Asks, and returns when the bytes are written.
    pub(super) async fn send_and_wait(&self, command: Command) {
        let (done, wait) = oneshot::channel();
        let _ = self.commands.send((command, Some(done)));
        let _ = wait.await;
    }

    /// Size and coding of the stream's header block as it came in, once. Streams are asked for in
    /// the order of their ids: those below that nobody asked for never got as far.
    pub(super) fn take_header_block(&self, stream: u32) -> (usize, Option<HeaderAudit>) {
        let mut blocks = self.header_blocks.lock().unwrap_or_else(PoisonError::into_inner);
        while blocks.front().is_some_and(|block| block.stream < stream) {
            blocks.pop_front();
        }
        match blocks.front() {
            Some(block) if block.stream == stream => {
                let found = (block.size, block.audit);
                blocks.pop_front();
                found
            }
            _ => (0, None),
        }
    }
}

/// The filter; [`Filter::run`] pumps until either side ends.
pub(super) struct Filter {
    commands: mpsc::UnboundedReceiver<(Command, Option<oneshot::Sender<()>>)>,
    header_blocks: HeaderBlocks,
    /// Bytes a second; 0 is as fast as they come.
    pace: Arc<AtomicU32>,
    initial_settings: Vec<(u16, u32)>,
    note: Note,
    /// `:scheme` may be `https:`.
    any_scheme: bool,
    watch: Watch,
}

/// How a direction ended.
pub(super) enum End {
    Eof,
    Scripted(CloseHow),
    Silence,
}

impl Filter {
    pub(super) fn new(
        initial_settings: Vec<(u16, u32)>,
        note: Note,
        any_scheme: bool,
        watch: Watch,
    ) -> (Self, WireHandle) {
        let (sender, commands) = mpsc::unbounded_channel();
        let header_blocks = HeaderBlocks::default();
        let pace = Arc::new(AtomicU32::new(0));
        let handle = WireHandle {
            commands: sender,
            header_blocks: header_blocks.clone(),
            pace: pace.clone(),
        };
        (
            Self {
                commands,
                header_blocks,
                pace,
                initial_settings,
                note,
                any_scheme,
                watch,
            },
            handle,
        )
    }

    pub(super) async fn run(self, tls: Tls, h2: DuplexStream) -> io::Result<()> {
        let (mut from_peer, mut to_peer) = tokio::io::split(tls);
        let (mut from_h2, mut to_h2) = tokio::io::split(h2);
        let Self {
            mut commands,
            header_blocks,
            pace,
            initial_settings,
            note,
            any_scheme,
            watch,
        } = self;
        let end = {
            let inbound = inbound(
                &mut from_peer,
                &mut to_h2,
                &header_blocks,
                &pace,
                &note,
                any_scheme,
            );
            let mut out = Outbound::new(initial_settings);
            let outbound = out.pump(&mut from_h2, &mut to_peer, &mut commands, &header_blocks, &watch);
            tokio::pin!(inbound, outbound);
            let mut end = tokio::select! {
                end = &mut inbound => match end {
                    // The peer stopped sending; what it asked for may still be answered.
                    Ok(End::Eof) => (&mut outbound).await,
                    other => other,
                },
                end = &mut outbound => end,
            };
            if let Ok(End::Silence) = end {
                end = std::future::pending().await;
            }
            end
        };
        let mut tls = from_peer.unsplit(to_peer);
        match end? {
            End::Eof | End::Silence | End::Scripted(CloseHow::Clean) => tls.shutdown().await,
            End::Scripted(CloseHow::Fin) => tls.into_inner().0.shutdown().await,
            End::Scripted(CloseHow::Reset | CloseHow::ResetMidFrame) => {
                tls.get_ref().0.get_ref().set_zero_linger()
            }
        }
    }
}

/// Peer to `h2`: whole frames, counting header blocks, hiding the acknowledgements
/// of SETTINGS that `h2` never sent.
async fn inbound(
    from: &mut ReadHalf<Tls>,
    to: &mut WriteHalf<DuplexStream>,
    header_blocks: &HeaderBlocks,
    pace: &AtomicU32,
    note: &Note,
    any_scheme: bool,
) -> io::Result<End> {
    let mut buffer = BytesMut::new();
    let mut preface = PREFACE;
    let mut acknowledged = false;
    let mut auditor = Auditor::new();
    let mut out = Vec::new();
    loop {
        if read_at(pace, from, &mut buffer).await? == 0 {
            to.write_all(&buffer).await?;
            to.shutdown().await?;
            return Ok(End::Eof);
        }
        let plain = preface.min(buffer.len());
        out.extend_from_slice(&buffer[..plain]);
        buffer.advance(plain);
        preface -= plain;
        let mut rest = if preface == 0 { &buffer[..] } else { &[] };
        while let Some((frame, behind)) = whole_frame(rest).and_then(|length| rest.split_at_checked(length)) {
            rest = behind;
            let (kind, flags, stream) = (frame[3], frame[4], stream_of(frame));
            if kind != HEADERS && kind != DATA {
                note.write().frame(kind, flags, &frame[9..]);
            }
            let mut scheme = None;
            if kind == HEADERS || kind == CONTINUATION {
                if let Some((size, audit)) = auditor.frame(kind, flags, &frame[9..]) {
                    header_block(header_blocks, HeaderBlock { stream, size, audit });
                }
                scheme = auditor.odd_scheme().filter(|_| any_scheme);
            }
            if kind == SETTINGS && flags & 1 != 0 && std::mem::replace(&mut acknowledged, true) {
                continue;
            }
            match scheme.and_then(|place| mend_scheme(frame, place)) {
                Some(mended) => out.extend_from_slice(&mended),
                None => out.extend_from_slice(frame),
            }
        }
        let rest = rest.len();
        if preface == 0 {
            buffer.advance(buffer.len() - rest);
        }
        to.write_all(&out).await?;
        out.clear();
    }
}

/// The HEADERS frame with `https` for the value at this place of its block; `None` when the block is spread over
/// frames. The new value is shorter by an octet, so that `h2`'s table holds what the client's holds, or more.
fn mend_scheme(frame: &[u8], place: Range<usize>) -> Option<Vec<u8>> {
    let (kind, flags, stream) = (frame[3], frame[4], stream_of(frame));
    if kind != HEADERS || flags & END_HEADERS == 0 {
        return None;
    }
    let head = 9 + usize::from(flags & PADDED != 0) + if flags & PRIORITY == 0 { 0 } else { 5 };
    let before = frame.get(9..head + place.start)?;
    let after = frame.get(head + place.end..)?;
    let mut mended = Vec::with_capacity(frame.len());
    frame_header(before.len() + 6 + after.len(), kind, flags, stream, &mut mended);
    mended.extend_from_slice(before);
    mended.extend_from_slice(b"\x05https");
    mended.extend_from_slice(after);
    Some(mended)
}

/// Notes a block; trailers add to the size of their stream's.
fn header_block(blocks: &HeaderBlocks, block: HeaderBlock) {
    let mut blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = blocks.back().map_or(0, |newest| newest.stream);
    // A stream that is not the newest was noted before, and perhaps taken.
    let known =
        (block.stream <= newest).then(|| blocks.iter_mut().find(|known| known.stream == block.stream));
    match known.flatten() {
        Some(known) => known.size += block.size,
        None => blocks.push_back(block),
    }
}

/// Reads some bytes, no more in a twentieth of a second than the pace allows; 0 is no limit.
async fn read_at(pace: &AtomicU32, from: &mut ReadHalf<Tls>, buffer: &mut BytesMut) -> io::Result<usize> {
    // What was handed on makes room again, so that no read is a small one.
    buffer.reserve(READ);
    let limit = pace.load(Ordering::Relaxed);
    if limit > 0 {
        let portion = (limit / 20).clamp(1, 16_384);
        let read = from.take(u64::from(portion)).read_buf(buffer).await?;
        tokio::time::sleep(Duration::from_secs(1) * portion / limit).await;
        return Ok(read);
    }
    let read = from.read_buf(buffer).await?;
    // The limit may have been set while nothing came.
    let limit = pace.load(Ordering::Relaxed);
    if limit > 0 {
        let read = u32::try_from(read).unwrap_or(u32::MAX);
        tokio::time::sleep(Duration::from_secs(1) * read / limit).await;
    }
    Ok(read)
}

//! What the programs of the benchmarks share: distinct tokens, messages, and what the process used.

pub mod proxy;

use std::fs;
use std::io;
use std::path::Path;

use pushcore::apns::{self, ApnsId, DeviceToken, Message, Payload, PushType, Template, Topic};
use pushcore::{Error, ErrorKind};

/// The body of every benchmark: 200 bytes of JSON, as the peers send it too.
pub const BODY: &str = r#"{"aps":{"alert":{"title":"Your order is on its way","body":"It left the warehouse this morning and should arrive tomorrow before noon."},"sound":"default","badge":1},"order":"7f3a-2291-bb10","v":2}"#;

/// The topic of every benchmark.
pub const TOPIC: &str = "com.example.app";

/// The two hex digits of each byte: a benchmark should not measure how it makes its tokens.
static PAIRS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut at = 0;
    while at < 256 {
        pairs[at] = [digits[at >> 4], digits[at & 15]];
        at += 1;
    }
    pairs
};

/// 64 hex digits, another 64 for each number.
pub struct Tokens {
    state: u64,
    text: [u8; 64],
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            state: 0x9e37_79b9_7f4a_7c15,
            text: [b'0'; 64],
        }
    }
}

impl Tokens {
    /// The next token's text.
    pub fn next_text(&mut self) -> &str {
        let words = [self.word(), self.word(), self.word(), self.word()];
        for (place, word) in self.text.chunks_exact_mut(16).zip(words) {
            for (place, byte) in place.chunks_exact_mut(2).zip(word.to_le_bytes()) {
                place.copy_from_slice(&PAIRS[usize::from(byte)]);
            }
        }
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// 64 bits that differ every time (splitmix64).
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next device token.
    ///
    /// # Errors
    /// None: the text is always hex.
    pub fn next_token(&mut self) -> Result<DeviceToken, Error> {
        DeviceToken::parse(self.next_text())
    }
}

/// The part of a message that a campaign varies from push to push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The device alone.
    Shared,
    /// The device, the body and the `apns-id`.
    Own,
}

/// An endless supply of messages to distinct devices.
pub struct Campaign {
    kind: Kind,
    tokens: Tokens,
    template: Template,
    made: u64,
}

impl Campaign {
    /// A campaign of this kind.
    ///
    /// # Errors
    /// What the APNs room finds wrong.
    pub fn new(kind: Kind) -> Result<Self, Error> {
        let payload = Payload::raw(BODY.as_bytes())?;
        let template = Message::builder(PushType::Alert)
            .topic(Topic::parse(TOPIC)?)
            .payload(payload)
            .template()?;
        Ok(Self {
            kind,
            tokens: Tokens::default(),
            template,
            made: 0,
        })
    }

    /// The next message.
    ///
    /// # Errors
    /// What the APNs room finds wrong.
    pub fn next_message(&mut self) -> Result<Message, Error> {
        let device = self.tokens.next_token()?;
        self.made += 1;
        match self.kind {
            Kind::Shared => Ok(self.template.to(device)),
            Kind::Own => {
                // The number makes every body another one of the same length.
                let mut body = BODY.as_bytes().to_vec();
                let mut number = self.made;
                for place in body.iter_mut().rev().skip(8).take(6) {
                    *place = b'0' + (number % 10) as u8;
                    number /= 10;
                }
                let mut uuid = [0; 16];
                uuid[..8].copy_from_slice(&self.tokens.word().to_be_bytes());
                uuid[8..].copy_from_slice(&self.made.to_be_bytes());
                Message::builder(PushType::Alert)
                    .topic(Topic::parse(TOPIC)?)
                    .payload(Payload::raw(body)?)
                    .device(device)
                    .id(ApnsId::from_bytes(uuid))
                    .build()
            }
        }
    }
}

impl Iterator for Campaign {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        // Nothing in a campaign can be wrong; a mistake of the benchmark ends it early, and the counts tell.
        self.next_message().ok()
    }
}

/// Credentials with a key made on the spot.
///
/// # Errors
/// `Internal` without randomness.
pub fn apns_credentials() -> Result<apns::Credentials, Error> {
    let key = pushcore::crypto::Es256Key::generate()?;
    Ok(apns::Credentials::token(
        apns::KeyId::parse("ABCDE12345")?,
        apns::TeamId::parse("TEAMID1234")?,
        key,
    ))
}

/// An error of the benchmark itself.
pub fn failed(text: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, text.to_string())
}

/// Resident memory now, in KiB (Linux).
///
/// # Errors
/// Where there is no /proc.
pub fn resident_kib() -> io::Result<u64> {
    status_kib("VmRSS:")
}

/// The most resident memory there ever was, in KiB (Linux).
///
/// # Errors
/// Where there is no /proc.
pub fn peak_resident_kib() -> io::Result<u64> {
    status_kib("VmHWM:")
}

fn status_kib(key: &str) -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    number.ok_or_else(|| io::Error::other("no such line in /proc/self/status"))
}

/// Seconds of processor that this process's first thread has used (Linux).
///
/// # Errors
/// Where there is no /proc.
pub fn cpu_seconds() -> io::Result<f64> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    let nanos: Option<u64> = text.split(' ').next().and_then(|number| number.parse().ok());
    nanos
        .map(|nanos| nanos as f64 / 1e9)
        .ok_or_else(|| io::Error::other("schedstat is not a number"))
}

/// A certificate for `localhost` and `*.push.test` that is its own authority, and its key: `cert.pem`, `key.pem`.
///
/// # Errors
/// When the folder cannot be written to.
pub fn write_certificate(folder: &Path) -> io::Result<()> {
    let names = ["localhost", "127.0.0.1", "*.push.test"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("cert.pem"), made.cert.pem())?;
    fs::write(folder.join("key.pem"), made.key_pair.serialize_pem())
}

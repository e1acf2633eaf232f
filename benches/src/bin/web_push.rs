//! Web Push requests beside the raw operations of `ring` that they are made of, in turn, on one core: key
//! generation, ECDH, five HMACs, AES-128-GCM. Different subscriptions of one push service, one payload.
//!
//! `web_push` prints the ratio; `web_push serve MESSAGES BYTES` is measured by
//! `benches/peers/webpush/compare.py`, beside other libraries.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::crypto::Es256Key;
use pushcore::http::Request;
use pushcore::webpush::{Credentials, EndpointPolicy, ReceiverKeys, Subscription, Template, request_into};
use pushcore::{Error, Now, UnixTime};
use pushcore_benches::failed;
use ring::rand::SystemRandom;
use ring::{aead, agreement, hmac};

const ROUNDS: usize = 15;

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse().ok());
    match words.first().map(String::as_str) {
        None => compare(&mut Campaign::new(1000, 200)?),
        Some("serve") => match (number(1), number(2)) {
            (Some(messages), Some(bytes)) => serve(&mut Campaign::new(messages, bytes)?),
            _ => Err(failed("usage: web_push serve MESSAGES BYTES")),
        },
        Some(_) => Err(failed("usage: web_push [serve MESSAGES BYTES]")),
    }
}

struct Campaign {
    subscriptions: Vec<Arc<Subscription>>,
    template: Template,
    credentials: Credentials,
    request: Request,
    random: SystemRandom,
    points: Vec<agreement::PublicKey>,
    text: Vec<u8>,
}

impl Campaign {
    fn new(messages: usize, bytes: usize) -> Result<Self, Error> {
        let policy = EndpointPolicy::default();
        let random = SystemRandom::new();
        let (mut subscriptions, mut points) = (Vec::new(), Vec::new());
        for number in 0..messages {
            let keys = ReceiverKeys::generate()?;
            let endpoint = format!("https://updates.push.services.mozilla.com/wpush/v2/{number}");
            let subscription = Subscription::new(&endpoint, &keys.p256dh(), &keys.auth(), &policy)?;
            subscriptions.push(Arc::new(subscription));
            let peer = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random);
            points.push(peer.map_err(failed)?.compute_public_key().map_err(failed)?);
        }
        Ok(Self {
            subscriptions,
            template: Template::builder().payload(vec![b'x'; bytes]).build()?,
            credentials: Credentials::new(Es256Key::generate()?, "mailto:ops@example.com")?,
            request: Request::new(),
            random,
            points,
            text: vec![b'x'; bytes + 1],
        })
    }

    /// Every request of the campaign: sealed, signed, complete.
    fn requests(&mut self) -> Result<Duration, Error> {
        let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_795_000_000));
        let started = Instant::now();
        for subscription in &self.subscriptions {
            let message = self.template.to(subscription.clone())?;
            request_into(&mut self.request, &message, &self.credentials, now)?;
            black_box(&self.request);
        }
        Ok(started.elapsed())
    }

    fn raw(&mut self) -> Result<Duration, Error> {
        let started = Instant::now();
        for point in &self.points {
            operations(&self.random, point, &mut self.text)?;
        }
        Ok(started.elapsed())
    }
}

/// The work that RFC 8291 needs, and nothing else.
fn operations(random: &SystemRandom, point: &agreement::PublicKey, text: &mut [u8]) -> Result<(), Error> {
    let key = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, random).map_err(failed)?;
    black_box(key.compute_public_key().map_err(failed)?);
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point.as_ref());
    let secret = agreement::agree_ephemeral(key, &peer, |secret| {
        let mut copy = [0u8; 32];
        copy.copy_from_slice(secret);
        copy
    })
    .map_err(failed)?;
    let mut tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[7; 16]), &secret);
    for _ in 0..4 {
        tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref()), &[7; 64]);
    }
    let bytes = tag.as_ref().get(..16).ok_or_else(|| failed("tag"))?;
    let key = aead::UnboundKey::new(&aead::AES_128_GCM, bytes).map_err(failed)?;
    let nonce = aead::Nonce::assume_unique_for_key([7; 12]);
    let sealed = aead::LessSafeKey::new(key).seal_in_place_separate_tag(nonce, aead::Aad::empty(), text);
    let _ = black_box(sealed.map_err(failed)?);
    Ok(())
}

fn serve(campaign: &mut Campaign) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "pushcore|raw ring operations").map_err(failed)?;
    out.flush().map_err(failed)?;
    for name in std::io::stdin().lock().lines() {
        let time = match name.map_err(failed)?.as_str() {
            "pushcore" => campaign.requests()?,
            _ => campaign.raw()?,
        };
        writeln!(out, "{}", time.as_nanos()).map_err(failed)?;
        out.flush().map_err(failed)?;
    }
    Ok(())
}

fn compare(campaign: &mut Campaign) -> Result<(), Error> {
    let (mut ours, mut raw, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let one = campaign.requests()?.as_secs_f64();
        let other = campaign.raw()?.as_secs_f64();
        ratios.push(one / other);
        ours.push(one);
        raw.push(other);
    }
    let messages = campaign.subscriptions.len() as f64;
    let micros = |times: &mut Vec<f64>| median(times) * 1e6 / messages;
    let each = micros(&mut ours);
    println!("pushcore        {each:.1} us each, {:.0} a second", 1e6 / each);
    println!("raw ring        {:.1} us each", micros(&mut raw));
    println!(
        "ratio           {:.3} (median of {ROUNDS} pairs)",
        median(&mut ratios)
    );
    Ok(())
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

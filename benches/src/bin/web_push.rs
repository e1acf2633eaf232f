//! Web Push encryptions beside the raw operations of `ring` that they are made of, in turn, on one core:
//! key generation, ECDH, five HMACs, AES-128-GCM; 1000 different subscriptions, 200 bytes.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::crypto::Es256Key;
use pushcore::http::Request;
use pushcore::webpush::{Credentials, EndpointPolicy, Message, ReceiverKeys, Subscription, request_into};
use pushcore::{Error, Now, UnixTime};
use pushcore_benches::failed;
use ring::rand::SystemRandom;
use ring::{aead, agreement, hmac};

const MESSAGES: usize = 1000;
const ROUNDS: usize = 15;

fn main() -> Result<(), Error> {
    let policy = EndpointPolicy::default();
    let mut subscriptions = Vec::new();
    let mut points = Vec::new();
    let rng = SystemRandom::new();
    for number in 0..MESSAGES {
        let keys = ReceiverKeys::generate()?;
        let endpoint = format!("https://updates.push.services.mozilla.com/wpush/v2/{number}");
        let subscription = Subscription::new(&endpoint, &keys.p256dh(), &keys.auth(), &policy)?;
        subscriptions.push(Arc::new(subscription));
        let peer = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &rng).map_err(failed)?;
        points.push(peer.compute_public_key().map_err(failed)?);
    }
    let credentials = Credentials::new(Es256Key::generate()?, "mailto:ops@example.com")?;
    let template = Message::builder(subscriptions[0].clone())
        .payload(vec![b'x'; 200])
        .build()?;
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_795_000_000));
    let mut request = Request::new();

    let (mut ours, mut raw, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for subscription in &subscriptions {
            let message = template.to(subscription.clone())?;
            request_into(&mut request, &message, &credentials, now)?;
            black_box(&request);
        }
        let one = started.elapsed();
        let started = Instant::now();
        for point in &points {
            operations(&rng, point)?;
        }
        let other = started.elapsed();
        ratios.push(one.as_secs_f64() / other.as_secs_f64());
        ours.push(one.as_secs_f64());
        raw.push(other.as_secs_f64());
    }
    let micros = |times: &mut Vec<f64>| median(times) * 1e6 / MESSAGES as f64;
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

/// What RFC 8291 cannot do without, and nothing else.
fn operations(rng: &SystemRandom, point: &agreement::PublicKey) -> Result<(), Error> {
    let key = agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, rng).map_err(failed)?;
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
    let mut text = [7u8; 201];
    let nonce = aead::Nonce::assume_unique_for_key([7; 12]);
    let sealed = aead::LessSafeKey::new(key).seal_in_place_separate_tag(nonce, aead::Aad::empty(), &mut text);
    let _ = black_box(sealed.map_err(failed)?);
    Ok(())
}

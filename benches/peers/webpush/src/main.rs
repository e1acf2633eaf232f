//! Three Rust libraries, each sealing one payload for many subscriptions of one push service. Speaks
//! the protocol of `compare.py`: prints its names, then for each name read prints the nanoseconds it took.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

use web_push::{
    ContentEncoding, PartialVapidSignatureBuilder, SubscriptionInfo, VapidSignature, VapidSignatureBuilder,
    WebPushMessageBuilder, request_builder::build_request,
};
use web_push_native::jwt_simple::algorithms::ES256KeyPair;
use web_push_native::p256::PublicKey;
use web_push_native::{Auth, WebPushBuilder};

const KEY: &str = "IQ9Ur0ykXoHS9gzfYX0aBjy9lvdrjx_PFUXmie9YRcY";
const CONTACT: &str = "mailto:ops@example.com";

struct Peers {
    payload: Vec<u8>,
    raw: Vec<(Vec<u8>, [u8; 16])>,
    infos: Vec<SubscriptionInfo>,
    builders: Vec<WebPushBuilder>,
    vapid: PartialVapidSignatureBuilder,
    cached: VapidSignature,
    key: ES256KeyPair,
}

impl Peers {
    fn new(messages: usize, bytes: usize) -> Self {
        let raw: Vec<_> = (0..messages)
            .map(|_| {
                let (keys, auth) = ece::generate_keypair_and_auth_secret().expect("keys");
                (keys.pub_as_raw().expect("a point"), auth)
            })
            .collect();
        let endpoint = |number| format!("https://updates.push.services.mozilla.com/wpush/v2/{number}");
        let infos: Vec<_> = raw
            .iter()
            .enumerate()
            .map(|(number, (point, auth))| SubscriptionInfo::new(endpoint(number), base64(point), base64(auth)))
            .collect();
        let builders = raw
            .iter()
            .enumerate()
            .map(|(number, (point, auth))| {
                let point = PublicKey::from_sec1_bytes(point).expect("a point");
                WebPushBuilder::new(endpoint(number).parse().expect("a uri"), point, *Auth::from_slice(auth))
            })
            .collect();
        let vapid = VapidSignatureBuilder::from_base64_no_sub(KEY).expect("a key");
        let cached = sign(&vapid, infos.first().expect("a subscription"));
        let key = ES256KeyPair::from_bytes(&unbase64(KEY)).expect("a key");
        Self {
            payload: vec![b'x'; bytes],
            raw,
            infos,
            builders,
            vapid,
            cached,
            key,
        }
    }

    fn run(&self, name: &str) {
        match name {
            "ece (encryption alone)" => {
                for (point, auth) in &self.raw {
                    black_box(ece::encrypt(point, auth, &self.payload).expect("encrypted"));
                }
            }
            "web-push" => {
                for info in &self.infos {
                    self.message(info, sign(&self.vapid, info));
                }
            }
            "web-push, one signature by hand" => {
                for info in &self.infos {
                    self.message(info, self.cached.clone());
                }
            }
            "web-push-native" => {
                for builder in &self.builders {
                    let builder = builder.clone().with_vapid(&self.key, CONTACT);
                    black_box(builder.build(self.payload.clone()).expect("a request"));
                }
            }
            "web-push-native, no signature" => {
                for builder in &self.builders {
                    black_box(builder.build(self.payload.clone()).expect("a request"));
                }
            }
            other => panic!("no peer is called {other}"),
        }
    }

    fn message(&self, info: &SubscriptionInfo, signature: VapidSignature) {
        let mut builder = WebPushMessageBuilder::new(info);
        builder.set_payload(ContentEncoding::Aes128Gcm, &self.payload);
        builder.set_vapid_signature(signature);
        black_box(build_request::<Vec<u8>>(builder.build().expect("a message")));
    }
}

fn sign(vapid: &PartialVapidSignatureBuilder, info: &SubscriptionInfo) -> VapidSignature {
    let mut builder = vapid.clone().add_sub_info(info);
    builder.add_claim("sub", CONTACT);
    builder.build().expect("a signature")
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(ALPHABET[(number >> (18 - 6 * at) & 63) as usize] as char);
        }
    }
    out
}

fn unbase64(text: &str) -> Vec<u8> {
    let value = |byte| ALPHABET.iter().position(|letter| *letter == byte).expect("base64url") as u32;
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        let number = chunk.iter().fold(0, |sum, byte| sum << 6 | value(*byte)) << (6 * (4 - chunk.len()));
        out.extend_from_slice(&number.to_be_bytes()[1..chunk.len()]);
    }
    out
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let (messages, bytes) = (arguments.next().expect("messages"), arguments.next().expect("bytes"));
    let peers = Peers::new(messages, bytes);
    println!(
        "ece (encryption alone)|web-push|web-push, one signature by hand|web-push-native|web-push-native, no signature"
    );
    for name in std::io::stdin().lock().lines() {
        let started = Instant::now();
        peers.run(&name.expect("utf-8"));
        println!("{}", started.elapsed().as_nanos());
        std::io::stdout().flush().expect("flushed");
    }
}

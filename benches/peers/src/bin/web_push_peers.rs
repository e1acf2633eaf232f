//! Encryptions a second of two other crates, for 1000 different subscriptions and 200 bytes: `ece`
//! (OpenSSL) and `web-push-native` (RustCrypto).

use std::time::Instant;

use web_push_native::p256::PublicKey;
use web_push_native::{Auth, WebPushBuilder};

fn main() {
    let payload = vec![b'x'; 200];
    let subscriptions: Vec<_> = (0..1000)
        .map(|_| {
            let (keys, auth) = ece::generate_keypair_and_auth_secret().expect("keys");
            (keys.pub_as_raw().expect("a point"), auth)
        })
        .collect();
    let mut ece_times = Vec::new();
    let mut native_times = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        for (key, auth) in &subscriptions {
            std::hint::black_box(ece::encrypt(key, auth, &payload).expect("encrypted"));
        }
        ece_times.push(started.elapsed());
        let started = Instant::now();
        for (key, auth) in &subscriptions {
            let builder = WebPushBuilder::new(
                "https://push.example/x".parse().expect("a uri"),
                PublicKey::from_sec1_bytes(key).expect("a point"),
                Auth::clone_from_slice(auth),
            );
            std::hint::black_box(builder.build(payload.clone()).expect("encrypted"));
        }
        native_times.push(started.elapsed());
    }
    ece_times.sort();
    native_times.sort();
    println!("ece             {:.1} us each", ece_times[2].as_secs_f64() * 1e3);
    println!("web-push-native {:.1} us each", native_times[2].as_secs_f64() * 1e3);
}

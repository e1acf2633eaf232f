//! Sending in the legacy encoding. What it decrypts to is checked by vectors in `crypto/ece/tests.rs`.

use std::time::Duration;

use super::*;
use crate::crypto::Es256Key;
use crate::error::ErrorKind;
use crate::webpush::{
    self, Credentials, EndpointPolicy, Message, MessageBuilder, ReceiverKeys, Subscription,
};
use crate::{Now, UnixTime};

fn credentials() -> Credentials {
    Credentials::new(Es256Key::generate().unwrap(), "mailto:push@example.com").unwrap()
}

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000))
}

fn builder(keys: &ReceiverKeys) -> MessageBuilder {
    let json = keys.subscription_json("https://fcm.googleapis.com/fcm/send/x");
    Message::builder(Subscription::parse(json.as_bytes(), &EndpointPolicy::default()).unwrap())
}

#[test]
fn legacy_messages_come_through() {
    let keys = ReceiverKeys::generate().unwrap();
    let credentials = credentials();
    let vapid = *credentials.public_key();
    for len in [0, 1, 4078] {
        let payload = vec![b'x'; len];
        let message = builder(&keys)
            .payload(payload.clone())
            .encoding(Encoding::AesGcm { vapid })
            .build()
            .unwrap();
        let request = webpush::request(&message, &credentials, now()).unwrap();
        assert_eq!(request.header("content-encoding"), Some("aesgcm"));
        assert_eq!(request.body.len(), len + 18);
        let crypto_key = request.header("crypto-key").unwrap();
        assert!(crypto_key.ends_with(&format!(";p256ecdsa={}", vapid.to_base64())));
        let encryption = request.header("encryption").unwrap();
        let plain = keys
            .decrypt_aesgcm(request.body.as_bytes(), crypto_key, encryption)
            .unwrap();
        assert_eq!(plain, payload);
    }
}

#[test]
fn the_legacy_scheme_goes_with_the_legacy_encoding() {
    let keys = ReceiverKeys::generate().unwrap();
    let credentials = credentials();
    let vapid = *credentials.public_key();
    let header = |message: &Message| {
        let block = credentials.authorization_for(message, now()).unwrap();
        block.headers().get("authorization").unwrap().to_owned()
    };
    let legacy = builder(&keys).encoding(Encoding::AesGcm { vapid }).payload("x");
    let legacy = legacy.build().unwrap();
    let value = header(&legacy);
    let token = value.strip_prefix("WebPush ").unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = crypto::base64::decode(signature).unwrap();
    assert!(vapid.verifies(input.as_bytes(), &signature));
    assert_eq!(header(&legacy), value, "cached");

    // Without a payload there is nothing to encode, and nothing to name a key in.
    let bare = builder(&keys).encoding(Encoding::AesGcm { vapid }).build();
    for message in [bare.unwrap(), builder(&keys).payload("x").build().unwrap()] {
        assert!(header(&message).starts_with("vapid t="));
    }

    let vapid = *Es256Key::generate().unwrap().public_key();
    let other = builder(&keys).encoding(Encoding::AesGcm { vapid }).payload("x");
    let error = webpush::request(&other.build().unwrap(), &credentials, now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyMismatch);
}

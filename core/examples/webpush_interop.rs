//! Web Push over pipes, for checks against other implementations: one JSON
//! object a line on stdin, one on stdout. `tests/interop/webpush/run.py` drives it.

use std::io::{BufRead, Write};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pushcore::crypto::{Es256Key, Es256PublicKey};
use pushcore::webpush::{
    self, Credentials, Encoding, EndpointPolicy, Message, Padding, ReceiverKeys, Subscription,
};
use pushcore::{Error, ErrorKind, Now, UnixTime};
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match answer(&line?) {
            Ok(answer) => answer,
            Err(error) => json!({"error": error.kind().name(), "text": error.to_string()}),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<Value, Error> {
    let ask: Value = serde_json::from_str(line).map_err(|_| misuse("not json"))?;
    match text(&ask, "op")? {
        "receiver" => {
            let keys = ReceiverKeys::generate()?;
            Ok(json!({
                "p256dh": keys.p256dh(),
                "auth": keys.auth(),
                "jwk": keys.export().expose_secret(),
            }))
        }
        "seal" => seal(&ask),
        "open" => {
            let keys = ReceiverKeys::import(text(&ask, "key")?.as_bytes(), text(&ask, "auth")?)?;
            let body = bytes(&ask, "body")?;
            let plain = match ask.get("crypto_key") {
                Some(_) => keys.decrypt_aesgcm(&body, text(&ask, "crypto_key")?, text(&ask, "encryption")?),
                None => keys.decrypt(&body),
            }?;
            Ok(json!({"plain": URL_SAFE_NO_PAD.encode(plain)}))
        }
        "key" => {
            let key = Es256Key::read(text(&ask, "key")?.as_bytes())?;
            let public: &Es256PublicKey = key.public_key();
            Ok(json!({
                "raw": key.to_base64().expose_secret(),
                "pkcs8": key.to_pkcs8_pem().expose_secret(),
                "sec1": key.to_sec1_pem().expose_secret(),
                "der": URL_SAFE_NO_PAD.encode(key.to_pkcs8_der().expose_secret()),
                "jwk": key.to_jwk().expose_secret(),
                "public": public.to_base64(),
                "spki": public.to_pem(),
            }))
        }
        _ => Err(misuse("unknown op")),
    }
}

fn seal(ask: &Value) -> Result<Value, Error> {
    let key = Es256Key::read(text(ask, "vapid")?.as_bytes())?;
    let encoding = match text(ask, "encoding")? {
        "aesgcm" => Encoding::AesGcm {
            vapid: *key.public_key(),
        },
        _ => Encoding::Aes128Gcm,
    };
    let credentials = Credentials::new(key, "mailto:push@example.com")?;
    let subscription = ask.get("subscription").map(Value::to_string).unwrap_or_default();
    let policy = EndpointPolicy::default().allow_any_public_host().allow_port(8443);
    let subscription = Subscription::parse(subscription.as_bytes(), &policy)?;
    let padding = ask.get("padding").and_then(Value::as_u64).unwrap_or(0);
    let padding = Padding::ToLength(usize::try_from(padding).unwrap_or(0));
    let message = Message::builder(subscription)
        .payload(bytes(ask, "payload")?)
        .padding(padding)
        .encoding(encoding)
        .build()?;
    let now = ask
        .get("now")
        .and_then(Value::as_u64)
        .ok_or_else(|| misuse("no now"))?;
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(now));
    let request = webpush::request(&message, &credentials, now)?;
    let headers: Vec<_> = request
        .all_headers()
        .map(|header| (header.name, header.value))
        .collect();
    Ok(json!({
        "url": request.url(),
        "headers": headers,
        "body": URL_SAFE_NO_PAD.encode(request.body.as_bytes()),
    }))
}

fn text<'a>(ask: &'a Value, name: &str) -> Result<&'a str, Error> {
    ask.get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| misuse(format!("no text called {name}")))
}

fn bytes(ask: &Value, name: &str) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD
        .decode(text(ask, name)?)
        .map_err(|_| misuse(format!("{name} is not base64url")))
}

fn misuse(context: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Misuse, context)
}

//! The Rust of README, word for word: a test compares the two.
//!
//! `cargo run -p pushcore-client --example readme -- DEVICE_TOKEN`, beside a key file.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let token = std::env::args().nth(1).ok_or("usage: readme DEVICE_TOKEN")?;
    send(&token)
}

fn send(token: &str) -> Result<(), Box<dyn Error>> {
    // README begins.
    use pushcore::apns::{self, Alert, Aps, DeviceToken, KeyId, Message, PushType, TeamId, Topic};
    use pushcore::crypto::Es256Key;
    use pushcore_client::{Client, ClientConfig};

    let key = Es256Key::read(&std::fs::read("AuthKey_ABC123DEFG.p8")?)?;
    let credentials =
        apns::Credentials::token(KeyId::parse("ABC123DEFG")?, TeamId::parse("DEF123GHIJ")?, key);
    let service = apns::Service::new(credentials, apns::Environment::Production);
    let client = Client::new(service, ClientConfig::new())?;

    let message = Message::builder(PushType::Alert)
        .topic(Topic::parse("com.example.app")?)
        .payload(Aps::new().alert(Alert::new().title("Hello").body("world")))
        .device(DeviceToken::parse(token)?)
        .build()?;
    println!("{}", client.send(&message)?.advice());
    // README ends.
    Ok(())
}

//! Many push services on one machine, for tests with many hosts.

use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::webpush::{self, EndpointPolicy};

/// Returns a policy that trusts `count` hosts, to which [`host`] gives their names.
pub fn policy(count: usize, port: u16) -> EndpointPolicy {
    (0..count).fold(EndpointPolicy::default(), |policy, number| {
        policy.trust(Authority::parse(&host(number, port)).expect("an authority"))
    })
}

/// Returns the name of host `number` of this machine, with the port.
pub fn host(number: usize, port: u16) -> String {
    format!("127.1.{}.{}:{port}", number / 250, 1 + number % 250)
}

/// Returns Web Push with a key made on the spot.
pub fn service(policy: EndpointPolicy) -> webpush::Service {
    let key = Es256Key::generate().expect("a key");
    let credentials = webpush::Credentials::new(key, "mailto:ops@example.org").expect("credentials");
    webpush::Service::new(credentials, policy)
}

/// Returns message `number`, to a subscription at `host`.
pub fn message(policy: &EndpointPolicy, host: &str, number: usize) -> webpush::Message {
    let endpoint = format!("https://{host}/p/{number:064x}");
    let subscription = webpush::Subscription::without_keys(&endpoint, policy).expect("a subscription");
    webpush::Message::builder(subscription)
        .build()
        .expect("a message")
}

//! Receipts as RFC 8030 §6.3 has them: our request, sent with another HTTP/2 client (the `h2` crate), which takes what
//! the server pushes. Connections of this crate take none, so that is how they are used.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::time::Duration;

use pushcore::crypto::Es256Key;
use pushcore::http::Response;
use pushcore::webpush::{self, Credentials, EndpointPolicy, Receipt, Subscription};
use pushcore::{Now, Outcome, UnixTime};

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));

/// Answers nothing, and pushes two receipts.
async fn push_service(io: tokio::io::DuplexStream) {
    let mut connection = h2::server::handshake(io).await.unwrap();
    let (request, mut respond) = connection.accept().await.unwrap().unwrap();
    assert_eq!(
        (request.method().as_str(), request.uri().path()),
        ("GET", "/receipt-subscription/3ZtI")
    );
    assert!(request.headers().contains_key("authorization") && !request.headers().contains_key("prefer"));
    for (path, status) in [("/message/one", 204), ("/message/two", 410)] {
        let uri = format!("https://push.example.net{path}");
        let promised = http::Request::get(uri).body(()).unwrap();
        let receipt = http::Response::builder().status(status).body(()).unwrap();
        let mut pushed = respond.push_request(promised).unwrap();
        pushed.send_response(receipt, true).unwrap();
    }
    // The request stays open for as long as the client likes.
    while connection.accept().await.is_some() {}
    drop(respond);
}

#[tokio::test]
async fn receipts_are_pushed_to_a_client_that_takes_them() {
    let policy = EndpointPolicy::default().allow_host("push.example.net");
    let subscription = Subscription::without_keys("https://push.example.net/push/x", &policy).unwrap();
    let credentials = Credentials::new(Es256Key::generate().unwrap(), "mailto:push@example.com").unwrap();
    // What the service said about the two messages.
    let locations = ["/message/one", "/message/two"].map(|location| {
        let link = "</receipt-subscription/3ZtI>; rel=\"urn:ietf:params:push:receipt\"";
        let answer = Response::new(202, "")
            .with_header("location", location)
            .with_header("link", link);
        let Outcome::Accepted(accepted) = webpush::outcome_for(&answer, &subscription, NOW) else {
            panic!("not accepted")
        };
        assert_eq!(accepted.receipt(), Some("/receipt-subscription/3ZtI"));
        subscription
            .endpoint()
            .join(accepted.location().unwrap())
            .unwrap()
    });
    let request = webpush::receipts(
        "/receipt-subscription/3ZtI",
        None,
        &subscription,
        &policy,
        &credentials,
        NOW,
    )
    .unwrap();

    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = tokio::spawn(push_service(theirs));
    let (sender, connection) = h2::client::handshake(ours).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut get = http::Request::builder()
        .method(request.method.as_str())
        .uri(request.url());
    for header in request.all_headers() {
        get = get.header(header.name, header.value);
    }
    let mut sender = sender.ready().await.unwrap();
    let (mut open, _) = sender.send_request(get.body(()).unwrap(), true).unwrap();
    let mut promises = open.push_promises();
    let mut receipts = Vec::new();
    for location in &locations {
        let (promised, response) = promises.push_promise().await.unwrap().unwrap().into_parts();
        assert_eq!(promised.uri().path(), location.path());
        let status = response.await.unwrap().status().as_u16();
        receipts.push(Receipt::read(&Response::new(status, "")));
    }
    assert_eq!(receipts, [Some(Receipt::Delivered), Some(Receipt::Expired)]);
    drop((promises, open, sender));
    connection.abort();
    server.abort();
}

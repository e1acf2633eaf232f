use super::*;
use crate::UnixTime;
use crate::crypto::Es256Key;
use crate::error::ErrorKind::EndpointNotAllowed;

const MOZILLA: &str = "https://updates.push.services.mozilla.com/wpush/v2/x";

fn subscription() -> Subscription {
    Subscription::without_keys(MOZILLA, &EndpointPolicy::default()).unwrap()
}

fn credentials() -> Credentials {
    Credentials::new(Es256Key::generate().unwrap(), "mailto:push@example.com").unwrap()
}

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000))
}

#[test]
fn taking_a_message_back() {
    let (subscription, credentials) = (subscription(), credentials());
    let policy = EndpointPolicy::default();
    let delete = |location: &str| super::delete(location, &subscription, &policy, &credentials, now());
    for location in ["https://updates.push.services.mozilla.com/m/gAAAA", "/m/gAAAA"] {
        let request = delete(location).unwrap();
        assert_eq!(request.method, Method::Delete);
        assert_eq!(request.url(), "https://updates.push.services.mozilla.com/m/gAAAA");
        assert!(request.body.is_empty() && request.header("authorization").is_some());
    }
    for location in [
        "https://169.254.169.254/latest",
        "https://evil.example.com/m/x",
        "http://updates.push.services.mozilla.com/m/x",
        "//evil.example.com/m/x",
    ] {
        assert_eq!(
            delete(location).unwrap_err().kind(),
            EndpointNotAllowed,
            "{location}"
        );
    }
    assert!(delete("m/x").is_err() && delete("").is_err() && delete("/m/a b").is_err());
    // Another origin that the policy knows gets a token of its own.
    let request = delete("https://fcm.googleapis.com/m/x").unwrap();
    let own = credentials
        .authorization(&request.authority.clone().unwrap(), now())
        .unwrap();
    assert_eq!(request.authorization.unwrap().id(), own.id());
}

#[test]
fn receipts_are_asked_for_where_the_service_says() {
    let (subscription, credentials) = (subscription(), credentials());
    let policy = EndpointPolicy::default();
    let get = |receipt: &str, wait| receipts(receipt, wait, &subscription, &policy, &credentials, now());
    for receipt in [
        "/receipt-subscription/3ZtI",
        "https://updates.push.services.mozilla.com/receipt-subscription/3ZtI",
    ] {
        let request = get(receipt, None).unwrap();
        assert_eq!(request.method, Method::Get);
        assert_eq!(
            request.url(),
            "https://updates.push.services.mozilla.com/receipt-subscription/3ZtI"
        );
        assert!(request.body.is_empty() && request.header("authorization").is_some());
        assert_eq!(request.header("prefer"), None, "open until something is pushed");
    }
    let request = get("/r", Some(Duration::ZERO)).unwrap();
    assert_eq!(request.header("prefer"), Some("wait=0"));
    let error = get("https://10.0.0.1/r", None).unwrap_err();
    assert_eq!(error.kind(), EndpointNotAllowed);
}

#[test]
fn a_receipt_is_204_or_410() {
    let read = |status| Receipt::read(&Response::new(status, ""));
    assert_eq!(read(204), Some(Receipt::Delivered));
    assert_eq!(read(410), Some(Receipt::Expired));
    assert_eq!(read(200).or(read(404)).or(read(500)), None);
}

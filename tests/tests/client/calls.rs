//! Requests that are not messages to a device: channels, broadcasts, topics, withdrawals.

use std::sync::Arc;

use pushcore::apns::{
    self, Aps, BundleId, ChannelCall, ChannelOutcome, LiveActivity, Payload, StoragePolicy,
};
use pushcore::crypto::Es256Key;
use pushcore::http::{Authority, Request};
use pushcore::{ErrorKind, Outcome, UnixTime, fcm, webpush};
use pushcore_client::Client;
use serde_json::json;

use crate::world::World;

fn hosts(world: &World) -> apns::Hosts {
    apns::Environment::Sandbox
        .hosts()
        .with_device(world.authority("/apns/authority"))
        .with_broadcast(world.authority("/apns/broadcast"))
        .with_management(world.authority("/apns/management"))
}

#[test]
fn apns_channels_from_creation_to_deletion() {
    let world = World::new();
    let hosts = hosts(&world);
    let client = Client::new(
        pushcore::apns::Service::new(world.apns_credentials(), hosts.clone()),
        world.config(),
    )
    .expect("a client");
    let bundle = BundleId::parse(&world.text("/apns/topic")).expect("a bundle id");
    let call = |call: ChannelCall| {
        let call = apns::ManageChannel::new(bundle.clone(), call);
        client.call(&call).expect("an answer")
    };
    let ChannelOutcome::Created(Some(channel)) = call(ChannelCall::Create(StoragePolicy::NoStorage)) else {
        panic!("not created")
    };
    assert_eq!(
        call(ChannelCall::List),
        ChannelOutcome::Listed(vec![channel.clone()])
    );
    assert_eq!(
        call(ChannelCall::Read(channel.clone())),
        ChannelOutcome::Read(Some(StoragePolicy::NoStorage))
    );

    let update = LiveActivity::update(UnixTime::from_secs(1_800_000_000), json!({"score": 1}));
    let broadcast = apns::Broadcast::builder(bundle.clone(), channel.clone(), StoragePolicy::NoStorage)
        .payload(Payload::from(Aps::new().live_activity(update)))
        .build()
        .expect("a broadcast");
    let outcome = client.send(&broadcast).expect("an answer");
    assert!(outcome.is_accepted(), "{outcome:?}");

    assert_eq!(
        call(ChannelCall::Delete(channel.clone())),
        ChannelOutcome::Deleted
    );
    // Nobody's token is gone because a channel is.
    let refused = client.send(&broadcast).expect("an answer");
    assert!(matches!(refused, Outcome::Rejected(_)), "{refused:?}");
    let stats = client.stats();
    assert_eq!(
        (stats.submitted, stats.answered, stats.accepted, stats.rejected),
        (6, 4, 1, 1)
    );
    assert!(stats.is_balanced());
}

/// A request without authorization gets the session's.
#[test]
fn the_session_signs_what_is_not_signed() {
    let world = World::new();
    let hosts = hosts(&world);
    let client = Client::new(
        pushcore::apns::Service::new(world.apns_credentials(), hosts.clone()),
        world.config(),
    )
    .expect("a client");
    let bundle = BundleId::parse(&world.text("/apns/topic")).expect("a bundle id");
    let mut request = Request::new();
    request.method = pushcore::http::Method::Get;
    request.authority = Some(hosts.management().clone());
    request.path = format!("/1/apps/{}/all-channels", bundle.as_str());
    let response = client.exchange(&request).expect("an answer");
    assert_eq!(response.status, 200);
}

#[test]
fn credentials_do_not_go_to_other_hosts() {
    let world = World::new();
    let client = world.apns(|_| {});
    let mut request = Request::new();
    request.authority = Some(Authority::new("127.0.0.1", 9).expect("an authority"));
    request.path = "/".into();
    let error = client.exchange(&request).expect_err("not a host of apns");
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert_eq!(client.stats().submitted, 0);
}

#[test]
fn fcm_topics_wait_for_the_access_token() {
    let world = World::new();
    let credentials = Arc::new(world.fcm_credentials());
    let hosts = world.fcm_hosts();
    let client = Client::new(
        fcm::Service::new(Arc::clone(&credentials), hosts.clone()),
        world.config(),
    )
    .expect("a client");
    let registration = fcm::RegistrationId::new(&world.text("/fcm/tokens/valid")).expect("an id");
    let topic = fcm::Topic::new("news").expect("a topic");
    for _ in 0..2 {
        let subscribe = fcm::topics::Subscribe::new(registration.clone(), topic.clone());
        assert!(client.call(&subscribe).expect("an answer").is_accepted());
    }
    // The token is revoked behind our back: the call is answered all the same.
    world.sandbox.revoke_access_tokens();
    let unsubscribe = fcm::topics::Unsubscribe::new(registration, topic);
    assert!(client.call(&unsubscribe).expect("an answer").is_accepted());
    assert_eq!(world.sandbox.tokens_minted(), 2);
    assert_eq!(client.stats().answered, 3);
}

#[test]
fn a_web_push_message_is_taken_back() {
    let world = World::new();
    let key = Es256Key::read(&world.file("/webpush/vapid/pem_file")).expect("a key");
    let credentials = Arc::new(
        webpush::Credentials::with_any_subject(key, &world.text("/webpush/vapid/subject")).expect("vapid"),
    );
    let policy = Arc::new(webpush::EndpointPolicy::default().trust(world.authority("/webpush/authority")));
    let client = Client::new(
        webpush::Service::new(Arc::clone(&credentials), Arc::clone(&policy)),
        world.config(),
    )
    .expect("a client");
    let json = world
        .ready
        .pointer("/webpush/subscriptions/active")
        .expect("a subscription");
    let subscription = webpush::Subscription::parse(json.to_string().as_bytes(), &policy).expect("valid");
    let message = webpush::Message::builder(subscription.clone())
        .payload("soon gone")
        .build()
        .expect("a message");
    let Ok(Outcome::Accepted(accepted)) = client.send(&message) else {
        panic!("not accepted")
    };
    let location = accepted.location().expect("a location");
    let withdraw = webpush::Withdraw::new(location, subscription);
    let outcome = client.call(&withdraw).expect("an answer");
    assert!(outcome.is_accepted(), "{outcome:?}");

    let mut elsewhere = Request::new();
    elsewhere.authority = Some(Authority::new("127.0.0.1", 443).expect("an authority"));
    elsewhere.path = "/".into();
    let error = client.exchange(&elsewhere).expect_err("a private host");
    assert_eq!(error.kind(), ErrorKind::EndpointNotAllowed);
}

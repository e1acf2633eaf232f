//! Amazon's topics and groups, through the client.

use std::sync::Arc;

use pushcore::adm::{self, Audience, Group, GroupCall, GroupOutcome, RegistrationId, Topic};
use pushcore_client::Client;

use crate::world::World;

#[test]
fn a_group_is_made_and_gets_a_message_as_a_topic_does() {
    let world = World::new();
    let authority = world.authority("/adm/authority");
    let credentials = adm::Credentials::new(&world.text("/adm/client_id"), &world.text("/adm/client_secret"))
        .expect("credentials")
        .with_token_authority(authority.clone());
    let credentials = Arc::new(credentials);
    let client = Client::new(
        pushcore::adm::Service::new(Arc::clone(&credentials), authority.clone()),
        world.config(),
    )
    .expect("a client");
    let id =
        |name: &str| RegistrationId::new(&world.text(&format!("/adm/registrations/{name}"))).expect("an id");
    let group = Group::new("household").expect("a group");
    let members = [id("valid"), id("unregistered")];
    let create = adm::ChangeGroup::new(GroupCall::Create, group.clone(), members.to_vec());
    assert_eq!(
        client.call(&create).expect("an answer"),
        GroupOutcome::Done {
            succeeded: 1,
            failed: vec![members[1].as_str().to_owned()]
        }
    );
    let builder = adm::Message::builder().data("k", "v");
    for audience in [
        Audience::Group(group),
        Audience::Topic(Topic::new("weather").expect("a topic")),
    ] {
        let message = builder.build_for(audience).expect("a message");
        let outcome = client.send(&message).expect("an answer");
        assert!(outcome.is_accepted(), "{outcome:?}");
    }
    assert_eq!(world.sandbox.accepted("adm", "household"), 1);
    assert_eq!(world.sandbox.accepted("adm", "weather"), 1);
    let nobody = Audience::Group(Group::new("nobody").expect("a group"));
    let outcome = client
        .send(&builder.build_for(nobody).expect("a message"))
        .expect("an answer");
    assert_eq!(outcome.name(), "rejected");
    assert_eq!(world.sandbox.adm_tokens_minted(), 1);
}

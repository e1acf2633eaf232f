//! Google identities other than a service account's key, from their files to a push.

use pushcore::fcm;
use pushcore_client::Client;

use crate::world::World;

/// The operations of the log, after one push with the credentials of that file.
fn operations(world: &World, file: &str) -> Vec<String> {
    let project = world.text("/fcm/project_id");
    let credentials = fcm::Credentials::from_file_trusting(
        &world.file(file),
        Some(&project),
        &world.authority("/fcm/authority"),
    )
    .expect("credentials");
    let client =
        Client::new(fcm::Service::new(credentials, world.fcm_hosts()), world.config()).expect("a client");
    for _ in 0..2 {
        let outcome = client.send(&world.fcm_message()).expect("an answer");
        assert!(outcome.is_accepted(), "{outcome:?}");
    }
    let log = world.sandbox.log();
    log.into_iter().map(|record| record.operation).collect()
}

#[test]
fn a_persons_login_sends() {
    let world = World::new();
    let seen = operations(&world, "/fcm/authorized_user_file");
    assert_eq!(seen, ["oauth.token", "push", "push"]);
}

#[test]
fn a_person_sends_as_a_service_account() {
    let world = World::new();
    let seen = operations(&world, "/fcm/impersonated_file");
    assert_eq!(seen, ["oauth.token", "oauth.impersonate", "push", "push"]);
    let asked = &world.sandbox.log()[1];
    assert_eq!(
        asked.body["scope"][0],
        "https://www.googleapis.com/auth/firebase.messaging"
    );
    // A token that ran out takes both steps again.
    world.sandbox.reset();
    world.sandbox.set_token_lifetime(120);
    let seen = operations(&world, "/fcm/impersonated_file");
    assert_eq!(seen.len(), 4);
}

//! Tokens from a metadata server: plain HTTP over a real socket, pushes over TLS as ever.

use std::io::{Read, Write};
use std::net::TcpListener;

use pushcore::http::Authority;
use pushcore::{ErrorKind, fcm};
use pushcore_client::{Client, Proxy};

use crate::world::World;

fn credentials(world: &World) -> fcm::Credentials {
    let project = fcm::ProjectId::new(&world.text("/fcm/project_id")).expect("a project");
    fcm::Credentials::metadata_server(project).with_token_authority(world.authority("/fcm/metadata"))
}

#[test]
fn a_metadata_server_is_asked_over_plain_http() {
    let world = World::new();
    let client = Client::new(
        fcm::Service::new(credentials(&world), world.fcm_hosts()),
        world.config(),
    )
    .expect("a client");
    for _ in 0..3 {
        let outcome = client.send(&world.fcm_message()).expect("an answer");
        assert!(outcome.is_accepted(), "{outcome:?}");
    }
    let log = world.sandbox.log();
    let operations: Vec<&str> = log.iter().map(|record| record.operation.as_str()).collect();
    assert_eq!(operations, ["oauth.token", "push", "push", "push"]);
    // HTTP/1.1 without TLS, with the header that a metadata server insists on; no authorization.
    let asked = &log[0];
    assert_eq!((asked.stream, asked.accepted), (0, true));
    assert_eq!(asked.headers["metadata-flavor"], "Google");
    assert!(asked.headers.get("authorization").is_none());
    assert_eq!(world.sandbox.tokens_minted(), 1);
}

#[test]
fn a_token_that_ran_out_is_asked_for_again() {
    let world = World::new();
    let client = Client::new(
        fcm::Service::new(credentials(&world), world.fcm_hosts()),
        world.config(),
    )
    .expect("a client");
    assert!(
        client
            .send(&world.fcm_message())
            .expect("an answer")
            .is_accepted()
    );
    world.sandbox.revoke_access_tokens();
    assert!(
        client
            .send(&world.fcm_message())
            .expect("an answer")
            .is_accepted()
    );
    assert_eq!(world.sandbox.tokens_minted(), 2);
}

/// A proxy would ask its own machine's metadata server, or hand the token to whoever runs it.
#[test]
fn a_metadata_server_is_never_asked_through_a_proxy() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = format!(
        "http://127.0.0.1:{}",
        listener.local_addr().expect("an address").port()
    );
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a request");
            head.push(byte[0]);
        }
        stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            .expect("an answer");
        String::from_utf8(head).expect("text")
    });
    let mut config = world.config();
    config.proxy = Some(Proxy::parse(&proxy).expect("a proxy"));
    config.session.max_connections = 1;
    let client =
        Client::new(fcm::Service::new(credentials(&world), world.fcm_hosts()), config).expect("a client");
    let error = client
        .send(&world.fcm_message())
        .expect_err("the proxy lets nothing through");
    assert_eq!(error.kind(), ErrorKind::NotSent);
    // The token came directly; what came to the proxy was for the push.
    assert_eq!(world.sandbox.tokens_minted(), 1);
    let first = seen.join().expect("the proxy");
    let wanted = format!("CONNECT {} ", world.authority("/fcm/authority").as_str());
    assert!(first.starts_with(&wanted), "{first}");
}

#[test]
fn what_is_no_metadata_server_is_not_believed() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut ignored = [0; 4096];
            let _ = stream.read(&mut ignored);
            let body = r#"{"access_token":"stolen","expires_in":3600,"token_type":"Bearer"}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all((head + body).as_bytes());
        }
    });
    let project = fcm::ProjectId::new("p").expect("a project");
    let elsewhere = Authority::new("127.0.0.1", port).expect("an authority");
    let credentials = fcm::Credentials::metadata_server(project).with_token_authority(elsewhere);
    let mut config = world.config();
    config.session.deadline = std::time::Duration::from_secs(2);
    let client = Client::new(fcm::Service::new(credentials, world.fcm_hosts()), config).expect("a client");
    let error = client.send(&world.fcm_message()).expect_err("no token");
    assert!(
        matches!(error.kind(), ErrorKind::NotSent | ErrorKind::Expired),
        "{error}"
    );
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn the_metadata_servers_name_must_be_near() {
    let server = Authority::new("metadata.google.internal", 80).expect("an authority");
    let other = Authority::new("fcm.googleapis.com", 443).expect("an authority");
    for (address, near) in [
        ("169.254.169.254", true),
        ("127.0.0.1", true),
        ("10.0.0.1", true),
        ("::1", true),
        ("fd20:ce::254", true),
        ("fe80::1", true),
        ("::ffff:169.254.169.254", true),
        ("8.8.8.8", false),
        ("2001:4860::1", false),
        ("::ffff:8.8.8.8", false),
    ] {
        let address = address.parse().expect("an address");
        let allowed = fcm::allow_metadata_address(&server, address);
        assert_eq!(allowed.is_ok(), near, "{address}");
        if let Err(error) = allowed {
            assert_eq!(error.kind(), ErrorKind::AddressNotAllowed);
        }
        assert!(fcm::allow_metadata_address(&other, address).is_ok());
    }
}

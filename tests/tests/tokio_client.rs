//! The client for tokio where its runtime fails it: nobody waits for ever.

use std::time::Duration;

use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::{ErrorKind, apns};
use pushcore_tests::sim::fixture;
use pushcore_tokio::{Client, ClientConfig};
use tokio::runtime::Builder;

/// A port that takes connections and says nothing.
fn silent() -> (std::net::TcpListener, Authority) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let host = Authority::parse(&format!("127.0.0.1:{port}")).expect("an authority");
    (listener, host)
}

fn client(host: &Authority) -> Result<Client, pushcore::Error> {
    let hosts = apns::Environment::Sandbox.hosts().with_device(host.clone());
    let mut config = ClientConfig::new();
    config.security = Some(Security::Cleartext);
    Client::new(apns::Service::new(fixture::credentials(), hosts), config)
}

#[test]
fn outside_a_runtime_there_is_no_client() {
    let (_listener, host) = silent();
    let error = client(&host).expect_err("no runtime");
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert_eq!(error.context(), "a client is made inside a tokio runtime");
}

/// tokio panics in a task that wants a socket of a runtime without I/O. The task of the client ends, and so does everything
/// that waits for it.
#[test]
fn a_runtime_without_sockets_ends_what_waits() {
    let (_listener, host) = silent();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let client = client(&host).expect("a client");
        let message = fixture::message(5).to(fixture::device(1));
        let error = client.send(&message).await.expect_err("no socket");
        assert_eq!(error.kind(), ErrorKind::NotSent);
        let error = client.send(&message).await.expect_err("no task");
        assert_eq!(error.kind(), ErrorKind::Closed);
        client.close().await;
        assert!(client.stats().is_balanced());
    });
}

/// A send that another runtime waits for ends when the client's own runtime is shut down.
#[test]
fn the_end_of_the_runtime_is_the_end_of_its_messages() {
    let (_listener, host) = silent();
    let first = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let client = first.block_on(async { client(&host).expect("a client") });
    let second = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let message = fixture::message(5).to(fixture::device(1));
    let error = second.block_on(async {
        let send = client.send(&message);
        let end = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            first.shutdown_background();
        };
        let (result, ()) = tokio::join!(send, end);
        result.expect_err("nobody drives it")
    });
    assert_eq!(error.kind(), ErrorKind::NotSent);
}

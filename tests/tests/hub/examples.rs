//! The examples in Rust that send to many services, against the sandbox.

use std::io::Write;

use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use pushcore::notification::Device;
use pushcore::service::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::on_tokio;
use crate::world::{World, hello};

#[path = "../../../client-tokio/examples/axum_push.rs"]
mod axum_push;
#[allow(dead_code, reason = "its main reads the command line")]
#[path = "../../../client/examples/notify_everyone.rs"]
mod notify_everyone;
#[path = "../../../client-tokio/examples/opentelemetry.rs"]
mod opentelemetry_example;

/// The dead leave the table, those whose service is busy are kept for later, and the others stay.
#[test]
fn a_table_is_notified_and_cleaned() {
    let world = World::new();
    let rows: Vec<Device> = (0..40)
        .map(|number| {
            let kind = [Kind::Apns, Kind::Fcm][number as usize % 2];
            world.device(kind, number, number % 10 == 0).1
        })
        .collect();
    let folder = std::env::temp_dir().join(format!("pushcore-notify-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let table = folder.join("devices.jsonl");
    let mut file = std::fs::File::create(&table).expect("a file");
    for device in &rows {
        writeln!(file, "{}", device.to_json()).expect("a line");
    }
    drop(file);
    let hub = world.hub(|builder| builder);
    let counts = notify_everyone::notify_everyone(&hub, hello(), &table).expect("sent");
    assert_eq!(counts, [("delete", 4), ("keep", 36)].into_iter().collect());
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
    let kept: Vec<Device> = read("devices.jsonl")
        .lines()
        .map(|line| Device::from_json(line.as_bytes()).expect("a device"))
        .collect();
    assert_eq!(kept.len(), 36);
    assert!(kept.iter().all(|device| rows.contains(device)));
    assert_eq!(read("devices.jsonl.later"), "");
    std::fs::remove_dir_all(&folder).expect("removed");
}

async fn ask(address: std::net::SocketAddr, line: &str, body: &str) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("a connection");
    let request = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status.expect("a status"), body.expect("a body"))
}

#[tokio::test]
async fn a_web_server_sends_to_its_table() {
    let world = World::new();
    let hub = on_tokio::hub(&world, |builder| builder);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move { axum::serve(listener, axum_push::app(hub)).await });
    for (number, kind) in [
        (0, Kind::Apns),
        (1, Kind::Fcm),
        (2, Kind::WebPush),
        (3, Kind::Fcm),
    ] {
        let (_, device) = world.device(kind, number, number == 3);
        let (status, body) = ask(address, "POST /devices", &device.to_json()).await;
        // The endpoint of the sandbox is allowed by no policy but the test's.
        let expected = if kind == Kind::WebPush { 400 } else { 201 };
        assert_eq!(status, expected, "{body}");
    }
    let notification = r#"{"title": "Sale", "body": "Everything must go"}"#;
    let (status, body) = ask(address, "POST /notify", notification).await;
    assert_eq!((status, body.as_str()), (200, "{\"delete\": 1, \"keep\": 2}\n"));
    // The dead one has left the table.
    let (_, body) = ask(address, "POST /notify", notification).await;
    assert_eq!(body, "{\"keep\": 2}\n");
    let (status, body) = ask(address, "POST /notify", "{\"titel\": 1}").await;
    assert_eq!(status, 400, "{body}");
    let (status, body) = ask(address, "GET /metrics", "").await;
    assert_eq!(status, 200);
    let line =
        r#"pushcore_messages_total{service="fcm",app="",environment="production",outcome="token_gone"} 1"#;
    assert!(body.contains(line) && body.ends_with("# EOF\n"), "{body}");
    server.abort();
}

#[tokio::test]
async fn a_batch_is_a_span_that_links_to_its_messages() {
    let world = World::new();
    let hub = on_tokio::hub(&world, |builder| builder);
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = provider.tracer("test");
    let devices: Vec<_> = [(Kind::Apns, false), (Kind::Fcm, false), (Kind::Fcm, true)]
        .into_iter()
        .enumerate()
        .map(|(number, (kind, dead))| {
            let asked = tracer.start("POST /orders").span_context().clone();
            (asked, world.device(kind, number as u32, dead).1)
        })
        .collect();
    let asked: Vec<_> = devices.iter().map(|(asked, _)| asked.clone()).collect();
    let accepted = opentelemetry_example::notify_traced(&hub, &tracer, hello(), devices).await;
    assert_eq!(accepted, 2);
    let spans = exporter.get_finished_spans().expect("spans");
    let batch = spans
        .iter()
        .find(|span| span.name == "push send")
        .expect("the batch");
    let links: Vec<_> = batch
        .links
        .links
        .iter()
        .map(|link| link.span_context.clone())
        .collect();
    assert_eq!(links, asked);
    assert_eq!(batch.events.events.len(), 3);
    let text = format!("{batch:?}");
    assert!(
        text.contains("token_gone") && !text.contains("device-2:"),
        "{text}"
    );
    hub.close().await;
}

//! A server that answers when a test wants it to, with a client for it.

use std::sync::Arc;
use std::time::Instant;

use pushcore::Error;
use pushcore::http::{Authority, Method, Request, Response};
use pushcore::session::SendOptions;
use pushcore_client::{Client, ClientConfig, Exchange};
use pushcore_tests::sim::certificates::Authority as Ca;
use pushcore_tests::sim::{Act, Answer, Script, Seen, Server, fixture};

use crate::steps::STEP;
use crate::world::LONG;

/// A server that answers a request with its path, but `/hold`, `/hold/...` and messages only when it has
/// got `/release`.
pub(crate) struct Peer {
    pub(crate) server: Server,
    pub(crate) client: Arc<Client>,
    host: Authority,
}

impl Peer {
    pub(crate) fn new(change: impl FnOnce(&mut ClientConfig)) -> Self {
        let ca = Ca::new();
        let server = Server::start(1, Some(ca.server(&["h2"], |_| {})), |_| {
            let respond = |seen: &Seen, _: &mut _| match seen.path() {
                path if path.starts_with("/hold") || path.starts_with("/3/device/") => vec![],
                "/release" => vec![Act::AnswerHeld(Answer::ok().with_body("released"))],
                path => vec![Act::Answer(Answer::ok().with_body(path.to_owned()))],
            };
            Script::new(respond)
        });
        let host = format!("localhost:{}", server.address().port());
        let client = Arc::new(fixture::client(&ca, &host, change));
        let host = Authority::parse(&host).expect("a host");
        Self { server, client, host }
    }

    pub(crate) fn request(&self, path: &str) -> Request {
        let mut request = Request::new();
        request.method = Method::Get;
        request.authority = Some(self.host.clone());
        request.path = path.to_owned();
        request
    }

    pub(crate) fn begin(&self, path: &str) -> Exchange {
        self.try_begin(path, SendOptions::default())
            .expect("an exchange")
            .expect("room")
    }

    pub(crate) fn try_begin(&self, path: &str, options: SendOptions) -> Result<Option<Exchange>, Error> {
        Exchange::new(Arc::clone(&self.client), &self.request(path), options)
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.client.exchange(&self.request(path)).expect("an answer")
    }

    /// Until the server has got so many requests; `moved` moves the bytes.
    pub(crate) fn wait_for(&self, requests: u64, moved: &mut Exchange) {
        let start = Instant::now();
        while self.server.log().requests() < requests {
            assert!(start.elapsed() < LONG);
            assert_eq!(moved.wait(STEP).expect("no end yet"), None);
        }
    }
}

//! The metadata server of a machine in Google's cloud: plain HTTP, no secret but where one stands.

use super::Fcm;
use crate::exchange::{Exchange, Reply};
use crate::record::Record;
use crate::shared::Moment;
use http::Method;
use serde_json::{Value, json};

const ROOT: &str = "/computeMetadata/v1/";

impl Fcm {
    /// The answers that a machine's own service account gets.
    pub(crate) fn metadata(&mut self, exchange: &Exchange, now: Moment) -> (Reply, Record) {
        let mut record = Record::begin("fcm", "metadata", exchange, now);
        let reply = match self.ask(exchange, now, &mut record) {
            Ok(reply) => {
                record.accepted = true;
                reply
            }
            Err((status, rule, text)) => {
                record.rule = Some(rule.to_owned());
                Reply::status(status)
                    .with("content-type", "text/html; charset=UTF-8")
                    .with_body(format!("<title>Error {status}</title>{text}"))
            }
        };
        let reply = reply
            .with("metadata-flavor", "Google")
            .with("server", "Metadata Server for VM");
        record.status = reply.status;
        (reply, record)
    }

    fn ask(
        &mut self,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<Reply, (u16, &'static str, &'static str)> {
        let Some(path) = exchange.path.strip_prefix(ROOT) else {
            return Err((404, "fcm.metadata.path", "Not found"));
        };
        if exchange.method != Method::GET {
            return Err((405, "fcm.metadata.method", "Method not allowed"));
        }
        // What keeps a page in a browser, or a tricked server, from asking.
        if exchange.header("metadata-flavor") != Some("Google") {
            return Err((
                403,
                "fcm.metadata.flavor",
                "Missing Metadata-Flavor:Google header.",
            ));
        }
        if exchange.header("x-forwarded-for").is_some() {
            return Err((403, "fcm.metadata.forwarded", "X-Forwarded-For is not allowed."));
        }
        match path {
            "project/project-id" => Ok(text(&self.project_id)),
            "project/numeric-project-id" => Ok(text(&self.project_number)),
            "instance/service-accounts/default/email" => Ok(text(&self.client_email)),
            "instance/service-accounts/default/token" => {
                "oauth.token".clone_into(&mut record.operation);
                let query = Exchange::form(exchange.query.as_deref().unwrap_or_default());
                let scopes = query.iter().filter(|(name, _)| name == "scopes");
                let mut scopes = scopes.flat_map(|(_, list)| list.split(','));
                if !scopes.all(|scope| super::oauth::SCOPES.contains(&scope)) {
                    return Err((
                        404,
                        "fcm.metadata.scope",
                        "The scope is not one of the account's.",
                    ));
                }
                Ok(Reply::json(200, &self.grant(false, now)))
            }
            _ => Err((404, "fcm.metadata.path", "Not found")),
        }
    }

    /// A fresh access token, in the words of RFC 6749 §5.1.
    pub(super) fn grant(&mut self, iam: bool, now: Moment) -> Value {
        json!({
            "access_token": self.mint(iam, self.token_lifetime, now),
            "expires_in": self.token_lifetime,
            "token_type": "Bearer",
        })
    }
}

fn text(value: &str) -> Reply {
    Reply::status(200)
        .with("content-type", "application/text")
        .with_body(value)
}

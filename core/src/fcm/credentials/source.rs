//! Where access tokens come from, and the requests that fetch them.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::endpoint::Endpoint;
use super::external::SubjectSource;
use crate::crypto::{Rs256Key, jwt};
use crate::error::Error;
use crate::fcm::project::constant;
use crate::http::{HeaderBlock, Headers, Indexing, Method, Request};
use crate::oauth::TokenRequest;
use crate::percent;
use crate::secret::Secret;
use crate::time::Now;

/// The only scope that sending and topic management need.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// The parameters that a token needs to impersonate a service account.
const IAM_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Google's metadata server, on every machine of its cloud.
pub(super) const METADATA_HOST: &str = "metadata.google.internal";
/// The audience of an assertion, whatever host the token endpoint has.
const ASSERTION_AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// The audience of a self-signed token (AIP-4111).
const SELF_SIGNED_AUDIENCE: &str = "https://fcm.googleapis.com/";
/// The life of an assertion, seconds: the longest that is allowed.
pub(super) const ASSERTION_LIFE: u64 = 3600;

pub(super) enum Source {
    ServiceAccount(Box<ServiceAccount>),
    AuthorizedUser(AuthorizedUser),
    External(Box<External>),
    Impersonated(Box<Impersonated>),
    Metadata,
    Host,
}

pub(super) struct ServiceAccount {
    pub(super) email: String,
    /// `None` where an object of firebase-admin for Node names none: Google then tries the account's keys.
    pub(super) key_id: Option<String>,
    pub(super) key: Rs256Key,
    pub(super) endpoint: Endpoint,
}

pub(super) struct AuthorizedUser {
    pub(super) client_id: String,
    pub(super) client_secret: Secret<String>,
    pub(super) refresh_token: Secret<String>,
    pub(super) endpoint: Endpoint,
}

/// Somebody who may act for a service account, and that account.
pub(super) struct Impersonated {
    pub(super) by: Impersonator,
    pub(super) endpoint: Endpoint,
    pub(super) delegates: Vec<String>,
}

/// The `source_credentials` of a file.
pub(super) enum Impersonator {
    ServiceAccount(Box<ServiceAccount>),
    AuthorizedUser(AuthorizedUser),
}

pub(super) struct External {
    pub(super) audience: String,
    pub(super) subject_token_type: String,
    pub(super) sts: Endpoint,
    pub(super) impersonation: Option<Endpoint>,
    pub(super) source: SubjectSource,
}

impl ServiceAccount {
    /// The JWT bearer grant (RFC 7523 §2.1) with an RS256 assertion.
    pub(super) fn request(&self, now: Now) -> Result<TokenRequest, Error> {
        self.request_for(SCOPE, now)
    }

    fn request_for(&self, scope: &str, now: Now) -> Result<TokenRequest, Error> {
        let issued = now.unix.as_secs();
        let claims = json!({
            "iss": self.email,
            "scope": scope,
            "aud": ASSERTION_AUDIENCE,
            "iat": issued,
            "exp": issued.saturating_add(ASSERTION_LIFE),
        });
        let assertion = self.sign(&claims)?;
        form(
            &self.endpoint,
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", &assertion),
            ],
        )
    }

    /// A bearer token made here, without a token endpoint (AIP-4111).
    pub(super) fn self_signed(&self, now: Now) -> Result<String, Error> {
        let issued = now.unix.as_secs();
        self.sign(&json!({
            "iss": self.email,
            "sub": self.email,
            "aud": SELF_SIGNED_AUDIENCE,
            "iat": issued,
            "exp": issued.saturating_add(ASSERTION_LIFE),
        }))
    }

    fn sign(&self, claims: &Value) -> Result<String, Error> {
        let header = match &self.key_id {
            Some(key_id) => json!({ "typ": "JWT", "alg": "RS256", "kid": key_id }),
            None => json!({ "typ": "JWT", "alg": "RS256" }),
        };
        jwt::rs256(&header, claims, &self.key)
    }
}

impl AuthorizedUser {
    /// The refresh token grant (RFC 6749 §6).
    pub(super) fn request(&self) -> Result<TokenRequest, Error> {
        form(
            &self.endpoint,
            &[
                ("grant_type", "refresh_token"),
                ("client_id", &self.client_id),
                ("client_secret", self.client_secret.expose_secret()),
                ("refresh_token", self.refresh_token.expose_secret()),
            ],
        )
    }
}

impl Impersonated {
    /// The first of two steps: a token of the impersonator's own.
    pub(super) fn request(&self, now: Now) -> Result<TokenRequest, Error> {
        match &self.by {
            Impersonator::ServiceAccount(account) => account.request_for(IAM_SCOPE, now),
            // Its scopes were settled when the user agreed.
            Impersonator::AuthorizedUser(user) => user.request(),
        }
    }
}

impl External {
    /// The token exchange (RFC 8693 §2.1) at Google's security token service.
    pub(super) fn exchange(&self, subject: &Secret<String>) -> Result<TokenRequest, Error> {
        let scope = if self.impersonation.is_some() {
            IAM_SCOPE
        } else {
            SCOPE
        };
        form(
            &self.sts,
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("audience", &self.audience),
                ("scope", scope),
                (
                    "requested_token_type",
                    "urn:ietf:params:oauth:token-type:access_token",
                ),
                ("subject_token", subject.expose_secret()),
                ("subject_token_type", &self.subject_token_type),
            ],
        )
    }
}

/// Exchanges a token of one's own for one of a service account (`generateAccessToken`), over the `delegates`
/// where there are any.
pub(super) fn impersonate(
    endpoint: &Endpoint,
    delegates: &[String],
    own: &Secret<String>,
) -> Result<TokenRequest, Error> {
    let mut authorization = Headers::new();
    let value = Zeroizing::new(format!("Bearer {}", own.expose_secret()));
    authorization.push_sensitive("authorization", &value, Indexing::Never)?;
    let mut request = post(endpoint, "application/json")?;
    request.authorization = Some(HeaderBlock::new(authorization));
    let mut body = json!({ "scope": [SCOPE], "lifetime": format!("{ASSERTION_LIFE}s") });
    if !delegates.is_empty() {
        body["delegates"] = json!(delegates);
    }
    request.body = body.to_string().into_bytes().into();
    Ok(TokenRequest::tls(request))
}

/// A GET below the metadata server's `/computeMetadata/v1/`.
pub(super) fn metadata(path: &str) -> Result<TokenRequest, Error> {
    let mut request = Request::new();
    request.method = Method::Get;
    request.authority = Some(constant(METADATA_HOST, 80));
    request.path = format!("/computeMetadata/v1/{path}");
    request
        .headers
        .push("metadata-flavor", "Google", Indexing::Incremental)?;
    Ok(TokenRequest {
        request,
        plaintext: true,
    })
}

/// The metadata server's token of the machine's own service account.
pub(super) fn metadata_token() -> Result<TokenRequest, Error> {
    let mut path = String::from("instance/service-accounts/default/token?scopes=");
    percent::form(&mut path, SCOPE);
    metadata(&path)
}

fn form(endpoint: &Endpoint, fields: &[(&str, &str)]) -> Result<TokenRequest, Error> {
    let mut body = String::new();
    for (name, value) in fields {
        percent::pair(&mut body, name, value);
    }
    let mut request = post(endpoint, "application/x-www-form-urlencoded")?;
    request.body = body.into_bytes().into();
    Ok(TokenRequest::tls(request))
}

fn post(endpoint: &Endpoint, content_type: &str) -> Result<Request, Error> {
    let mut request = Request::new();
    request.authority = Some(endpoint.authority.clone());
    request.path.push_str(&endpoint.path);
    request
        .headers
        .push("content-type", content_type, Indexing::Incremental)?;
    request
        .headers
        .push("accept", "application/json", Indexing::Incremental)?;
    Ok(request)
}

//! A service with its credentials.

use std::sync::Arc;

use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
#[cfg(feature = "whole")]
use pushcore::net::tls::ClientIdentity;
use pushcore::oauth::TokenProgress;
use pushcore::service::{self, Authorized, Target};
use pushcore::webpush::EndpointPolicy as CorePolicy;
use pushcore::{Error, ErrorKind, adm, apns, baidu, fcm, webpush};

use crate::error::PushError;
use crate::message::{Message, ServiceKind};
use crate::options::{EndpointPolicy, Environment};
use crate::outcome::Outcome;
use crate::request::{Request, Response};
use crate::values::{Seconds, Time};

/// A service with its credentials and hosts. Everyone who shares it shares its tokens.
#[derive(uniffi::Object)]
pub struct Service {
    pub(crate) service: service::Service,
    /// The certificate that connections present, where the credentials are one.
    #[cfg(feature = "whole")]
    pub(crate) identity: Option<ClientIdentity>,
    policy: CorePolicy,
}

impl Service {
    fn made(service: impl Into<service::Service>) -> Arc<Self> {
        Arc::new(Self {
            service: service.into(),
            #[cfg(feature = "whole")]
            identity: None,
            policy: CorePolicy::default(),
        })
    }

    /// The endpoints that messages may go to.
    pub(crate) fn policy(&self) -> &CorePolicy {
        &self.policy
    }

    fn apns(&self) -> Result<&apns::Service, Error> {
        match &self.service {
            service::Service::Apns(apns) => Ok(apns),
            _ => Err(another("apns")),
        }
    }
}

fn another(name: &str) -> Error {
    Error::new(ErrorKind::Misuse, format!("this is no service of {name}"))
}

fn authority(host: Option<&str>, default: fn() -> Authority) -> Result<Authority, Error> {
    host.map_or_else(|| Ok(default()), Authority::parse)
}

#[uniffi::export]
impl Service {
    /// Returns APNs with a signing key: what the `.p8` file holds. `topics` are the bundle ids that a topic-scoped key is
    /// for; `host` (`host:port`) stands for all of Apple's hosts, in tests.
    #[uniffi::constructor(default(environment = None, host = None, topics = []))]
    pub fn apns_key(
        key: Vec<u8>,
        key_id: String,
        team_id: String,
        environment: Option<Environment>,
        host: Option<String>,
        topics: Vec<String>,
    ) -> Result<Arc<Self>, PushError> {
        let hosts = environment
            .unwrap_or(Environment::Production)
            .hosts(host.as_deref())?;
        let (key_id, team_id) = (apns::KeyId::parse(&key_id)?, apns::TeamId::parse(&team_id)?);
        let key = Es256Key::read(&key)?;
        let scope = match topics.as_slice() {
            [] => apns::KeyScope::Team,
            topics => {
                let topics = topics.iter().map(|topic| apns::BundleId::parse(topic));
                apns::KeyScope::Topics(topics.collect::<Result<_, _>>()?)
            }
        };
        let policy = apns::HeaderPolicy::default();
        let credentials = apns::Credentials::token_with(key_id, team_id, key, scope, policy);
        Ok(Self::made(apns::Service::new(credentials, hosts)))
    }

    /// Returns APNs without a key: provider tokens that a server makes are handed in with `importToken`.
    #[uniffi::constructor(default(environment = None, host = None))]
    pub fn apns_provider_tokens(
        key_id: String,
        team_id: String,
        environment: Option<Environment>,
        host: Option<String>,
    ) -> Result<Arc<Self>, PushError> {
        let hosts = environment
            .unwrap_or(Environment::Production)
            .hosts(host.as_deref())?;
        let (key_id, team_id) = (apns::KeyId::parse(&key_id)?, apns::TeamId::parse(&team_id)?);
        Ok(Self::made(apns::Service::new(
            apns::Credentials::imported(key_id, team_id),
            hosts,
        )))
    }

    /// Returns FCM with any credential file of Google's, usually a service account's. `project` wins over the file's own;
    /// `host` and `token_host` (`host:port`) stand for Google's hosts, in tests.
    #[uniffi::constructor(default(project = None, host = None, token_host = None))]
    pub fn fcm_file(
        file: Vec<u8>,
        project: Option<String>,
        host: Option<String>,
        token_host: Option<String>,
    ) -> Result<Arc<Self>, PushError> {
        let project = project.as_deref();
        let credentials = match token_host {
            None => fcm::Credentials::from_file(&file, project)?,
            Some(host) => {
                let host = Authority::parse(&host)?;
                fcm::Credentials::from_file_trusting(&file, project, &host)?.with_token_authority(host)
            }
        };
        Ok(Self::made(fcm::Service::new(
            credentials,
            fcm_hosts(host.as_deref())?,
        )))
    }

    /// Returns FCM without a key: access tokens that a server mints are handed in with `supplyToken`.
    #[uniffi::constructor(default(host = None))]
    pub fn fcm_access_tokens(project: String, host: Option<String>) -> Result<Arc<Self>, PushError> {
        let credentials = fcm::Credentials::host_tokens(fcm::ProjectId::new(&project)?);
        Ok(Self::made(fcm::Service::new(
            credentials,
            fcm_hosts(host.as_deref())?,
        )))
    }

    /// Returns Web Push with a VAPID key and the sender's contact, a `mailto:` or `https:` URL.
    #[uniffi::constructor(default(policy = None))]
    pub fn web_push_key(
        key: Vec<u8>,
        subject: String,
        policy: Option<EndpointPolicy>,
    ) -> Result<Arc<Self>, PushError> {
        let policy = policy.unwrap_or_default().read()?;
        let credentials = webpush::Credentials::new(Es256Key::read(&key)?, &subject)?;
        Ok(Arc::new(Self {
            service: webpush::Service::new(credentials, policy.clone()).into(),
            #[cfg(feature = "whole")]
            identity: None,
            policy,
        }))
    }

    /// Returns Amazon Device Messaging with a security profile.
    #[uniffi::constructor(default(host = None, token_host = None))]
    pub fn adm_profile(
        client_id: String,
        client_secret: String,
        host: Option<String>,
        token_host: Option<String>,
    ) -> Result<Arc<Self>, PushError> {
        let mut credentials = adm::Credentials::new(&client_id, &client_secret)?;
        if let Some(host) = token_host {
            credentials = credentials.with_token_authority(Authority::parse(&host)?);
        }
        let host = authority(host.as_deref(), adm::default_authority)?;
        Ok(Self::made(adm::Service::new(credentials, host)))
    }

    /// Returns Baidu Cloud Push with an application's keys.
    #[uniffi::constructor(default(host = None))]
    pub fn baidu_keys(
        api_key: String,
        secret_key: String,
        host: Option<String>,
    ) -> Result<Arc<Self>, PushError> {
        let credentials = baidu::Credentials::new(&api_key, &secret_key)?;
        let host = authority(host.as_deref(), baidu::default_authority)?;
        Ok(Self::made(baidu::Service::new(credentials, host)))
    }

    /// Returns the service's name.
    pub fn kind(&self) -> ServiceKind {
        self.service.kind().into()
    }

    /// Returns the request that sends `message`, complete with its authorization. `at` is for tests; nil is now.
    #[uniffi::method(default(at = None))]
    pub fn request(&self, message: Message, at: Option<Time>) -> Result<Request, PushError> {
        let now = Time::now(at)?;
        let request = self.service.request(&message.read(&self.policy)?, now)?;
        Ok(Request::from(&request))
    }

    /// Returns the requests that send one template to many targets, in their order. The template is encoded once.
    #[uniffi::method(default(at = None))]
    pub fn requests(
        &self,
        template: Message,
        targets: Vec<String>,
        at: Option<Time>,
    ) -> Result<Vec<Request>, PushError> {
        let (now, template) = (Time::now(at)?, template.template()?);
        let request = |target: &String| {
            let target = Target::parse_under(self.service.kind(), target, &self.policy)?;
            self.service
                .request(&template.to(&target)?, now)
                .map(|request| Request::from(&request))
        };
        Ok(targets.iter().map(request).collect::<Result<_, Error>>()?)
    }

    /// Reads the answer to `message`. An error is about the message; every answer has an outcome.
    #[uniffi::method(default(at = None))]
    pub fn outcome(
        &self,
        message: Message,
        response: Response,
        at: Option<Time>,
    ) -> Result<Outcome, PushError> {
        let (now, message) = (Time::now(at)?, message.read(&self.policy)?);
        Ok(Outcome::from(&self.service.outcome(
            &message,
            &response.into(),
            now,
        )))
    }

    /// Returns whether requests can be authorized now, and the request to send first where an access token is wanted.
    /// Only one of all callers is given the request: it must end it with `acceptToken` or `tokenFailed`.
    #[uniffi::method(default(at = None))]
    pub fn authorization(&self, at: Option<Time>) -> Result<Authorization, PushError> {
        let now = Time::now(at)?;
        let request = |request: &pushcore::oauth::TokenRequest| Request {
            url: request.url(),
            ..Request::from(&request.request)
        };
        Ok(match self.service.authorization(now)? {
            Authorized::Ready { renew } => Authorization::Ready {
                renew: renew.as_ref().map(request),
            },
            Authorized::Fetch(fetch) => Authorization::Fetch {
                request: request(&fetch),
            },
            Authorized::Wait { until } => Authorization::Wait {
                longest: until.map(|until| until.saturating_sub(now.monotonic).into()),
            },
            _ => Authorization::Wait { longest: None },
        })
    }

    /// Takes the token endpoint's answer. Returns false where another request is due.
    #[uniffi::method(default(at = None))]
    pub fn accept_token(&self, response: Response, at: Option<Time>) -> Result<bool, PushError> {
        let now = Time::now(at)?;
        Ok(self.service.accept_token(&response.into(), now)? == TokenProgress::Done)
    }

    /// Takes note that the request for an access token got no answer.
    #[uniffi::method(default(at = None))]
    pub fn token_failed(&self, at: Option<Time>) -> Result<(), PushError> {
        self.service.token_failed(Time::now(at)?);
        Ok(())
    }

    /// Takes an access token that a server minted (FCM).
    #[uniffi::method(default(at = None))]
    pub fn supply_token(&self, token: String, lifetime: Seconds, at: Option<Time>) -> Result<(), PushError> {
        let now = Time::now(at)?;
        match &self.service {
            service::Service::Fcm(fcm) => {
                Ok(fcm
                    .credentials()
                    .supply_token(&token, lifetime.duration()?, now)?)
            }
            _ => Err(another("fcm").into()),
        }
    }

    /// Takes a provider token that a server made (APNs). Returns whether it is newer than the present one.
    #[uniffi::method(default(at = None))]
    pub fn import_token(&self, token: String, at: Option<Time>) -> Result<bool, PushError> {
        Ok(self.apns()?.credentials().import_token(&token, Time::now(at)?)?)
    }

    /// Returns the provider token of now, a JWT (APNs).
    #[uniffi::method(default(at = None))]
    pub fn provider_token(&self, at: Option<Time>) -> Result<String, PushError> {
        let token = self.apns()?.credentials().provider_token(Time::now(at)?)?;
        Ok(token.expose_secret().clone())
    }

    /// Returns the VAPID key that JavaScript takes as `applicationServerKey` (Web Push).
    pub fn public_key(&self) -> Result<String, PushError> {
        match &self.service {
            service::Service::WebPush(web_push) => Ok(web_push.credentials().public_key().to_base64()),
            _ => Err(another("web push").into()),
        }
    }
}

#[cfg(feature = "whole")]
#[uniffi::export]
impl Service {
    /// Returns APNs with a client certificate in PEM; `key` where it is not in the same file.
    #[uniffi::constructor(default(key = None, environment = None, host = None))]
    pub fn apns_certificate(
        certificate: Vec<u8>,
        key: Option<Vec<u8>>,
        environment: Option<Environment>,
        host: Option<String>,
    ) -> Result<Arc<Self>, PushError> {
        let hosts = environment
            .unwrap_or(Environment::Production)
            .hosts(host.as_deref())?;
        let key = key.as_ref().unwrap_or(&certificate);
        let identity = ClientIdentity::from_pem(&certificate, key)?;
        let credentials =
            apns::Credentials::certificate(apns::ClientCertificate::from_pem(&certificate, key)?);
        Ok(Arc::new(Self {
            service: apns::Service::new(credentials, hosts).into(),
            identity: Some(identity),
            policy: CorePolicy::default(),
        }))
    }

    /// Returns APNs with a client certificate in PKCS#12, a `.p12` file; an empty password where the file has none.
    #[uniffi::constructor(default(environment = None, host = None))]
    pub fn apns_pkcs12(
        file: Vec<u8>,
        password: String,
        environment: Option<Environment>,
        host: Option<String>,
    ) -> Result<Arc<Self>, PushError> {
        let hosts = environment
            .unwrap_or(Environment::Production)
            .hosts(host.as_deref())?;
        let identity = ClientIdentity::from_pkcs12(&file, &password)?;
        let chain = identity.chain().map(<[u8]>::to_vec).collect();
        // The connection has the key; nothing here asks the certificate for it.
        let certificate = apns::ClientCertificate::from_der(chain, Vec::new())?;
        Ok(Arc::new(Self {
            service: apns::Service::new(apns::Credentials::certificate(certificate), hosts).into(),
            identity: Some(identity),
            policy: CorePolicy::default(),
        }))
    }
}

fn fcm_hosts(host: Option<&str>) -> Result<fcm::Hosts, Error> {
    match host {
        Some(host) => Ok(fcm::Hosts::all(&Authority::parse(host)?)),
        None => Ok(fcm::Hosts::default()),
    }
}

/// Whether requests can be authorized now.
#[derive(Clone, PartialEq, uniffi::Enum)]
pub enum Authorization {
    /// Requests can be made.
    Ready {
        /// The request for the next access token, to be sent meanwhile; nil where nothing is due.
        renew: Option<Request>,
    },
    /// An access token has to be fetched first.
    Fetch {
        /// The request to send.
        request: Request,
    },
    /// There is no access token, and nothing to send.
    Wait {
        /// When to ask again at the latest; nil where the host brings the tokens.
        longest: Option<Seconds>,
    },
}

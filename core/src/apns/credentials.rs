//! Who is pushing: a signing key, a provider token made elsewhere, or a client certificate.

use std::fmt;
use std::sync::Arc;

use super::certificate::ClientCertificate;
use super::header_policy::HeaderPolicy;
use super::ids::{BundleId, KeyId, TeamId};
use super::message::Message;
use super::provider_token;
use crate::crypto::Es256Key;
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Response};
use crate::outcome::{Outcome, Reason};
use crate::secret::Secret;
use crate::time::Now;

/// The identity of the sender. Clones share one provider token.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

enum Inner {
    Token {
        authority: Box<provider_token::Authority>,
        scope: KeyScope,
    },
    #[cfg_attr(not(feature = "certificate"), allow(dead_code))]
    Certificate(ClientCertificate),
}

/// The apps that a key may sign for. APNs does not let keys of different scopes share a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyScope {
    /// All apps of the team.
    #[default]
    Team,
    /// These apps only; checked before a push is sent.
    Topics(Vec<BundleId>),
}

/// The consequence of an answer for the credentials: see [`Credentials::react`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reaction {
    /// Nothing changes: go on with the same token.
    Keep,
    /// The next authorization carries a new token. Use it on a *new* connection:
    /// one that has seen an expired token stays spoiled. What was refused was
    /// not processed and can be sent again, once.
    Renewed,
    /// Refused, and no new token would help: stop using these credentials until a person has looked.
    Stop,
}

impl Credentials {
    /// A signing key (`.p8`) with its id and its team's, for all apps of the team.
    pub fn token(key_id: KeyId, team_id: TeamId, key: Es256Key) -> Self {
        Self::token_with(key_id, team_id, key, KeyScope::Team, HeaderPolicy::default())
    }

    /// Returns credentials with a scope and one of Apple's two rules for header compression.
    pub fn token_with(
        key_id: KeyId,
        team_id: TeamId,
        key: Es256Key,
        scope: KeyScope,
        policy: HeaderPolicy,
    ) -> Self {
        Self(Arc::new(Inner::Token {
            authority: Box::new(provider_token::Authority::new(key_id, team_id, Some(key), policy)),
            scope,
        }))
    }

    /// No key here: provider tokens come from elsewhere, through [`Credentials::import_token`].
    pub fn imported(key_id: KeyId, team_id: TeamId) -> Self {
        Self::imported_with(key_id, team_id, KeyScope::Team, HeaderPolicy::default())
    }

    /// Returns credentials with a scope and one of Apple's two rules for header compression.
    pub fn imported_with(key_id: KeyId, team_id: TeamId, scope: KeyScope, policy: HeaderPolicy) -> Self {
        Self(Arc::new(Inner::Token {
            authority: Box::new(provider_token::Authority::new(key_id, team_id, None, policy)),
            scope,
        }))
    }

    /// A client certificate; the connection presents it, requests carry no authorization.
    #[cfg(feature = "certificate")]
    pub fn certificate(certificate: ClientCertificate) -> Self {
        Self(Arc::new(Inner::Certificate(certificate)))
    }

    /// The client certificate that the connection has to present.
    #[cfg(feature = "certificate")]
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        match &*self.0 {
            Inner::Certificate(certificate) => Some(certificate),
            Inner::Token { .. } => None,
        }
    }

    /// Returns whether the connection has to present a client certificate.
    pub(crate) fn needs_certificate(&self) -> bool {
        matches!(&*self.0, Inner::Certificate(_))
    }

    /// The `authorization` header of now; `None` with a certificate. Makes a
    /// provider token when there is none or the present one is 50 minutes old.
    ///
    /// # Errors
    /// `TokenNeeded` when the present token is older than an hour and there is no
    /// key here, or the service asked for no new one yet; `Internal` without randomness.
    pub fn authorization(&self, now: Now) -> Result<Option<Arc<HeaderBlock>>, Error> {
        match &*self.0 {
            Inner::Token { authority, .. } => authority.header(now).map(Some),
            Inner::Certificate(_) => Ok(None),
        }
    }

    /// The provider token of now, to be imported by another process of the same key.
    ///
    /// # Errors
    /// As [`Credentials::authorization`]; `Misuse` with a certificate.
    pub fn provider_token(&self, now: Now) -> Result<Secret<String>, Error> {
        self.authority()?.token(now)
    }

    /// Takes over a provider token that another process made, if it is newer
    /// than the present one. It then counts as the last one made.
    ///
    /// # Errors
    /// `InvalidCredential` when it is not an ES256 token of this key and team, or
    /// older than an hour; `Misuse` with a certificate.
    pub fn import_token(&self, token: &str, now: Now) -> Result<bool, Error> {
        self.authority()?.import(token.trim(), now)
    }

    /// Learns the service's clock from the answer's `date`, so that tokens are
    /// dated by it. Differences up to a minute are ignored, those above a day not believed.
    pub fn observe_date(&self, response: &Response, now: Now) {
        if let (Inner::Token { authority, .. }, Some(date)) = (&*self.0, response.header("date")) {
            authority.observe_date(date, now);
        }
    }

    /// Tells the credentials what the service answered; call [`Credentials::observe_date`] first.
    ///
    /// * `ExpiredProviderToken`: [`Reaction::Renewed`] when the token in use is at
    ///   least 20 minutes old; a younger one is not the one that expired, and is kept.
    ///   One dated by a wrong clock counts as old, once `date` has told: so also
    ///   for `InvalidProviderToken`, which otherwise is [`Reaction::Stop`].
    /// * `TooManyProviderTokenUpdates`: the present token is kept, and none is made for 20 minutes.
    /// * Any other refusal of the credentials: [`Reaction::Stop`].
    pub fn react(&self, outcome: &Outcome, now: Now) -> Reaction {
        let reason = outcome.reason().map(Reason::as_str);
        match (&*self.0, outcome, reason) {
            (Inner::Token { authority, .. }, _, Some("ExpiredProviderToken")) => {
                match authority.expired(now) {
                    true => Reaction::Renewed,
                    false => Reaction::Keep,
                }
            }
            // Perhaps only because it was dated by a wrong clock.
            (Inner::Token { authority, .. }, _, Some("InvalidProviderToken")) => {
                match authority.renews(now) {
                    true => Reaction::Renewed,
                    false => Reaction::Stop,
                }
            }
            (Inner::Token { authority, .. }, _, Some("TooManyProviderTokenUpdates")) => {
                authority.hold_on(now);
                Reaction::Keep
            }
            // One app of many, or one action: the others may go on.
            (_, _, Some("TopicDisallowed" | "TopicMismatch" | "Forbidden" | "FeatureNotEnabled")) => {
                Reaction::Keep
            }
            (_, Outcome::FixCredentials(_), _) => Reaction::Stop,
            _ => Reaction::Keep,
        }
    }

    /// Whether these credentials can send that message at all.
    ///
    /// # Errors
    /// `InvalidTopic` when the topic is missing (`MissingTopic`) or not one of the key's
    /// or certificate's (`TopicDisallowed`); `InvalidCredential` for a push type that needs a token key.
    pub fn permits(&self, message: &Message) -> Result<(), Error> {
        let kind = message.push_type();
        match (&*self.0, message.topic()) {
            (Inner::Certificate(_), _) if kind.needs_token_key() => Err(Error::new(
                ErrorKind::InvalidCredential,
                format!("a push of type {} needs a token key", kind.as_str()),
            )),
            (Inner::Certificate(certificate), topic) => certificate.permits(topic),
            (Inner::Token { .. }, None) => Err(Error::new(
                ErrorKind::InvalidTopic,
                "the push has no topic, and a token key has no default one (MissingTopic)",
            )),
            (
                Inner::Token {
                    scope: KeyScope::Team,
                    ..
                },
                Some(_),
            ) => Ok(()),
            (Inner::Token { scope, .. }, Some(topic)) => {
                let bundle = topic.strip_suffix(kind.topic_suffix()).unwrap_or(topic);
                self.permits_bundle_of(scope, bundle)
            }
        }
    }

    /// Whether a topic-scoped key may act for that app.
    pub(crate) fn permits_bundle(&self, bundle: &BundleId) -> Result<(), Error> {
        match &*self.0 {
            Inner::Token { scope, .. } => self.permits_bundle_of(scope, bundle.as_str()),
            Inner::Certificate(_) => Ok(()),
        }
    }

    fn permits_bundle_of(&self, scope: &KeyScope, bundle: &str) -> Result<(), Error> {
        match scope {
            KeyScope::Topics(bundles) if !bundles.iter().any(|known| known.as_str() == bundle) => {
                Err(Error::new(
                    ErrorKind::InvalidTopic,
                    "the key is not for this app (TopicDisallowed)",
                ))
            }
            _ => Ok(()),
        }
    }

    fn authority(&self) -> Result<&provider_token::Authority, Error> {
        match &*self.0 {
            Inner::Token { authority, .. } => Ok(authority),
            Inner::Certificate(_) => Err(Error::new(
                ErrorKind::Misuse,
                "a certificate has no provider token",
            )),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Inner::Token { authority, scope } => f
                .debug_struct("Credentials")
                .field("key_id", &authority.key_id())
                .field("team_id", &authority.team_id())
                .field("scope", scope)
                .finish_non_exhaustive(),
            Inner::Certificate(certificate) => f.debug_tuple("Credentials").field(certificate).finish(),
        }
    }
}

#[cfg(test)]
mod tests;

//! Who sends: a Google identity, and the access token made from it.

mod endpoint;
mod external;
mod file;
mod metadata;
mod source;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

pub use external::{Subject, SubjectSource};
pub use metadata::{allow_metadata_address, metadata_project, metadata_project_request};

use super::project::ProjectId;
use super::wire::timestamp::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Response};
use crate::oauth::{self, Fetch, Grant, TokenCache, TokenProgress, TokenRequest, TokenState};
use crate::secret::Secret;
use crate::time::Now;
use source::Source;

/// A Google identity that may send for one Firebase project, and its access
/// token: fetched once, refreshed early, shared by every thread and connection.
///
/// The loop of an owner: [`token`](Credentials::token) says what to do. For
/// [`Fetch::Request`], send what [`token_request`](Credentials::token_request)
/// writes and hand the response to [`accept_token`](Credentials::accept_token),
/// or call [`token_failed`](Credentials::token_failed). When FCM answers 401
/// without a reason of its own, call
/// [`token_refused`](Credentials::token_refused) and send the message once more.
pub struct Credentials {
    project: ProjectId,
    source: Source,
    cache: TokenCache,
    stage: Mutex<Stage>,
    token_authority: Option<Authority>,
    self_signed: AtomicBool,
}

/// How far a fetch of several steps has come.
#[derive(Default)]
enum Stage {
    #[default]
    Start,
    /// The host has brought the subject token.
    Exchange(Secret<String>),
    /// There is a token to impersonate the service account with.
    Impersonate(Secret<String>),
}

impl Credentials {
    /// A service account's key file, as the Firebase console hands it out.
    ///
    /// The JSON is also read in UTF-16, with a byte order mark, in quotes, in base64, with line ends inside its
    /// strings, and with a `private_key` in each form that [`Rs256Key::read`](crate::crypto::Rs256Key::read) knows.
    ///
    /// # Errors
    /// `InvalidCredential` for a missing or malformed field or another type of file,
    /// `TokenEndpointNotAllowed` for a `token_uri` outside `https://*.googleapis.com/`,
    /// and the kinds of [`Rs256Key::from_pem`](crate::crypto::Rs256Key::from_pem) for the key.
    pub fn service_account(file: &[u8]) -> Result<Self, Error> {
        Self::service_account_for(file, None, None)
    }

    /// [`Credentials::service_account`] that sends for `project`, which wins over the file's `project_id`: a
    /// service account may send for another project that lets it. `None` is the file's own. The file's
    /// token endpoint may also lie at `trusted`, as in [`Credentials::from_file_trusting`].
    ///
    /// # Errors
    /// As [`Credentials::service_account`].
    pub fn service_account_for(
        file: &[u8],
        project: Option<&str>,
        trusted: Option<&Authority>,
    ) -> Result<Self, Error> {
        let credentials = Self::read(file, project, trusted)?;
        match credentials.source {
            Source::ServiceAccount(_) => Ok(credentials),
            _ => Err(Error::new(
                ErrorKind::InvalidCredential,
                "the credential file is not that of a service account",
            )),
        }
    }

    /// Any credential file of Google: `service_account`, `authorized_user` (gcloud's
    /// own), `impersonated_service_account` (by either of these), or `external_account` (workload
    /// identity with a file or URL as its source).
    /// `project` is needed where the file names none, and wins where it does.
    ///
    /// # Errors
    /// As [`Credentials::service_account`]; `InvalidCredential` also when no project is named.
    pub fn from_file(file: &[u8], project: Option<&str>) -> Result<Self, Error> {
        Self::read(file, project, None)
    }

    /// [`Credentials::from_file`] for a file whose endpoints may also lie at `trusted`: a simulator,
    /// or a proxy of one's own. A signed assertion goes there.
    ///
    /// # Errors
    /// As [`Credentials::from_file`].
    pub fn from_file_trusting(
        file: &[u8],
        project: Option<&str>,
        trusted: &Authority,
    ) -> Result<Self, Error> {
        Self::read(file, project, Some(trusted))
    }

    fn read(file: &[u8], project: Option<&str>, trusted: Option<&Authority>) -> Result<Self, Error> {
        let file = file::read(file, trusted)?;
        let project = project.or(file.project.as_deref()).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidCredential,
                "the credential file has no project_id: name the project",
            )
        })?;
        let mut cache = TokenCache::new();
        if let Some(payer) = &file.quota_project {
            let payer = ProjectId::new(payer)?;
            cache = cache.with_header("x-goog-user-project", payer.as_str());
        }
        Ok(Self::new(ProjectId::new(project)?, file.source, cache))
    }

    /// The identity of the machine in Google's cloud, asked of its metadata server over plain HTTP:
    /// `metadata.google.internal`, and of nobody else ([`allow_metadata_address`]). A server elsewhere
    /// (the environment variable `GCE_METADATA_HOST`) is named with [`Credentials::with_token_authority`].
    pub fn metadata_server(project: ProjectId) -> Self {
        Self::new(project, Source::Metadata, TokenCache::new())
    }

    /// Whether tokens come from a metadata server, over plain HTTP.
    pub fn is_of_metadata_server(&self) -> bool {
        matches!(self.source, Source::Metadata)
    }

    /// Tokens that the host mints and hands in with [`Credentials::supply_token`].
    pub fn host_tokens(project: ProjectId) -> Self {
        Self::new(project, Source::Host, TokenCache::new())
    }

    /// Signs bearer tokens itself instead of asking the token endpoint (AIP-4111),
    /// until FCM refuses one; then asks the endpoint, as usual, from there on. Only a
    /// service account can; others are left as they are.
    ///
    /// That FCM takes such tokens is not documented; try it with `validate_only`.
    #[must_use]
    pub fn with_self_signed_tokens(self) -> Self {
        let able = matches!(self.source, Source::ServiceAccount(_));
        self.self_signed.store(able, Ordering::Relaxed);
        self
    }

    /// Sends every token request to `authority` instead of Google's hosts: a
    /// simulator, or a proxy of one's own. The paths stay.
    #[must_use]
    pub fn with_token_authority(mut self, authority: Authority) -> Self {
        self.token_authority = Some(authority);
        self
    }

    fn new(project: ProjectId, source: Source, cache: TokenCache) -> Self {
        Self {
            project,
            source,
            cache,
            stage: Mutex::default(),
            token_authority: None,
            self_signed: AtomicBool::new(false),
        }
    }

    /// The project that messages are sent for.
    pub fn project(&self) -> &ProjectId {
        &self.project
    }

    /// Where the host reads the subject token, for a workload identity.
    pub fn subject_source(&self) -> Option<&SubjectSource> {
        match &self.source {
            Source::External(external) => Some(&external.source),
            _ => None,
        }
    }

    /// The access token, or what to do for one.
    pub fn token(&self, now: Now) -> TokenState {
        let what = match self.source {
            Source::External(_) => Fetch::SubjectToken,
            Source::Host => Fetch::HostToken,
            _ => Fetch::Request,
        };
        let state = self.cache.poll(what, now);
        // A signature needs nobody: make it here and now.
        if state.fetch().is_some() && self.sign_token(now) {
            return self.cache.poll(what, now);
        }
        state
    }

    fn sign_token(&self, now: Now) -> bool {
        let Source::ServiceAccount(account) = &self.source else {
            return false;
        };
        if !self.self_signed.load(Ordering::Relaxed) {
            return false;
        }
        let life = Duration::from_secs(source::ASSERTION_LIFE);
        account
            .self_signed(now)
            .and_then(|token| Grant::new(token, life))
            .and_then(|grant| self.cache.accept(&grant, now))
            .is_ok()
    }

    /// The authorization of a request, from the token at hand.
    ///
    /// # Errors
    /// `TokenNeeded` when there is none: see [`Credentials::token`].
    pub fn authorization(&self, now: Now) -> Result<Arc<HeaderBlock>, Error> {
        if let Some(block) = self.cache.current(now) {
            return Ok(block);
        }
        if self.sign_token(now) {
            if let Some(block) = self.cache.current(now) {
                return Ok(block);
            }
        }
        Err(Error::new(
            ErrorKind::TokenNeeded,
            "no access token: fetch one first",
        ))
    }

    /// The request that fetches a token, or does the next step towards one.
    ///
    /// # Errors
    /// `TokenNeeded` when the host's part comes first (a subject token, or the access
    /// token itself); `Internal` when signing fails. The fetch is still open then: call
    /// [`Credentials::token_failed`] to give it up.
    pub fn token_request(&self, now: Now) -> Result<TokenRequest, Error> {
        let mut call = match &self.source {
            Source::ServiceAccount(account) => account.request(now),
            Source::AuthorizedUser(user) => user.request(),
            Source::Metadata => source::metadata_token(),
            Source::Host => Err(Error::new(
                ErrorKind::TokenNeeded,
                "the host mints the access tokens: supply one",
            )),
            Source::Impersonated(account) => match &*self.stage() {
                Stage::Impersonate(own) => source::impersonate(&account.endpoint, &account.delegates, own),
                _ => account.request(now),
            },
            Source::External(external) => match (&*self.stage(), &external.impersonation) {
                (Stage::Exchange(subject), _) => external.exchange(subject),
                (Stage::Impersonate(own), Some(endpoint)) => source::impersonate(endpoint, &[], own),
                _ => Err(Error::new(
                    ErrorKind::TokenNeeded,
                    "supply the subject token first",
                )),
            },
        }?;
        if let Some(authority) = &self.token_authority {
            call.request.authority = Some(authority.clone());
        }
        Ok(call)
    }

    /// Takes the answer to [`Credentials::token_request`].
    ///
    /// # Errors
    /// `TokenRefused` with the endpoint's own word and description, `TokenAnswerInvalid` when
    /// the answer makes no sense. The next fetch is held back (see [`TokenCache`]).
    pub fn accept_token(&self, response: &Response, now: Now) -> Result<TokenProgress, Error> {
        let stage = std::mem::take(&mut *self.stage());
        if matches!(self.source, Source::Metadata) && response.header("metadata-flavor") != Some("Google") {
            self.cache.fail(true, None, now);
            return Err(Error::new(
                ErrorKind::TokenAnswerInvalid,
                "the answer is not from a metadata server: no metadata-flavor",
            ));
        }
        let grant = match (&stage, &self.source) {
            (Stage::Impersonate(_), _) => impersonated(response, now),
            _ => oauth::grant(response, now),
        };
        let grant = grant.map_err(|failure| self.cache.fail_with(failure, now))?;
        let goes_on = match (&stage, &self.source) {
            (Stage::Exchange(_), Source::External(external)) => external.impersonation.is_some(),
            (Stage::Start, Source::Impersonated(_)) => true,
            _ => false,
        };
        if goes_on {
            *self.stage() = Stage::Impersonate(Secret::new(grant.token().expose_secret().clone()));
            return Ok(TokenProgress::NextRequest);
        }
        self.cache.accept(&grant, now)?;
        Ok(TokenProgress::Done)
    }

    /// The fetch came to nothing: no connection, no answer, no subject token.
    pub fn token_failed(&self, now: Now) {
        *self.stage() = Stage::Start;
        self.cache.fail(true, None, now);
    }

    /// FCM refused the token of the header block with this id (401 without an FCM
    /// reason). True when it was the current one, and a new one has to be fetched; false
    /// when there already is another. Either way the message may be sent once more.
    pub fn token_refused(&self, id: u64, now: Now) -> bool {
        let current = self.cache.invalidate(id, now);
        if current {
            self.self_signed.store(false, Ordering::Relaxed);
        }
        current
    }

    /// A token that the host minted, good for `lifetime` (clamped to 1 second … 1 hour).
    ///
    /// # Errors
    /// `TokenAnswerInvalid` when it cannot be a header.
    pub fn supply_token(&self, token: &str, lifetime: Duration, now: Now) -> Result<(), Error> {
        self.cache.accept(&Grant::new(token, lifetime)?, now)
    }

    /// Takes the content that the host read at [`Credentials::subject_source`], as it is.
    ///
    /// # Errors
    /// `Misuse` when this is no workload identity; `InvalidCredential` when the token
    /// cannot be read out of `content`.
    pub fn supply_subject_token(&self, content: &[u8], now: Now) -> Result<(), Error> {
        let Some(source) = self.subject_source() else {
            return Err(Error::new(
                ErrorKind::Misuse,
                "these credentials take no subject token",
            ));
        };
        match source.token(content) {
            Ok(token) => {
                *self.stage() = Stage::Exchange(token);
                Ok(())
            }
            Err(error) => {
                self.token_failed(now);
                Err(error)
            }
        }
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `{"accessToken":"…","expireTime":"2026-11-22T07:00:00Z"}` of `generateAccessToken`.
fn impersonated(response: &Response, now: Now) -> Result<Grant, oauth::Failure> {
    if response.status != 200 {
        return Err(oauth::failure(response, now));
    }
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let lifetime = text("expireTime")
        .and_then(|time| Timestamp::parse(time).ok())
        .map(|time| time.to_unix().saturating_since(now.unix));
    match (text("accessToken"), lifetime) {
        (Some(token), Some(lifetime)) => Grant::new(token, lifetime).map_err(|error| oauth::Failure {
            error,
            temporary: true,
            after: None,
        }),
        _ => Err(oauth::Failure {
            error: Error::new(
                ErrorKind::TokenAnswerInvalid,
                "the answer has no accessToken or expireTime",
            ),
            temporary: true,
            after: None,
        }),
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.source {
            Source::ServiceAccount(_) => "service_account",
            Source::AuthorizedUser(_) => "authorized_user",
            Source::External(_) => "external_account",
            Source::Impersonated(_) => "impersonated_service_account",
            Source::Metadata => "metadata_server",
            Source::Host => "host_tokens",
        };
        f.debug_struct("Credentials")
            .field("project", &self.project)
            .field("source", &source)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! The fields of Google's credential files.

use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::endpoint::{Endpoint, TOKEN_URI};
use super::external::{Subject, SubjectSource};
use super::source::{AuthorizedUser, External, Impersonated, Impersonator, ServiceAccount, Source};
use crate::crypto::{self, Rs256Key};
use crate::error::{Error, ErrorKind};
use crate::http::Authority;
use crate::json;
use crate::secret::Secret;

/// The content of a credential file.
pub(super) struct File {
    pub(super) source: Source,
    pub(super) project: Option<String>,
    pub(super) quota_project: Option<String>,
}

const STS_URI: &str = "https://sts.googleapis.com/v1/token";

/// Reads a credential file of any kind that this crate knows. Its endpoints are Google's, or at `trusted`.
pub(super) fn read(text: &[u8], trusted: Option<&Authority>) -> Result<File, Error> {
    let fields = Fields {
        object: object(text)?,
        trusted,
    };
    if let Some(what) = another_file(&fields.object) {
        return Err(invalid(what));
    }
    if fields
        .text("universe_domain")?
        .is_some_and(|domain| domain != "googleapis.com")
    {
        return Err(invalid(
            "universe_domain other than googleapis.com is not built in",
        ));
    }
    let source = match fields.kind()? {
        "service_account" => Source::ServiceAccount(Box::new(service_account(&fields)?)),
        "authorized_user" => Source::AuthorizedUser(authorized_user(&fields)?),
        "external_account" => Source::External(Box::new(external_account(&fields)?)),
        "impersonated_service_account" => Source::Impersonated(Box::new(impersonated(&fields)?)),
        "external_account_authorized_user" | "gdch_service_account" | "gdch_service_account_credentials" => {
            return Err(invalid(
                "this type of credential file is not built in: hand in access tokens instead",
            ));
        }
        _ => return Err(invalid("type is not that of a google credential file")),
    };
    Ok(File {
        source,
        project: fields.text("project_id")?.map(str::to_owned),
        quota_project: fields.text("quota_project_id")?.map(str::to_owned),
    })
}

/// The JSON object in a text, whatever an environment variable or an editor did to it.
fn object(text: &[u8]) -> Result<Map<String, Value>, Error> {
    let not_json = |error: Error| {
        Error::new(
            ErrorKind::InvalidCredential,
            "the credential file is not one json object",
        )
        .with_source(error)
    };
    let text = crypto::content(text);
    match std::str::from_utf8(&text) {
        Ok(text) => json::parse_object(crypto::plain_json(text).as_bytes()).map_err(not_json),
        Err(_) => json::parse_object(&text).map_err(not_json),
    }
}

/// Returns the kind of a JSON file that people take for a credential file; `None` where it may be one.
fn another_file(object: &Map<String, Value>) -> Option<&'static str> {
    match () {
        () if object.contains_key("type") => None,
        () if object.contains_key("project_info") => {
            Some("this is google-services.json, the configuration of an app: create a service account key")
        }
        () if object.contains_key("web") || object.contains_key("installed") => {
            Some("this is an oauth client secret: create a service account key")
        }
        () if object.contains_key("apiKey") => {
            Some("this is the configuration of a web app: create a service account key")
        }
        () => None,
    }
}

fn service_account(fields: &Fields) -> Result<ServiceAccount, Error> {
    Ok(ServiceAccount {
        email: fields.plain("client_email")?.to_owned(),
        key_id: match fields.text("private_key_id")? {
            Some(_) => Some(fields.plain("private_key_id")?.to_owned()),
            None => None,
        },
        key: Rs256Key::from_pem(fields.required("private_key")?.as_bytes()).map_err(of_private_key)?,
        endpoint: fields.endpoint("token_uri", TOKEN_URI)?,
    })
}

fn authorized_user(fields: &Fields) -> Result<AuthorizedUser, Error> {
    Ok(AuthorizedUser {
        client_id: fields.plain("client_id")?.to_owned(),
        client_secret: Secret::new(fields.plain("client_secret")?.to_owned()),
        refresh_token: Secret::new(fields.plain("refresh_token")?.to_owned()),
        endpoint: fields.endpoint("token_uri", TOKEN_URI)?,
    })
}

fn impersonated(fields: &Fields) -> Result<Impersonated, Error> {
    const URL: &str = "service_account_impersonation_url";
    let endpoint = Endpoint::parse(URL, fields.required(URL)?, fields.trusted)?;
    let delegates = match fields.object.get("delegates") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| invalid("delegates holds something else than strings"))?,
        Some(_) => return Err(invalid("delegates is not a list")),
    };
    let Some(Value::Object(source)) = fields.object.get("source_credentials") else {
        return Err(missing("source_credentials"));
    };
    let source = Fields {
        object: source.clone(),
        trusted: fields.trusted,
    };
    let by = match source.required("type")? {
        "service_account" => Impersonator::ServiceAccount(Box::new(service_account(&source)?)),
        "authorized_user" => Impersonator::AuthorizedUser(authorized_user(&source)?),
        _ => {
            return Err(invalid(
                "source_credentials are neither of a service_account nor of an authorized_user: \
                 hand in access tokens instead",
            ));
        }
    };
    Ok(Impersonated {
        by,
        endpoint,
        delegates,
    })
}

fn external_account(fields: &Fields) -> Result<External, Error> {
    let source = match fields.object.get("credential_source") {
        Some(Value::Object(source)) => source_of_subject(source)?,
        _ => return Err(missing("credential_source")),
    };
    let impersonation = fields
        .text("service_account_impersonation_url")?
        .map(|url| Endpoint::parse("service_account_impersonation_url", url, fields.trusted))
        .transpose()?;
    Ok(External {
        audience: fields.plain("audience")?.to_owned(),
        subject_token_type: fields.plain("subject_token_type")?.to_owned(),
        sts: fields.endpoint("token_url", STS_URI)?,
        impersonation,
        source,
    })
}

fn source_of_subject(source: &Map<String, Value>) -> Result<SubjectSource, Error> {
    for (member, kind) in [
        // It has a url as well, which is not that of a token.
        ("environment_id", "an aws"),
        ("certificate", "an x.509"),
        ("executable", "an executable"),
    ] {
        if source.contains_key(member) {
            return Err(invalid(format!(
                "{kind} credential_source is not built in: hand in access tokens instead"
            )));
        }
    }
    let text = |name: &str| source.get(name).and_then(Value::as_str).map(str::to_owned);
    let place = match (text("file"), text("url")) {
        (Some(path), None) => Subject::File(path),
        (None, Some(url)) => Subject::Url {
            url,
            headers: source
                .get("headers")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
        },
        _ => {
            return Err(invalid(
                "credential_source has not one of file and url; others are not built in: hand in access tokens instead",
            ));
        }
    };
    let format = source.get("format").and_then(Value::as_object);
    let kind = format
        .and_then(|format| format.get("type"))
        .and_then(Value::as_str);
    let json_field = match kind {
        None | Some("text") => None,
        Some("json") => Some(
            format
                .and_then(|format| format.get("subject_token_field_name"))
                .and_then(Value::as_str)
                .ok_or_else(|| missing("credential_source.format.subject_token_field_name"))?
                .to_owned(),
        ),
        Some(_) => return Err(invalid("credential_source.format.type is neither text nor json")),
    };
    Ok(SubjectSource { place, json_field })
}

struct Fields<'a> {
    object: Map<String, Value>,
    trusted: Option<&'a Authority>,
}

impl Drop for Fields<'_> {
    /// The parsed copies of the secrets do not outlive the reading.
    fn drop(&mut self) {
        wipe(&mut self.object);
        if let Some(Value::Object(source)) = self.object.get_mut("source_credentials") {
            wipe(source);
        }
    }
}

fn wipe(object: &mut Map<String, Value>) {
    for name in ["private_key", "client_secret", "refresh_token"] {
        for name in [name, &camel_case(name)] {
            if let Some(Value::String(secret)) = object.get_mut(name) {
                secret.zeroize();
            }
        }
    }
}

impl Fields<'_> {
    /// The endpoint that `name` gives, or the usual one.
    fn endpoint(&self, name: &'static str, usual: &str) -> Result<Endpoint, Error> {
        Endpoint::parse(name, self.text(name)?.unwrap_or(usual), self.trusted)
    }

    /// The kind of the credential. What firebase-admin for Node takes as an object has none, and is a service account.
    fn kind(&self) -> Result<&str, Error> {
        let has = |name| matches!(self.text(name), Ok(Some(_)));
        match self.text("type")? {
            None if has("private_key") && has("client_email") => Ok("service_account"),
            _ => self.required("type"),
        }
    }

    /// The text of a field, under the name that Google's files have or the one that firebase-admin for Node has.
    fn text(&self, name: &'static str) -> Result<Option<&str>, Error> {
        match self
            .object
            .get(name)
            .or_else(|| self.object.get(&camel_case(name)))
        {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("{name} is not a string"))),
        }
    }

    fn required(&self, name: &'static str) -> Result<&str, Error> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(missing(name)),
        }
    }

    /// A required field of visible ASCII, at most 4 KiB: it goes into a JWT or a form.
    fn plain(&self, name: &'static str) -> Result<&str, Error> {
        let text = self.required(name)?;
        if text.len() > 4096 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(invalid(format!("{name} is too long or not visible ascii")));
        }
        Ok(text)
    }
}

/// The spelling of a field in JavaScript: `private_key` is `privateKey`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// The error about a key, which says where the key stands.
fn of_private_key(error: Error) -> Error {
    Error::new(error.kind(), format!("private_key: {}", error.context()))
}

fn missing(name: &str) -> Error {
    Error::new(
        ErrorKind::InvalidCredential,
        format!("the credential file has no {name}"),
    )
}

fn invalid(context: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidCredential, context)
}

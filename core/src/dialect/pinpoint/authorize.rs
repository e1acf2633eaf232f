//! Whether the caller may use the app.

use serde_json::{Value, json};

use super::fault::Fault;
use crate::dialect::ask::{Ask, Collection};
use crate::dialect::caller::{Caller, Signed};
use crate::dialect::run::{Run, Stop};
use crate::dialect::sigv4;

/// The name of the service in a signature's scope.
const SERVICE: &str = "mobiletargeting";

/// The largest difference between the clocks, in seconds: five minutes, AWS's own.
const LARGEST_SKEW: u64 = 300;

/// Ends the pass unless the request is signed by a key that may use the app.
pub(super) fn caller_may(run: &mut Run<'_>) -> Result<(), Stop> {
    let signed = match run.caller {
        Caller::Signed(signed) => signed,
        Caller::Unreadable { fault } => {
            return Err(Fault::new(403, "IncompleteSignatureException", fault.as_str()).stop(run));
        }
        _ => {
            let fault = Fault::new(
                403,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            );
            return Err(fault.stop(run));
        }
    };
    if let Some(text) = fault_of_scope(signed, run.began.as_secs()) {
        return Err(Fault::new(403, "InvalidSignatureException", text).stop(run));
    }
    let ask = Ask::Secret {
        access_key: signed.access_key.clone(),
    };
    let verdict = run.judge(ask, |answer| {
        let Some(secret) = answer.get("secret").and_then(Value::as_str) else {
            return Value::Null;
        };
        json!({
            "signed": sigv4::is_by(signed, secret),
            "scopes": answer.get("scopes").cloned().unwrap_or_default(),
        })
    })?;
    if verdict.is_null() {
        let text = "The security token included in the request is invalid.";
        return Err(Fault::new(403, "UnrecognizedClientException", text).stop(run));
    }
    if verdict.get("signed") != Some(&Value::Bool(true)) {
        let text = "The request signature we calculated does not match the signature you provided. Check your AWS \
                    Secret Access Key and signing method. Consult the service documentation for details.";
        return Err(Fault::new(403, "InvalidSignatureException", text).stop(run));
    }
    let app = run.id("application-id");
    let scopes = verdict.get("scopes").and_then(Value::as_array);
    if app.is_empty() {
        // Apps and templates are an account's: a key for single apps has no account.
        return match scopes {
            None => Ok(()),
            Some(_) => Err(Fault::new(403, "ForbiddenException", "Forbidden").stop(run)),
        };
    }
    let may = scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope.as_str() == Some(app)));
    // An app of another account is not found, in the same words as one that does not exist: nobody learns which apps
    // there are.
    let found = may && {
        let answer = run.ask(Ask::Get {
            collection: Collection::Apps,
            scope: None,
            ids: vec![app.to_owned()],
        })?;
        answer.get(app).is_some()
    };
    match found {
        true => Ok(()),
        false => Err(Fault::not_found("Resource not found").stop(run)),
    }
}

/// Returns what is wrong with a signature beside the signature itself.
fn fault_of_scope(signed: &Signed, now: u64) -> Option<String> {
    if signed.service != SERVICE {
        return Some(format!(
            "Credential should be scoped to correct service: '{SERVICE}'."
        ));
    }
    let (at, limit) = (sigv4::date(signed.signed_at), sigv4::date(now));
    if now.saturating_sub(signed.signed_at) > LARGEST_SKEW {
        let earliest = sigv4::date(now.saturating_sub(LARGEST_SKEW));
        return Some(format!(
            "Signature expired: {at} is now earlier than {earliest} ({limit} - 5 min.)"
        ));
    }
    if signed.signed_at.saturating_sub(now) > LARGEST_SKEW {
        let latest = sigv4::date(now.saturating_add(LARGEST_SKEW));
        return Some(format!(
            "Signature not yet current: {at} is still later than {latest} ({limit} + 5 min.)"
        ));
    }
    None
}

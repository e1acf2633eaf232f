//! Members of a body, by their types.

use serde_json::{Map, Value};

use super::super::reply::Reply;
use super::refused;

/// The members of one object. `null` is the same as leaving a member out, because Pushpad's Go client writes every member.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Reply> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(refused(422, format!("{name} is not a text"))),
        }
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a str, Reply> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            // "400: some params are missing" (Pushpad's REST documentation).
            _ => Err(refused(400, format!("{name} is missing"))),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Reply> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(refused(422, format!("{name} is not true or false"))),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Reply> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(refused(422, format!("{name} is not a whole number from 0 on"))),
            },
        }
    }
}

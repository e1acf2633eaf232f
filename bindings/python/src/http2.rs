//! What is peculiar to HTTP/2 on the connections that carry pushes, from a dict.

use pushcore::net::h2::{Config, PingPolicy};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::values::{duration, integer, string, type_error};

/// The settings of the dict, and the defaults for the rest. `ping_after` is how long a connection is silent before
/// it is asked, `ping_timeout` how long the answer may take.
pub(crate) fn config(value: &Bound<'_, PyAny>) -> PyResult<Config> {
    let dict = value
        .cast::<PyDict>()
        .map_err(|_| type_error(value, "a dict of HTTP/2 settings"))?;
    let mut config = Config::default();
    let mut ping: Option<PingPolicy> = None;
    let out = "the number is out of range";
    for (name, value) in dict.iter() {
        match string(&name)?.as_str() {
            "max_in_flight" => config.max_in_flight = integer(&value, out)?,
            "max_header_list" => config.max_header_list = integer(&value, out)?,
            "max_response_body" => config.max_response_body = integer(&value, out)?,
            "header_table_size" => config.header_table_size = integer(&value, out)?,
            "encoder_table_size" => config.encoder_table_size = integer(&value, out)?,
            "initial_window" => config.initial_window = integer(&value, out)?,
            "connection_window" => config.connection_window = integer(&value, out)?,
            "settings_timeout" => config.settings_timeout = duration(&value)?,
            "ping_after" => ping.get_or_insert_with(PingPolicy::default).idle = duration(&value)?,
            "ping_timeout" => ping.get_or_insert_with(PingPolicy::default).acknowledge = duration(&value)?,
            name => {
                return Err(PyTypeError::new_err(format!(
                    "http2: unexpected setting {name:?}"
                )));
            }
        }
    }
    if ping.is_some() {
        config.ping = ping;
    }
    Ok(config)
}

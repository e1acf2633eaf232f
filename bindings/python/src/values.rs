//! Python's values as the core's: text, bytes, times, JSON. Nothing is guessed: what is not
//! clearly the right type is refused with an error that says what was wanted.

use std::ffi::{OsStr, OsString};
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use pushcore::crypto::KeySource;
use pushcore::http::Authority;
use pushcore::secret::Secret;
use pushcore::time::{Now, UnixTime};
use pushcore::{Error, ErrorKind};
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PySlice, PyString, PyTuple,
};
use serde_json::{Map, Number, Value};

use crate::errors::{OrRaise, wrong};

/// JSON is nested no deeper than what the core's own parser takes.
const MAX_DEPTH: usize = 127;

/// The most items of a list argument: no service takes more than 1,000 at a time, and an iterator may have no end.
const MOST_ITEMS: usize = 1_000_000;

/// UTF-8 text, borrowed from the Python string.
pub(crate) fn text<'a>(value: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    value.to_str().map_err(|_| {
        let text = "the text holds a lone surrogate: it has no utf-8 form";
        wrong(value.py(), ErrorKind::InvalidUtf8, text)
    })
}

/// A `str` argument. A lone surrogate is a `MessageError`, not Python's own encoding error.
#[derive(Default)]
pub(crate) struct Str(String);

impl<'a, 'py> FromPyObject<'a, 'py> for Str {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        string(&value).map(Self)
    }
}

impl Deref for Str {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Str> for String {
    fn from(text: Str) -> Self {
        text.0
    }
}

/// A [`Str`] that is only looked at: borrowed from the Python string.
pub(crate) struct Word<'a>(&'a str);

impl<'a, 'py> FromPyObject<'a, 'py> for Word<'a> {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        // The right type is told from the right text only where it went wrong.
        match value.extract::<&'a str>() {
            Ok(text) => Ok(Self(text)),
            Err(_) => Err(match string(&value) {
                Err(error) => error,
                Ok(_) => type_error(&value, "str"),
            }),
        }
    }
}

impl Deref for Word<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

/// A list argument. Its items are asked for one by one, because a length that a caller's object claims is not to
/// be believed: `range(10**12)` has one.
pub(crate) struct Items<T>(Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, 'py, T> FromPyObject<'a, 'py> for Items<T>
where
    T: for<'b> FromPyObject<'b, 'py, Error: Into<PyErr>>,
{
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("expected a list, not str"));
        }
        let mut items = Vec::new();
        for item in value.try_iter()? {
            items.push(item?.extract::<T>().map_err(Into::into)?);
            if items.len() > MOST_ITEMS {
                let text = "the list has more than a million items";
                return Err(wrong(value.py(), ErrorKind::InvalidValue, text));
            }
        }
        Ok(Self(items))
    }
}

impl<T> Deref for Items<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> IntoIterator for Items<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A `str` argument; another type is a `TypeError`, a lone surrogate a `MessageError`.
pub(crate) fn string(value: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(text(value.cast::<PyString>().map_err(|_| type_error(value, "str"))?)?.to_owned())
}

/// `bytes`, `bytearray`, any `memoryview`, or `str` as UTF-8. Copied: a `bytearray` may change.
pub(crate) fn bytes(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        Ok(bytes.as_bytes().to_vec())
    } else if let Ok(string) = value.cast::<PyString>() {
        Ok(text(string)?.as_bytes().to_vec())
    } else if let Ok(array) = value.cast::<PyByteArray>() {
        Ok(array.to_vec())
    } else if value.is_instance_of::<PyMemoryView>() {
        let copy = value.call_method0(intern!(value.py(), "tobytes"))?;
        Ok(copy.cast::<PyBytes>()?.as_bytes().to_vec())
    } else {
        Err(type_error(value, "bytes, bytearray, memoryview or str"))
    }
}

/// As [`bytes`], without a copy in Python's memory that cannot be overwritten: a memoryview's own copies are `bytes`.
fn secret_bytes(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if !value.is_instance_of::<PyMemoryView>() {
        return bytes(value);
    }
    let py = value.py();
    let array = PyByteArray::from(value)?;
    let copy = array.to_vec();
    // In place, because the size stays the same.
    array.set_item(PySlice::full(py), PyByteArray::new(py, &vec![0; copy.len()]))?;
    Ok(copy)
}

/// A `str` argument that is a secret: its copy is overwritten. The caller's `str` cannot be.
pub(crate) struct SecretStr(Secret<String>);

impl<'a, 'py> FromPyObject<'a, 'py> for SecretStr {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(Secret::new(string(&value)?)))
    }
}

impl Deref for SecretStr {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Returns the content of a key, a certificate or a credential file: the value itself, or the file that it names.
/// The core tells one from the other, for `str`, `bytes` and path objects alike.
pub(crate) fn credential(value: &Bound<'_, PyAny>) -> PyResult<Secret<Vec<u8>>> {
    let py = value.py();
    if value.hasattr(intern!(py, "__fspath__"))? {
        let encoded = py.import("os")?.call_method1(intern!(py, "fsencode"), (value,));
        // Python's own error of a text that is no name of a file holds the text.
        let named = encoded.map_err(|error| match error.is_instance_of::<PyValueError>(py) {
            true => wrong(
                py,
                ErrorKind::InvalidUtf8,
                "the path has no form that a file system takes",
            ),
            false => error,
        })?;
        let named = named.cast::<PyBytes>()?.as_bytes();
        // A path object around the content of a key is a mistake that is common with environment variables.
        return match std::str::from_utf8(named).map(|_| KeySource::of(named)) {
            Ok(KeySource::Content(content)) if !Path::new(&os_string(named)).exists() => Ok(content),
            _ => file(py, &os_string(named)),
        };
    }
    let bytes = Secret::new(secret_bytes(value)?);
    match KeySource::of(bytes.expose_secret()) {
        KeySource::Path(path) => file(py, OsStr::new(path)),
        KeySource::Either(path) if Path::new(path).exists() => file(py, OsStr::new(path)),
        _ => Ok(KeySource::content(bytes.expose_secret())),
    }
}

/// Returns the content of a key, a certificate or a credential file, for the command.
#[pyfunction]
pub(crate) fn load_credential<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(value.py(), credential(value)?.expose_secret()))
}

/// Reads a file. The error has the system's words and never the name: the name may be a mangled key.
fn file(py: Python<'_>, path: &OsStr) -> PyResult<Secret<Vec<u8>>> {
    match py.detach(|| std::fs::read(path)) {
        Ok(read) => {
            let read = Secret::new(read);
            Ok(KeySource::content(read.expose_secret()))
        }
        Err(error) => {
            let text = "neither a key or credential file in a known form, nor a file that can be read";
            // The number makes it a FileNotFoundError, PermissionError ...; EINVAL stands for a name that no file has.
            let (number, why) = (error.raw_os_error().unwrap_or(22), error.kind());
            Err(PyOSError::new_err((number, format!("{text}: {why}"))))
        }
    }
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Seconds as `int` or `float`, or a `timedelta`; never negative, never NaN.
pub(crate) fn duration(value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let seconds = if let Ok(total) = value.getattr(intern!(value.py(), "total_seconds")) {
        total.call0()?.extract::<f64>()?
    } else {
        number(value, "seconds as int or float, or a timedelta")?
    };
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err("a duration is a finite number of seconds, not negative"))
}

/// A time to live: a [`duration`], and not a date by mistake, which services lower to their longest
/// without a word.
pub(crate) fn ttl(value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let ttl = duration(value)?;
    if UnixTime::default().saturating_add(ttl).check_date("").is_ok() {
        let text = "the ttl is longer than 31 years: seconds from now are wanted, not a date";
        return Err(wrong(value.py(), ErrorKind::InvalidValue, text));
    }
    Ok(ttl)
}

/// A [`unix_time`] that is a date: neither a duration nor milliseconds.
pub(crate) fn date(value: &Bound<'_, PyAny>, what: &str) -> PyResult<UnixTime> {
    let time = unix_time(value)?;
    time.check_date(what).or_raise(value.py())?;
    Ok(time)
}

/// [`duration`] of an optional argument.
pub(crate) fn optional_duration(value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    value.map(duration).transpose()
}

/// Seconds since the epoch as `int` or `float`, or a `datetime` with a time zone.
pub(crate) fn unix_time(value: &Bound<'_, PyAny>) -> PyResult<UnixTime> {
    if let Ok(whole) = value.extract::<u64>() {
        if value.is_instance_of::<PyBool>() {
            return Err(type_error(
                value,
                "seconds since 1970 or a datetime with a time zone",
            ));
        }
        return Ok(UnixTime::from_secs(whole));
    }
    let seconds = match value.getattr(intern!(value.py(), "timestamp")) {
        Ok(timestamp) => {
            if value.getattr(intern!(value.py(), "tzinfo"))?.is_none() {
                return Err(PyValueError::new_err(
                    "a datetime needs a time zone: datetime.now(timezone.utc)",
                ));
            }
            timestamp.call0()?.extract::<f64>()?
        }
        Err(_) => number(value, "seconds since 1970 or a datetime with a time zone")?,
    };
    let since = Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err("a time is a finite number of seconds since 1970"))?;
    // To the nearest millisecond: a float that was made from milliseconds must come back as them.
    let since = since.saturating_add(Duration::from_micros(500));
    let millis = u64::try_from(since.as_millis())
        .map_err(|_| PyValueError::new_err("a time is a finite number of seconds since 1970"))?;
    Ok(UnixTime::from_millis(millis))
}

/// Seconds since the epoch, for Python.
pub(crate) fn seconds(time: UnixTime) -> f64 {
    Duration::from_millis(time.as_millis()).as_secs_f64()
}

/// Both clocks in seconds, as `loop.time()` and `time.time()` give them.
pub(crate) fn now(monotonic: f64, unix: f64) -> PyResult<Now> {
    let wrong = |_| PyValueError::new_err("a clock shows a finite number of seconds, not negative");
    let unix = Duration::try_from_secs_f64(unix).map_err(wrong)?;
    let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
    let monotonic = Duration::try_from_secs_f64(monotonic).map_err(wrong)?;
    Ok(Now::new(monotonic, UnixTime::from_millis(millis)))
}

/// A `dict` as a JSON object.
pub(crate) fn json_object(value: &Bound<'_, PyDict>) -> PyResult<Map<String, Value>> {
    object_at(value, 0)
}

/// A JSON value.
pub(crate) fn json(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    json_at(value, 1)
}

fn json_at(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if depth > MAX_DEPTH {
        return Err(wrong(
            value.py(),
            ErrorKind::InvalidPayload,
            "the json is nested deeper than 127",
        ));
    }
    if let Ok(string) = value.cast::<PyString>() {
        return Ok(Value::String(text(string)?.to_owned()));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    // Before int: bool is a subclass of it.
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        if let Ok(number) = value.extract::<i64>() {
            return Ok(number.into());
        }
        let number = value.extract::<u64>().map_err(|_| {
            wrong(
                value.py(),
                ErrorKind::InvalidPayload,
                "a json integer does not fit 64 bits",
            )
        })?;
        return Ok(number.into());
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        let number = Number::from_f64(float.value());
        return number.map(Value::Number).ok_or_else(|| {
            wrong(
                value.py(),
                ErrorKind::InvalidPayload,
                "nan and infinity are not json",
            )
        });
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(Value::Object(object_at(dict, depth)?));
    }
    if let Ok(list) = value.cast::<PyList>() {
        return list
            .iter()
            .map(|item| json_at(&item, depth + 1))
            .collect::<PyResult<_>>()
            .map(Value::Array);
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return tuple
            .iter()
            .map(|item| json_at(&item, depth + 1))
            .collect::<PyResult<_>>()
            .map(Value::Array);
    }
    Err(type_error(
        value,
        "a json value (None, bool, int, float, str, list, tuple, dict)",
    ))
}

fn object_at(dict: &Bound<'_, PyDict>, depth: usize) -> PyResult<Map<String, Value>> {
    let mut map = Map::new();
    for (key, value) in dict.iter() {
        let Ok(key) = key.cast::<PyString>() else {
            return Err(type_error(&key, "str as the key of a json object"));
        };
        map.insert(text(key)?.to_owned(), json_at(&value, depth + 1)?);
    }
    Ok(map)
}

/// A `dict` as JSON text; text and bytes as they are.
pub(crate) fn json_text(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    match value.cast::<PyDict>() {
        Ok(dict) => Ok(Value::Object(json_object(dict)?).to_string().into_bytes()),
        Err(_) => bytes(value),
    }
}

/// A whole number in the range of `T`; `bool` is not one.
pub(crate) fn integer<T>(value: &Bound<'_, PyAny>, what: &'static str) -> PyResult<T>
where
    T: for<'a, 'py> FromPyObject<'a, 'py>,
{
    if value.is_instance_of::<PyBool>() || !value.is_instance_of::<PyInt>() {
        return Err(type_error(value, "int"));
    }
    value
        .extract::<T>()
        .map_err(|_| wrong(value.py(), ErrorKind::InvalidValue, what))
}

fn number(value: &Bound<'_, PyAny>, wanted: &str) -> PyResult<f64> {
    if value.is_instance_of::<PyBool>()
        || !(value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>())
    {
        return Err(type_error(value, wanted));
    }
    value.extract()
}

/// `expected str, not int`.
pub(crate) fn type_error(value: &Bound<'_, PyAny>, wanted: &str) -> PyErr {
    match value.get_type().name() {
        Ok(name) => PyTypeError::new_err(format!("expected {wanted}, not {name}")),
        Err(error) => error,
    }
}

/// An argument's word is none of those that exist.
pub(crate) fn unknown_word(what: &str) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format!("{what} is not one of those that exist"),
    )
}

/// Both clocks: calendar time as given, or as the clients of this process read it.
pub(crate) fn clock(_py: Python<'_>, unix: Option<&Bound<'_, PyAny>>) -> PyResult<Now> {
    let now = pushcore_client::now();
    match unix {
        Some(unix) => Ok(Now::new(now.monotonic, unix_time(unix)?)),
        None => Ok(now),
    }
}

/// `host`, `host:port` or `[v6]:port`.
pub(crate) fn authority(py: Python<'_>, text: Option<Str>) -> PyResult<Option<Authority>> {
    text.map(|text| Authority::parse(&text)).transpose().or_raise(py)
}

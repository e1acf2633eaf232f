//! Baidu's signature: MD5 over the method, the URL, the sorted parameters and the secret.

use std::fmt;
use std::fmt::Write as _;

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::percent;
use crate::secret::Secret;

/// An application's API key and secret key.
pub struct Credentials {
    api_key: String,
    secret_key: Secret<String>,
}

impl Credentials {
    /// The API key and the secret key as Baidu's console shows them.
    ///
    /// # Errors
    /// `InvalidCredential` when one is empty, longer than 256 bytes, or not visible ASCII.
    pub fn new(api_key: &str, secret_key: &str) -> Result<Self, Error> {
        for (name, text) in [("api key", api_key), ("secret key", secret_key)] {
            if text.is_empty() || text.len() > 256 || !text.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(Error::new(
                    ErrorKind::InvalidCredential,
                    format!("the {name} is empty, too long, or not visible ascii"),
                ));
            }
        }
        Ok(Self {
            api_key: api_key.to_owned(),
            secret_key: Secret::new(secret_key.to_owned()),
        })
    }

    pub(super) fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Signs a request. `parameters` are sorted by their names' bytes; values as they are,
    /// not encoded. `url` has the scheme and host that are really used, and no query.
    pub(super) fn sign(&self, method: &str, url: &str, parameters: &[(&str, &str)]) -> String {
        let mut text = Zeroizing::new(String::new());
        text.push_str(method);
        text.push_str(url);
        for (name, value) in parameters {
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text.push_str(self.secret_key.expose_secret());
        let mut encoded = Zeroizing::new(String::new());
        percent::form(&mut encoded, &text);
        let digest = Md5::digest(encoded.as_bytes());
        digest.iter().fold(String::with_capacity(32), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("api_key", &self.api_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_baidus_documentation() {
        let credentials =
            Credentials::new("Ljc710pzAa99GULCo8y48NvB", "87772555E1C16715EBA5C85341684C58").unwrap();
        let sign = credentials.sign(
            "POST",
            "http://api.tuisong.baidu.com/rest/3.0/test/echo",
            &[
                ("apikey", credentials.api_key()),
                ("expires", "1313293565"),
                ("timestamp", "1427180905"),
            ],
        );
        assert_eq!(sign, "7d14113142e2a1583b4e9dad3fba73d0");
    }

    #[test]
    fn characters_that_encoders_disagree_about() {
        let credentials = Credentials::new("AK", "SK").unwrap();
        let sign = credentials.sign(
            "POST",
            "https://api.tuisong.baidu.com/rest/3.0/push/single_device",
            &[
                ("apikey", "AK"),
                ("channel_id", "123"),
                ("device_type", "3"),
                ("msg", r#"{"title":"a*b~c d","description":"你好"}"#),
                ("msg_type", "1"),
                ("timestamp", "1500000000"),
            ],
        );
        assert_eq!(sign, "decc4490144743d2dad32f705f481d67");
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials::new("AK", "hunter2").unwrap();
        assert!(!format!("{credentials:?}").contains("hunter2"));
        assert!(Credentials::new("", "x").is_err() && Credentials::new("a b", "x").is_err());
    }
}

//! The name of a service.

use std::fmt;

use crate::error::{Error, ErrorKind};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A push service, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// Every service that this version speaks to.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The name in files and in every language, for example `web_push`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// Amazon Device Messaging.
    Adm = "adm",
    /// Apple Push Notification service.
    Apns = "apns",
    /// Baidu Cloud Push.
    Baidu = "baidu",
    /// Firebase Cloud Messaging.
    Fcm = "fcm",
    /// Web Push.
    WebPush = "web_push",
}

impl Kind {
    /// Reads a service's name as [`Kind::as_str`] writes it.
    ///
    /// # Errors
    /// `InvalidValue` when this version knows no service of that name.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.iter().find(|kind| kind.as_str() == name);
        known.copied().ok_or_else(|| {
            let context = "not the name of a service: adm, apns, baidu, fcm or web_push";
            Error::new(ErrorKind::InvalidValue, context)
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_name_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(&kind.to_string()).unwrap(), *kind);
        }
        assert!(Kind::parse("webpush").is_err());
    }
}

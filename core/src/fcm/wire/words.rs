//! Enumerations.

/// Declares an enumeration of the schema: its variants and their words on the
/// wire. Lower case is read too, as the service does.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl $crate::fcm::wire::Wire for $name {
            fn to_value(
                &self,
                _at: &$crate::fcm::wire::Path<'_>,
            ) -> Result<serde_json::Value, $crate::error::Error> {
                Ok(self.as_str().into())
            }

            fn read(
                value: serde_json::Value,
                at: &$crate::fcm::wire::Path<'_>,
            ) -> Result<Self, $crate::error::Error> {
                match value.as_str() {
                    $(Some(word) if word.eq_ignore_ascii_case($word) => Ok($name::$variant),)+
                    _ => Err(at.error(
                        $crate::error::ErrorKind::InvalidValue,
                        concat!("not one of", $(" ", $word),+),
                    )),
                }
            }

            #[cfg(test)]
            fn schema() -> serde_json::Value {
                // Lower case is read too; a schema cannot say it shortly.
                serde_json::json!({"enum": [$($word, $word.to_ascii_lowercase()),+]})
            }

            #[cfg(test)]
            fn kind() -> String {
                [$(concat!("`\"", $word, "\"`")),+].join(", ")
            }
        }
    };
}

pub(crate) use words;

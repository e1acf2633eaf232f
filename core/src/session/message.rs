//! A message to any of the services, owned and borrowed.

use crate::{adm, apns, baidu, fcm, webpush};

macro_rules! messages {
    ($($(#[$doc:meta])* $arm:ident: $type:ty,)*) => {
        /// A message to one of the services. Made with `into()` from a service's own type.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Message {
            $($(#[$doc])* $arm($type),)*
        }

        /// A borrowed [`Message`]: what `submit` takes, so that nothing needs to be cloned.
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub enum MessageRef<'a> {
            $($(#[$doc])* $arm(&'a $type),)*
        }

        $(
            impl From<$type> for Message {
                fn from(message: $type) -> Self {
                    Message::$arm(message)
                }
            }

            impl<'a> From<&'a $type> for MessageRef<'a> {
                fn from(message: &'a $type) -> Self {
                    MessageRef::$arm(message)
                }
            }
        )*

        impl<'a> From<&'a Message> for MessageRef<'a> {
            fn from(message: &'a Message) -> Self {
                match message {
                    $(Message::$arm(message) => MessageRef::$arm(message),)*
                }
            }
        }
    };
}

messages! {
    /// Amazon Device Messaging.
    Adm: adm::Message,
    /// Apple Push Notification service.
    Apns: apns::Message,
    /// Baidu Cloud Push.
    Baidu: baidu::Message,
    /// Firebase Cloud Messaging.
    Fcm: fcm::Message,
    /// Web Push.
    WebPush: webpush::Message,
}

/// A message with a key of the caller's own (a row id, a user) travels as a pair.
impl<'a, K, M> From<&'a (K, M)> for MessageRef<'a>
where
    &'a M: Into<MessageRef<'a>>,
{
    fn from((_, message): &'a (K, M)) -> Self {
        message.into()
    }
}

//! The ports, each of which is a service, or a part of one.

/// Which port a connection came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Door {
    Apns,
    ApnsManagement,
    ApnsBroadcast,
    Fcm,
    /// The metadata server of a machine in Google's cloud.
    Metadata,
    WebPush,
    Adm,
    Baidu,
    Control,
}

impl Door {
    pub(crate) const ALL: [Self; 9] = [
        Self::Apns,
        Self::ApnsManagement,
        Self::ApnsBroadcast,
        Self::Fcm,
        Self::Metadata,
        Self::WebPush,
        Self::Adm,
        Self::Baidu,
        Self::Control,
    ];

    pub(crate) fn is_apns(self) -> bool {
        matches!(self, Self::Apns | Self::ApnsManagement | Self::ApnsBroadcast)
    }

    /// The service's name in the log and in fault scripts.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::Apns | Self::ApnsManagement | Self::ApnsBroadcast => "apns",
            Self::Fcm | Self::Metadata => "fcm",
            Self::WebPush => "webpush",
            Self::Adm => "adm",
            Self::Baidu => "baidu",
            Self::Control => "control",
        }
    }
}

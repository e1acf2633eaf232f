//! The push types, and what each of them fixes, as one table.

use super::expiration::Expiration;

/// The kind of a push (`apns-push-type`). The kind must reflect the payload:
/// APNs may refuse, delay or drop a push that claims to be another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PushType {
    /// Shows an alert, plays a sound or badges the icon.
    Alert,
    /// Wakes the app to fetch content, and shows nothing.
    Background,
    /// An incoming call (PushKit).
    Voip,
    /// Updates a watchOS complication (PushKit).
    Complication,
    /// Signals changes to a File Provider extension.
    FileProvider,
    /// Tells a managed device to contact its MDM server.
    Mdm,
    /// Asks for the user's location; needs a token key.
    Location,
    /// Starts, updates or ends a Live Activity.
    LiveActivity,
    /// Announces activity on a Push to Talk channel.
    PushToTalk,
    /// Tells WidgetKit that a widget's content changed.
    Widgets,
    /// Tells WidgetKit that a control's state changed.
    Controls,
}

/// How urgently to deliver (`apns-priority`). APNs takes a push without one as [`Priority::Immediate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// 10: at once.
    Immediate,
    /// 5: with regard to the power of the device.
    PowerAware,
    /// 1: power above all; never wakes the device.
    PowerFirst,
}

impl Priority {
    /// 10, 5 or 1.
    pub const fn as_u8(self) -> u8 {
        match self {
            Priority::Immediate => 10,
            Priority::PowerAware => 5,
            Priority::PowerFirst => 1,
        }
    }

    /// The header's value.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Priority::Immediate => "10",
            Priority::PowerAware => "5",
            Priority::PowerFirst => "1",
        }
    }

    /// From 10, 5 or 1.
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            10 => Some(Priority::Immediate),
            5 => Some(Priority::PowerAware),
            1 => Some(Priority::PowerFirst),
            _ => None,
        }
    }
}

/// The values that a push type fixes.
pub(crate) struct Rules {
    pub(crate) name: &'static str,
    /// Follows the bundle id in the topic.
    pub(crate) suffix: &'static str,
    pub(crate) priorities: &'static [Priority],
    /// Sent when the caller names none; `None` leaves the header out.
    pub(crate) default_priority: Option<Priority>,
    pub(crate) default_expiration: Expiration,
    /// The largest payload, in bytes.
    pub(crate) limit: usize,
    /// Impossible with a certificate.
    pub(crate) token_only: bool,
}

const ANY: &[Priority] = &[Priority::Immediate, Priority::PowerAware, Priority::PowerFirst];
const TEN_OR_FIVE: &[Priority] = &[Priority::Immediate, Priority::PowerAware];

/// The rules that most push types have in common; the table below names the differences.
const fn plain(name: &'static str, suffix: &'static str) -> Rules {
    Rules {
        name,
        suffix,
        priorities: ANY,
        default_priority: None,
        default_expiration: Expiration::Absent,
        limit: 4096,
        token_only: false,
    }
}

static ALERT: Rules = plain("alert", "");
static BACKGROUND: Rules = Rules {
    // "Using priority 10 is an error", and 10 is the default: so it must be said.
    priorities: &[Priority::PowerAware],
    default_priority: Some(Priority::PowerAware),
    ..plain("background", "")
};
static VOIP: Rules = Rules {
    limit: 5120,
    ..plain("voip", ".voip")
};
static COMPLICATION: Rules = plain("complication", ".complication");
static FILE_PROVIDER: Rules = plain("fileprovider", ".pushkit.fileprovider");
static MDM: Rules = plain("mdm", "");
static LOCATION: Rules = Rules {
    priorities: TEN_OR_FIVE,
    token_only: true,
    ..plain("location", ".location-query")
};
static LIVE_ACTIVITY: Rules = Rules {
    priorities: TEN_OR_FIVE,
    ..plain("liveactivity", ".push-type.liveactivity")
};
static PUSH_TO_TALK: Rules = Rules {
    // Stale talk is worse than none: both are recommended, not required.
    default_priority: Some(Priority::Immediate),
    default_expiration: Expiration::Once,
    ..plain("pushtotalk", ".voip-ptt")
};
static WIDGETS: Rules = plain("widgets", ".push-type.widgets");
static CONTROLS: Rules = plain("controls", ".push-type.controls");

impl PushType {
    /// Every push type.
    pub const ALL: &'static [PushType] = &[
        PushType::Alert,
        PushType::Background,
        PushType::Voip,
        PushType::Complication,
        PushType::FileProvider,
        PushType::Mdm,
        PushType::Location,
        PushType::LiveActivity,
        PushType::PushToTalk,
        PushType::Widgets,
        PushType::Controls,
    ];

    pub(crate) fn rules(self) -> &'static Rules {
        match self {
            PushType::Alert => &ALERT,
            PushType::Background => &BACKGROUND,
            PushType::Voip => &VOIP,
            PushType::Complication => &COMPLICATION,
            PushType::FileProvider => &FILE_PROVIDER,
            PushType::Mdm => &MDM,
            PushType::Location => &LOCATION,
            PushType::LiveActivity => &LIVE_ACTIVITY,
            PushType::PushToTalk => &PUSH_TO_TALK,
            PushType::Widgets => &WIDGETS,
            PushType::Controls => &CONTROLS,
        }
    }

    /// The value of `apns-push-type`.
    pub fn as_str(self) -> &'static str {
        self.rules().name
    }

    /// The push type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Returns the suffix that follows the bundle id in `apns-topic`; empty for some types.
    pub fn topic_suffix(self) -> &'static str {
        self.rules().suffix
    }

    /// The priorities that APNs takes with it.
    pub fn priorities(self) -> &'static [Priority] {
        self.rules().priorities
    }

    /// The largest payload, in bytes.
    pub fn payload_limit(self) -> usize {
        self.rules().limit
    }

    /// Whether it needs a token key: a certificate cannot send it.
    pub fn needs_token_key(self) -> bool {
        self.rules().token_only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written from Apple's list ("Sending notification requests to APNs"), not from the table above.
    #[test]
    fn every_push_type_has_apples_name_suffix_limit_and_priorities() {
        let rows: &[(&str, &str, usize, &[u8], bool)] = &[
            ("alert", "", 4096, &[10, 5, 1], false),
            ("background", "", 4096, &[5], false),
            ("voip", ".voip", 5120, &[10, 5, 1], false),
            ("complication", ".complication", 4096, &[10, 5, 1], false),
            ("fileprovider", ".pushkit.fileprovider", 4096, &[10, 5, 1], false),
            ("mdm", "", 4096, &[10, 5, 1], false),
            ("location", ".location-query", 4096, &[10, 5], true),
            ("liveactivity", ".push-type.liveactivity", 4096, &[10, 5], false),
            ("pushtotalk", ".voip-ptt", 4096, &[10, 5, 1], false),
            ("widgets", ".push-type.widgets", 4096, &[10, 5, 1], false),
            ("controls", ".push-type.controls", 4096, &[10, 5, 1], false),
        ];
        assert_eq!(rows.len(), PushType::ALL.len());
        for (name, suffix, limit, priorities, token_only) in rows {
            let kind = PushType::from_name(name).unwrap();
            assert_eq!(kind.topic_suffix(), *suffix, "{name}");
            assert_eq!(kind.payload_limit(), *limit, "{name}");
            assert_eq!(kind.needs_token_key(), *token_only, "{name}");
            let numbers: Vec<u8> = kind.priorities().iter().map(|p| p.as_u8()).collect();
            assert_eq!(numbers, *priorities, "{name}");
        }
        assert_eq!(PushType::from_name("Alert"), None);
    }

    #[test]
    fn priorities_are_10_5_and_1() {
        for number in 0..=u8::MAX {
            let priority = Priority::from_u8(number);
            assert_eq!(priority.is_some(), [1, 5, 10].contains(&number));
            if let Some(priority) = priority {
                assert_eq!(priority.as_str(), number.to_string());
            }
        }
    }
}

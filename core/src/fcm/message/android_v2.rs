//! `AndroidConfigV2`: the newer form of [`AndroidConfig`](crate::fcm::AndroidConfig),
//! which says what a message is for instead of how urgent it is.

use std::time::Duration;

use super::android::{AndroidFcmOptions, LightSettings, NotificationPriority, Visibility};
use super::rules;
use crate::error::{Error, ErrorKind};
use crate::fcm::wire::Path;
use crate::fcm::wire::map::StringMap;
use crate::fcm::wire::object::{no_rules, object};
use crate::fcm::wire::timestamp::Timestamp;

object! {
    /// The part of a message that only Android devices see, newer form. Excludes
    /// [`AndroidConfig`](crate::fcm::AndroidConfig). Has at most one of
    /// `remote_notification` and `background_sync`.
    AndroidConfigV2, rules = config_rules,
    {
        /// Messages with one key replace each other while the device is away.
        collapse_key: String,
        /// How long it is kept for a device that is away: 0 to four weeks, the default.
        ttl: Duration,
        /// The package that alone may receive it.
        restricted_package_name: String,
        /// Replaces the message's `data` on Android.
        data: StringMap,
        /// Options of the Android SDK.
        fcm_options: AndroidFcmOptions,
        /// Whether the app may receive it before the device is first unlocked.
        direct_boot_ok: bool,
        /// Whether it may go over a bandwidth-constrained network.
        bandwidth_constrained_ok: bool,
        /// Whether it may go over a restricted satellite network.
        restricted_satellite_ok: bool,
        /// Something the user sees: delivered at once.
        remote_notification: AndroidRemoteNotification,
        /// Something the app fetches some time: may be deferred.
        background_sync: AndroidBackgroundSyncMessage,
    }
}

fn config_rules(config: &AndroidConfigV2, at: &Path<'_>) -> Result<(), Error> {
    if config.remote_notification.is_some() && config.background_sync.is_some() {
        return Err(at.error(
            ErrorKind::Conflict,
            "remote_notification and background_sync exclude each other",
        ));
    }
    rules::ttl(config.ttl, at)?;
    rules::data(config.data.as_ref(), at)
}

object! {
    /// Something the user sees.
    AndroidRemoteNotification, rules = no_rules,
    {
        /// The notification.
        notification: AndroidNotificationV2,
        /// Whether the app may change it before it is shown.
        mutable_content: bool,
        /// Whether older apps get a data message instead, without the notification.
        use_as_v1_data_message: bool,
    }
}

object! {
    /// Something the app fetches some time. Nothing to say about it yet.
    AndroidBackgroundSyncMessage, rules = no_rules,
    {}
}

object! {
    /// A notification as Android draws it, newer form: identified by tag and id.
    AndroidNotificationV2, rules = notification_rules,
    {
        /// With `tag`, what a later notification has to name to replace this one.
        id: i32,
        /// The title.
        title: String,
        /// The text.
        body: String,
        /// The name of a drawable of the app.
        icon: String,
        /// The icon's colour, `#rrggbb`.
        color: String,
        /// `default`, or the name of a sound file of the app.
        sound: String,
        /// Notifications with one tag replace each other.
        tag: String,
        /// The intent that a tap starts.
        click_action: String,
        /// The key of the text in the app's resources.
        body_loc_key: String,
        /// The arguments that are put into the localised body.
        body_loc_args: Vec<String>,
        /// The key of the title in the app's resources.
        title_loc_key: String,
        /// The arguments that are put into the localised title.
        title_loc_args: Vec<String>,
        /// The notification channel (Android 8 and newer).
        channel_id: String,
        /// The text that accessibility services read out.
        ticker: String,
        /// Whether it stays when tapped.
        sticky: bool,
        /// When the event happened; notifications are sorted by it.
        event_time: Timestamp,
        /// Whether it stays on this device and is not bridged to a watch.
        local_only: bool,
        /// Its priority on Android 7.1 and older.
        notification_priority: NotificationPriority,
        /// Whether the system's sound is played.
        default_sound: bool,
        /// Whether the system's vibration pattern is used, whatever `vibrate_timings` says.
        default_vibrate_timings: bool,
        /// Whether the system's light settings are used, whatever `light_settings` says.
        default_light_settings: bool,
        /// Wait, vibrate, wait, vibrate ...
        vibrate_timings: Vec<Duration>,
        /// The part of the notification that a locked screen shows.
        visibility: Visibility,
        /// How many things it stands for; not negative.
        notification_count: i32,
        /// How the device's light blinks.
        light_settings: LightSettings,
        /// The HTTPS URL of an image, at most 1 MB.
        image: String,
    }
}

fn notification_rules(it: &AndroidNotificationV2, at: &Path<'_>) -> Result<(), Error> {
    rules::rgb(it.color.as_ref(), at)?;
    rules::loc(
        it.body_loc_args.as_ref(),
        it.body_loc_key.as_ref(),
        "body_loc_args",
        at,
    )?;
    rules::loc(
        it.title_loc_args.as_ref(),
        it.title_loc_key.as_ref(),
        "title_loc_args",
        at,
    )?;
    rules::count(it.notification_count, "notification_count", at)?;
    rules::https(it.image.as_ref(), "image", at)
}

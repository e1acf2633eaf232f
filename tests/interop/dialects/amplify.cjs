// Reads native messages with Amplify's own normalizeNativeMessage, as an app with AWS's library does.
const { normalizeNativeMessage } = require("@aws-amplify/rtn-push-notification/dist/cjs/utils/normalizeNativeMessage.js");

// Amplify's native half on Android hands the data of FCM over in this form (PushNotificationAWSPinpointUtils.kt).
function ofAndroid(data) {
    return {
        title: data["pinpoint.notification.title"],
        body: data["pinpoint.notification.body"],
        imageUrl: data["pinpoint.notification.imageUrl"],
        action: { openApp: data["pinpoint.openApp"], url: data["pinpoint.url"], deeplink: data["pinpoint.deeplink"] },
        rawData: data,
    };
}

const [kind, text] = process.argv.slice(2);
const message = JSON.parse(text);
const normal = normalizeNativeMessage(kind === "fcm" ? ofAndroid(message) : message);
if (normal) delete normal.fcmOptions; // The time of now.
console.log(JSON.stringify(normal));

// Subscribes this browser to push messages and hands the subscription to the server.
//
//   import { subscribe } from "./subscribe.js";
//   button.onclick = () => subscribe("BMjQIp55pdbU8pfC...", "/subscriptions");
//
// `publicKey` is the sender's VAPID key, 87 characters of base64url: in Rust
// `credentials.public_key().to_base64()`. Must be called from a click: browsers ask
// the user only then. On iOS the page must have been added to the home screen first.
export async function subscribe(publicKey, url) {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    throw new Error("this browser has no push messages");
  }
  const registration = await navigator.serviceWorker.register("/service-worker.js");
  await navigator.serviceWorker.ready;
  if ((await Notification.requestPermission()) !== "granted") {
    throw new Error("the user does not want notifications");
  }
  let subscription = await registration.pushManager.getSubscription();
  if (subscription && key(subscription) !== publicKey) {
    // Made with another key (the sender's was rotated): it can never be used again.
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: publicKey,
  });
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    // {"endpoint", "expirationTime", "keys": {"p256dh", "auth"}}: what
    // `webpush::Subscription::parse` reads.
    body: JSON.stringify(subscription),
  });
  if (!answer.ok) throw new Error(`the server did not take the subscription: ${answer.status}`);
  return subscription;
}

// The sender's key as bytes, for `applicationServerKey` in browsers that do not take text (before 2018).
export function bytes(publicKey) {
  const text = atob(publicKey.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

// The key of a subscription as base64url.
function key(subscription) {
  const bytes = new Uint8Array(subscription.options.applicationServerKey ?? []);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// A service worker that shows what a `pushcore` sender sends: the JSON of
// `webpush::Declarative`, or text.
//
// Safari 18.4 and later shows declarative messages by itself and only comes here
// when `mutable` is true. Chrome and Firefox do not know the form: they always come
// here, and find in the same JSON all that `showNotification` needs.

self.addEventListener("push", (event) => {
  const message = read(event.data);
  const { title, ...options } = message.notification;
  // Where a click leads is kept in `data`, because browsers drop members of
  // `options` that they do not know; Safari insists on `navigate` itself.
  options.data = { app: options.data, navigate: options.navigate, actions: links(options.actions) };
  const shown = self.registration.showNotification(title, options);
  // Every push must show something: three silent ones cost the permission on iOS.
  event.waitUntil(Promise.all([shown, badge(message.app_badge)]));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { navigate, actions } = event.notification.data ?? {};
  const url = actions?.[event.action] ?? navigate;
  if (url) event.waitUntil(show(url));
});

// Browsers may replace a subscription on their own: tell the server.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(
    self.registration.pushManager.subscribe(event.oldSubscription.options).then((subscription) =>
      fetch("/subscriptions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ old: event.oldSubscription.endpoint, subscription }),
      }),
    ),
  );
});

function read(data) {
  try {
    const message = data.json();
    if (message.notification?.title) return message;
  } catch {
    // No payload, or no JSON: show it as text.
  }
  return { notification: { title: data?.text() || "News" } };
}

function links(actions = []) {
  return Object.fromEntries(actions.map(({ action, navigate }) => [action, navigate]));
}

async function badge(count) {
  if (count === undefined || !navigator.setAppBadge) return;
  await (count ? navigator.setAppBadge(count) : navigator.clearAppBadge());
}

async function show(url) {
  const windows = await clients.matchAll({ type: "window" });
  const open = windows.find((client) => client.url === url);
  return open ? open.focus() : clients.openWindow(url);
}

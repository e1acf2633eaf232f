// What `pushcore.Notification` sends to browsers, in the service worker: `node --test examples/webpush/`.
//
// Safari shows a declarative message by itself; every other browser runs this worker, on the same JSON.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("service-worker.js", import.meta.url), "utf8");
const vectors = JSON.parse(readFileSync(new URL("../../tests/vectors/notification.json", import.meta.url), "utf8"));
const rows = vectors.messages.filter((row) => row.device.service === "web_push" && row.message);

function browser() {
  const seen = { shown: [], badges: [], opened: [] };
  const listeners = {};
  const context = {
    self: {
      addEventListener: (type, listener) => (listeners[type] = listener),
      registration: { showNotification: async (title, options) => void seen.shown.push({ title, ...options }) },
    },
    navigator: {
      setAppBadge: async (count) => void seen.badges.push(count),
      clearAppBadge: async () => void seen.badges.push(0),
    },
    clients: { matchAll: async () => [], openWindow: async (url) => void seen.opened.push(url) },
  };
  vm.runInNewContext(source, context);
  const dispatch = async (type, event) => {
    const waits = [];
    listeners[type]({ ...event, waitUntil: (promise) => waits.push(promise) });
    await Promise.all(waits);
  };
  return { seen, dispatch };
}

// Objects of another realm have prototypes of their own.
const plain = (value) => JSON.parse(JSON.stringify(value));

assert.ok(rows.length >= 8);
for (const row of rows) {
  test(row.name, async () => {
    const { notification, device, message } = row;
    assert.equal(device.service, "web_push");
    const text = JSON.stringify(message.payload);
    const { seen, dispatch } = browser();
    await dispatch("push", { data: { json: () => JSON.parse(text), text: () => text } });
    // A browser takes the permission away from a page whose pushes show nothing.
    assert.equal(seen.shown.length, 1);
    if (notification.silent) return;

    const [shown] = plain(seen.shown);
    const line = (value) => (typeof value === "object" ? value.text : value);
    assert.equal(shown.title, line(notification.title) ?? line(notification.body));
    if (notification.title) assert.equal(shown.body, line(notification.body));
    assert.equal(shown.image, notification.image);
    assert.equal(shown.tag, notification.collapse_key);
    assert.deepEqual(seen.badges, notification.badge === undefined ? [] : [notification.badge]);
    assert.equal(shown.data.app?.id, notification.data?.id);

    const link = notification.action?.url ?? notification.action?.deep_link;
    const click = (action) => dispatch("notificationclick", { action, notification: { ...shown, close() {} } });
    await click("");
    if (link?.startsWith("http")) assert.deepEqual(seen.opened, [link]);
    else assert.equal(shown.data.app?.deep_link, link);
    for (const button of notification.buttons ?? []) {
      await click(button.id);
      assert.equal(seen.opened.at(-1), button.url ?? link);
    }
  });
}

// The service worker in a stub of the browser: `node --test examples/webpush/`.
//
// A push must always show something, a click must always lead somewhere, and a subscription that the
// browser replaced must reach the server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("service-worker.js", import.meta.url), "utf8");

// A browser: records what the worker asks of it.
function browser({ windows = [] } = {}) {
  const seen = { shown: [], badges: [], opened: [], fetched: [] };
  const listeners = {};
  const registration = {
    showNotification: async (title, options) => void seen.shown.push({ title, ...options }),
    pushManager: { subscribe: async (options) => ({ endpoint: "https://new.example/", options }) },
  };
  const context = {
    self: { addEventListener: (type, listener) => (listeners[type] = listener), registration },
    navigator: {
      setAppBadge: async (count) => void seen.badges.push(count),
      clearAppBadge: async () => void seen.badges.push(0),
    },
    clients: { matchAll: async () => windows, openWindow: async (url) => void seen.opened.push(url) },
    fetch: async (url, request) => void seen.fetched.push({ url, ...request }),
  };
  vm.runInNewContext(source, context);
  // Dispatches an event and waits for what it was told to wait for.
  const dispatch = async (type, event) => {
    const waits = [];
    listeners[type]({ ...event, waitUntil: (promise) => waits.push(promise) });
    await Promise.all(waits);
    return waits.length;
  };
  return { seen, dispatch };
}

const data = (text) => ({ json: () => JSON.parse(text), text: () => text });
// Objects of another realm have prototypes of their own.
const plain = (value) => JSON.parse(JSON.stringify(value));

const declarative = {
  web_push: 8030,
  notification: {
    title: "Website Name",
    body: "Hello world!",
    navigate: "https://example.com/",
    actions: [{ action: "reply", title: "Reply", navigate: "https://example.com/reply" }],
    data: { custom: "123" },
  },
  app_badge: 3,
};

test("a declarative message is shown whole", async () => {
  const { seen, dispatch } = browser();
  await dispatch("push", { data: data(JSON.stringify(declarative)) });
  const [shown] = plain(seen.shown);
  assert.equal(shown.title, "Website Name");
  assert.equal(shown.body, "Hello world!");
  assert.deepEqual(shown.data.app, { custom: "123" });
  assert.deepEqual(seen.badges, [3]);
});

test("a badge of zero is cleared, none is left alone", async () => {
  const { seen, dispatch } = browser();
  await dispatch("push", { data: data(JSON.stringify({ ...declarative, app_badge: 0 })) });
  await dispatch("push", { data: data(JSON.stringify({ ...declarative, app_badge: undefined })) });
  assert.deepEqual(seen.badges, [0]);
});

for (const [what, payload, title] of [
  ["text", data("When I grow up"), "When I grow up"],
  ["nothing", null, "News"],
  ["an empty payload", data(""), "News"],
  ["JSON without a notification", data('{"a":1}'), '{"a":1}'],
  ["JSON null", data("null"), "null"],
  ["a notification without a title", data('{"notification":{}}'), '{"notification":{}}'],
]) {
  test(`${what} is shown all the same`, async () => {
    const { seen, dispatch } = browser();
    assert.equal(await dispatch("push", { data: payload }), 1);
    assert.deepEqual(
      seen.shown.map((shown) => shown.title),
      [title],
    );
  });
}

// A click on what a push has shown.
async function click(there, action) {
  await there.dispatch("push", { data: data(JSON.stringify(declarative)) });
  let closed = false;
  const notification = { data: plain(there.seen.shown[0].data), close: () => (closed = true) };
  await there.dispatch("notificationclick", { action, notification });
  assert.ok(closed);
}

test("a click opens the page", async () => {
  const there = browser();
  await click(there, "");
  assert.deepEqual(there.seen.opened, ["https://example.com/"]);
});

test("a click on an action opens its page", async () => {
  const there = browser();
  await click(there, "reply");
  assert.deepEqual(there.seen.opened, ["https://example.com/reply"]);
});

test("a page that is open already is brought to the front", async () => {
  let focused = 0;
  const there = browser({ windows: [{ url: "https://example.com/", focus: async () => void focused++ }] });
  await click(there, "");
  assert.equal(focused, 1);
  assert.deepEqual(there.seen.opened, []);
});

test("a click on a notification of another origin does no harm", async () => {
  const there = browser();
  await there.dispatch("notificationclick", { action: "", notification: { close() {} } });
  assert.deepEqual(there.seen.opened, []);
});

test("a replaced subscription is told to the server", async () => {
  const { seen, dispatch } = browser();
  const oldSubscription = { endpoint: "https://old.example/", options: { userVisibleOnly: true } };
  await dispatch("pushsubscriptionchange", { oldSubscription });
  const [{ url, method, body }] = seen.fetched;
  assert.deepEqual([url, method], ["/subscriptions", "POST"]);
  const sent = JSON.parse(body);
  assert.equal(sent.old, "https://old.example/");
  assert.equal(sent.subscription.endpoint, "https://new.example/");
});

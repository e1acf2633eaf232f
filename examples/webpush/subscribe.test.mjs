// `subscribe` in a stub of the browser: `node --test examples/webpush/subscribe.test.mjs`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";

const source = readFileSync(new URL("subscribe.js", import.meta.url), "utf8");
const { bytes, subscribe } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const KEY = Buffer.alloc(65, 4).toString("base64url");
const OTHER_KEY = Buffer.alloc(65, 5).toString("base64url");

let seen;

function subscription(key) {
  const bytes = Uint8Array.from(Buffer.from(key, "base64url"));
  return {
    options: { applicationServerKey: bytes.buffer },
    unsubscribe: async () => void seen.unsubscribed++,
    toJSON: () => ({ endpoint: "https://push.example/", keys: {} }),
  };
}

// What the browser has: an existing subscription or none, and the user's answer.
function browser({ existing = null, permission = "granted", status = 204 } = {}) {
  const pushManager = {
    getSubscription: async () => existing,
    subscribe: async (options) => {
      seen.subscribed.push(options);
      return subscription(options.applicationServerKey);
    },
  };
  const serviceWorker = { register: async () => ({ pushManager }), ready: Promise.resolve() };
  const globals = {
    navigator: { serviceWorker },
    window: { PushManager: class {} },
    Notification: { requestPermission: async () => permission },
    fetch: async (url, request) => {
      seen.fetched.push({ url, ...request });
      return { ok: status < 300, status };
    },
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
}

beforeEach(() => (seen = { subscribed: [], unsubscribed: 0, fetched: [] }));

test("a new subscription is visible, has the key, and goes to the server", async () => {
  browser();
  await subscribe(KEY, "/subscriptions");
  assert.deepEqual(seen.subscribed, [{ userVisibleOnly: true, applicationServerKey: KEY }]);
  assert.equal(seen.fetched[0].url, "/subscriptions");
  assert.equal(JSON.parse(seen.fetched[0].body).endpoint, "https://push.example/");
});

test("a subscription of the same key is used again", async () => {
  browser({ existing: subscription(KEY) });
  await subscribe(KEY, "/subscriptions");
  assert.deepEqual([seen.subscribed, seen.unsubscribed, seen.fetched.length], [[], 0, 1]);
});

test("a subscription of another key is replaced", async () => {
  browser({ existing: subscription(OTHER_KEY) });
  await subscribe(KEY, "/subscriptions");
  assert.deepEqual([seen.subscribed.length, seen.unsubscribed], [1, 1]);
});

test("a user who says no is not subscribed", async () => {
  browser({ permission: "denied" });
  await assert.rejects(subscribe(KEY, "/subscriptions"), /does not want/);
  assert.deepEqual([seen.subscribed, seen.fetched], [[], []]);
});

test("a server that does not take it is an error", async () => {
  browser({ status: 400 });
  await assert.rejects(subscribe(KEY, "/subscriptions"), /400/);
});

test("the key as bytes, for browsers that take no text", () => {
  const key = "BMjQIp55pdbU8pfCBKyXcZjlmER_mXt5LqNrN1hrXbdBS5EnhIbMu3Au-RV53iIpztzNXkGI56BFB1udQ8Bq_H4";
  assert.deepEqual(Buffer.from(bytes(key)), Buffer.from(key, "base64url"));
});

// Prints what node's libraries make of one notification: see record.py, which runs this.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const apn = require("@parse/node-apn");
const tools = require("node-pushnotifications/lib/utils/tools.js");
const FcmMessage = require("node-pushnotifications/lib/utils/fcmMessage.js");
// node-pushnotifications hands its message to this one, which turns it into the wire's form before anything is sent.
const { validateMessage } = require(join(dirname(require.resolve("firebase-admin")), "messaging/messaging-internal.js"));

const now = Number(process.argv[2]);
Date.now = () => now * 1000;
const strings = (map) => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, String(value)]));

// One field of ours for one of theirs.
const own = new apn.Notification({
  topic: "com.example.app",
  pushType: "alert",
  title: "Ada wrote",
  subtitle: "Chat",
  body: "See you at six",
  badge: 3,
  sound: "default",
  threadId: "chat-7",
  category: "CHAT",
  mutableContent: true,
  priority: 10,
  expiry: now + 3600,
  collapseId: "chat-7",
  payload: { id: "7", url: "https://chat.example/7", image: "https://img.example/a.png" },
});

// Its own idea of one notification for every service.
const one = {
  title: "Ada wrote",
  body: "See you at six",
  icon: "ic_chat",
  image: "https://img.example/a.png",
  badge: 3,
  sound: "default",
  threadId: "chat-7",
  category: "CHAT",
  android_channel_id: "messages",
  priority: "high",
  timeToLive: 3600,
  collapseKey: "chat-7",
  tag: "chat-7",
  mutableContent: true,
  pushType: "alert",
  topic: "com.example.app",
  custom: { id: "7", url: "https://chat.example/7" },
};
const theirApns = tools.buildApnsMessage(one);
const theirFcm = FcmMessage.build(one, {}).buildWithRecipients({ token: "t" });
validateMessage(theirFcm);
const { consolidationKey, timeToLive, custom, ...data } = one;
const theirAdm = { expiresAfter: timeToLive, consolidationKey, data: { ...data, ...custom } };

const version = (name) => JSON.parse(readFileSync(join("node_modules", name, "package.json"))).version;
const plain = (value) => JSON.parse(JSON.stringify(value));
console.log(
  JSON.stringify([
    {
      peer: "@parse/node-apn",
      version: version("@parse/node-apn"),
      service: "apns",
      headers: strings(own.headers()),
      body: plain(own),
    },
    {
      peer: "node-pushnotifications",
      version: version("node-pushnotifications"),
      service: "apns",
      headers: strings(theirApns.headers()),
      body: plain(theirApns),
    },
    {
      peer: "node-pushnotifications",
      version: version("node-pushnotifications"),
      service: "fcm",
      body: plain(theirFcm),
    },
    {
      peer: "node-pushnotifications",
      version: version("node-pushnotifications"),
      service: "adm",
      body: plain(theirAdm),
    },
    {
      peer: "node-pushnotifications",
      version: version("node-pushnotifications"),
      service: "web_push",
      body: plain(one),
    },
  ]),
);

// firebase-admin for Node sends to the sandbox: one message, and a batch over HTTP/2.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const { fcm } = JSON.parse(readFileSync(process.env.SANDBOX_READY));
const [host, port] = fcm.authority.split(":");

// Google's hosts are reached at the sandbox, under their own names, which its certificate has.
const tls = require("node:tls");
const connect = tls.connect;
tls.connect = (...given) => {
  const at = given.findIndex((one) => one !== null && typeof one === "object");
  const options = at < 0 ? {} : given[at];
  const name = options.servername || options.host || given.find((one) => typeof one === "string") || "";
  const callback = given.find((one) => typeof one === "function");
  const there = name.endsWith("googleapis.com") || name.endsWith("google.com") ? { host, port: Number(port) } : {};
  const numbers = typeof given[0] === "number" || typeof given[0] === "string" ? { port: Number(given[0]), host: given[1] } : {};
  return connect({ ...numbers, ...options, servername: name, ...there }, callback);
};

const { initializeApp, cert } = require("firebase-admin/app");
const { getMessaging } = require("firebase-admin/messaging");

const say = (target, ok, reason) => console.log(JSON.stringify({ target, ok, reason }));
const message = (name) => ({
  token: fcm.tokens[name],
  notification: { title: "hello", body: "world" },
  apns: { payload: { aps: { sound: "default" } } },
});
const reason = (error) => error?.code ?? String(error);

const account = JSON.parse(readFileSync(fcm.service_account_file));
const messaging = getMessaging(initializeApp({ credential: cert(account), projectId: fcm.project_id }));
await messaging.send(message("valid")).then(
  () => say("valid", true, ""),
  (error) => say("valid", false, reason(error)),
);
const names = ["unregistered", "malformed", ...Array.from({ length: 50 }, () => "valid_2")];
const { responses } = await messaging.sendEach(names.map(message));
responses.forEach(({ success, error }, i) => say(names[i], success, success ? "" : reason(error)));
process.exit(0);

// node's `web-push`, by the protocol of `compare.py`.
import { createECDH, randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import webpush from "web-push";

const [messages, bytes] = process.argv.slice(2).map(Number);
const payload = Buffer.alloc(bytes, "x");
const subscriptions = Array.from({ length: messages }, (_, number) => {
  const key = createECDH("prime256v1");
  return {
    endpoint: `https://updates.push.services.mozilla.com/wpush/v2/${number}`,
    keys: {
      p256dh: key.generateKeys("base64url"),
      auth: randomBytes(16).toString("base64url"),
    },
  };
});
const vapidDetails = { subject: "mailto:ops@example.com", ...webpush.generateVAPIDKeys() };

const peers = {
  "node web-push": ({ endpoint, keys }) =>
    webpush.generateRequestDetails({ endpoint, keys }, payload, { vapidDetails }),
  "node web-push (encryption alone)": ({ keys }) =>
    webpush.encrypt(keys.p256dh, keys.auth, payload, "aes128gcm"),
};

console.log(Object.keys(peers).join("|"));
for await (const name of createInterface({ input: process.stdin })) {
  const started = process.hrtime.bigint();
  subscriptions.forEach(peers[name]);
  console.log(String(process.hrtime.bigint() - started));
}

// fcm-push, whose address is in its code and which knows no proxy. Arguments: the key, a token that is alive, one that is dead.
const { createRequire } = require("node:module");
const https = require("node:https");
const http = require("node:http");
const there = new URL(process.env.PUSHCORE_URL);
https.request = (options, done) => http.request({ ...options, protocol: "http:", host: there.hostname, port: there.port }, done);
const FCM = createRequire(`${process.env.PUSHCORE_ORIGINAL}/node/package.json`)("fcm-push");

const [key, alive, dead] = process.argv.slice(2);
const message = (to) => ({ to, data: { a: "1" }, notification: { title: "t", body: "b" } });
(async () => {
  console.log(JSON.parse(await new FCM(key).send(message(alive))).success);
  await new FCM(key).send(message(dead)).catch((error) => console.log(error));
})();

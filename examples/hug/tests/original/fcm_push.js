// fcm-push, by http_preload.js. Arguments: the key, a token that is alive, one that is dead.
const { createRequire } = require("node:module");
const FCM = createRequire(`${process.env.PUSHCORE_ORIGINAL}/node/package.json`)("fcm-push");

const [key, alive, dead] = process.argv.slice(2);
const message = (to) => ({ to, data: { a: "1" }, notification: { title: "t", body: "b" } });
(async () => {
  console.log(JSON.parse(await new FCM(key).send(message(alive))).success);
  await new FCM(key).send(message(dead)).catch((error) => console.log(error));
})();

// node-gcm, or its fork that PUSHCORE_PACKAGE names (by http_preload.js). Arguments: the key, the address, a token that is alive, one that is dead.
const { createRequire } = require("node:module");
const gcm = createRequire(`${process.env.PUSHCORE_ORIGINAL}/node/package.json`)(process.env.PUSHCORE_PACKAGE ?? "node-gcm");

const [key, url, alive, dead] = process.argv.slice(2);
const options = { uri: `${url}/fcm/send`, timeout: 20000 };
const message = new gcm.Message({
  collapseKey: "demo",
  priority: "high",
  contentAvailable: true,
  timeToLive: 3,
  data: { key1: "message1", number: 5 },
  notification: { title: "Hello", icon: "ic_launcher", body: "World" },
});
const sender = new gcm.Sender(key, options);
sender.send(message, { registrationTokens: [alive, dead] }, 2, (error, many) => {
  if (error) throw error;
  console.log(many.success, many.results[1].error);
  sender.sendNoRetry(message, { topic: "/topics/news" }, (failure, one) => {
    if (failure) throw failure;
    console.log(one.message_id > 0 ? "topic" : one);
    new gcm.Sender("wrong", options).sendNoRetry(message, { to: alive }, (status) => console.log(status));
  });
});

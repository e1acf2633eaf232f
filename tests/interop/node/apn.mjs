// @parse/node-apn sends to the sandbox.
import apn from "@parse/node-apn";
import { readFileSync } from "node:fs";

const { apns } = JSON.parse(readFileSync(process.env.SANDBOX_READY));
const [host, port] = apns.authority.split(":");
const provider = new apn.Provider({
  token: { key: apns.p8_file, keyId: apns.key_id, teamId: apns.team_id },
  address: host,
  port: Number(port),
  ca: readFileSync(process.env.SANDBOX_CA),
  production: false,
});
const say = (target, ok, reason) => console.log(JSON.stringify({ target, ok, reason }));
const send = async (name) => {
  const note = new apn.Notification({ alert: "hello", topic: apns.topic, pushType: "alert" });
  const answer = await provider.send(note, apns.tokens[name]);
  for (const _ of answer.sent) say(name, true, "");
  for (const { response, error } of answer.failed) say(name, false, response?.reason ?? String(error));
};
for (const name of ["valid", "unregistered", "unknown"]) await send(name);
await Promise.all(Array.from({ length: 50 }, () => send("valid_2")));
await provider.shutdown();

// Pushpad's client for node to its end. Arguments: the token, the address, a subscription's endpoint, p256dh and auth.
import { pathToFileURL } from "node:url";
const folder = `${process.env.PUSHCORE_ORIGINAL}/node/node_modules/pushpad`;
const { default: Pushpad } = await import(pathToFileURL(`${folder}/src/index.js`));

const [authToken, url, endpoint, p256dh, auth] = process.argv.slice(2);
const pushpad = new Pushpad({ authToken, projectId: 123, baseUrl: `${url}/api/v1` });
const { notification, subscription, project, sender } = pushpad;

const created = await notification.create({ body: "Hello", uids: ["user1", "nobody"], actions: [{ title: "A" }] });
console.log(created.scheduled, created.uids.join());
const later = new Date(Date.now() + 86400000).toISOString();
const scheduled = await notification.create({ body: "later", send_at: later, tags: ["segment1 && !x"] });
console.log((await notification.find(scheduled.id)).scheduled, (await notification.findAll({ page: 1 })).length > 1);
await notification.cancel(scheduled.id);
console.log((await notification.find(scheduled.id)).cancelled);
const made = await subscription.create({ endpoint, p256dh, auth, uid: "node", tags: ["a"] });
console.log(await subscription.count({ uids: ["node"] }), (await subscription.find(made.id)).uid);
console.log((await subscription.update(made.id, { uid: null, tags: ["b"] })).tags.join());
await subscription.delete(made.id);
const own = await sender.create({ name: "S" });
const mine = await project.create({ sender_id: own.id, name: "P", website: "https://example.com" });
console.log((await project.update(mine.id, { name: "Q" })).name, (await project.findAll()).length > 1);
await project.delete(mine.id);
await sender.delete(own.id);
const stranger = new Pushpad({ authToken: "x", projectId: 123, baseUrl: `${url}/api/v1` });
for (const call of [() => notification.find(999999), () => notification.create({}), () => stranger.notification.findAll()]) {
  await call().catch((error) => console.log(error.status));
}

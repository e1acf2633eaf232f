// The JavaScript side: node's `web-push`, and a decoder written on WebCrypto alone,
// as a browser would have it. One JSON object a line on stdin, one on stdout.
import { createInterface } from "node:readline";
import { webcrypto } from "node:crypto";
import webpush from "web-push";

const { subtle } = webcrypto;
const from = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const to = (bytes) => Buffer.from(bytes).toString("base64url");
const utf8 = (text) => new TextEncoder().encode(text);
const join = (...parts) => new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));

async function hkdf(salt, ikm, info, bytes) {
  const key = await subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]);
  const params = { name: "HKDF", hash: "SHA-256", salt, info };
  return new Uint8Array(await subtle.deriveBits(params, key, bytes * 8));
}

// RFC 8291 and RFC 8188, one record.
async function decrypt({ jwk, auth, body }) {
  const bytes = from(body);
  const [salt, sender, record] = [bytes.slice(0, 16), bytes.slice(21, 86), bytes.slice(86)];
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const mine = await subtle.importKey("jwk", jwk, curve, false, ["deriveBits"]);
  const theirs = await subtle.importKey("raw", sender, curve, true, []);
  const secret = new Uint8Array(await subtle.deriveBits({ name: "ECDH", public: theirs }, mine, 256));
  const own = join([4], from(jwk.x), from(jwk.y));
  const ikm = await hkdf(from(auth), secret, join(utf8("WebPush: info\0"), own, sender), 32);
  const raw = await hkdf(salt, ikm, utf8("Content-Encoding: aes128gcm\0"), 16);
  const iv = await hkdf(salt, ikm, utf8("Content-Encoding: nonce\0"), 12);
  const key = await subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
  const padded = new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv }, key, record));
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== 2) throw new Error("not the last record");
  return { plain: to(padded.slice(0, end)) };
}

async function verify({ token, key }) {
  const [head, claims, signature] = token.split(".");
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const publicKey = await subtle.importKey("raw", from(key), curve, false, ["verify"]);
  const how = { name: "ECDSA", hash: "SHA-256" };
  const ok = await subtle.verify(how, publicKey, from(signature), utf8(`${head}.${claims}`));
  return { ok, claims: JSON.parse(Buffer.from(claims, "base64url")) };
}

const ops = {
  decrypt,
  verify,
  encrypt: ({ p256dh, auth, payload, encoding }) => {
    const sealed = webpush.encrypt(p256dh, auth, Buffer.from(payload, "base64url"), encoding);
    return {
      body: to(sealed.cipherText),
      crypto_key: `dh=${sealed.localPublicKey.toString("base64url")}`,
      encryption: `salt=${sealed.salt}`,
    };
  },
  keys: () => webpush.generateVAPIDKeys(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line);
  const answer = await Promise.resolve(ask).then(ops[ask.op]).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}

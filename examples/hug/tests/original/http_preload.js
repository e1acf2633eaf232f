// Every request that would go out by https goes to PUSHCORE_URL: for clients whose address is in their code and which know no proxy.
const https = require("node:https");
const http = require("node:http");
const there = new URL(process.env.PUSHCORE_URL);
https.request = (options, done) =>
  http.request({ ...options, agent: undefined, protocol: "http:", host: there.hostname, hostname: there.hostname, port: there.port }, done);

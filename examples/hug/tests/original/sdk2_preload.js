// `node -r sdk2_preload.js program.js`: the program itself is not changed.
const { createRequire } = require("node:module");
const AWS = createRequire(`${process.env.PUSHCORE_ORIGINAL}/node/package.json`)("aws-sdk");

AWS.config.update({ endpoint: process.env.AWS_ENDPOINT_URL_PINPOINT });

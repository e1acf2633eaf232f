// Amazon's SDK v2 for JavaScript, which reads no address from the environment: sdk2_preload.js gives it one.
const { createRequire } = require("node:module");
const AWS = createRequire(`${process.env.PUSHCORE_ORIGINAL}/node/package.json`)("aws-sdk");

new AWS.Pinpoint({ region: "us-east-1" }).sendMessages(
  {
    ApplicationId: "app",
    MessageRequest: {
      Addresses: { [process.argv[2]]: { ChannelType: "GCM" } },
      MessageConfiguration: { GCMMessage: { Title: "Title", Body: "Body", Action: "OPEN_APP" } },
    },
  },
  (error, data) => console.log(error ? error.message : data.MessageResponse.Result[process.argv[2]].DeliveryStatus),
);

// Amazon's SDK v3 for JavaScript, told where Pinpoint is by AWS_ENDPOINT_URL_PINPOINT. Argument: a token of FCM.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PUSHCORE_ORIGINAL}/node/package.json`);
const { PinpointClient, SendMessagesCommand } = require("@aws-sdk/client-pinpoint");

const client = new PinpointClient({ region: "us-east-1" });
const { MessageResponse } = await client.send(
  new SendMessagesCommand({
    ApplicationId: "app",
    MessageRequest: {
      Addresses: { [process.argv[2]]: { ChannelType: "GCM" } },
      MessageConfiguration: { GCMMessage: { Title: "Title", Body: "Body \u00e9", Action: "OPEN_APP" } },
    },
  }),
);
console.log(MessageResponse.Result[process.argv[2]].DeliveryStatus);

// AWS's SDK v3 for JavaScript. The endpoint and the keys come from environment variables, and from nowhere else.
import { PinpointClient, SendMessagesCommand } from "@aws-sdk/client-pinpoint";

const [application, request] = process.argv.slice(2);
const client = new PinpointClient({ region: "us-east-1" });
const command = new SendMessagesCommand({ ApplicationId: application, MessageRequest: JSON.parse(request) });
try {
    const answer = await client.send(command);
    console.log(JSON.stringify(answer.MessageResponse.Result));
} catch (error) {
    console.log(JSON.stringify({ name: error.name, status: error.$metadata?.httpStatusCode, message: error.Message ?? error.message }));
}

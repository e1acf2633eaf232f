// AWS's SDK v2 for JavaScript, which knows no variable for the endpoint: preload.cjs sets it before this program runs.
const AWS = require("aws-sdk");

const [application, request] = process.argv.slice(2);
const pinpoint = new AWS.Pinpoint({ region: "us-east-1" });
pinpoint.sendMessages({ ApplicationId: application, MessageRequest: JSON.parse(request) }, (error, answer) => {
    if (error) {
        console.log(JSON.stringify({ name: error.code, status: error.statusCode, message: error.message }));
    } else {
        console.log(JSON.stringify(answer.MessageResponse.Result));
    }
});

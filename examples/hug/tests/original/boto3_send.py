"""boto3, told where Pinpoint is by `AWS_ENDPOINT_URL_PINPOINT`. Argument: JSON of channels, each with its tokens."""

import json
import sys

import boto3
from botocore.exceptions import ClientError

client = boto3.client("pinpoint", region_name="us-east-1")
for channel, (alive, dead) in json.loads(sys.argv[1]).items():
    message = {"Title": "Title", "Body": "Body", "Action": "URL", "Url": "https://www.example.com"}
    member = {"APNS": "APNSMessage", "GCM": "GCMMessage", "ADM": "ADMMessage", "BAIDU": "BaiduMessage"}[channel]
    response = client.send_messages(
        ApplicationId="app",
        MessageRequest={
            "Addresses": {alive: {"ChannelType": channel}, dead: {"ChannelType": channel}},
            "MessageConfiguration": {member: message},
        },
    )
    result = response["MessageResponse"]["Result"]
    assert result[alive]["DeliveryStatus"] == "SUCCESSFUL", result
    assert result[dead]["DeliveryStatus"] == "PERMANENT_FAILURE", result
    print(channel, "Message sent!")
try:
    client.send_messages(
        ApplicationId="app",
        MessageRequest={
            "MessageConfiguration": {},
            "Addresses": {f"token-{number}": {"ChannelType": "GCM"} for number in range(101)},
        },
    )
except ClientError as error:
    print(error.response["Error"]["Code"])

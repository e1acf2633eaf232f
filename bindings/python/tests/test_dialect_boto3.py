"""boto3 itself against the dialect of Pinpoint, with the sandbox behind it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pushcore
import pytest
from _dialect_host import Senders, Store, accept, serving
from pushcore.dialect import Dialect, Job, Step
from pushcore.testing import Sandbox

boto3 = pytest.importorskip("boto3")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

KEY, SECRET = "AKID" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30)
APP = secrets.token_hex(16)

#: What a back end does that was written for Pinpoint: it knows nothing of this project.
PROGRAM = """
import json, sys
import boto3

client = boto3.client("pinpoint", region_name="us-east-1")
application, channel, member, address = sys.argv[1:]
message = {"Action": "URL", "Body": "A body.", "SilentPush": False, "Title": "A title.", "Url": "https://www.example.com"}
if channel != "ADM":
    message["TimeToLive"] = 30
answer = client.send_messages(
    ApplicationId=application,
    MessageRequest={"Addresses": {address: {"ChannelType": channel}}, "MessageConfiguration": {member: message}},
)
print(json.dumps(answer["MessageResponse"]["Result"][address]))
"""


def store() -> Store:
    made = Store()
    made.secrets[KEY] = {"secret": SECRET}
    made.collection("apps")[APP] = {"Name": "example"}
    channels = made.collection("channels", APP)
    channels.update(GCM={}, ADM={}, BAIDU={}, APNS={"BundleId": "com.example.app"})
    channels["APNS_SANDBOX"] = {"BundleId": "com.example.app"}
    return made


@contextmanager
def pinpoint(
    send: Any = accept, there: Store | None = None, retries: int = 3
) -> Iterator[tuple[Any, Store, list[Job]]]:
    """A client of boto3, the store behind it, and the jobs."""
    there = there or store()
    with serving(Dialect("pinpoint"), there, send) as (url, jobs):
        client = boto3.client(
            "pinpoint",
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"mode": "standard", "total_max_attempts": retries}),
        )
        try:
            yield client, there, jobs
        finally:
            client.close()


def test_a_program_for_pinpoint_reaches_four_services_by_environment_variables_alone(sandbox: Sandbox) -> None:
    """Must: original client runs unmodified, success message; four services."""
    ready = sandbox.ready
    rows = [
        ("GCM", "GCMMessage", ready["fcm"]["tokens"]["valid"], "fcm"),
        ("APNS_SANDBOX", "APNSMessage", ready["apns"]["tokens"]["valid"], "apns"),
        ("ADM", "ADMMessage", ready["adm"]["registrations"]["valid"], "adm"),
        ("BAIDU", "BaiduMessage", "1234567890:" + ready["baidu"]["channels"]["valid"], "baidu"),
    ]
    senders = Senders(sandbox)
    try:
        with serving(Dialect("pinpoint"), store(), senders) as (url, _):
            environment = {
                **os.environ,
                "AWS_ENDPOINT_URL_PINPOINT": url,
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "NO_PROXY": "*",
            }
            for channel, member, address, service in rows:
                command = [sys.executable, "-c", PROGRAM, APP, channel, member, address]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr
                result = json.loads(done.stdout)
                assert result["DeliveryStatus"] == "SUCCESSFUL", (service, result)
                log = sandbox.log(service=service, accepted=True)
                assert len([row for row in log if "token" not in row["operation"]]) == 1
            # A token that is not hex gets the provider's own refusal.
            token = "a0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5q6r7s8t9u0v1w2x3y4z5a6b7c8d8e9f0"
            command = [sys.executable, "-c", PROGRAM, APP, "APNS_SANDBOX", "APNSMessage", token]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    finally:
        senders.close()
    result = json.loads(done.stdout)
    assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 410)
    assert json.loads(result["StatusMessage"])["pushProviderError"] == "BadDeviceToken"


def test_a_dead_token_comes_back_as_pinpoint_says_it(sandbox: Sandbox) -> None:
    """Must: dead-token feedback: PERMANENT_FAILURE 410."""
    senders = Senders(sandbox)
    dead = {
        "GCM": sandbox.ready["fcm"]["tokens"]["unregistered"],
        "APNS_SANDBOX": sandbox.ready["apns"]["tokens"]["unregistered"],
    }
    addresses = {token: {"ChannelType": channel} for channel, token in dead.items()}
    try:
        with pinpoint(senders) as (client, _, _):
            answer = client.send_messages(
                ApplicationId=APP,
                MessageRequest={"Addresses": addresses, "MessageConfiguration": {"DefaultMessage": {"Body": "b"}}},
            )
    finally:
        senders.close()
    for channel, word in (("GCM", "UNREGISTERED"), ("APNS_SANDBOX", "Unregistered")):
        result = answer["MessageResponse"]["Result"][dead[channel]]
        assert (result["DeliveryStatus"], result["StatusCode"]) == ("PERMANENT_FAILURE", 410)
        assert json.loads(result["StatusMessage"])["pushProviderError"] == word


def test_boto3_reads_the_name_of_an_error() -> None:
    """Must: request validation and error text."""
    with pinpoint() as (client, _, _):
        with pytest.raises(client.exceptions.BadRequestException) as bad:
            client.send_messages(ApplicationId=APP, MessageRequest={"MessageConfiguration": {}})
        assert bad.value.response["Message"] == "Addresses or Endpoints must be specified"
        with pytest.raises(client.exceptions.NotFoundException):
            client.get_app(ApplicationId="a b/c")
    wrong = store()
    wrong.secrets[KEY] = {"secret": "another"}
    with pinpoint(there=wrong) as (client, _, _), pytest.raises(ClientError) as refused:
        client.get_apps()
    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_boto3_repeats_a_call_and_nothing_is_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Must: idempotent by amz-sdk-invocation-id, with boto3's own retries."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    sent: list[str] = []
    dropped: list[str] = []

    def send(step: Step) -> pushcore.Outcome:
        sent.append(step.data["key"])
        return accept(step)

    request = {
        "Addresses": {"t" * 20: {"ChannelType": "GCM"}},
        "MessageConfiguration": {"DefaultMessage": {"Body": "b"}},
    }
    with pinpoint(send) as (client, _, jobs):

        def lose(parsed: Any, **_: Any) -> None:
            # The first answer is lost on its way: botocore sees the failure of a server and asks again.
            if not dropped:
                dropped.append(parsed)
                parsed.status_code = 502

        original = client._endpoint.http_session.send

        def once_lost(prepared: Any) -> Any:
            response = original(prepared)
            lose(response)
            return response

        client._endpoint.http_session.send = once_lost
        answer = client.send_messages(ApplicationId=APP, MessageRequest=request)
    assert answer["MessageResponse"]["Result"]["t" * 20]["DeliveryStatus"] == "SUCCESSFUL"
    assert len(jobs) == 2
    assert len(sent) == 1


def test_endpoints_users_and_sends_to_them() -> None:
    """Should: registration API: endpoints and users, which AWS itself stopped serving."""
    with pinpoint() as (client, there, _):
        for name, user in (("phone", "eve"), ("tablet", "eve"), ("other", "bob")):
            request = {"Address": f"token-{name}", "ChannelType": "GCM", "User": {"UserId": user}}
            answer = client.update_endpoint(ApplicationId=APP, EndpointId=name, EndpointRequest=request)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
            assert answer["MessageBody"]["Message"] == "Accepted"
        client.update_endpoint(ApplicationId=APP, EndpointId="tablet", EndpointRequest={"OptOut": "ALL"})
        tablet = client.get_endpoint(ApplicationId=APP, EndpointId="tablet")["EndpointResponse"]
        assert (tablet["Address"], tablet["OptOut"], tablet["EndpointStatus"]) == ("token-tablet", "ALL", "ACTIVE")
        assert tablet["CreationDate"].endswith("Z")
        batch = [
            {"Id": f"more-{n}", "Address": f"more-{n}", "ChannelType": "ADM", "User": {"UserId": "bob"}}
            for n in range(14)
        ]
        client.update_endpoints_batch(ApplicationId=APP, EndpointBatchRequest={"Item": batch})
        one_more = {"Address": "x", "ChannelType": "ADM", "User": {"UserId": "bob"}}
        with pytest.raises(client.exceptions.BadRequestException) as full:
            client.update_endpoint(ApplicationId=APP, EndpointId="one-more", EndpointRequest=one_more)
        assert full.value.response["Message"] == "Exceeded maximum endpoint per user count 15"
        with pytest.raises(client.exceptions.BadRequestException):
            client.update_endpoint(ApplicationId=APP, EndpointId="new", EndpointRequest={"Address": "x"})
        with pytest.raises(client.exceptions.BadRequestException):
            client.update_endpoint(ApplicationId=APP, EndpointId="phone", EndpointRequest={"OptOut": "SOME"})
        answer = client.send_users_messages(
            ApplicationId=APP,
            SendUsersMessageRequest={"Users": {"eve": {}}, "MessageConfiguration": {"DefaultMessage": {"Body": "b"}}},
        )
        result = answer["SendUsersMessageResponse"]["Result"]["eve"]
        assert {name: end["DeliveryStatus"] for name, end in result.items()} == {
            "phone": "SUCCESSFUL",
            "tablet": "OPT_OUT",
        }
        eve = client.get_user_endpoints(ApplicationId=APP, UserId="eve")["EndpointsResponse"]["Item"]
        assert sorted(item["Id"] for item in eve) == ["phone", "tablet"]
        client.delete_endpoint(ApplicationId=APP, EndpointId="phone")
        client.delete_user_endpoints(ApplicationId=APP, UserId="bob")
        assert sorted(there.collection("endpoints", APP)) == ["tablet"]
        with pytest.raises(client.exceptions.NotFoundException):
            client.get_endpoint(ApplicationId=APP, EndpointId="phone")
        with pytest.raises(client.exceptions.NotFoundException):
            client.delete_endpoint(ApplicationId=APP, EndpointId="phone")
        with pytest.raises(client.exceptions.NotFoundException):
            client.get_user_endpoints(ApplicationId=APP, UserId="bob")


def test_apps_and_channels() -> None:
    """Should: registration API: apps and channels. Credentials are stored, and neither read nor written down."""
    service_json, token_key = secrets.token_hex(20), secrets.token_hex(20)
    with pinpoint() as (client, there, jobs):
        made = client.create_app(CreateApplicationRequest={"Name": "new", "tags": {"a": "b"}})
        assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
        app = made["ApplicationResponse"]["Id"]
        assert len(app) == 32
        names = [item["Name"] for item in client.get_apps()["ApplicationsResponse"]["Item"]]
        assert sorted(names) == ["example", "new"]
        first = client.get_apps(PageSize="1")["ApplicationsResponse"]
        second = client.get_apps(PageSize="1", Token=first["NextToken"])["ApplicationsResponse"]
        assert {first["Item"][0]["Name"], second["Item"][0]["Name"]} == {"example", "new"}
        assert "NextToken" not in second
        gcm = client.update_gcm_channel(
            ApplicationId=app, GCMChannelRequest={"ServiceJson": service_json, "DefaultAuthenticationMethod": "TOKEN"}
        )["GCMChannelResponse"]
        assert (gcm["Enabled"], gcm["HasFcmServiceCredentials"], gcm["Version"]) == (True, True, 1)
        with pytest.raises(pushcore.MisuseError):
            jobs[-1].to_json()
        client.update_apns_sandbox_channel(
            ApplicationId=app,
            APNSSandboxChannelRequest={
                "BundleId": "com.example.app",
                "TokenKey": token_key,
                "TokenKeyId": "K",
                "TeamId": "T",
            },
        )
        again = client.update_gcm_channel(ApplicationId=app, GCMChannelRequest={"Enabled": False})
        assert again["GCMChannelResponse"]["Version"] == 2
        assert again["GCMChannelResponse"]["HasCredential"] is True
        channels = client.get_channels(ApplicationId=app)["ChannelsResponse"]["Channels"]
        assert {name: channel["Enabled"] for name, channel in channels.items()} == {"GCM": False, "APNS_SANDBOX": True}
        record = there.collection("channels", app)["APNS_SANDBOX"]
        assert record["secret"] == {"TokenKey": token_key}
        assert record["BundleId"] == "com.example.app"
        # A store that hands the secret out by mistake does not put it into a job.
        client.get_apns_sandbox_channel(ApplicationId=app)
        assert token_key not in jobs[-1].to_json()
        assert token_key not in (jobs[-1].reply.body.decode() if jobs[-1].reply else "")
        with pytest.raises(client.exceptions.NotFoundException):
            client.get_adm_channel(ApplicationId=app)
        client.delete_gcm_channel(ApplicationId=app)
        assert list(there.collection("channels", app)) == ["APNS_SANDBOX"]
        client.delete_app(ApplicationId=app)
        with pytest.raises(client.exceptions.NotFoundException):
            client.get_app(ApplicationId=app)
        # A key for single apps makes none and lists none.
        there.secrets[KEY] = {"secret": SECRET, "scopes": [APP]}
        with pytest.raises(client.exceptions.ForbiddenException):
            client.get_apps()


def test_push_templates() -> None:
    """Should: templates."""
    sent: list[dict[str, Any]] = []

    def keep(step: Step) -> pushcore.Outcome:
        data = step.data["message"]["message"]["data"]
        sent.append({name.rpartition(".")[2]: data[name] for name in data if "notification" in name})
        return accept(step)

    with pinpoint(keep) as (client, _, _):
        template = {
            "Default": {"Title": "T {{who}}", "Body": "default"},
            "GCM": {"Body": "gcm {{who}}", "Sound": "bell"},
            "DefaultSubstitutions": json.dumps({"who": "you"}),
        }
        made = client.create_push_template(TemplateName="hello", PushNotificationTemplateRequest=template)
        assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
        with pytest.raises(ClientError) as twice:
            client.create_push_template(TemplateName="hello", PushNotificationTemplateRequest=template)
        assert twice.value.response["Error"]["Code"] == "ConflictException"

        def body(**recipient: Any) -> dict[str, Any]:
            client.send_messages(
                ApplicationId=APP,
                MessageRequest={
                    "Addresses": {secrets.token_hex(9): {"ChannelType": "GCM", **recipient}},
                    "MessageConfiguration": {},
                    "TemplateConfiguration": {"PushTemplate": {"Name": "hello"}},
                },
            )
            return sent[-1]

        assert body()["body"] == "gcm you"
        assert body(Substitutions={"who": ["Eve"]}) | {"silentPush": "0"} == {
            "title": "T Eve",
            "body": "gcm Eve",
            "silentPush": "0",
            "sound": "bell",
        }
        client.update_push_template(
            TemplateName="hello", PushNotificationTemplateRequest={"GCM": {"Body": "new"}}, CreateNewVersion=True
        )
        assert body()["body"] == "new"
        assert client.get_push_template(TemplateName="hello")["PushNotificationTemplateResponse"]["Version"] == "2"
        old = client.get_push_template(TemplateName="hello", Version="1")["PushNotificationTemplateResponse"]
        assert old["GCM"]["Body"] == "gcm {{who}}"
        client.delete_push_template(TemplateName="hello")
        with pytest.raises(client.exceptions.NotFoundException):
            client.get_push_template(TemplateName="hello")

"""Pinpoint through the back end: what is refused, what is sent once, and credentials that an app brings itself."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import signal
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pushcore
import pytest
from pushcore.testing import Sandbox
from serving import Serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Sandbox() as sandbox, Serving(tmp_path_factory.mktemp("hug"), sandbox) as serving:
        serving.store.add_account("pinpoint", "AKIAOTHER", secret="other", app="other")
        yield serving


def signed(
    server: Serving,
    method: str,
    path: str,
    body: Any,
    *,
    off: float = 0,
    key: str | None = None,
    secret: str | None = None,
) -> dict[str, str]:
    """The headers of a request as botocore signs it; `off` is how far the caller's clock is ahead, in seconds."""
    credentials = botocore.credentials.Credentials(
        key or server.keys["pinpoint_id"], secret or server.keys["pinpoint_secret"]
    )
    data = json.dumps(body) if body is not None else None
    request = botocore.awsrequest.AWSRequest(method, server.url + path, data=data)
    if data is not None:
        request.headers["Content-Type"] = "application/json"
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=off)
    with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: now.replace(tzinfo=None)):
        botocore.auth.SigV4Auth(credentials, "mobiletargeting", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def call(server: Serving, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str | None, Any]:
    headers = signed(server, method, path, body, **options)
    status, found, text = server.request(method, path, body, headers)
    return status, found.get("x-amzn-ErrorType"), json.loads(text)


def message(token: str) -> dict[str, Any]:
    addresses = {token: {"ChannelType": "GCM"}}
    return {"Addresses": addresses, "MessageConfiguration": {"GCMMessage": {"Title": "T", "Body": "B"}}}


PATH = "/v1/apps/app/messages"


def test_a_body_that_was_changed_after_signing(server: Serving) -> None:
    body = message("token")
    headers = signed(server, "POST", PATH, body)
    status, found, _ = server.request("POST", PATH, {**body, "TraceId": "x"}, headers)
    assert status == 403
    assert "InvalidSignature" in (found.get("x-amzn-ErrorType") or "")


@pytest.mark.parametrize(("off", "status"), [(-290, 200), (290, 200), (-302, 403), (302, 403)])
def test_a_clock_that_is_off(server: Serving, off: float, status: int) -> None:
    body = {**message(server.sandbox.ready["fcm"]["tokens"]["valid"]), "TraceId": str(off)}
    assert call(server, "POST", PATH, body, off=off)[0] == status


def test_a_key_of_another_account_and_a_wrong_secret(server: Serving) -> None:
    body = message("token")
    other = call(server, "POST", PATH, body, key="AKIAOTHER", secret="other")
    # In the words of an app that does not exist.
    missing = call(server, "POST", "/v1/apps/nothing/messages", body)
    assert other[0] == missing[0] == 404
    assert call(server, "POST", PATH, body, secret="wrong")[0] == 403
    assert call(server, "POST", PATH, body, key="AKIANOBODY")[0] == 403


def test_a_replay_is_answered_again_and_sends_nothing_again(server: Serving) -> None:
    token = server.sandbox.ready["fcm"]["tokens"]["valid_3"]
    body = message(token)
    headers = signed(server, "POST", PATH, body)
    answers = [server.request("POST", PATH, body, headers) for _ in range(3)]
    assert {status for status, _, _ in answers} == {200}
    assert len({text for _, _, text in answers}) == 1
    assert len(server.sandbox.log(service="fcm", operation="push", target=token)) == 1


def test_a_replay_after_every_worker_was_killed(server: Serving) -> None:
    token = server.sandbox.ready["fcm"]["tokens"]["valid_3"]
    there = len(server.sandbox.log(service="fcm", operation="push", target=token))
    body = message(token)
    # Another message than the test before sends: within one second that one's signature would be the same, a replay.
    body["MessageConfiguration"]["GCMMessage"]["Body"] = "after the kill"
    headers = signed(server, "POST", PATH, body)
    first = server.request("POST", PATH, body, headers)
    assert first[0] == 200
    before = set(server.workers())
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + 60
    while len(set(server.workers()) - before) < len(before):
        assert time.monotonic() < until
        time.sleep(0.1)
    second = server.request("POST", PATH, body, headers)
    assert (second[0], second[2]) == (200, first[2])
    assert len(server.sandbox.log(service="fcm", operation="push", target=token)) == there + 1


def test_bodies_that_make_no_sense(server: Serving) -> None:
    headers = signed(server, "POST", PATH, {})
    assert server.request("POST", PATH, b'{"a":', headers)[0] == 403, "the signature is of another body"
    status, kind, answer = call(server, "POST", PATH, [1])
    assert (status, kind) == (400, "BadRequestException")
    assert set(answer) == {"Message", "RequestID"}
    huge = {"x": "y" * 10_000_000}
    assert call(server, "POST", PATH, huge)[:2] == (413, "PayloadTooLargeException")
    many = {"Addresses": {f"t{number}": {"ChannelType": "GCM"} for number in range(101)}, "MessageConfiguration": {}}
    assert call(server, "POST", PATH, many)[:2] == (400, "BadRequestException")


def test_an_app_with_credentials_of_its_own(server: Serving) -> None:
    ready = server.sandbox.ready
    status, _, app = call(server, "POST", "/v1/apps", {"Name": "own"})
    assert status == 201
    path = f"/v1/apps/{app['Id']}"
    account = pathlib.Path(ready["fcm"]["service_account_file"]).read_text()
    status, _, channel = call(server, "PUT", f"{path}/channels/gcm", {"ServiceJson": account, "Enabled": True})
    assert (status, channel["HasFcmServiceCredentials"]) == (200, True)
    assert "private_key" not in json.dumps(call(server, "GET", f"{path}/channels/gcm"))
    token = ready["fcm"]["tokens"]["valid_2"]
    status, _, answer = call(server, "POST", f"{path}/messages", message(token))
    assert (status, answer["Result"][token]["DeliveryStatus"]) == (200, "SUCCESSFUL")
    # A key that Apple does not know: its own refusal comes back.
    apns = ready["apns"]
    key = pushcore.SigningKey.generate().to_pem()
    own = {"TokenKey": key, "TokenKeyId": apns["key_id"], "TeamId": apns["team_id"]}
    told = {**own, "BundleId": apns["topic"], "DefaultAuthenticationMethod": "TOKEN", "Enabled": True}
    assert call(server, "PUT", f"{path}/channels/apns", told)[0] == 200
    device = apns["tokens"]["valid"]
    body = {"Addresses": {device: {"ChannelType": "APNS"}}, "MessageConfiguration": {"APNSMessage": {"Body": "B"}}}
    refused = call(server, "POST", f"{path}/messages", body)[2]["Result"][device]
    assert refused["DeliveryStatus"] == "PERMANENT_FAILURE"
    assert "InvalidProviderToken" in refused["StatusMessage"]
    # With the right one it goes.
    own = {
        "TokenKey": pathlib.Path(apns["p8_file"]).read_text(),
        "TokenKeyId": apns["key_id"],
        "TeamId": apns["team_id"],
    }
    assert call(server, "PUT", f"{path}/channels/apns", {**told, **own})[0] == 200
    body["TraceId"] = "again"
    sent = call(server, "POST", f"{path}/messages", body)[2]["Result"][device]
    assert sent["DeliveryStatus"] == "SUCCESSFUL"


def test_endpoints_of_a_user_and_a_dead_one(server: Serving) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    for name, token in (("e1", tokens["valid"]), ("e2", tokens["unregistered"])):
        endpoint = {"Address": token, "ChannelType": "GCM", "User": {"UserId": "anna"}, "OptOut": "NONE"}
        assert call(server, "PUT", f"/v1/apps/app/endpoints/{name}", endpoint)[0] == 202
    body = {"Users": {"anna": {}}, "MessageConfiguration": {"GCMMessage": {"Title": "T", "Body": "B"}}}
    result = call(server, "POST", "/v1/apps/app/users-messages", body)[2]["Result"]["anna"]
    assert {name: one["DeliveryStatus"] for name, one in result.items()} == {
        "e1": "SUCCESSFUL",
        "e2": "PERMANENT_FAILURE",
    }
    # The service's word reached the store: the endpoint is sent to no more.
    body["TraceId"] = "again"
    assert set(call(server, "POST", "/v1/apps/app/users-messages", body)[2]["Result"]["anna"]) == {"e1"}

"""The systems' own clients, each in a process of its own, changed by nothing but its environment.

`original/install.sh` installs them (`make test-systems` runs it).
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from original.intercept import Intercept
from pushcore.testing import Sandbox
from serving import Serving

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent / "original"
INSTALLED = pathlib.Path(os.environ.get("PUSHCORE_ORIGINAL", ROOT / "target" / "original"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Sandbox() as sandbox, Serving(tmp_path_factory.mktemp("hug"), sandbox) as serving:
        subscriptions = sandbox.ready["webpush"]["subscriptions"]
        for uid, name in (("user1", "active"), ("user2", "expired")):
            value = {**subscriptions[name], "keys": subscriptions[name]["keys"]}
            serving.store.register(
                "pushpad",
                "123",
                uid,
                service="web_push",
                target=json.dumps(value),
                who=uid,
                tags=["segment1"],
                fields={"uid": uid, "tags": ["segment1"], "target": json.dumps(value), "endpoint": value["endpoint"]},
            )
        yield serving


@pytest.fixture(scope="module")
def intercept(server: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Intercept]:
    with Intercept(tmp_path_factory.mktemp("intercept"), server.port) as proxy:
        yield proxy


def run(program: list[str], *arguments: str, package: str | None = None, **environment: str) -> list[str]:
    """The lines that a client prints. It has to end well."""
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    if package is not None:
        folder = INSTALLED / package
        assert folder.exists(), f"{folder} is missing: run {HERE / 'install.sh'} PYTHON {INSTALLED}"
        environment["PYTHONPATH"] = os.fspath(folder)
    done = subprocess.run(
        [*program, *arguments],
        env={**clean, "PUSHCORE_ORIGINAL": os.fspath(INSTALLED), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def python(name: str) -> list[str]:
    return [sys.executable, os.fspath(HERE / name)]


def aws(server: Serving) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_PINPOINT": server.url,
        "AWS_ACCESS_KEY_ID": server.keys["pinpoint_id"],
        "AWS_SECRET_ACCESS_KEY": server.keys["pinpoint_secret"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def wait_for_log(server: Serving, **filters: object) -> None:
    until = time.monotonic() + 20
    while not server.sandbox.log(**filters):
        assert time.monotonic() < until, filters
        time.sleep(0.05)


def test_m_pushpad_2_0_0_by_its_base_url(server: Serving) -> None:
    lines = run(python("pushpad2.py"), server.keys["pushpad"], server.url + "/api/v1", package="pushpad2")
    assert lines[0].endswith("2025-11-20T23:15:00.000Z")
    assert lines[-1] == "done"
    wait_for_log(server, service="webpush", accepted=True)


def test_m_pushpad_2_0_0_unchanged(server: Serving, intercept: Intercept) -> None:
    lines = run(python("pushpad2.py"), server.keys["pushpad"], package="pushpad2", **intercept.environment())
    assert lines[-1] == "done"
    assert "pushpad.xyz" in intercept.asked


def test_m_pushpad_1_0_0_unchanged(server: Serving, intercept: Intercept) -> None:
    lines = run(python("pushpad1.py"), server.keys["pushpad"], package="pushpad1", **intercept.environment())
    assert lines[1] == "deliver_to ['user1']"
    assert lines[-1] == "done"


def test_s_pushpad_for_node_by_its_option(server: Serving) -> None:
    active = server.sandbox.ready["webpush"]["subscriptions"]["active"]
    keys = (active["endpoint"], active["keys"]["p256dh"], active["keys"]["auth"])
    program = ["node", os.fspath(HERE / "pushpad.mjs")]
    lines = run(program, server.keys["pushpad"], server.url, *keys)
    assert lines == ["1 user1", "true true", "true", "1 node", "b", "Q true", "404", "400", "401"]


def test_m_pyfcm_1_5_4_unchanged(server: Serving, intercept: Intercept) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    keys = (server.keys["fcm_legacy"], tokens["valid"], tokens["unregistered"])
    assert run(python("pyfcm_send.py"), *keys, package="pyfcm", **intercept.environment()) == ["done"]


def test_s_python_gcm_unchanged(server: Serving, intercept: Intercept) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    keys = (server.keys["fcm_legacy"], tokens["valid"], tokens["unregistered"])
    assert run(python("python_gcm.py"), *keys, package="python-gcm", **intercept.environment()) == ["done"]
    assert "gcm-http.googleapis.com" in intercept.asked


def test_s_node_gcm_by_its_option(server: Serving) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    arguments = (server.keys["fcm_legacy"], server.url, tokens["valid"], tokens["unregistered"])
    lines = run(["node", os.fspath(HERE / "node_gcm.js")], *arguments)
    assert lines == ["1 NotRegistered", "topic", "401"]


def by_preload(script: str) -> list[str]:
    return ["node", "-r", os.fspath(HERE / "http_preload.js"), os.fspath(HERE / script)]


def test_s_parses_node_gcm_by_a_preload(server: Serving) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    arguments = (server.keys["fcm_legacy"], server.url, tokens["valid"], tokens["unregistered"])
    environment = {"PUSHCORE_PACKAGE": "@parse/node-gcm", "PUSHCORE_URL": server.url}
    lines = run(by_preload("node_gcm.js"), *arguments, **environment)
    assert lines == ["1 NotRegistered", "topic", "401"]


def test_s_fcm_push_for_node_by_a_preload(server: Serving) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    arguments = (server.keys["fcm_legacy"], tokens["valid"], tokens["unregistered"])
    lines = run(by_preload("fcm_push.js"), *arguments, PUSHCORE_URL=server.url)
    assert lines == ["1", "NotRegistered"]


def test_s_pyfcm_1_3_1_unchanged(server: Serving, intercept: Intercept) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    keys = (server.keys["fcm_legacy"], tokens["valid"], tokens["unregistered"])
    assert run(python("pyfcm_send.py"), *keys, package="pyfcm-old", **intercept.environment()) == ["done"]


def test_s_pushjack_1_6_0_unchanged(server: Serving, intercept: Intercept) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    keys = (server.keys["fcm_legacy"], tokens["valid"], tokens["unregistered"])
    lines = run(python("pushjack_send.py"), *keys, package="pushjack", **intercept.environment())
    assert lines == ["1 ['GCMUnregisteredDeviceError']"]


def test_s_aws_command_line_by_its_environment(server: Serving) -> None:
    token = server.sandbox.ready["fcm"]["tokens"]["valid"]
    message = {
        "Addresses": {token: {"ChannelType": "GCM"}},
        "MessageConfiguration": {"GCMMessage": {"Title": "T", "Body": "B"}},
    }
    region = {"AWS_DEFAULT_REGION": "us-east-1"}

    def aws_pinpoint(*arguments: str) -> Any:
        program = [sys.executable, "-m", "awscli", "pinpoint"]
        return json.loads("".join(run(program, *arguments, package="awscli", **aws(server), **region)))

    request = ("--application-id", "app", "--message-request", json.dumps(message))
    answer = aws_pinpoint("send-messages", *request)
    assert answer["MessageResponse"]["Result"][token]["DeliveryStatus"] == "SUCCESSFUL"
    channels = aws_pinpoint("get-channels", "--application-id", "app")["ChannelsResponse"]["Channels"]
    assert {"APNS", "GCM", "ADM", "BAIDU"} <= set(channels)


def test_m_boto3_by_its_environment(server: Serving) -> None:
    ready = server.sandbox.ready
    channels = {
        "APNS": (ready["apns"]["tokens"]["valid"], ready["apns"]["tokens"]["unregistered"]),
        "GCM": (ready["fcm"]["tokens"]["valid_2"], ready["fcm"]["tokens"]["unregistered"]),
        "ADM": (ready["adm"]["registrations"]["valid"], ready["adm"]["registrations"]["unregistered"]),
        "BAIDU": (ready["baidu"]["channels"]["valid"], ready["baidu"]["channels"]["unknown"]),
    }
    lines = run(python("boto3_send.py"), json.dumps(channels), package="boto3", **aws(server))
    assert lines == [f"{channel} Message sent!" for channel in channels] + ["BadRequestException"]


def test_m_boto3_unchanged(server: Serving, intercept: Intercept) -> None:
    tokens = server.sandbox.ready["fcm"]["tokens"]
    channels = json.dumps({"GCM": (tokens["valid_3"], tokens["unregistered"])})
    environment = {**aws(server), **intercept.environment()}
    del environment["AWS_ENDPOINT_URL_PINPOINT"]
    lines = run(python("boto3_send.py"), channels, package="boto3", **environment)
    assert lines == ["GCM Message sent!", "BadRequestException"]
    assert "pinpoint.us-east-1.amazonaws.com" in intercept.asked


def test_m_sdk_v3_for_node_by_its_environment(server: Serving) -> None:
    token = server.sandbox.ready["fcm"]["tokens"]["valid"]
    assert run(["node", os.fspath(HERE / "sdk3.mjs")], token, **aws(server)) == ["SUCCESSFUL"]


def test_m_sdk_v2_for_node_by_a_preload(server: Serving) -> None:
    token = server.sandbox.ready["fcm"]["tokens"]["valid"]
    program = ["node", "-r", os.fspath(HERE / "sdk2_preload.js"), os.fspath(HERE / "sdk2.js")]
    silent = {"AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1"}
    assert run(program, token, **aws(server), **silent) == ["SUCCESSFUL"]


def pythons() -> list[str]:
    """This Python, and Python 2.7 where there is one: the script is of its time."""
    names = (os.environ.get("PYTHON2", ""), "python2.7", "python2")
    old = [path for name in names if (path := shutil.which(name)) is not None]
    # pyenv's own name for it runs only where it is chosen.
    old += map(os.fspath, sorted((pathlib.Path.home() / ".pyenv/versions").glob("2.7*/bin/python2.7")))
    works = [path for path in old if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0]
    return [sys.executable, *works[:1]]


@pytest.mark.parametrize("program", pythons())
def test_m_ionic_unchanged(server: Serving, intercept: Intercept, program: str) -> None:
    token = server.sandbox.ready["apns"]["tokens"]["valid"]
    arguments = (server.keys["ionic"], "app", token)
    lines = run([program, os.fspath(HERE / "ionic_send.py")], *arguments, **intercept.environment())
    assert lines == ["202 queued 32"]


def test_m_cozie_unchanged(server: Serving, intercept: Intercept) -> None:
    who = {"id_experiment": "AppleStore", "id_participant": "ExternalUser", "id_password": "XXX"}
    headers = {"x-api-key": server.keys["cozie"]}
    token = server.sandbox.ready["apns"]["tokens"]["valid"]
    assert server.request("POST", "/cozie/register", {**who, "token": token}, headers)[0] == 200
    url = "https://69xmiejax4.execute-api.ap-southeast-1.amazonaws.com/prod/notification/"
    body = {**who, "message": "test_message", "heading": "test_heading", "subtitle": "test_subtitle"}
    for buttons in ({}, {"buttons": [{"id": "helpful", "text": "Helpful"}]}):
        arguments = (url, json.dumps(headers), json.dumps({**body, **buttons}))
        (line,) = run(python("requests_post.py"), *arguments, package="pushpad1", **intercept.environment())
        status, _, text = line.partition(" ")
        assert (status, json.loads(text)["recipients"]) == ("200", 1)


def test_m_the_tutorials_provider_call_unchanged(server: Serving, intercept: Intercept) -> None:
    token = server.sandbox.ready["fcm"]["tokens"]["valid"]
    body = {"to": token, "notification": {"title": "New Notification", "body": "hi"}}
    arguments = ("https://api.pushprovider.com/send", json.dumps({"Authorization": server.keys["fcm_legacy"]}))
    (line,) = run(
        python("requests_post.py"), *arguments, json.dumps(body), package="pushpad1", **intercept.environment()
    )
    assert line.startswith("200 ")


def test_what_is_no_systems_host_goes_nowhere(intercept: Intercept) -> None:
    done = subprocess.run(
        [*python("requests_post.py"), "https://example.com/", "{}", "{}"],
        env={**os.environ, "PYTHONPATH": os.fspath(INSTALLED / "pushpad1"), **intercept.environment()},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "403 Forbidden" in done.stderr

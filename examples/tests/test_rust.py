"""The Rust examples against the sandbox, as processes: what a reader types."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest
from pushcore.testing import Sandbox

APNS = ["apns_send", "l2_connection", "session_loop"]


def run(
    target: pathlib.Path, name: str, *arguments: object, shell: bool = False
) -> subprocess.CompletedProcess[str]:
    program = target / name
    if not program.exists():
        pytest.skip(f"{name} is not built: cargo build -p pushcore-client --examples")
    done = subprocess.run(
        [str(program), *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False
    )
    if not shell:
        return done
    assert done.returncode == 0, done.stderr
    return subprocess.run(["sh"], input=done.stdout, capture_output=True, text=True, timeout=30, check=False)


def apns(sandbox: Sandbox, *arguments: object) -> list[object]:
    ready = sandbox.ready["apns"]
    credentials = [ready["p8_file"], ready["key_id"], ready["team_id"], ready["topic"]]
    there = ["--environment", "sandbox", "--host", ready["authority"], "--ca", sandbox.ca]
    return [*credentials, *arguments, *there]


@pytest.mark.parametrize("name", APNS)
def test_a_push_is_accepted(sandbox: Sandbox, target: pathlib.Path, name: str) -> None:
    token = sandbox.ready["apns"]["tokens"]["valid"]
    done = run(target, name, *apns(sandbox, token))
    assert done.returncode == 0, done.stderr
    assert "200 accepted" in done.stdout
    (record,) = sandbox.log(service="apns")
    assert (record["accepted"], record["target"]) == (True, token)


@pytest.mark.parametrize("name", APNS)
def test_a_dead_token_is_said_to_be_dead(sandbox: Sandbox, target: pathlib.Path, name: str) -> None:
    done = run(target, name, *apns(sandbox, sandbox.ready["apns"]["tokens"]["unregistered"]))
    assert done.returncode == 2
    assert "410 token_gone Unregistered" in done.stdout


def test_a_session_in_a_loop_of_ones_own_sends_to_many(sandbox: Sandbox, target: pathlib.Path) -> None:
    tokens = sandbox.ready["apns"]["tokens"]
    done = run(target, "session_loop", *apns(sandbox, tokens["valid"], tokens["unknown"], tokens["valid_2"]))
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert lines[tokens["valid"]].startswith("200 accepted")
    assert lines[tokens["valid_2"]].startswith("200 accepted")
    assert "BadDeviceToken" in lines[tokens["unknown"]]


def test_curl_sends_what_level_1_made(sandbox: Sandbox, target: pathlib.Path) -> None:
    token = sandbox.ready["apns"]["tokens"]["valid"]
    done = run(target, "l1_request", *apns(sandbox, token, "it's here"), shell=True)
    if "curl: not found" in done.stderr or "does not support" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout.startswith("HTTP/2 200"), done.stderr
    (record,) = sandbox.log(service="apns", accepted=True)
    assert record["body"]["aps"]["alert"] == "it's here"


def test_every_line_of_a_file_gets_a_line(
    sandbox: Sandbox, target: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    tokens = sandbox.ready["apns"]["tokens"]
    some = [tokens[name] for name in ("valid", "valid_2", "unregistered", "throttled")]
    (tmp_path / "tokens.txt").write_text("\n".join([*some, "", "not a token"]))
    done = run(target, "send_many", *apns(sandbox, tmp_path / "tokens.txt"))
    assert done.returncode == 0, done.stderr
    rows = {line.split("\t")[0]: line.split("\t")[1] for line in done.stdout.splitlines()}
    assert rows == dict(zip(some, ["accepted", "accepted", "token_gone", "retry_later"], strict=True))
    assert "4 ended (2 accepted, 1 gone, 1 later)" in done.stderr
    assert "skipped a line" in done.stderr
    assert "not a token" not in done.stderr


def test_fcm(sandbox: Sandbox, target: pathlib.Path) -> None:
    fcm = sandbox.ready["fcm"]
    there = ("--host", fcm["authority"], "--ca", sandbox.ca)
    done = run(target, "fcm_send", fcm["service_account_file"], fcm["tokens"]["valid"], *there)
    assert done.returncode == 0, done.stderr
    done = run(target, "fcm_send", fcm["service_account_file"], fcm["tokens"]["unregistered"], *there)
    assert done.returncode == 2
    assert "404 token_gone UNREGISTERED" in done.stdout


def test_web_push(sandbox: Sandbox, target: pathlib.Path, tmp_path: pathlib.Path) -> None:
    ready = sandbox.ready["webpush"]
    file = tmp_path / "subscription.json"
    file.write_text(json.dumps(ready["subscriptions"]["active"]))
    words = (ready["vapid"]["pem_file"], ready["vapid"]["subject"], file, "Good news")
    done = run(target, "web_push_send", *words, "--trust", ready["authority"], "--ca", sandbox.ca)
    assert done.returncode == 0, done.stderr
    (record,) = sandbox.log(service="webpush")
    assert record["decrypted"]["notification"]["title"] == "Good news"


def test_a_campaign_on_several_threads(
    sandbox: Sandbox, target: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    ready = sandbox.ready["webpush"]
    made = [ready["subscriptions"][name] for name in ("active", "expired", "active", "throttled")]
    stranger = {**made[0], "endpoint": "https://169.254.169.254/latest/meta-data/"}
    file = tmp_path / "subscriptions.jsonl"
    file.write_text("\n".join(map(json.dumps, [*made, stranger])))
    words = (ready["vapid"]["pem_file"], ready["vapid"]["subject"], file, "News", "--threads", 3)
    done = run(target, "web_push_many", *words, "--trust", ready["authority"], "--ca", sandbox.ca)
    assert done.returncode == 0, done.stderr
    rows = {int(line.split("\t")[0]): line.split("\t")[1] for line in done.stdout.splitlines()}
    names = ["accepted", "token_gone", "accepted", "retry_later", "EndpointNotAllowed"]
    assert rows == dict(enumerate(names, start=1))
    assert [record["decrypted"] for record in sandbox.log(service="webpush", accepted=True)] == ["News"] * 2


def test_an_endpoint_of_nobodys_choosing_is_refused(
    sandbox: Sandbox, target: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    ready = sandbox.ready["webpush"]
    file = tmp_path / "subscription.json"
    file.write_text(json.dumps(ready["subscriptions"]["active"]))
    done = run(
        target,
        "web_push_send",
        ready["vapid"]["pem_file"],
        "mailto:push@pushcore.dev",
        file,
        "--ca",
        sandbox.ca,
    )
    assert done.returncode == 1
    assert "EndpointNotAllowed" in done.stderr
    assert sandbox.log(service="webpush") == []


@pytest.mark.parametrize("name", [*APNS, "fcm_send", "l1_request", "send_many", "web_push_send", "web_push_many"])
def test_usage(target: pathlib.Path, name: str) -> None:
    done = run(target, name)
    assert done.returncode == 1
    assert done.stderr.startswith(f"usage: {name} ")

"""The command line, against the sandbox."""

from __future__ import annotations

import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pushcore
import pytest
from pushcore.cli import main
from pushcore.testing import Sandbox


def apns(sandbox: Sandbox, *more: str) -> list[str]:
    ready = sandbox.ready["apns"]
    return [
        "send", "apns", "--key", ready["p8_file"], "--key-id", ready["key_id"], "--team-id", ready["team_id"],
        "--topic", ready["topic"], "--host", ready["authority"], "--ca", str(sandbox.ca), *more,
    ]  # fmt: skip


def register(sandbox: Sandbox, count: int) -> list[str]:
    tokens = [f"{number:064x}" for number in range(1, count + 1)]
    bundle = sandbox.ready["apns"]["topic"]
    sandbox.control("POST", "apns/tokens", [{"token": token, "bundle": bundle} for token in tokens])
    return tokens


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_send_apns(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = sandbox.ready["apns"]["tokens"]
    assert main(apns(sandbox, "--token", tokens["valid"], "--title", "Hi", "--body", "there", "--json")) == 0
    [record] = lines(capsys)
    assert (record["result"], record["status"]) == ("accepted", 200)
    assert main(apns(sandbox, "--token", tokens["unregistered"], "--alert", "Hi")) == 1
    assert "delete this device's token" in capsys.readouterr().out
    assert main(apns(sandbox, "--token", "xyz", "--alert", "Hi")) == 2
    assert "hex" in capsys.readouterr().err
    assert main(apns(sandbox, "--alert", "Hi")) == 2
    capsys.readouterr()


def test_send_the_others(sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    fcm, web, adm, baidu = (sandbox.ready[name] for name in ("fcm", "webpush", "adm", "baidu"))
    account = json.loads(pathlib.Path(fcm["service_account_file"]).read_text())
    del account["token_uri"]
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    there = ["--host", fcm["authority"], "--token-host", fcm["authority"], "--ca", str(sandbox.ca)]
    google = ["send", "fcm", "--credentials", str(file), *there, "--title", "Hi", "--data", "k=v"]
    assert main([*google, "--token", fcm["tokens"]["valid"]]) == 0
    assert main([*google, "--token", fcm["tokens"]["other_project"]]) == 1

    subscription = tmp_path / "subscription.json"
    subscription.write_text(json.dumps(web["subscriptions"]["active"]))
    browser = [
        "send", "webpush", f"--key={web['vapid']['private_key']}", "--subject", web["vapid"]["subject"],
        "--any-subject", "--trust", web["authority"], "--ca", str(sandbox.ca), "--payload", "größer",
    ]  # fmt: skip
    assert main([*browser, "--subscription", f"@{subscription}"]) == 0
    [record] = sandbox.log(service="webpush", accepted=True)
    assert record["decrypted"] == "größer"

    amazon = [
        "send", "adm", "--client-id", adm["client_id"], "--client-secret", adm["client_secret"], "--data", "k=v",
        "--host", adm["authority"], "--token-host", adm["authority"], "--ca", str(sandbox.ca),
    ]  # fmt: skip
    assert main([*amazon, "--token", adm["registrations"]["valid"]]) == 0
    china = [
        "send", "baidu", "--api-key", baidu["api_key"], "--secret-key", baidu["secret_key"], "--text", "hello",
        "--host", baidu["authority"], "--ca", str(sandbox.ca),
    ]  # fmt: skip
    assert main([*china, "--token", baidu["channels"]["valid"]]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt"])
def test_bulk(sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    dead = sandbox.ready["apns"]["tokens"]["unregistered"]
    tokens = [*register(sandbox, 300), dead, "not-hex"]
    source = tmp_path / f"tokens.{kind}"
    if kind == "csv":
        source.write_text("user,device_token\n" + "".join(f"u{n},{token}\n" for n, token in enumerate(tokens)))
    elif kind == "jsonl":
        source.write_text("".join(json.dumps({"token": token}) + "\n" for token in tokens))
    else:
        source.write_text("# comment\n" + "\n\n".join(tokens))
    results = tmp_path / "results.csv"
    command = apns(sandbox, "--alert", "Hi", "--from", str(source), "--results", str(results))
    assert main(command) == 1
    with results.open(newline="") as file:
        found = {record["target"]: record for record in csv.DictReader(file)}
    assert Counter(record["result"] for record in found.values()) == {
        "accepted": 300,
        "token_gone": 1,
        "refused": 1,
    }
    assert found[dead]["action"].startswith("delete this device's token")
    # The same command again has nothing left to send, and says that not all is well.
    assert main(command) == 1
    assert "skipped 301" in capsys.readouterr().err
    assert len(sandbox.log(service="apns", accepted=True)) == 300
    # Another message needs another file.
    assert main(apns(sandbox, "--alert", "Other", "--from", str(source), "--results", str(results))) == 2
    assert "another message" in capsys.readouterr().err


def test_progress_on_a_terminal(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    pty = pytest.importorskip("pty")
    pytest.importorskip("rich")
    source = tmp_path / "tokens.txt"
    source.write_text("\n".join(register(sandbox, 6000)))
    # The client keeps 2,000 at a time: they come in waves, half a second apart.
    slow = {"service": "apns", "times": 100_000, "action": {"kind": "delay", "ms": 500}}
    sandbox.control("POST", "faults", slow)
    ours, theirs = pty.openpty()
    command = apns(sandbox, "--alert", "Hi", "--from", str(source), "--results", str(tmp_path / "r.csv"))
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    process = subprocess.Popen([sys.executable, "-m", "pushcore", *command], stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"6,000 sent" in shown
    assert b"accepted 6,000" in shown
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown).decode()
    rates = {int(rate.replace(",", "")) for rate in re.findall(r"([0-9,]+)/s", text)}
    assert max(rates) > 0, "a rate"
    assert re.search(r"ETA \d+:\d\d:\d\d", text.replace("ETA 0:00:00", "")), "and the time that is left"
    assert "ETA 0:00:00" in text, "which is none at the end"
    counts = [int(count.replace(",", "")) for count in re.findall(r"([0-9,]+) sent", text)]
    assert len(set(counts)) > 1, "while it goes on"


def test_keys(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    private = tmp_path / "vapid.pem"
    assert main(["keys", "generate", "--out", str(private), "--json"]) == 0
    [made] = lines(capsys)
    assert private.stat().st_mode & 0o777 == 0o600
    assert main(["keys", "generate", "--out", str(private)]) == 2, "never over a key that is there"
    capsys.readouterr()
    for form in ("pem", "sec1", "jwk", "base64"):
        assert main(["keys", "convert", str(private), "--to", form, "--json"]) == 0
        [converted] = lines(capsys)
        assert pushcore.SigningKey.read(converted["key"]).public_key == made["public_key"]
        # Base64 may begin with a dash.
        assert main(["keys", "inspect", "--json", "--", converted["key"]]) == 0
        assert lines(capsys)[0]["public_key"] == made["public_key"]
    wrong = tmp_path / "rsa.pem"
    cryptography = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization

    wrong.write_bytes(
        cryptography.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    assert main(["keys", "inspect", str(wrong)]) == 2
    assert "rsa" in capsys.readouterr().err


def test_token_inspect(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    now = time.time()
    fresh = sandbox.apns_credentials().provider_token()
    assert main(["token", "inspect", fresh, "--json"]) == 0
    [record] = lines(capsys)
    assert record["header"]["alg"] == "ES256"
    assert record["claims"]["iss"] == sandbox.ready["apns"]["team_id"]
    old = sandbox.apns_credentials().provider_token(now=now - 7200)
    assert main(["token", "inspect", f"bearer {old}"]) == 1
    assert "ExpiredProviderToken" in capsys.readouterr().out
    assert main(["token", "inspect", "abc"]) == 2
    capsys.readouterr()


def test_webpush_decrypt(tmp_path: pathlib.Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    keys = pushcore.ReceiverKeys.generate()
    subscription = keys.subscription_json("https://updates.push.services.mozilla.com/wpush/v2/abc")
    credentials = pushcore.VapidCredentials(pushcore.SigningKey.generate(), subject="mailto:a@example.com")
    message = pushcore.WebPushMessage(subscription=subscription, payload="hello")
    body = tmp_path / "body"
    body.write_bytes(message.request(credentials).body)
    command = ["webpush", "decrypt", str(body), "--key", keys.export(), f"--auth={keys.auth}"]
    assert main(command) == 0
    assert capsysbinary.readouterr().out == b"hello"
    body.write_bytes(body.read_bytes()[:-1])
    assert main(command) == 2


def test_doctor(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    doctor = ["doctor", *apns(sandbox)[1:]]
    assert main([*doctor, "--json"]) == 0
    assert all(record["ok"] for record in lines(capsys))
    wrong_team = ["XXXXXXXXXX" if part == sandbox.ready["apns"]["team_id"] else part for part in doctor]
    assert main(wrong_team) == 1
    assert "FAIL authorization: InvalidProviderToken" in capsys.readouterr().out
    without_ca = [part for part in doctor if part not in ("--ca", str(sandbox.ca))]
    assert main(without_ca) == 1
    assert "name its certificate with --ca" in capsys.readouterr().out


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["send"], ["send", "apns"], ["keys"], ["doctor", "fcm"]):
        assert main([*command, "--help"]) == 0
        assert "Usage: pushcore" in capsys.readouterr().out


def test_sandbox_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pushcore", "sandbox", "--", "--version"], capture_output=True, check=True
    )
    assert b"pushcore-sandbox" in done.stdout


def apns_connection(sandbox: Sandbox) -> list[str]:
    ready = sandbox.ready["apns"]
    return [
        "--key", ready["p8_file"], "--key-id", ready["key_id"], "--team-id", ready["team_id"],
        "--host", ready["authority"], "--management-host", ready["management"], "--ca", str(sandbox.ca),
        "--bundle", ready["topic"], "--json",
    ]  # fmt: skip


def test_channels(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    there = apns_connection(sandbox)
    assert main(["channels", "create", "--storage", "most_recent", *there]) == 0
    [made] = lines(capsys)
    channel = made["channel"]
    assert main(["channels", "list", *there]) == 0
    assert made in lines(capsys)
    assert main(["channels", "read", channel, *there]) == 0
    assert lines(capsys) == [{"storage": "most_recent"}]
    broadcast = ["channels", "broadcast", channel, "--storage", "most_recent", "--state", '{"score":"3:1"}']
    to = ["--broadcast-host", sandbox.ready["apns"]["broadcast"]]
    assert main([*broadcast, "--expiration", str(int(time.time()) + 600), *to, *there]) == 0
    assert lines(capsys)[0]["result"] == "accepted"
    assert main(["channels", "delete", channel, *there]) == 0
    assert lines(capsys)[0]["result"] == "accepted"
    assert main(["channels", "read", channel, *there]) == 1
    assert lines(capsys)[0]["reason"] == "ChannelNotRegistered"


def test_topics(
    sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fcm = sandbox.ready["fcm"]
    account = json.loads(pathlib.Path(fcm["service_account_file"]).read_text())
    del account["token_uri"]
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    there = ["--credentials", str(file), "--host", fcm["authority"], "--token-host", fcm["authority"],
             "--ca", str(sandbox.ca), "--json"]  # fmt: skip
    tokens = fcm["tokens"]
    assert main(["topics", "subscribe", "news", tokens["valid"], tokens["unregistered"], *there]) == 1
    assert [record["result"] for record in lines(capsys)] == ["done", "token_gone"]
    assert main(["topics", "list", tokens["valid"], *there]) == 0
    assert [record["topic"] for record in lines(capsys)] == ["news"]
    monkeypatch.setattr("sys.stdin", io.StringIO(tokens["valid"] + "\n\n"))
    assert main(["topics", "unsubscribe", "news", *there]) == 0
    assert [record["result"] for record in lines(capsys)] == ["done"]
    assert main(["topics", "list", tokens["valid"], *there]) == 0
    assert lines(capsys) == []


def test_withdraw(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    web = sandbox.ready["webpush"]
    subscription = sandbox.control("POST", "webpush/subscriptions", {})
    with sandbox.web_push(pushcore.Client) as client:
        sent = client.send(pushcore.WebPushMessage(subscription=subscription, payload="x", policy=sandbox.policy()))
    assert isinstance(sent, pushcore.Accepted)
    assert sent.location
    there = [
        "--subscription", json.dumps(subscription), f"--key={web['vapid']['private_key']}", "--any-subject",
        "--subject", web["vapid"]["subject"], "--trust", web["authority"], "--ca", str(sandbox.ca), "--json",
    ]  # fmt: skip
    assert main(["webpush", "withdraw", sent.location, *there]) == 0
    assert main(["webpush", "withdraw", sent.location, *there]) == 1
    assert lines(capsys)[0]["result"] == "accepted"


def test_a_client_certificate_in_pkcs12(
    sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made by another implementation (OpenSSL), in both of its ciphers."""
    ready = sandbox.ready["apns"]
    certificate = ready["certificates"]["universal"]
    for extra in ([], ["-legacy"]):
        file = tmp_path / "apns.p12"
        made = subprocess.run(
            ["openssl", "pkcs12", "-export", *extra, "-in", certificate["certificate_file"], "-inkey",
             certificate["key_file"], "-out", str(file), "-passout", "pass:größe"],
            capture_output=True, check=False,
        )  # fmt: skip
        if made.returncode and extra:
            continue  # an OpenSSL without the old ciphers
        assert made.returncode == 0, made.stderr
        credentials = pushcore.ApnsCredentials.from_pkcs12(file, "größe")
        assert pushcore.ApnsCredentials.from_pkcs12(file.read_bytes(), "größe") is not None
        message = pushcore.ApnsMessage(token=ready["tokens"]["valid"], topic=certificate["topics"][0], alert="x")
        with pushcore.Client.apns(credentials, host=ready["authority"], ca=sandbox.ca) as client:
            assert client.send(message).name == "accepted"
        command = ["send", "apns", "--certificate", str(file), "--password", "größe", "--host", ready["authority"],
                   "--ca", str(sandbox.ca), "--topic", certificate["topics"][0], "--alert", "x"]  # fmt: skip
        assert main([*command, "--token", ready["tokens"]["valid"]]) == 0
        with pytest.raises(pushcore.CredentialError) as raised:
            pushcore.ApnsCredentials.from_pkcs12(file, "wrong")
        assert raised.value.kind == pushcore.ErrorKind.WRONG_PASSWORD
    with pytest.raises(pushcore.CredentialError):
        pushcore.ApnsCredentials.from_pkcs12(b"not a file", "")
    capsys.readouterr()


def test_doctor_explains_each_service(
    sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fcm, web, adm, baidu = (sandbox.ready[name] for name in ("fcm", "webpush", "adm", "baidu"))
    account = json.loads(pathlib.Path(fcm["service_account_file"]).read_text())
    del account["token_uri"]
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    ca = ["--ca", str(sandbox.ca), "--json"]
    subscription = json.dumps(sandbox.control("POST", "webpush/subscriptions", {}))
    commands = [
        ["fcm", "--credentials", str(file), "--host", fcm["authority"], "--token-host", fcm["authority"]],
        ["webpush", f"--key={web['vapid']['private_key']}", "--subject", web["vapid"]["subject"], "--any-subject",
         "--trust", web["authority"], "--subscription", subscription],
        ["adm", "--client-id", adm["client_id"], "--client-secret", adm["client_secret"], "--host", adm["authority"],
         "--token-host", adm["authority"]],
        ["baidu", "--api-key", baidu["api_key"], "--secret-key", baidu["secret_key"], "--host", baidu["authority"]],
    ]  # fmt: skip
    for command in commands:
        status = main(["doctor", *command, *ca])
        records = lines(capsys)
        assert status == 0, records
        assert [record["check"] for record in records] == [
            "credentials", "route", "clock", "connection", "authorization",
        ]  # fmt: skip
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    assert main(["doctor", "fcm", "--credentials", str(broken), *ca]) == 1
    [record] = lines(capsys)
    assert (record["check"], record["ok"]) == ("credentials", False)


def test_values_that_begin_with_a_dash(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    ready = sandbox.ready["baidu"]
    command = ["send", "baidu", "--api-key", ready["api_key"], "--secret-key", ready["secret_key"], "--host",
               ready["authority"], "--ca", str(sandbox.ca), "--json"]  # fmt: skip
    assert main([*command, "--token", "-1", "--text", "--really"]) == 1
    assert lines(capsys)[0]["result"] != "accepted"
    # An option takes the word after it, whatever that is: then `x` is one too many.
    assert main([*command, "--token", "--text", "x"]) == 2
    assert main([*command, "--unheard-of", "x"]) == 2
    capsys.readouterr()

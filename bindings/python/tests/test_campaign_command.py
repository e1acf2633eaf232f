"""What the campaign command can do: all five services, texts out of columns, profiles, results, the display."""

from __future__ import annotations

import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pushcore
import pytest
from campaigns import counts, on_terminal, register, run, seen, slowly, start, table, until
from pushcore.testing import Sandbox


def account(sandbox: Sandbox, folder: pathlib.Path) -> str:
    """The service account's file, without the sandbox's own token endpoint, which no real file names."""
    found = json.loads(pathlib.Path(sandbox.ready["fcm"]["service_account_file"]).read_text())
    del found["token_uri"]
    file = folder / "account.json"
    file.write_text(json.dumps(found))
    return str(file)


@pytest.fixture
def profile(sandbox: Sandbox, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A configuration with a profile for the sandbox's five services."""
    ready = sandbox.ready
    ca = f'ca = "{sandbox.ca}"'
    shutil.copy(ready["apns"]["p8_file"], tmp_path / "AuthKey.p8")
    account(sandbox, tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(
        f"""
default = "night"

[night.apns]
key = "AuthKey.p8"
key_id = "{ready["apns"]["key_id"]}"
team_id = "{ready["apns"]["team_id"]}"
topic = "{ready["apns"]["topic"]}"
host = "{ready["apns"]["authority"]}"
{ca}

[night.fcm]
credentials = "account.json"
host = "{ready["fcm"]["authority"]}"
token-host = "{ready["fcm"]["authority"]}"
{ca}

[night.webpush]
key = "{ready["webpush"]["vapid"]["private_key"]}"
subject = "{ready["webpush"]["vapid"]["subject"]}"
any_subject = true
trust = ["{ready["webpush"]["authority"]}"]
{ca}

[night.adm]
client_id = "{ready["adm"]["client_id"]}"
client_secret = "{ready["adm"]["client_secret"]}"
host = "{ready["adm"]["authority"]}"
token_host = "{ready["adm"]["authority"]}"
{ca}

[night.baidu]
api_key = "{ready["baidu"]["api_key"]}"
secret_key = "{ready["baidu"]["secret_key"]}"
host = "{ready["baidu"]["authority"]}"
{ca}
"""
    )
    monkeypatch.setenv("PUSHCORE_CONFIG", str(config))
    return config


def targets(sandbox: Sandbox, count: int) -> dict[str, list[str]]:
    """Targets of the five services that are good."""
    ready = sandbox.ready
    found: dict[str, list[str]] = {"apns": register(sandbox, count)}
    found["fcm"] = [f"fcm-{number}:APA91b" for number in range(count)]
    sandbox.control("POST", "fcm/tokens", [{"token": token, "state": "active"} for token in found["fcm"]])
    found["webpush"] = [json.dumps(sandbox.control("POST", "webpush/subscriptions", {})) for _ in range(count)]
    found["adm"] = [f"amzn1.adm-registration.v1.{number}" for number in range(count)]
    sandbox.control("POST", "adm/registrations", [{"id": one, "state": "active"} for one in found["adm"]])
    found["baidu"] = [str(3_000_000_000_000_000_000 + number) for number in range(count)]
    for one in found["baidu"]:
        sandbox.control("POST", "baidu/channels", {"channel_id": one})
    assert ready
    return found


@pytest.mark.usefixtures("profile")
def test_one_file_for_all_five_services(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    found = targets(sandbox, 30)
    source = tmp_path / "devices.csv"
    with source.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user", "service", "token", "name"])
        for number in range(30):
            for service, tokens in found.items():
                writer.writerow([f"u{number}", service, tokens[number], f"N{number}"])
        writer.writerow(["u99", "pigeon", "x", "N"])
    messages = {
        "apns": {"title": "Hi {name}"},
        "fcm": {"title": "Hi {name}", "data": {"user": "{user}"}},
        "webpush": {"payload": "Hi {name}"},
        "adm": {"data": {"text": "Hi {name}"}},
        "baidu": {"text": "Hi {name}"},
    }
    results = tmp_path / "r.csv"
    command = ["send", "mixed", "--messages", json.dumps(messages), "--from", str(source), "--results", str(results),
               "--key-column", "user"]  # fmt: skip
    status, out, err = run(command)
    assert status == 1, (out, err)
    assert results.exists(), (out, err)
    assert counts(results) == {"accepted": 150, "refused": 1}
    [refused] = [record for record in table(results) if record["result"] == "refused"]
    assert "pigeon" in refused["reason"]
    assert {record["key"] for record in table(results)} == {*(f"u{number}" for number in range(30)), "u99"}
    for service in found:
        assert len(sandbox.log(service=service, accepted=True, operation=_OPERATIONS.get(service, "push"))) == 30, (
            service
        )
    shown = {record["target"]: record for record in sandbox.log(service="apns", accepted=True)}
    assert shown[found["apns"][7]]["body"]["aps"]["alert"]["title"] == "Hi N7"
    # Nothing is left for a second run.
    assert run(command)[0] == 1
    assert len(sandbox.log(service="fcm", accepted=True, operation="push")) == 30


_OPERATIONS = {"baidu": "push/single_device"}


@pytest.mark.parametrize("service", ["apns", "fcm", "webpush", "adm", "baidu"])
@pytest.mark.usefixtures("profile")
def test_each_service_from_a_file(sandbox: Sandbox, tmp_path: pathlib.Path, service: str) -> None:
    tokens = targets(sandbox, 20)[service]
    source = tmp_path / "t.jsonl"
    source.write_text(
        "".join((token if service == "webpush" else json.dumps({"token": token})) + "\n" for token in tokens)
    )
    text = {
        "apns": ["--title", "x"],
        "fcm": ["--title", "x"],
        "webpush": ["--payload", "x"],
        "adm": ["--data", "k=x"],
        "baidu": ["--text", "x"],
    }[service]
    results = tmp_path / "r.jsonl"
    status, out, err = run(["send", service, "--from", str(source), "--results", str(results), *text])
    assert status == 0, (out, err)
    assert counts(results) == {"accepted": 20}
    assert all(record["attempts"] == 1 and record["time"] > 1e9 for record in table(results))
    status, out, err = run(["send", service, "--from", str(source), "--results", str(results), *text])
    assert status == 0
    assert "skipped 20" in err


@pytest.mark.usefixtures("profile")
def test_texts_out_of_columns(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 3)
    source = tmp_path / "t.csv"
    names = ["Zoë", '"; DROP', "{name} \\ \n2"]
    with source.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Name", "token", "n"])
        writer.writerows(zip(names, tokens, range(3), strict=True))
    payload = '{"aps":{"alert":{"title":"Hi {name}, {{really}}"}},"n":"{n}"}'
    status, out, err = run(["send", "apns", "--from", str(source), "--payload", payload])
    assert status == 0, (out, err)
    shown = {record["target"]: record["body"] for record in sandbox.log(service="apns", accepted=True)}
    for token, name, number in zip(tokens, names, range(3), strict=True):
        assert shown[token] == {"aps": {"alert": {"title": f"Hi {name}, {{really}}"}}, "n": str(number)}
    status, out, err = run(["send", "apns", "--from", str(source), "--title", "Hi {nme}"])
    assert status == 2
    assert "nme" in err
    assert "Name, token, n" in err
    # Braces of plain JSON and of single messages are what they are.
    assert run(["send", "apns", "--token", tokens[0], "--title", "{name}"])[0] == 0


@pytest.mark.usefixtures("profile")
def test_a_column_of_whole_messages(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 3)
    source = tmp_path / "t.jsonl"
    rows: list[dict[str, Any]] = [
        {"token": token, "m": {"aps": {"alert": f"text {at}"}}} for at, token in enumerate(tokens)
    ]
    rows[1]["m"] = "not json"
    source.write_text("\n".join(map(json.dumps, rows)))
    status, out, err = run(["send", "apns", "--from", str(source), "--message-column", "m"])
    assert status == 1, (out, err)
    assert "line 2" in out
    shown = {record["target"]: record["body"] for record in sandbox.log(service="apns", accepted=True)}
    assert shown == {tokens[at]: {"aps": {"alert": f"text {at}"}} for at in (0, 2)}


def test_profiles_say_what_is_wrong(profile: pathlib.Path, tmp_path: pathlib.Path) -> None:
    one = ["send", "apns", "--token", "ab", "--title", "x"]
    status, _, err = run([*one, "--profile", "day"])
    assert (status, "night" in err) == (2, True), err
    profile.write_text(profile.read_text().replace("key_id", "keyid"))
    status, _, err = run(one)
    assert (status, "did you mean key_id" in err) == (2, True), err
    profile.write_text("[night\n")
    status, _, err = run(one)
    assert (status, str(profile) in err) == (2, True), err
    profile.unlink()
    status, _, err = run(one)
    assert (status, "--key" in err) == (2, True), err


@pytest.mark.usefixtures("profile")
def test_the_command_line_comes_before_the_environment_and_the_profile(sandbox: Sandbox) -> None:
    [token] = register(sandbox, 1)
    one = ["send", "apns", "--token", token, "--title", "x", "--json"]
    assert run(one)[0] == 0
    environment = {**os.environ, "PUSHCORE_APNS_KEY_ID": "XXXXXXXXXX"}
    status, out, _ = run(one, env=environment)
    assert (status, json.loads(out)["reason"]) == (1, "InvalidProviderToken")
    assert run([*one, "--key-id", sandbox.ready["apns"]["key_id"]], env=environment)[0] == 0


@pytest.mark.usefixtures("profile")
def test_dry_run_sends_nothing(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 5)
    source = tmp_path / "t.csv"
    source.write_text("name,token\n" + "".join(f"N,{token}\n" for token in [*tokens, tokens[0], "no-hex"]))
    results = tmp_path / "r.csv"
    status, out, err = run(["send", "apns", "--from", str(source), "--title", "Hi {name}", "--dry-run",
                            "--results", str(results)])  # fmt: skip
    assert status == 1, (out, err)
    assert "Hi N" in out
    assert "ready 5" in err
    assert "duplicates 1" in err
    assert "refused 1" in err
    assert not sandbox.log(service="apns")
    assert not list(tmp_path.glob("r.csv*"))


@pytest.mark.usefixtures("profile")
def test_limit_and_rate(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 100)
    source = tmp_path / "t.txt"
    source.write_text("\n".join(tokens))
    command = ["send", "apns", "--from", str(source), "--title", "x", "--results", str(tmp_path / "r.csv")]
    assert run([*command, "--limit", "10"])[0] == 0
    assert seen(sandbox) == Counter(tokens[:10])
    begun = time.monotonic()
    assert run([*command, "--rate", "40"])[0] == 0
    assert time.monotonic() - begun > 1.2, "90 at 40 a second, with a second's worth at once"
    assert seen(sandbox) == Counter(tokens)


@pytest.mark.usefixtures("profile")
def test_retries_within_a_run(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 50)
    source = tmp_path / "t.csv"
    source.write_text("name,token\n" + "".join(f"N{at},{token}\n" for at, token in enumerate(tokens)))
    busy = {
        "kind": "answer",
        "status": 503,
        "headers": [["retry-after", "1"]],
        "body": {"reason": "ServiceUnavailable"},
    }
    for at in (3, 40):
        sandbox.control("POST", "faults", {"service": "apns", "contains": tokens[at], "times": 2, "action": busy})
    results = tmp_path / "r.jsonl"
    command = ["send", "apns", "--title", "Hi {name}", "--results", str(results)]
    with source.open("rb") as file:
        begun = time.monotonic()
        status, out, err = run([*command, "--from", "-", "--retries", "3"], stdin=file)
    assert status == 0, (out, err)
    assert time.monotonic() - begun > 2, "it waited as it was told"
    assert seen(sandbox) == Counter(tokens)
    attempts = {record["target"]: record["attempts"] for record in table(results)}
    assert attempts[tokens[3]] == 3
    assert attempts[tokens[4]] == 1


@pytest.mark.usefixtures("profile")
def test_results_say_all_that_is_known(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    good, dead = register(sandbox, 1)[0], sandbox.ready["apns"]["tokens"]["unregistered"]
    source = tmp_path / "t.csv"
    source.write_text(f"id,token\n=1+1,{good}\nb,{dead}\nc,xyz\n")
    results = tmp_path / "r.csv"
    command = ["send", "apns", "--from", str(source), "--title", "x", "--results", str(results), "--key-column", "id"]
    assert run(command)[0] == 1
    rows = {record["target"]: record for record in table(results)}
    assert rows[dead]["result"] == "token_gone"
    assert float(rows[dead]["since"]) == sandbox.ready["apns"]["unregistered_at_ms"] / 1000
    assert rows[good]["key"] == "'=1+1", "a spreadsheet runs no formula"
    assert rows[good]["id"]
    status, out, _ = run(["results", str(results), "--delete"])
    assert (status, out.split()) == (0, [dead])
    status, out, _ = run(["results", str(results), "--result", "refused", "--json"])
    [record] = [json.loads(line) for line in out.splitlines()]
    assert (record["line"], record["target"], record["key"]) == (4, "xyz", "c")
    exported = tmp_path / "left.jsonl"
    assert run(["results", str(results), "--not-accepted", "--export", str(exported)])[0] == 0
    assert len(table(exported)) == 2
    assert exported.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "r.csv.db").stat().st_mode & 0o777 == 0o600
    status, out, _ = run(["results", str(results), "--counts", "--json"])
    assert json.loads(out) == {"totals": {"accepted": 1, "refused": 1, "token_gone": 1}, "complete": True}


@pytest.mark.usefixtures("profile")
def test_the_services_own_sentence(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = targets(sandbox, 1)["fcm"]
    source = tmp_path / "t.txt"
    source.write_text(tokens[0])
    said = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Unknown name \"badge\"\u0007 at 'x'"}}
    sandbox.control("POST", "faults", {"service": "fcm", "contains": "messages:send", "times": 1,
                                       "action": {"kind": "answer", "status": 400, "body": said}})  # fmt: skip
    status, out, _ = run(["send", "fcm", "--from", str(source), "--title", "x"])
    assert status == 1
    assert 'Unknown name "badge"' in out
    assert "\x07" not in out, "no control character reaches a terminal"


@pytest.mark.usefixtures("profile")
def test_errors_are_json_on_standard_error(tmp_path: pathlib.Path) -> None:
    for command in (["send", "apns", "--no-such", "--json"], ["send", "apns", "--from", "nowhere.csv", "--json"],
                    ["results", str(tmp_path / "none.db"), "--json"]):  # fmt: skip
        status, out, err = run(command)
        assert (status, out) == (2, "")
        assert all("error" in json.loads(line) for line in err.splitlines()), err


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.usefixtures("profile")
def test_the_display_fits(sandbox: Sandbox, tmp_path: pathlib.Path, columns: int) -> None:
    dead = sandbox.ready["apns"]["tokens"]["unregistered"]
    source = tmp_path / "t.txt"
    source.write_text("\n".join([dead, *register(sandbox, 3000)]))
    with slowly(sandbox, 150):
        status, shown = on_terminal(["send", "apns", "--title", "x", "--from", str(source),
                                     "--results", str(tmp_path / "r.csv")], columns)  # fmt: skip
    assert status == 1
    import re

    frames = re.split(r"\x1b\[[0-9;?]*[A-Za-z]|\r", shown)
    lines = [line for frame in frames for line in frame.split("\n")]
    pictures = [line for line in lines if "/s" in line or ("accepted" in line and "all runs" not in line)]
    assert any("sent" in line and "/s" in line for line in pictures)
    assert any("token gone 1" in line for line in pictures)
    assert any("ETA" in line for line in lines)
    assert max(len(line) for line in pictures if "sent" in line) <= columns


@pytest.mark.usefixtures("profile")
def test_a_slow_pipe_is_served_while_it_waits(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    tokens = register(sandbox, 3)
    process = start(["send", "apns", "--title", "x", "--from", "-", "--results", str(tmp_path / "r.csv")],
                    stdin=subprocess.PIPE)  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(f"{tokens[0]}\n{tokens[1]}\n".encode())
    process.stdin.flush()
    until(lambda: len(seen(sandbox)) == 2)
    process.terminate()
    process.wait(timeout=10)
    out, err = process.communicate()
    assert process.returncode == 128 + 15, (out, err)
    assert counts(tmp_path / "r.csv") == {"accepted": 2}


@pytest.mark.usefixtures("profile")
def test_a_source_that_breaks_off(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    import gzip

    tokens = register(sandbox, 3000)
    packed = gzip.compress("\n".join(tokens).encode())
    source = tmp_path / "t.txt.gz"
    source.write_bytes(packed[: len(packed) // 2])
    results = tmp_path / "r.csv"
    status, out, err = run(["send", "apns", "--title", "x", "--from", str(source), "--results", str(results)])
    assert status == 3, (out, err)
    assert "input ended with an error" in err
    sent = seen(sandbox)
    assert 0 < sent.total() < 3000
    assert set(counts(results)) <= {"accepted", "refused", "waiting"}
    source.write_bytes(packed)
    assert run(["send", "apns", "--title", "x", "--from", str(source), "--results", str(results)])[0] == 0
    assert seen(sandbox) == Counter(tokens)


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize("bad", ["other version", "not ours", "empty", "folder", "read-only", "old results", "text"])
def test_a_journal_that_cannot_be_used(sandbox: Sandbox, tmp_path: pathlib.Path, bad: str) -> None:
    import sqlite3

    [token] = register(sandbox, 1)
    source = tmp_path / "t.txt"
    source.write_text(token)
    results = tmp_path / "r.db"
    command = ["send", "apns", "--title", "x", "--from", str(source), "--results", str(results)]
    if bad == "other version":
        assert run([*command[:-1], str(results), "--limit", "1"])[0] == 0
        sandbox.control("POST", "reset")
        database = sqlite3.connect(results)
        database.execute("PRAGMA user_version=77")
        database.close()
    elif bad == "not ours":
        database = sqlite3.connect(results)
        database.execute("CREATE TABLE t (x)")
        database.close()
    elif bad == "empty":
        results.touch()
    elif bad == "text":
        results.write_text("line,key\n")
    elif bad == "folder":
        command[-1] = str(tmp_path / "none" / "r.db")
    elif bad == "read-only":
        command[-1] = "/proc/r.db"
    else:
        results = tmp_path / "r.csv"
        results.write_text("row,target,result\n")
        command[-1] = str(results)
    before = results.read_bytes() if results.exists() else None
    status, out, err = run(command)
    assert status == 2, (out, err)
    assert err
    assert "Traceback" not in err
    assert not seen(sandbox)
    if before is not None:
        assert results.read_bytes() == before, "it is left as it was"


@pytest.mark.usefixtures("profile")
def test_results_can_be_read_while_it_runs_and_after_a_death(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    source, results = tmp_path / "t.txt", tmp_path / "r.csv"
    source.write_text("\n".join(register(sandbox, 3000)))
    with slowly(sandbox, 3000):
        process = start(["send", "apns", "--title", "x", "--from", str(source), "--results", str(results)])
        until(lambda: sandbox.stats()["judged"] >= 12 or process.poll() is not None)
        status, out, err = run(["results", str(results), "--counts", "--json"])
        assert status == 0, err
        found = json.loads(out)
        assert found["complete"] is False
        assert sum(found["totals"].values()) >= 12
        process.kill()
        process.communicate()
    status, out, err = run(["results", str(results), "--result", "unknown", "--json"])
    assert status == 0, err
    assert all("the run ended before" in json.loads(line)["reason"] for line in out.splitlines())
    shutil.copy(tmp_path / "r.csv.db", tmp_path / "other.db")
    (tmp_path / "other.db").chmod(0o400)
    assert run(["results", str(tmp_path / "other.db"), "--counts"])[0] == 0


@pytest.mark.usefixtures("profile")
def test_a_folder_that_vanishes(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "t.txt"
    source.write_text("\n".join(register(sandbox, 3000)))
    folder = tmp_path / "away"
    folder.mkdir()
    with slowly(sandbox, 100):
        process = start(["send", "apns", "--title", "x", "--from", str(source), "--results", str(folder / "r.csv")])
        until(lambda: sandbox.stats()["judged"] > 20 or process.poll() is not None)
        shutil.rmtree(folder)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 5, (out, err)
    assert b"Traceback" not in err


def test_without_click_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['click'] = None; from pushcore.cli import main; sys.exit(main(['--version']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "pip install 'pushcore[cli]'" in done.stderr) == (2, True)


@pytest.mark.parametrize("service", ["apns", "fcm", "webpush", "adm", "baidu"])
def test_wrong_credentials_of_each_service_stop_it(
    sandbox: Sandbox, tmp_path: pathlib.Path, profile: pathlib.Path, service: str
) -> None:
    tokens = targets(sandbox, 60)[service]
    if service == "webpush":
        bound = {"application_server_key": sandbox.ready["webpush"]["vapid"]["public_key"]}
        tokens = [json.dumps(sandbox.control("POST", "webpush/subscriptions", bound)) for _ in range(60)]
    source = tmp_path / "t.jsonl"
    source.write_text("".join((one if service == "webpush" else json.dumps({"token": one})) + "\n" for one in tokens))
    text = {
        "apns": ["--title", "x"],
        "fcm": ["--title", "x"],
        "webpush": ["--payload", "x"],
        "adm": ["--data", "k=x"],
        "baidu": ["--text", "x"],
    }[service]
    good = profile.read_text()
    ready = sandbox.ready
    broken = good.replace(
        *{
            "apns": (f'"{ready["apns"]["key_id"]}"', '"XXXXXXXXXX"'),
            "fcm": ("account.json", "other.json"),
            "webpush": (ready["webpush"]["vapid"]["private_key"], pushcore.SigningKey.generate().to_base64()),
            "adm": (ready["adm"]["client_secret"], "wrong"),
            "baidu": (ready["baidu"]["secret_key"], "wrong" * 4),
        }[service]
    )
    assert broken != good
    if service == "fcm":
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        other = json.loads((tmp_path / "account.json").read_text())
        made = rsa.generate_private_key(65537, 2048)
        other["private_key"] = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        (tmp_path / "other.json").write_text(json.dumps(other))
    profile.write_text(broken)
    results = tmp_path / "r.csv"
    command = ["send", service, "--from", str(source), "--results", str(results), *text]
    status, out, err = run(command)
    assert status == 4, (out, err)
    assert "mend" in err
    operation = _OPERATIONS.get(service, "push")
    assert len(sandbox.log(service=service, operation=operation)) <= 32, "a handful"
    assert not sandbox.log(service=service, operation=operation, accepted=True)
    profile.write_text(good)
    status, out, err = run(command)
    assert status == 0, (out, err)
    assert counts(results) == {"accepted": 60}


@pytest.mark.usefixtures("profile")
def test_a_revoked_key_is_not_told_as_something_to_send_again(sandbox: Sandbox) -> None:
    action = {"kind": "answer", "status": 400, "body": {"error": "invalid_grant"}}
    sandbox.control("POST", "faults", {"service": "fcm", "contains": "token", "action": action})
    status, out, err = run(
        ["send", "fcm", "--title", "x", "--token", sandbox.ready["fcm"]["tokens"]["valid"], "--json"]
    )
    assert status == 4, (out, err)
    said = json.loads(out)
    assert (said["result"], said["action"]) == ("not_sent", "not sent: fix the credentials, then send again")
    assert "invalid_grant" in said["reason"]


@pytest.mark.usefixtures("profile")
def test_a_firebase_installation_id(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    fid = sandbox.ready["fcm"]["fid"]
    for command in (["--fid", fid, "--title", "x"], ["--message", json.dumps({"fid": fid, "data": {"k": "v"}})]):
        status, out, err = run(["send", "fcm", *command])
        assert status == 0, (out, err)
    source = tmp_path / "t.csv"
    source.write_text(f"fid,name\n{fid},Ann\n")
    status, out, err = run(["send", "fcm", "--from", str(source), "--column", "fid", "--title", "Hi {name}"])
    assert status == 0, (out, err)
    assert len(sandbox.log(service="fcm", operation="push", accepted=True)) == 3
    status, out, err = run(["send", "fcm", "--token", "x", "--title", "x", "--retry"])
    assert (status, "--retry" in err) == (2, True), "an option that would do nothing is refused"
    status, out, err = run(["send", "fcm", "--from", str(source), "--column", "fid", "--title", "x", "--validate-only"])
    assert status == 0, (out, err)
    assert len(sandbox.log(service="fcm", operation="push", accepted=True)) == 3


@pytest.mark.usefixtures("profile")
def test_verbose_tells_events(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    source = tmp_path / "t.txt"
    source.write_text("\n".join(register(sandbox, 5)))
    status, _, err = run(["send", "apns", "--title", "x", "--from", str(source), "--verbose"])
    assert status == 0
    assert "apns connected" in err

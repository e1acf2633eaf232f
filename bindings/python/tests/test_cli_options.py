"""What each option of the command does: in what the service got, or in what is written."""

from __future__ import annotations

import base64
import json
import pathlib
import re
import signal
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from campaigns import counts, judged, on_terminal, start
from pushcore.cli import main
from pushcore.testing import Sandbox

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "tests/vectors"


def apns_keys(sandbox: Sandbox) -> list[str]:
    ready = sandbox.ready["apns"]
    return [
        "--key",
        ready["p8_file"],
        "--key-id",
        ready["key_id"],
        "--team-id",
        ready["team_id"],
        "--ca",
        str(sandbox.ca),
    ]


def apns(sandbox: Sandbox, *more: str) -> list[str]:
    ready = sandbox.ready["apns"]
    return ["send", "apns", *apns_keys(sandbox), "--topic", ready["topic"], "--host", ready["authority"], *more]


def webpush(sandbox: Sandbox, *more: str) -> list[str]:
    web = sandbox.ready["webpush"]
    return [
        "send", "webpush", f"--key={web['vapid']['private_key']}", "--subject", web["vapid"]["subject"],
        "--any-subject", "--subscription", json.dumps(web["subscriptions"]["active"]), "--ca", str(sandbox.ca), *more,
    ]  # fmt: skip


def adm(sandbox: Sandbox, *more: str) -> list[str]:
    ready = sandbox.ready["adm"]
    return [
        "send", "adm", "--client-id", ready["client_id"], "--client-secret", ready["client_secret"],
        "--ca", str(sandbox.ca), "--host", ready["authority"], "--token-host", ready["authority"], "--data", "k=v", *more,
    ]  # fmt: skip


def baidu(sandbox: Sandbox, *more: str) -> list[str]:
    ready = sandbox.ready["baidu"]
    return [
        "send", "baidu", "--api-key", ready["api_key"], "--secret-key", ready["secret_key"],
        "--host", ready["authority"], "--ca", str(sandbox.ca), *more,
    ]  # fmt: skip


@pytest.fixture
def account(sandbox: Sandbox, tmp_path: pathlib.Path) -> Callable[..., list[str]]:
    """The options of FCM, with the service account changed."""

    def options(**changes: Any) -> list[str]:
        fcm = sandbox.ready["fcm"]
        file = tmp_path / "account.json"
        words = {**json.loads(pathlib.Path(fcm["service_account_file"]).read_text()), **changes}
        file.write_text(
            json.dumps({name: value for name, value in words.items() if name != "token_uri" and value is not None})
        )
        there = ["--host", fcm["authority"], "--token-host", fcm["authority"], "--ca", str(sandbox.ca)]
        return ["send", "fcm", "--credentials", str(file), *there]

    return options


def only(sandbox: Sandbox, service: str) -> dict[str, Any]:
    [record] = sandbox.log(service=service, operation="push")
    return record


def body(record: dict[str, Any]) -> Any:
    return record["body"] if isinstance(record["body"], dict) else json.loads(record["body"])


def test_fields_of_apns(sandbox: Sandbox) -> None:
    """Apple, "Generating a remote notification": where each word stands in the payload."""
    words = [
        "--title", "T", "--subtitle", "S", "--body", "B", "--sound", "bell", "--badge", "7", "--category", "C",
        "--thread-id", "thread", "--content-available", "--mutable-content",
    ]  # fmt: skip
    assert main(apns(sandbox, "--token", sandbox.ready["apns"]["tokens"]["valid"], *words)) == 0
    assert body(only(sandbox, "apns"))["aps"] == {
        "alert": {"title": "T", "subtitle": "S", "body": "B"},
        "sound": "bell",
        "badge": 7,
        "category": "C",
        "thread-id": "thread",
        "content-available": 1,
        "mutable-content": 1,
    }


def test_headers_of_apns(sandbox: Sandbox) -> None:
    """Apple, "Sending notification requests to APNs"."""
    words = ["--push-type", "background", "--priority", "5", "--collapse-id", "score", "--content-available"]
    assert main(apns(sandbox, "--token", sandbox.ready["apns"]["tokens"]["valid"], *words)) == 0
    headers = only(sandbox, "apns")["headers"]
    names = ("apns-push-type", "apns-priority", "apns-collapse-id")
    assert [headers[name] for name in names] == ["background", "5", "score"]


@pytest.mark.parametrize(
    ("words", "host"), [([], "api.push.apple.com"), (["--environment", "sandbox"], "api.sandbox.push.apple.com")]
)
def test_the_environment(
    sandbox: Sandbox, words: list[str], host: str, refusing_proxy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Apple's two hosts, as the proxy is asked for them (RFC 9110 §9.3.6)."""
    there = [*apns_keys(sandbox), "--topic", "com.example.app", "--alert", "x", "--deadline", "5"]
    command = ["send", "apns", *there, "--token", "ab" * 32, "--proxy", refusing_proxy.url, *words]
    assert main(command) != 0
    assert refusing_proxy.asked
    assert set(refusing_proxy.asked) == {f"CONNECT {host}:443 HTTP/1.1"}
    capsys.readouterr()


class Refusing(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Refusal(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Refusing)
        self.server.asked.append(self.rfile.readline().decode().strip())
        self.wfile.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")


@pytest.fixture
def refusing_proxy() -> Iterator[Refusing]:
    with Refusing() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_condition_of_fcm(sandbox: Sandbox, account: Callable[..., list[str]]) -> None:
    condition = "'news' in topics && 'sport' in topics"
    assert main([*account(), "--title", "Hi", "--condition", condition]) == 0
    message = body(only(sandbox, "fcm"))["message"]
    assert message["condition"] == condition
    assert "token" not in message


def test_project_of_fcm(
    sandbox: Sandbox, account: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The project is a part of the path (FCM v1, `projects.messages.send`)."""
    fcm = sandbox.ready["fcm"]
    command = [*account(project_id=None), "--title", "Hi", "--token", fcm["tokens"]["valid"]]
    assert main(command) == 2
    assert "project" in capsys.readouterr().err
    project = json.loads(pathlib.Path(fcm["service_account_file"]).read_text())["project_id"]
    assert main([*command, "--project", project]) == 0
    assert only(sandbox, "fcm")["headers"][":path"] == f"/v1/projects/{project}/messages:send"


def test_fields_of_web_push(sandbox: Sandbox) -> None:
    """RFC 8030 §5.2 and §5.3."""
    trust = ["--trust", sandbox.ready["webpush"]["authority"]]
    assert main(webpush(sandbox, *trust, "--payload", "x", "--ttl", "61", "--urgency", "very-low")) == 0
    headers = only(sandbox, "webpush")["headers"]
    assert (headers["ttl"], headers["urgency"]) == ("61", "very-low")


@pytest.mark.parametrize("words", [[], ["--any-public-host"]])
def test_any_public_host(
    sandbox: Sandbox, words: list[str], refusing_proxy: Refusing, capsys: pytest.CaptureFixture[str]
) -> None:
    subscription = {**sandbox.ready["webpush"]["subscriptions"]["active"], "endpoint": "https://push.example.org/x"}
    there = [
        "--subscription",
        json.dumps(subscription),
        "--payload",
        "x",
        "--proxy",
        refusing_proxy.url,
        "--deadline",
        "5",
    ]
    assert main(webpush(sandbox, *there, *words)) == (3 if words else 2), capsys.readouterr()
    # Without the option nothing is connected to; with it the proxy is asked for the host.
    assert set(refusing_proxy.asked) == ({"CONNECT push.example.org:443 HTTP/1.1"} if words else set())


def test_fields_of_adm(sandbox: Sandbox) -> None:
    """Amazon, "Sending a message": the members of the body."""
    to = ["--token", sandbox.ready["adm"]["registrations"]["valid"]]
    assert main(adm(sandbox, *to, "--consolidation-key", "score", "--expires-after", "61")) == 0
    sent = body(only(sandbox, "adm"))
    assert (sent["consolidationKey"], sent["expiresAfter"], sent["data"]) == ("score", 61, {"k": "v"})


def test_open_url_of_baidu(sandbox: Sandbox) -> None:
    """Baidu: `open_type` 1 opens `url`."""
    words = ["--token", sandbox.ready["baidu"]["channels"]["valid"], "--text", "x", "--title", "T"]
    assert main(baidu(sandbox, *words, "--open-url", "https://example.com/a")) == 0
    [record] = [one for one in sandbox.log(service="baidu") if one["operation"].startswith("push")]
    text = record["body"] if isinstance(record["body"], str) else json.dumps(record["body"])
    assert "https" in text
    assert "example.com" in text
    assert "open_type" in text


def bulk(sandbox: Sandbox, source: pathlib.Path, *more: str) -> list[str]:
    return apns(
        sandbox, "--alert", "Hi", "--from", str(source), "--results", str(source.with_suffix(".results.csv")), *more
    )


def tokens(sandbox: Sandbox, count: int) -> list[str]:
    found = [f"{number:064x}" for number in range(1, count + 1)]
    bundle = sandbox.ready["apns"]["topic"]
    sandbox.control("POST", "apns/tokens", [{"token": token, "bundle": bundle} for token in found])
    return found


def test_format_delimiter_and_encoding(
    sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"Zoë;{token}\n" for token in tokens(sandbox, 3))
    words = ["--format", "csv", "--delimiter", ";", "--title", "Hi {name}"]
    for name, more, status in ("one.dat", [], 1), ("two.dat", ["--encoding", "latin-1"], 0):
        source = tmp_path / name
        source.write_bytes(("name;token\n" + rows).encode("latin-1"))
        # The same octets are no UTF-8.
        assert main(bulk(sandbox, source, *words, *more)) == status
    titles = {body(record)["aps"]["alert"]["title"] for record in sandbox.log(service="apns", accepted=True)}
    assert titles == {"Hi Zoë"}
    capsys.readouterr()


def test_a_format_is_not_guessed(sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("".join(json.dumps({"token": token}) + "\n" for token in tokens(sandbox, 2)))
    assert main(bulk(sandbox, source, "--format", "jsonl")) == 0
    assert len(sandbox.log(service="apns", accepted=True)) == 2
    capsys.readouterr()


def test_the_column_of_the_service(
    sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of another service are left out where the column says so."""
    source = tmp_path / "rows.csv"
    mine, other = tokens(sandbox, 2)
    source.write_text(f"kind,token\napns,{mine}\nfcm,{other}\n")
    code = main(bulk(sandbox, source, "--service-column", "kind"))
    assert [record["target"] for record in sandbox.log(service="apns", accepted=True)] == [mine]
    assert code in (0, 1)
    capsys.readouterr()


@pytest.mark.parametrize("words", [[], ["--no-progress"]])
def test_progress(sandbox: Sandbox, tmp_path: pathlib.Path, words: list[str]) -> None:
    """The display moves the cursor (ECMA-48: CSI), and nothing else in the output does."""
    source = tmp_path / "rows.txt"
    source.write_text("\n".join(tokens(sandbox, 3)))
    status, shown = on_terminal(bulk(sandbox, source, *words))
    assert status == 0, shown
    assert bool(re.search(r"\x1b\[[0-9;?]*[A-Zh]", shown)) == (not words)


@pytest.mark.parametrize(("grace", "most"), [("0.2", 15), ("5", 40)])
def test_grace(sandbox: Sandbox, tmp_path: pathlib.Path, grace: str, most: float) -> None:
    """What gets no answer is waited for as long as that, and then unknown; its deadline of a minute is not reached."""
    source = tmp_path / "rows.txt"
    source.write_text("\n".join(tokens(sandbox, 5)))
    sandbox.faults.no_answer("apns")
    process = start(bulk(sandbox, source, "--grace", grace))
    judged(sandbox, 1, process)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert process.wait(timeout=120) == 130, process.communicate()
    took = time.monotonic() - began
    assert float(grace) * 0.9 <= took < most
    process.communicate()
    assert counts(source.with_suffix(".results.csv"))["unknown"] >= 1


def test_the_key_in_each_form(capsys: pytest.CaptureFixture[str]) -> None:
    shown = {}
    for form in ("pem", "jwk", "base64"):
        assert main(["keys", "generate", "--form", form]) == 0
        shown[form] = capsys.readouterr().out
    assert shown["pem"].startswith("-----BEGIN PRIVATE KEY-----")
    assert json.loads(shown["jwk"].strip().splitlines()[0])["crv"] == "P-256"
    assert len(base64.urlsafe_b64decode(shown["base64"].split()[0] + "=")) == 32


def test_bodies_of_the_legacy_encoding(capsysbinary: pytest.CaptureFixture[bytes], tmp_path: pathlib.Path) -> None:
    rows = json.loads((VECTORS / "webpush.json").read_text())["receive"]
    row = next(row for row in rows if "crypto_key" in row and "plain" in row)
    source = tmp_path / "body"
    source.write_bytes(base64.urlsafe_b64decode(row["body"] + "=="))
    command = ["webpush", "decrypt", str(source), f"--key={row['private_key']}", f"--auth={row['auth']}"]
    assert main([*command, f"--crypto-key={row['crypto_key']}", f"--encryption={row['encryption']}"]) == 0
    assert capsysbinary.readouterr().out.decode().strip() == row["plain"]
    assert main(command) == 2
    capsysbinary.readouterr()


def test_replacements_and_services(
    sandbox: Sandbox, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = sandbox.ready["adm"]["registrations"]
    source = tmp_path / "rows.txt"
    source.write_text(f"{ids['valid']}\n{ids['replaced']}\n")
    results = tmp_path / "results.csv"
    assert main(adm(sandbox, "--from", str(source), "--results", str(results))) == 0
    capsys.readouterr()
    assert main(["results", str(results), "--replace"]) == 0
    assert capsys.readouterr().out == f"{ids['replaced']}\t{ids['replacement']}\n"
    for service, rows in ("adm", 2), ("fcm", 0):
        assert main(["results", str(results), "--service", service, "--json"]) == 0
        assert sum("target" in json.loads(line) for line in capsys.readouterr().out.splitlines()) == rows


def test_the_end_of_an_activity(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Apple, "Starting and updating Live Activities": `event` is `end`; the priority is a header."""
    ready = sandbox.ready["apns"]
    there = [*apns_keys(sandbox), "--bundle", ready["topic"], "--host", ready["authority"]]
    there += ["--management-host", ready["management"]]
    assert main(["channels", "create", *there]) == 0
    channel = capsys.readouterr().out.split()[0]
    to = ["--broadcast-host", ready["broadcast"], "--state", '{"score":"3:1"}']
    for words, event, priority in ([], "update", None), (["--end", "--priority", "5"], "end", "5"):
        assert main(["channels", "broadcast", channel, *words, *to, *there]) == 0, capsys.readouterr()
        record = sandbox.log(service="apns", operation="broadcast")[-1]
        assert body(record)["aps"]["event"] == event
        if priority is not None:
            assert record["headers"]["apns-priority"] == priority
    capsys.readouterr()

"""`pushcore.testing`: the pytest plugin, the fakes, devices and faults of the sandbox."""

from __future__ import annotations

import asyncio
import os
import pathlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore.testing import AioFakeClient, FakeClient, Sandbox

GOOD, DEAD, LATER = "ab" * 32, "cd" * 32, "ef" * 32
SERVICES = ["apns", "fcm", "web_push", "adm", "baidu"]


def message(token: str = GOOD) -> pushcore.ApnsMessage:
    return pushcore.ApnsMessage(token=token, topic="com.example.app", alert="hello")


def template(service: str, target: Any, sandbox: Sandbox) -> Any:
    if service == "apns":
        return pushcore.ApnsMessage(token=target, topic=sandbox.ready["apns"]["topic"], alert="hello")
    if service == "fcm":
        return pushcore.FcmMessage(token=target, notification={"title": "hello"})
    if service == "web_push":
        return pushcore.WebPushMessage(subscription=target, payload="hello", policy=sandbox.policy())
    if service == "adm":
        return pushcore.AdmMessage(registration_id=target, data={"k": "v"})
    return pushcore.BaiduMessage(channel_id=target, text="hello")


# The plugin

#: A test of somebody's application, in a folder of its own.
APPLICATION = '''
import asyncio

import pushcore


def notify(client, tokens):
    """The code under test: deletes what is dead."""
    message = pushcore.ApnsMessage(token=tokens[0], topic="com.example.app", alert="hello")
    return [t for t, result in client.send_many(tokens, message=message) if isinstance(result, pushcore.TokenGone)]


def test_with_a_fake(pushcore_fake):
    good, dead = "ab" * 32, "cd" * 32
    pushcore_fake.answer_for(dead, pushcore.TokenGone())
    assert notify(pushcore_fake, [good, dead]) == [dead]
    assert pushcore_fake.targets == [good, dead]


def test_with_a_fake_of_asyncio(pushcore_aio_fake):
    async def main():
        async with pushcore_aio_fake as client:
            await client.send(pushcore.FcmMessage(token="t", data={"k": "v"}))

    asyncio.run(main())
    assert pushcore_aio_fake.targets == ["t"]


def test_with_the_services(pushcore_client, pushcore_targets, pushcore_sandbox):
    tokens = pushcore_targets("apns", 3, dead=2)
    client = pushcore_client("apns", deadline=20)
    topic = pushcore_sandbox.ready["apns"]["topic"]
    message = pushcore.ApnsMessage(token=tokens[0], topic=topic, alert="hello")
    ended = {token: result.name for token, result in client.send_many(tokens, message=message)}
    assert list(ended.values()).count("token_gone") == 2
    assert {ended[token] for token in tokens[3:]} == {"token_gone"}
    assert len(pushcore_sandbox.log(service="apns", accepted=True)) == 3


def test_with_a_fault(pushcore_client, pushcore_targets, pushcore_faults):
    [token] = pushcore_targets("fcm")
    pushcore_faults.answer("fcm", 503, {}, contains="messages:send", times=1)
    message = pushcore.FcmMessage(token=token, notification={"title": "hello"})
    client = pushcore_client("fcm")
    assert client.send(message).name == "retry_later"
    assert client.send(message).name == "accepted"


def test_every_test_begins_anew(pushcore_sandbox):
    assert pushcore_sandbox.log() == []
    assert pushcore_sandbox.faults.list() == []
    assert "--seed" in pushcore_sandbox.arguments


def test_with_a_hub(pushcore_hub, pushcore_devices):
    devices = [*pushcore_devices("apns", 2, dead=1), *pushcore_devices("web_push", 1)]
    notification = pushcore.Notification(title="Hello")
    landed = {key: feedback.action for key, _, _, feedback in pushcore_hub.send(devices, notification)}
    assert landed == {"apns-0": "keep", "apns-1": "keep", "apns-2": "delete", "web_push-0": "keep"}


def test_with_a_hub_of_asyncio(pushcore_aio_hub, pushcore_devices):
    async def main():
        devices = [*pushcore_devices("adm", 1), *pushcore_devices("baidu", 1), *pushcore_devices("fcm", 1)]
        async with pushcore_aio_hub as hub:
            notification = pushcore.Notification(title="Hello", body="world")
            return [result.name async for _, _, result, _ in hub.send(devices, notification)]

    assert asyncio.run(main()) == ["accepted"] * 3


def test_with_asyncio(pushcore_aio_client, pushcore_targets):
    async def main():
        [channel] = pushcore_targets("baidu")
        async with pushcore_aio_client("baidu") as client:
            return await client.send(pushcore.BaiduMessage(channel_id=channel, text="hello"))

    assert asyncio.run(main()).name == "accepted"
'''


def run_pytest(folder: pathlib.Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=env)


def test_the_plugin_alone_is_enough(tmp_path: pathlib.Path) -> None:
    (tmp_path / "test_application.py").write_text(APPLICATION)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-config\npushcore_sandbox_args = --seed 7\n")
    done = run_pytest(tmp_path, "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout


def test_without_the_program_a_test_says_what_to_install(tmp_path: pathlib.Path) -> None:
    (tmp_path / "test_application.py").write_text("def test_it(pushcore_sandbox): ...\n")
    done = run_pytest(tmp_path, PUSHCORE_SANDBOX="/nowhere/pushcore-sandbox")
    assert done.returncode == 1
    assert "/nowhere/pushcore-sandbox" in done.stdout
    assert "skipped" not in done.stdout


def test_the_plugin_costs_no_import_before_it_is_used(tmp_path: pathlib.Path) -> None:
    program = (
        "import sys, pytest; before = set(sys.modules)\n"
        "import pushcore.testing.pytest_plugin\n"
        "print([m for m in ('asyncio', 'urllib.request') if m in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("false", 0)])
def test_no_skips(tmp_path: pathlib.Path, ci: str, status: int) -> None:
    hooks = "from pushcore.testing.no_skips import pytest_make_collect_report, pytest_runtest_makereport\n"
    (tmp_path / "conftest.py").write_text(hooks)
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it(): pytest.skip('no database')\n")
    done = run_pytest(tmp_path, CI=ci)
    assert done.returncode == status, done.stdout
    assert ("no database" in done.stdout) == (ci == "true")


# Devices and faults


@pytest.mark.parametrize("service", SERVICES)
def test_targets_of_every_service(sandbox: Sandbox, service: str) -> None:
    dead = 0 if service == "baidu" else 2
    targets = sandbox.targets(service, 3, dead=dead)
    with getattr(sandbox, service)(pushcore.Client) as client:
        pairs = list(enumerate(targets))
        results = dict(client.send_many(pairs, message=template(service, targets[0], sandbox)))
    assert [results[at].name for at in range(len(targets))] == ["accepted"] * 3 + ["token_gone"] * dead


def test_dead_channels_do_not_exist(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="Baidu"):
        sandbox.targets("baidu", dead=1)


def test_devices_and_a_hub(sandbox: Sandbox) -> None:
    [alive, dead] = sandbox.devices("fcm", 1, dead=1)
    assert (alive.service, alive.key, dead.key) == ("fcm", "fcm-0", "fcm-1")
    mine = sandbox.device("apns", sandbox.targets("apns")[0], key="row 7")
    assert (mine.key, mine.environment, mine.app) == ("row 7", "sandbox", sandbox.ready["apns"]["topic"])
    with sandbox.hub(pushcore.Hub, retries=pushcore.Retries.none()) as hub:
        landed = hub.send([alive, dead, mine], pushcore.Notification(title="Hello"))
        assert {one.key: one.feedback.action for one in landed} == {"fcm-0": "keep", "fcm-1": "delete", "row 7": "keep"}


FAULTS: list[tuple[str, Callable[[Sandbox], None], set[str]]] = [
    (
        "answer",
        lambda s: s.faults.answer("apns", 503, {"reason": "ServiceUnavailable"}, headers={"retry-after": "9"}),
        {"retry_later"},
    ),
    ("no_answer", lambda s: s.faults.no_answer("apns"), {"Unknown"}),
    ("delay", lambda s: s.faults.delay("apns", 0.3, times=1), {"accepted"}),
    ("go_away", lambda s: s.faults.go_away("apns", "Shutdown", last="before", times=1), {"accepted"}),
    ("reset_stream", lambda s: s.faults.reset_stream("apns", times=1), {"accepted"}),
    ("close", lambda s: s.faults.close("apns", times=1), {"Unknown"}),
    ("refuse_connections", lambda s: s.faults.refuse_connections("apns", 1), {"accepted"}),
    ("script", lambda s: s.faults.script("apns", {"kind": "rst", "code": 7}, times=1), {"accepted"}),
]


@pytest.mark.parametrize(("name", "arrange", "ends"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_faults(sandbox: Sandbox, name: str, arrange: Callable[[Sandbox], None], ends: set[str]) -> None:
    arrange(sandbox)
    [token] = sandbox.targets("apns")
    with sandbox.apns(pushcore.Client, response_timeout=1, first_backoff=0.1) as client:
        try:
            end: str = client.send(template("apns", token, sandbox)).name
        except pushcore.PushcoreError as error:
            end = error.name
    assert {end} == ends
    if name != "refuse_connections":
        [script] = sandbox.faults.list()
        assert script["fired"] >= 1


# The fakes


def test_a_fake_records_and_answers() -> None:
    fake = FakeClient("apns")
    fake.answer_for(DEAD, pushcore.TokenGone(since=1))
    fake.answer_for(LATER, pushcore.RetryLater(after=5), pushcore.Accepted(id="second"))
    assert isinstance(fake.send(message()), pushcore.Accepted)
    assert isinstance(fake.send(message(DEAD), deadline=3, priority="bulk"), pushcore.TokenGone)
    assert [fake.send(message(LATER)).name for _ in range(3)] == ["retry_later", "accepted", "accepted"]
    assert fake.targets == [GOOD, DEAD, LATER, LATER, LATER]
    assert [(sent.deadline, sent.priority) for sent in fake.sent][:2] == [(None, None), (3, "bulk")]
    assert fake.messages_to(DEAD) == [message(DEAD)]
    stats = fake.stats()
    assert (stats["submitted"], stats["accepted"], stats["token_gone"], stats["retry_later"]) == (5, 3, 1, 1)
    assert fake.header_bytes() == (0, 0)
    fake.clear()
    assert fake.targets == []


def test_a_fake_raises_what_a_client_raises() -> None:
    fake = FakeClient(answer=lambda message: pushcore.NotSent("no network"))
    with pytest.raises(pushcore.NotSent, match="no network"):
        fake.send(message())
    [(_, result)] = fake.send_many([message()])
    assert isinstance(result, pushcore.NotSent)
    assert fake.stats()["not_sent"] == 2


def test_a_fake_is_a_client() -> None:
    """Where an application makes its own client, a test puts the fake's class in its place."""
    assert isinstance(FakeClient(), pushcore.Client)
    assert isinstance(AioFakeClient(), pushcore.aio.Client)
    told: list[pushcore.Event] = []
    fake = FakeClient.apns(None, environment="sandbox", on_event=told.append)  # type: ignore[arg-type]
    assert fake.name == "apns"
    event = pushcore.Event("mix_up_suspected", "check the topic", level="error")
    fake.tell(event)
    assert told == [event] == list(fake.events())
    fake.mix_up_suspected = True
    assert fake.is_mix_up_suspected()
    with pytest.raises(pushcore.MisuseError):
        assert fake.service


def test_a_fake_in_bulk() -> None:
    fake = FakeClient()
    fake.answer_for(DEAD, pushcore.TokenGone())
    told: list[pushcore.Progress] = []
    rows = [(1, GOOD), (2, DEAD), (3, "not a token")]
    with fake.send_many(rows, message=message(), on_progress=told.append) as results:
        ended = {key: result.name for key, result in results}
        assert results.progress is None
    assert ended == {1: "accepted", 2: "token_gone", 3: "InvalidToken"}
    assert (told[-1].expected, told[-1].ended, told[-1].accepted, told[-1].token_gone) == (3, 3, 1, 1)
    assert [sent.key for sent in fake.sent] == [1, 2]
    endless = fake.send_many((GOOD for _ in iter(int, 1)), message=message())
    assert next(endless)[1].name == "accepted"
    assert endless.progress is not None
    endless.close()
    assert list(endless) == []


def test_a_fake_batch() -> None:
    fake = FakeClient()
    batch = fake.batch(message=message(), priority="interactive")
    assert batch.submit([(1, GOOD), (2, "not a token")]) == 2
    assert batch.in_flight == 2
    assert [(key, result.name) for key, result in batch.wait(0.1)] == [(1, "accepted"), (2, "InvalidToken")]
    batch.submit([(3, GOOD), (4, GOOD), (5, "not a token")])
    assert batch.withdraw() == 2
    assert [(key, result.name) for key, result in batch.wait()] == [
        (3, "Cancelled"),
        (4, "Cancelled"),
        (5, "InvalidToken"),
    ]
    assert [(sent.key, sent.priority) for sent in fake.sent] == [(1, "interactive")]
    batch.submit([(6, GOOD)])
    batch.cancel()
    assert batch.wait() == []


def test_a_fake_answers_calls() -> None:
    fake = FakeClient()
    call = pushcore.FcmTopics.subscribe("t", "news")
    fake.respond(pushcore.Response(503, {}, b"{}"), pushcore.TransportError("lost"))
    assert isinstance(fake.call(call), pushcore.Outcome)
    with pytest.raises(pushcore.TransportError, match="lost"):
        fake.call(call)
    request = pushcore.Request("GET", "a.example", "/x")
    assert fake.exchange(request).status == 200
    assert fake.calls == [call, call, request]
    assert fake.stats()["answered"] == 3


def web_push(endpoint: str = "https://fcm.googleapis.com/x") -> pushcore.WebPushMessage:
    subscription = pushcore.ReceiverKeys.generate().subscription_json(endpoint)
    return pushcore.WebPushMessage(subscription=subscription, payload="x")


def test_a_fake_knows_subscriptions_by_their_endpoint() -> None:
    first, second = web_push(), web_push("https://updates.push.services.mozilla.com/wpush/v2/a")
    fake = FakeClient()
    fake.answer_for({"endpoint": "https://fcm.googleapis.com/x"}, pushcore.TokenGone())
    subscription = pushcore.Subscription({"endpoint": "https://updates.push.services.mozilla.com/wpush/v2/a"})
    fake.answer_for(subscription, pushcore.Rejected())
    assert [fake.send(one).name for one in (first, second)] == ["token_gone", "rejected"]
    assert fake.messages_to("https://fcm.googleapis.com/x") == [first]
    with pytest.raises(ValueError, match="no result"):
        fake.answer_for(GOOD)


def test_the_fake_of_asyncio() -> None:
    async def tokens() -> AsyncIterator[Any]:
        for row in [(1, GOOD), (2, DEAD)]:
            yield row

    async def main() -> None:
        fake = AioFakeClient("apns")
        fake.answer_for(DEAD, pushcore.Unknown("no answer"))
        told: list[pushcore.Progress] = []
        async with fake as client:
            assert (await client.send(message())).name == "accepted"
            with pytest.raises(pushcore.Unknown):
                await client.send(message(DEAD))
            results = [
                (key, result.name)
                async for key, result in client.send_many(tokens(), message=message(), on_progress=told.append)
            ]
            assert results == [(1, "accepted"), (2, "Unknown")]
            assert [key async for key, _ in client.send_many([(3, GOOD)], message=message())] == [3]
            assert told[0].unknown == 1
            fake.respond(pushcore.Response(204))
            assert (await client.exchange(pushcore.Request("GET", "a.example", "/x"))).status == 204
            assert isinstance(await client.call(pushcore.FcmTopics.subscribe("t", "news")), (pushcore.Outcome, list))
        assert fake.stats()["unknown"] == 2
        # As a client for asyncio, it opens again.
        assert (await fake.send(message())).name == "accepted"

    asyncio.run(main())


# A fake that allowed what a client refuses would let tests pass that should fail.

FCM = pushcore.FcmMessage(token="t", data={"k": "v"})


def closed(client: pushcore.Client) -> pushcore.Client:
    client.close()
    return client


REFUSED: list[tuple[str, Callable[[pushcore.Client], object]]] = [
    ("another service", lambda client: client.send(FCM)),
    ("no message", lambda client: client.send("text")),  # type: ignore[arg-type]
    ("another service in bulk", lambda client: list(client.send_many([FCM]))),
    ("no message in bulk", lambda client: list(client.send_many(["text"]))),  # type: ignore[arg-type]
    ("no token", lambda client: list(client.send_many(["text"], message=message()))),
    ("no source", lambda client: client.send_many(7)),  # type: ignore[call-overload]
    ("closed", lambda client: closed(client).send(message())),
    ("closed, in bulk", lambda client: list(closed(client).send_many([message()]))),
]


@pytest.mark.parametrize(("name", "attempt"), REFUSED, ids=[name for name, _ in REFUSED])
def test_a_fake_refuses_what_a_client_refuses(
    sandbox: Sandbox, name: str, attempt: Callable[[pushcore.Client], object]
) -> None:
    def end(client: pushcore.Client) -> object:
        try:
            ended = attempt(client)
        except Exception as error:
            return type(error), getattr(error, "code", None)
        assert isinstance(ended, list)
        return [(type(result), getattr(result, "code", None)) for _, result in ended]

    assert end(FakeClient("apns")) == end(sandbox.apns(pushcore.Client))

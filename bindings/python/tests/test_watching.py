"""Being watched: the logger `pushcore`, `on_event`, and counts from any thread."""

from __future__ import annotations

import asyncio
import logging
import pathlib
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore.testing import Sandbox

Hook = Callable[[pushcore.Event], object]
#: Sends to these targets with an `on_event` hook, with a client of one kind.
Send = Callable[[Sandbox, "list[str]", Hook], object]


def template(sandbox: Sandbox) -> pushcore.ApnsMessage:
    apns = sandbox.ready["apns"]
    return pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="hello")


def send(sandbox: Sandbox, tokens: list[str], hook: Hook) -> None:
    with sandbox.apns(pushcore.Client, on_event=hook) as client:
        for token in tokens:
            client.send(template(sandbox).to(token))


def send_many(sandbox: Sandbox, tokens: list[str], hook: Hook) -> None:
    with sandbox.apns(pushcore.Client, on_event=hook) as client:
        assert len(list(client.send_many(tokens, message=template(sandbox)))) == len(tokens)


def batch(sandbox: Sandbox, tokens: list[str], hook: Hook) -> None:
    with sandbox.apns(pushcore.Client, on_event=hook) as client:
        running = client.batch(message=template(sandbox))
        todo: list[tuple[Any, Any]] = list(enumerate(tokens))
        landed = 0
        while landed < len(tokens):
            todo = todo[running.submit(todo) :]
            landed += len(running.wait())


def aio_send(sandbox: Sandbox, tokens: list[str], hook: Hook) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client, on_event=hook) as client:
            for token in tokens:
                await client.send(template(sandbox).to(token))

    asyncio.run(main())


def aio_send_many(sandbox: Sandbox, tokens: list[str], hook: Hook) -> None:
    async def main() -> None:
        async with sandbox.apns(pushcore.aio.Client, on_event=hook) as client:
            results = [pair async for pair in client.send_many(tokens, message=template(sandbox))]
            assert len(results) == len(tokens)

    asyncio.run(main())


@pytest.fixture(params=[send, send_many, batch, aio_send, aio_send_many], ids=lambda made: made.__name__)
def way(request: pytest.FixtureRequest) -> Send:
    found: Send = request.param
    return found


def records(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The level of each event that was logged."""
    ours = [record for record in caplog.records if record.name == "pushcore"]
    return [(getattr(record, "push_event", "-"), record.levelname) for record in ours]


def test_events_go_to_the_hook_and_to_the_log(sandbox: Sandbox, way: Send, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "pushcore")
    told: list[pushcore.Event] = []
    tokens = sandbox.ready["apns"]["tokens"]
    way(sandbox, [tokens["valid"], tokens["unregistered"], tokens["unknown"]], told.append)
    assert "connected" in {event.name for event in told}
    assert all(event.text for event in told)
    assert records(caplog) == [(event.name, event.level.upper()) for event in told]
    assert ("connected", "DEBUG") in records(caplog)
    # Nothing that opens a door stands in a log, whatever the level.
    secrets = [*tokens.values(), "bearer", "eyJ"]
    said = caplog.text.lower()
    assert [secret for secret in secrets if secret.lower() in said] == []
    assert "apns: connected (connection " in caplog.text


def test_a_hook_that_raises_breaks_nothing(sandbox: Sandbox, way: Send, caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: pushcore.Event) -> None:
        raise ValueError(f"no place for {event.name}")

    way(sandbox, [sandbox.ready["apns"]["tokens"]["valid"]] * 3, broken)
    assert len(sandbox.log(service="apns", accepted=True)) == 3
    raised = [record for record in caplog.records if record.exc_info is not None]
    assert {record.levelname for record in raised} == {"ERROR"}
    assert "on_event raised for the event connected" in caplog.text
    assert "no place for connected" in caplog.text


def test_a_connection_that_fails_is_a_warning(caplog: pytest.LogCaptureFixture, sandbox: Sandbox) -> None:
    client = pushcore.Client.apns(sandbox.apns_credentials(), host="127.0.0.1:1", first_backoff=60)
    with client, pytest.raises(pushcore.NoAnswer):
        client.send(template(sandbox), deadline=1)
    assert ("disconnected", "WARNING") in records(caplog)
    # The same events are there for whoever asks.
    assert "disconnected" in {event.name for event in client.events()}


def test_refused_credentials_are_an_error(caplog: pytest.LogCaptureFixture, sandbox: Sandbox) -> None:
    apns = sandbox.ready["apns"]
    unknown = pushcore.ApnsCredentials.from_p8(
        pushcore.SigningKey.generate().to_pem().encode(), key_id=apns["key_id"], team_id=apns["team_id"]
    )
    with pushcore.Client.apns(unknown, host=apns["authority"], ca=sandbox.ca) as client:
        targets = [sandbox.ready["apns"]["tokens"]["valid"]] * 50
        results = {result.name for _, result in client.send_many(targets, message=template(sandbox))}
    assert "fix_credentials" in results
    assert ("credentials_refused", "ERROR") in records(caplog)


def test_a_hook_is_called_by_call_and_close(sandbox: Sandbox) -> None:
    told: list[pushcore.Event] = []
    channels = pushcore.ApnsChannels(sandbox.ready["apns"]["topic"])
    with sandbox.apns(pushcore.Client, on_event=told.append) as client:
        client.call(channels.list())
        assert "connected" in {event.name for event in told}
    assert told[-1].name == "disconnected"


def test_a_hook_has_to_be_callable(sandbox: Sandbox) -> None:
    for kind in (pushcore.Client, pushcore.aio.Client):
        with pytest.raises(TypeError, match="on_event"):
            sandbox.apns(kind, on_event="print")


def test_a_client_and_its_hook_are_collected(sandbox: Sandbox) -> None:
    """The hook holds the client, the client the hook."""
    import gc
    import weakref

    class Owner:
        def __init__(self) -> None:
            self.client = sandbox.apns(pushcore.Client, on_event=self.hear)

        def hear(self, event: pushcore.Event) -> None: ...

    owner = Owner()
    owner.client.send(template(sandbox))
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


def test_counts_from_any_thread_in_asyncio(sandbox: Sandbox) -> None:
    """A scraper's thread has no loop: it sees what all loops did, while they run."""
    client = sandbox.apns(pushcore.aio.Client)
    assert client.stats()["submitted"] == 0
    assert client.header_bytes() == (0, 0)
    sent, release = threading.Barrier(3), threading.Event()

    async def main(count: int) -> None:
        for _ in range(count):
            await client.send(template(sandbox))
        assert client.stats()["accepted"] == count
        await asyncio.to_thread(sent.wait, 20)
        await asyncio.to_thread(release.wait, 20)
        await client.close()

    loops = [threading.Thread(target=asyncio.run, args=(main(count),)) for count in (2, 3)]
    for loop in loops:
        loop.start()
    try:
        sent.wait(20)
        assert client.stats()["accepted"] == 5
        assert min(client.header_bytes()) > 0
        assert not client.is_mix_up_suspected()
        assert "connected" in {event.name for event in client.events()}
    finally:
        release.set()
        for loop in loops:
            loop.join()


def test_events_can_be_made_by_hand() -> None:
    event = pushcore.Event("throttled", "a pause", level="warning", link=3, code=7, after=1.5)
    assert (event.name, event.text, event.level, event.link, event.code, event.after) == (
        "throttled",
        "a pause",
        "warning",
        3,
        7,
        1.5,
    )
    assert pickle.loads(pickle.dumps(event)) == event
    assert pushcore.Event("connected", "x").level == "info"
    assert pushcore.Event("connected", "x") != event
    with pytest.raises(pushcore.MessageError, match="level"):
        pushcore.Event("connected", "x", level="loud")  # type: ignore[arg-type]


def test_the_package_imports_no_logging(tmp_path: pathlib.Path) -> None:
    """It costs as much as the package itself; without it nobody listens."""
    code = "import sys, pushcore; sys.exit('logging' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_nothing_is_printed_without_configuration(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    code = (
        "import logging, pushcore\n"
        "key = pushcore.SigningKey.generate().to_pem().encode()\n"
        "made = pushcore.ApnsCredentials.from_p8(key, key_id='ABC123DEFG', team_id='DEF123GHIJ')\n"
        "client = pushcore.Client.apns(made, host='127.0.0.1:1', first_backoff=60)\n"
        "try:\n"
        "    client.send(pushcore.ApnsMessage(token='ab' * 32, topic='a.b', alert='x'), deadline=1)\n"
        "except pushcore.NoAnswer:\n"
        "    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=tmp_path, text=True)
    assert (done.stdout, done.stderr) == ("", "")

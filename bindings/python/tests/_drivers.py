"""The suite of all drivers (tests/drivers), played by the blocking and by the asyncio client.

The cases and what must come of them are the peer's; here is only how a client is told to do a step.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pushcore
import pushcore.aio

_ROOT = Path(__file__).resolve().parents[3]
_TOPIC = "org.example.app"

End = tuple[int, str, str]


def peer() -> str:
    """The program that plays the cases; built by `cargo build -p pushcore-tests --bin pushcore-peer`."""
    return os.environ.get("PUSHCORE_PEER") or str(_ROOT / "target" / "debug" / "pushcore-peer")


def names(driver: str) -> list[str]:
    """The cases that a driver has to play; without the program this fails, it skips nothing."""
    listed = subprocess.run([peer(), "--list", driver], check=True, capture_output=True, text=True)
    return listed.stdout.split()


class Peer:
    """One case being played."""

    def __init__(self, name: str, driver: str) -> None:
        self._process = subprocess.Popen(
            [peer(), name, driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.told: dict[str, Any] = self._line()

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def ask(self, line: Any) -> Any:
        """One line there, one line back."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        return self._line()

    def until(self, step: dict[str, Any]) -> None:
        """Waits until the peer has seen so much."""
        wanted = {key: value for key, value in step.items() if key != "do"}
        assert self.ask({"until": wanted})["until"], f"the peer never saw {wanted}"

    def end(self) -> None:
        """No more steps."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


class Played:
    """What a runner has found out."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.told = peer.told
        self.ends: list[End] = []
        self.more: dict[str, Any] = {}
        self._next = 0

    def numbers(self, step: dict[str, Any]) -> list[int]:
        """The next messages."""
        first, self._next = self._next, self._next + int(step["count"])
        return list(range(first, self._next))

    def service(self) -> tuple[str, Any, dict[str, Any]]:
        """Which client, with which credentials and options."""
        told = self.told
        options = dict(told["options"], ca=told["ca"], bundled_roots=False, proxy=told["proxy"] or False)
        if told["service"] == "apns":
            keys = pushcore.ApnsCredentials.from_p8(told["key"], key_id="ABC123DEFG", team_id="DEF123GHIJ")
            return "apns", keys, dict(options, host=told["host"])
        if told["service"] == "web_push":
            vapid = pushcore.VapidCredentials(Path(told["key"]), subject="mailto:ops@example.org")
            return "web_push", vapid, dict(options, policy=pushcore.EndpointPolicy(any_public_host=True))
        account = pushcore.FcmCredentials.from_service_account(told["account"], token_host=told["host"])
        return "fcm", account, dict(options, host=told["host"])

    def message(self, number: int) -> Any:
        """The message of this number."""
        token = f"{number:064x}"
        if self.told["service"] == "web_push":
            policy = pushcore.EndpointPolicy(any_public_host=True)
            where = {"endpoint": f"https://push.example.org/p/{token}"}
            return pushcore.WebPushMessage(subscription=pushcore.Subscription(where, policy=policy), policy=policy)
        return pushcore.ApnsMessage(token=token, topic=_TOPIC, alert="x" * int(self.told["size"]))

    def call(self, number: int) -> Any:
        """The call of this number."""
        return pushcore.FcmTopics.subscribe(f"{number:064x}", "news")

    def ended(self, number: int, result: Any) -> None:
        """One end, in the words that all languages share."""
        if isinstance(result, pushcore.Outcome):
            self.ends.append((number, result.name, ""))
            return
        cause = result
        while cause.__cause__ is not None:
            cause = cause.__cause__
        self.ends.append((number, result.name, "" if cause is result else getattr(cause, "name", repr(cause))))

    def source(self, numbers: list[int]) -> Iterator[tuple[int, Any]]:
        """The messages, and how many of them were taken."""
        for taken, number in enumerate(numbers):
            self.more["taken"] = taken + 1
            yield number, self.message(number)


def play(name: str, driver: str, run: Any) -> dict[str, Any]:
    """Plays a case and returns the peer's report."""
    peer = Peer(name, driver)
    try:
        played = Played(peer)
        began = time.monotonic()
        try:
            run(played)
        except Exception as error:
            played.more["error"] = repr(error)
        played.more["seconds"] = time.monotonic() - began
        report: dict[str, Any] = peer.ask({"ends": played.ends, **played.more})
        return report
    finally:
        peer.end()


def blocking(played: Played) -> None:
    """Plays the case with the blocking client."""
    kind, credentials, options = played.service()
    with getattr(pushcore.Client, kind)(credentials, **options) as client:
        for step in played.told["steps"]:
            _blocking_step(client, played, step)


def _one(client: pushcore.Client, played: Played, number: int, step: dict[str, Any]) -> None:
    try:
        if step["do"] == "call":
            client.call(played.call(number))
        else:
            played.ended(number, client.send(played.message(number)))
    except pushcore.PushcoreError as error:
        played.ended(number, error)


def _blocking_step(client: pushcore.Client, played: Played, step: dict[str, Any]) -> None:
    what = step["do"]
    if what == "bulk":
        for number, result in client.send_many(played.source(played.numbers(step))):
            played.ended(number, result)
    elif what in ("one_by_one", "call"):
        for number in played.numbers(step):
            _one(client, played, number, step)
    elif what in ("together", "together_closed"):
        numbers = played.numbers(step)
        with ThreadPoolExecutor(len(numbers)) as threads:
            running = [threads.submit(_one, client, played, number, step) for number in numbers]
            if what == "together_closed":
                played.peer.until(step["until"])
                client.close()
            for each in running:
                each.result()
    elif what in ("bulk_left", "unfetched"):
        numbers = played.numbers(step)
        results = client.send_many(played.source(numbers))
        for _ in range(step["fetch"]):
            played.ended(*next(results))
        if what == "bulk_left":
            results.close()
            fetched = {number for number, *_ in played.ends}
            played.ends += [(number, "left", "") for number in numbers if number not in fetched]
            return
        time.sleep(step["pause"])
        taken = played.more["taken"]
        for number, result in results:
            played.ended(number, result)
        played.more["taken"] = taken
    elif what == "until":
        played.peer.until(step)
    elif what == "pause":
        time.sleep(step["seconds"])
    else:
        raise NotImplementedError(f"the blocking driver lacks the step {what}")


class _Lookups:
    """Answers for `getaddrinfo`, in the order of the case; the last one for ever."""

    def __init__(self, lookups: list[dict[str, Any]]) -> None:
        self._lookups = lookups
        self._asked = 0
        self.timers = 0

    async def answer(self) -> list[Any]:
        nth, self._asked = min(self._asked, len(self._lookups) - 1), self._asked + 1
        lookup = self._lookups[nth]
        await asyncio.sleep(lookup.get("wait", 0))
        if lookup.get("fail"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found = []
        for address in lookup["addresses"]:
            host, _, port = address.rpartition(":")
            family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
            where = (host.strip("[]"), int(port), 0, 0) if host.startswith("[") else (host, int(port))
            found.append((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where))
        return found


def _is_name(host: Any) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def _loop(base: Any, told: dict[str, Any], lookups: _Lookups) -> Any:
    """An event loop of this kind whose names resolve as the case says, and whose timers are counted."""

    class Loop(base):  # type: ignore[misc]
        async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
            # uvloop asks for addresses as well, before it connects to them.
            if told["lookups"] is None or not _is_name(host):
                return await super().getaddrinfo(host, port, **options)
            return await lookups.answer()

        def call_at(self, when: float, *arguments: Any, **options: Any) -> Any:
            lookups.timers += 1
            return super().call_at(when - told["early"], *arguments, **options)

    return Loop()


def asynchronous(base: Any) -> Any:
    """Plays a case with the asyncio client on loops of this kind."""

    def run(played: Played) -> None:
        lookups = _Lookups(played.told["lookups"] or [])
        loop = _loop(base, played.told, lookups)
        try:
            loop.run_until_complete(_asynchronous(played))
            played.more["timers"] = lookups.timers
        finally:
            # A lookup that nobody waits for any more.
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    return run


async def _asynchronous(played: Played) -> None:
    kind, credentials, options = played.service()
    # The answers of the case come from the loop of the case.
    options["resolve_on_threads"] = False
    async with getattr(pushcore.aio.Client, kind)(credentials, **options) as client:
        for step in played.told["steps"]:
            await _asynchronous_step(client, played, step)


async def _until(played: Played, step: dict[str, Any]) -> None:
    # The loop goes on meanwhile: a client that is waited for is not stopped by that.
    done = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        try:
            played.peer.until(step)
            loop.call_soon_threadsafe(done.set_result, None)
        except BaseException as error:
            loop.call_soon_threadsafe(done.set_exception, error)

    threading.Thread(target=ask, daemon=True).start()
    await done


async def _single(client: pushcore.aio.Client, played: Played, number: int, step: dict[str, Any]) -> None:
    try:
        if step["do"] == "call":
            await client.call(played.call(number))
        else:
            played.ended(number, await client.send(played.message(number)))
    except asyncio.CancelledError:
        played.ends.append((number, "Cancelled", ""))
    except pushcore.PushcoreError as error:
        played.ended(number, error)


async def _asynchronous_step(client: pushcore.aio.Client, played: Played, step: dict[str, Any]) -> None:
    what = step["do"]
    if what == "bulk":
        async for number, result in client.send_many(played.source(played.numbers(step))):
            played.ended(number, result)
    elif what in ("one_by_one", "call"):
        for number in played.numbers(step):
            await _single(client, played, number, step)
    elif what in ("together", "together_closed", "together_cancelled"):
        running = [asyncio.ensure_future(_single(client, played, each, step)) for each in played.numbers(step)]
        # Each has been handed to the session, and nothing of it has been written.
        await asyncio.sleep(0)
        if "until" in step:
            await _until(played, step["until"])
        if what == "together_closed":
            await client.close()
        elif what == "together_cancelled":
            # Those that wait first: the end of one in flight would make room for them.
            for each in reversed(running):
                each.cancel()
        await asyncio.gather(*running)
    elif what in ("bulk_left", "unfetched"):
        numbers = played.numbers(step)
        results = client.send_many(played.source(numbers))
        async with contextlib.aclosing(results):
            for _ in range(step["fetch"]):
                played.ended(*await results.__anext__())
            if what == "unfetched":
                await asyncio.sleep(step["pause"])
                taken = played.more["taken"]
                async for number, result in results:
                    played.ended(number, result)
                played.more["taken"] = taken
                return
        fetched = {number for number, *_ in played.ends}
        played.ends += [(number, "left", "") for number in numbers if number not in fetched]
    elif what == "until":
        await _until(played, step)
    elif what == "pause":
        await asyncio.sleep(step["seconds"])
    else:
        raise NotImplementedError(f"the asyncio driver lacks the step {what}")

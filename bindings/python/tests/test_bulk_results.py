"""Every item that was taken has a result before anything is raised, in `send_many` of both clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pushcore
import pushcore.aio
import pytest
from pushcore import ApnsMessage
from pushcore.testing import Sandbox

COUNT = 40


class Broken(Exception):
    pass


def token(number: int) -> str:
    return f"{number:064x}"


def breaks_off() -> Iterator[str]:
    for number in range(COUNT):
        yield token(number)
    raise Broken("the database is gone")


def template(sandbox: Sandbox) -> ApnsMessage:
    return ApnsMessage(token="00" * 32, topic=sandbox.ready["apns"]["topic"], title="Hi")


def blocking(sandbox: Sandbox, source: Any, got: list[tuple[Any, Any]]) -> None:
    with sandbox.apns(pushcore.Client) as client:
        for pair in client.send_many(source, message=template(sandbox)):
            got.append(pair)


def asynchronous(sandbox: Sandbox, source: Any, got: list[tuple[Any, Any]]) -> None:
    async def run() -> None:
        async with sandbox.apns(pushcore.aio.Client) as client:
            async for pair in client.send_many(source, message=template(sandbox)):
                got.append(pair)

    asyncio.run(run())


@pytest.mark.parametrize("send", [blocking, asynchronous])
def test_a_source_that_raises_comes_last(sandbox: Sandbox, send: Any) -> None:
    got: list[tuple[Any, Any]] = []
    with pytest.raises(Broken):
        send(sandbox, breaks_off(), got)
    assert sorted(key for key, _ in got) == [token(number) for number in range(COUNT)]
    # The sandbox does not know these tokens: each has an answer, and none is an exception.
    assert all(isinstance(result, pushcore.Outcome) for _, result in got)


@pytest.mark.parametrize("send", [blocking, asynchronous])
def test_an_item_that_is_no_target_is_one_result(sandbox: Sandbox, send: Any) -> None:
    odd: list[Any] = [None, 7, {"a": 1}, 2.5, object()]
    source = [token(1), *odd, token(2)]
    got: list[tuple[Any, Any]] = []
    send(sandbox, source, got)
    assert len(got) == len(source)
    refused = [key for key, result in got if isinstance(result, pushcore.MessageError)]
    assert len(refused) == len(odd)
    assert all(any(key is item for item in odd) for key in refused)

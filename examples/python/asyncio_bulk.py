"""A bulk send in asyncio: tokens from an asynchronous source, results as they land.

    python examples/python/asyncio_bulk.py

The source stands for a database cursor. It is read as there is room for messages: memory stays
the same however many there are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

import pushcore
import pushcore.aio
from local import device_tokens
from pushcore.testing import Sandbox


async def from_database(tokens: list[str]) -> AsyncIterator[str]:
    """Rows, a page at a time."""
    for start in range(0, len(tokens), 100):
        await asyncio.sleep(0)
        for token in tokens[start : start + 100]:
            yield token


async def main() -> None:
    """Sends to 2,000 devices."""
    with Sandbox() as sandbox:
        tokens = device_tokens(sandbox, 2000)
        # Encoded once; each token gets the same bytes.
        message = pushcore.ApnsMessage(token=tokens[0], topic=sandbox.ready["apns"]["topic"], alert="Hello")
        counts: Counter[str] = Counter()

        def progress(now: pushcore.Progress) -> None:
            print(f"{now.ended} ended, {now.in_flight} in flight, {now.rate:.0f}/s", flush=True)

        async with sandbox.apns(pushcore.aio.Client) as client:
            results = client.send_many(from_database(tokens), message=message, on_progress=progress)
            # `aclosing` cancels what has not ended when the loop is left early.
            async with contextlib.aclosing(results):
                async for _token, result in results:
                    # An outcome is the service's answer; an exception is no answer.
                    counts[result.name] += 1
        print(dict(counts))


if __name__ == "__main__":
    asyncio.run(main())

"""What a push costs from Python: CPU time of this process for each message, against the sandbox.

    python benches/python_send_many.py [COUNT]

The sandbox is another process and the slower side by far, so only CPU time says something; build
the package for release first. Figures are comparable within one run only.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import Callable

import pushcore
import pushcore.aio
from pushcore.testing import Sandbox


def measure(name: str, count: int, work: Callable[[], int]) -> None:
    """Prints one line."""
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert done == count, (done, count)
    print(f"{name:36} {cpu / count * 1e6:8.2f} us CPU/message {count / wall:10.0f}/s  peak RSS {peak:.0f} MB")


def main() -> None:
    """Measures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with Sandbox("--no-governor") as sandbox:
        apns = sandbox.ready["apns"]
        message = pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="x" * 160)
        tokens = [message.token] * count

        with sandbox.apns(pushcore.Client) as client:
            client.send(message)
            few = max(1, count // 50)
            measure(
                "send_many, list, one template",
                count,
                lambda: sum(1 for _ in client.send_many(tokens, message=message)),
            )
            measure(
                "send_many, generator, one template",
                count,
                lambda: sum(1 for _ in client.send_many((token for token in tokens), message=message)),
            )
            measure(
                "send_many, a message each",
                count,
                lambda: sum(1 for _ in client.send_many(message.to(token) for token in tokens)),
            )
            measure("send, one by one", few, lambda: sum(1 for _ in range(few) if client.send(message)))

        async def asynchronous() -> int:
            done = 0
            async with sandbox.apns(pushcore.aio.Client) as aio:
                async for _ in aio.send_many(tokens, message=message):
                    done += 1
            return done

        measure("aio send_many, one template", count, lambda: asyncio.run(asynchronous()))


if __name__ == "__main__":
    main()

"""What a device costs in Python's hubs beside the same pushes through one client: CPU time of this process, against the sandbox.

    python benches/python_hub.py [COUNT]

Build the package for release first. The caller's own work, a `Device` for each row, is measured alone and taken off, because it is the same
in every way. The sandbox is another process. Figures are comparable within one run only.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator

import pushcore
import pushcore.aio
from pushcore.testing import Sandbox

NOTIFICATION = pushcore.Notification(
    title="Your order is on its way",
    body="It left the warehouse this morning and should arrive tomorrow before noon.",
)


def measure(work: Callable[[int], int], count: int) -> float:
    """Microseconds of CPU for each device; the first devices pay for the connection."""
    work(200)
    began = time.process_time()
    done = work(count)
    spent = time.process_time() - began
    assert done == count, (done, count)
    return spent / count * 1e6


def main() -> None:
    """Measures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with Sandbox("--no-governor", "--profile", "lenient") as sandbox:
        tokens = sandbox.targets("apns", 200)
        topic = sandbox.ready["apns"]["topic"]

        def devices(most: int) -> Iterator[tuple[int, pushcore.Device]]:
            for number in range(most):
                yield (
                    number,
                    pushcore.Device("apns", tokens[number % 200], app=topic, environment="sandbox"),
                )

        def messages(
            most: int,
        ) -> Iterator[tuple[tuple[int, pushcore.Device], pushcore.BaseMessage]]:
            campaign = pushcore.Campaign(NOTIFICATION)
            for row in devices(most):
                yield row, campaign.message(row[1])

        client = sandbox.apns(pushcore.Client)
        hub = pushcore.Hub().use(client, "apns", environment="sandbox")

        def plain(most: int) -> int:
            return sum(result.name == "accepted" for _, result in client.send_many(messages(most)))

        def through_hub(most: int) -> int:
            sending = hub.send(devices(most), NOTIFICATION, remember=0)
            return sum(result.name == "accepted" for _, _, result, _ in sending)

        async def both() -> tuple[float, float]:
            aio = sandbox.apns(pushcore.aio.Client)
            aio_hub = pushcore.aio.Hub().use(aio, "apns", environment="sandbox")
            found = []

            async def plain(most: int) -> int:
                return sum([1 async for _, result in aio.send_many(messages(most)) if result.name == "accepted"])

            async def through_hub(most: int) -> int:
                sending = aio_hub.send(devices(most), NOTIFICATION, remember=0)
                return sum([1 async for _, _, result, _ in sending if result.name == "accepted"])

            for work in (plain, through_hub):
                await work(200)
                began = time.process_time()
                assert await work(count) == count
                found.append((time.process_time() - began) / count * 1e6)
            await aio.close()
            return found[0], found[1]

        own = measure(lambda most: sum(1 for _ in devices(most)), count)
        print(f"the caller's device: {own:.2f} us")
        for name, (one, many) in {
            "blocking": (measure(plain, count), measure(through_hub, count)),
            "asyncio": asyncio.run(both()),
        }.items():
            more = (many - one) / (one - own) * 100
            print(
                f"{name}: client {one - own:.2f} us, hub {many - own:.2f} us a device: {many - one:+.2f} us, {more:+.0f} %"
            )
        client.close()


if __name__ == "__main__":
    main()

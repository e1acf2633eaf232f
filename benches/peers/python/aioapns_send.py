"""`aioapns_send.py PORT CA KEY SECONDS IN_FLIGHT BODY` sends the file BODY with aioapns for SECONDS, from IN_FLIGHT tasks."""

from __future__ import annotations

import asyncio
import json
import logging
import pathlib
import ssl
import sys
import time

import aioapns
from aioapns.common import PushType
from aioapns.connection import APNsDevelopmentClientProtocol


class Counted(APNsDevelopmentClientProtocol):
    """Finds a request by the order of the answers: the server counts instead of echoing `apns-id`."""

    def on_response_received(self, headers: dict[bytes, bytes]) -> None:
        stream = next(iter(self.request_streams))
        super().on_response_received({**headers, b"apns-id": self.request_streams.pop(stream).encode()})


async def main() -> None:
    port, ca, key, seconds, in_flight, body = sys.argv[1:7]
    logging.getLogger("aioapns").setLevel(logging.CRITICAL)
    client = aioapns.APNs(
        key=pathlib.Path(key).read_text(),
        key_id="ABCDE12345",
        team_id="TEAMID1234",
        topic="com.example.app",
        ssl_context=ssl.create_default_context(cafile=ca),
    )
    Counted.APNS_SERVER, Counted.APNS_PORT = "localhost", int(port)
    client.pool.protocol_class = Counted
    message = json.loads(pathlib.Path(body).read_text())
    accepted = number = 0
    end = time.monotonic() + float(seconds)

    async def send_on() -> None:
        nonlocal accepted, number
        while time.monotonic() < end:
            number += 1
            request = aioapns.NotificationRequest(
                device_token=f"{number:064x}", message=message, push_type=PushType.ALERT, priority=10
            )
            result = await client.send_notification(request)
            accepted += result.is_successful and time.monotonic() < end

    tasks = [asyncio.create_task(send_on()) for _ in range(int(in_flight))]
    await asyncio.wait(tasks, timeout=float(seconds) + 1)
    print(f"sent={accepted} per_second={accepted / float(seconds):.0f}")


asyncio.run(main())

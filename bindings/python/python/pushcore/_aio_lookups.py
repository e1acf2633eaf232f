"""Name lookups that hold up neither the loop nor its end."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

#: The most threads at a time: as many as there can be silent name servers before one holds up the names of others.
_MOST_THREADS = 64

_Found = list[Any]


class Lookups:
    """Lookups in threads that end with them, one for each name, at most 64.

    asyncio's own are in an executor, which is waited for when the loop ends, and which a few silent name
    servers fill. These threads are left to themselves when nobody waits for them any more.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """For the sockets of `loop`."""
        self._loop = loop
        self._threads = asyncio.Semaphore(_MOST_THREADS)
        self._running: dict[tuple[str, int], asyncio.Future[_Found]] = {}

    async def find(self, host: str, port: int) -> _Found:
        """What `socket.getaddrinfo` says of a name; all who ask for it at once wait for one answer."""
        running = self._running.get((host, port))
        if running is None:
            running = self._running[host, port] = self._loop.create_future()
            # Nobody may be waiting any more when it fails.
            running.add_done_callback(lambda done: done.cancelled() or done.exception())
            await self._start(host, port, running)
        return await asyncio.shield(running)

    async def _start(self, host: str, port: int, answer: asyncio.Future[_Found]) -> None:
        try:
            await self._threads.acquire()
        except asyncio.CancelledError:
            # Those who wait for the same name ask again.
            self._running.pop((host, port), None)
            answer.set_exception(OSError("the lookup was given up before it began"))
            raise
        thread = threading.Thread(
            target=self._ask, args=(host, port, answer), name="pushcore lookup", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self._done(host, port, answer, OSError("the system gives no thread to look a name up"))

    def _ask(self, host: str, port: int, answer: asyncio.Future[_Found]) -> None:
        found: _Found | OSError
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            found = error
        except UnicodeError:
            found = OSError("not a name")
        try:
            self._loop.call_soon_threadsafe(self._done, host, port, answer, found)
        except RuntimeError:
            # The loop has ended, and with it everybody who waited.
            return

    def _done(self, host: str, port: int, answer: asyncio.Future[_Found], found: _Found | OSError) -> None:
        self._threads.release()
        self._running.pop((host, port), None)
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

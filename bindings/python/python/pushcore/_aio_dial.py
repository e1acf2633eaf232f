"""Making one TCP connection: resolve, ask the policy, try the addresses with a head start for the first."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

from ._errors import TransportError
from ._kinds import ErrorKind
from ._proxy import is_out_of_descriptors, tunnel

if TYPE_CHECKING:
    from ._aio_lookups import Lookups
    from ._pushcore import Service, Session

#: How long the next address waits for the one before it, in seconds (RFC 8305 §5).
_HEAD_START = 0.25

#: How long a connection is idle before TCP asks whether the peer is there, and before it asks again, in seconds: less
#: than the minute after which the strictest middleboxes forget a flow.
_KEEPALIVE = 45
_KEEPALIVE_AGAIN = 15

_Address = tuple[int, int, int, str, Any]


async def dial(
    loop: asyncio.AbstractEventLoop,
    session: Session,
    host: str,
    port: int,
    proxy: Service | None,
    lookups: Lookups | None,
) -> tuple[socket.socket, bytes]:
    """A connected socket, and what has been received on it already. Without `lookups` the loop's own are asked."""
    if proxy is not None:
        # The proxy resolves the name; which proxy is the operator's choice, not the policy's.
        async def connect(to: str, at: int) -> socket.socket:
            return await _connect(loop, to, at, lookups)

        return await tunnel(loop, proxy, host, port, connect)
    return await _connect(loop, host, port, lookups, session), b""


async def _connect(
    loop: asyncio.AbstractEventLoop,
    host: str,
    port: int,
    lookups: Lookups | None,
    session: Session | None = None,
) -> socket.socket:
    try:
        if lookups is None:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        else:
            found = await lookups.find(host, port)
    except OSError as error:
        if is_out_of_descriptors(error) or _are_descriptors_missing():
            text = "this machine has no descriptor left to look a name up"
            raise TransportError(text, ErrorKind.OUT_OF_DESCRIPTORS, "OutOfDescriptors") from None
        text = f"the name {host} does not resolve: {error.strerror or error}"
        raise TransportError(text, ErrorKind.NAME_NOT_RESOLVED, "NameNotResolved") from None
    if session is not None:
        # One refused address refuses them all, and the addresses asked about are the ones used.
        for address in found:
            session.allow_address(host, port, str(address[4][0]).partition("%")[0])
    return await _race(loop, found)


def _are_descriptors_missing() -> bool:
    """Whether a socket could not be made now: a lookup that fails for want of a descriptor says anything but that."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError as error:
        return is_out_of_descriptors(error)
    return False


async def _race(loop: asyncio.AbstractEventLoop, addresses: list[Any]) -> socket.socket:
    waiting = list(addresses)
    running: set[asyncio.Task[socket.socket]] = set()
    failure: OSError = OSError("no address")
    try:
        while waiting or running:
            if waiting:
                running.add(loop.create_task(_attempt(loop, waiting.pop(0))))
            timeout = _HEAD_START if waiting else None
            done, running = await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            won: socket.socket | None = None
            for task in done:
                error = task.exception()
                if isinstance(error, OSError):
                    failure = error
                elif error is not None:
                    raise error
                elif won is None:
                    won = task.result()
                else:
                    task.result().close()
            if won is not None:
                return won
        raise failure
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_discard)


def _discard(task: asyncio.Task[socket.socket]) -> None:
    """Closes the socket of an attempt that has come to its end and that nobody waits for any more."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def keep_alive(sock: socket.socket) -> None:
    """Has whatever forgets idle flows on the way reminded of this one."""
    # The names differ between systems. Going without is no failure, because the session asks an idle connection.
    idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (idle, _KEEPALIVE), (getattr(socket, "TCP_KEEPINTVL", None), _KEEPALIVE_AGAIN):
            if option is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)


async def _attempt(loop: asyncio.AbstractEventLoop, address: _Address) -> socket.socket:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        # A lone push must not wait for the ack of the one before it.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(sock)
        await loop.sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock

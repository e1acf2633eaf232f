"""Going through a proxy: the dialogue is the core's, the socket is asyncio's."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable

from ._errors import TransportError
from ._kinds import ErrorKind
from ._pushcore import Service, Tunnel


def is_out_of_descriptors(error: OSError | TransportError) -> bool:
    """Whether this machine, and not the network, keeps a socket from being made."""
    if isinstance(error, TransportError):
        return error.code == ErrorKind.OUT_OF_DESCRIPTORS
    return error.errno in {errno.EMFILE, errno.ENFILE}


async def tunnel(
    loop: asyncio.AbstractEventLoop,
    proxy: Service,
    host: str,
    port: int,
    connect: Callable[[str, int], Awaitable[socket.socket]],
) -> tuple[socket.socket, bytes]:
    """A socket through `proxy` to the host, and what came through it already."""
    dialogue = Tunnel(proxy, host, port)
    try:
        sock = await connect(*dialogue.proxy)
    except (OSError, TransportError) as error:
        if is_out_of_descriptors(error):
            # Nobody was asked: it is this machine.
            raise
        # Not the service's port: a program must be able to tell one from the other.
        text = f"the proxy cannot be reached: {getattr(error, 'strerror', None) or error}"
        raise TransportError(text, ErrorKind.PROXY_REFUSED, "ProxyRefused") from None
    try:
        while True:
            data = dialogue.data_to_send()
            if data:
                await loop.sock_sendall(sock, data)
            answer = await loop.sock_recv(sock, 4096)
            if not answer:
                raise TransportError("the proxy hung up", ErrorKind.PROXY_REFUSED, "ProxyRefused")
            rest = dialogue.receive(answer)
            if rest is not None:
                return sock, rest
    except BaseException:
        sock.close()
        raise

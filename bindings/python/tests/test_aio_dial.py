"""What the asyncio driver asks of its sockets."""

from __future__ import annotations

import asyncio
import socket

from pushcore import _aio_dial


def test_a_socket_sends_at_once_and_is_kept_in_mind_on_the_way() -> None:
    async def options() -> tuple[int, int, int, int]:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as server:
            sock = await _aio_dial._connect(loop, "127.0.0.1", server.getsockname()[1], None)
            with sock:
                tcp = socket.IPPROTO_TCP
                return (
                    sock.getsockopt(tcp, socket.TCP_NODELAY),
                    sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                    sock.getsockopt(tcp, socket.TCP_KEEPIDLE),
                    sock.getsockopt(tcp, socket.TCP_KEEPINTVL),
                )

    assert asyncio.run(options()) == (1, 1, 45, 15)

"""Four workers on this machine alone; each makes its clients after the fork."""

import os
import socket
import struct

bind = os.environ.get("PUSHCORE_HUG_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("PUSHCORE_HUG_WORKERS", "4"))
worker_class = "gthread"
threads = 4
# Longer than a service may take to answer.
timeout = 60
# An encoded slash is a part of an id, and two requests in one are nobody's.
forwarded_allow_ips = ""


def when_ready(server):
    """Lets a client go that stops in its headers for ten seconds: a thread would wait for it for good.

    The kernel's own limit, which connections take over from the listener, because gunicorn's threads set none.
    """
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 10, 0))


def post_worker_init(worker):
    """Begins to send what is due, also where no request comes."""
    import app

    app.host()


def worker_exit(server, worker):
    """Lets what is under way end, when the worker is asked to go."""
    import app

    app.stop()

"""Four workers on this machine alone; each makes its clients after the fork."""

import os

bind = os.environ.get("PUSHCORE_HUG_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("PUSHCORE_HUG_WORKERS", "4"))
worker_class = "gthread"
threads = 4
# Longer than a service may take to answer.
timeout = 60
# An encoded slash is a part of an id, and two requests in one are nobody's.
forwarded_allow_ips = ""


def post_worker_init(worker):
    """Begins to send what is due, also where no request comes."""
    import app

    app.host()


def worker_exit(server, worker):
    """Lets what is under way end, when the worker is asked to go."""
    import app

    app.stop()

#!/usr/bin/env python3
"""pushcore's client against other people's HTTP/2 servers, which end their connections all the time.

    python tests/interop/servers/run.py [nginx|go|haproxy]...        default: all that this machine has

nginx with `keepalive_requests` 1, 10 and 50 and Go's net/http that says goodbye as often: each connection ends with
a graceful GOAWAY (NO_ERROR). HAProxy is replaced by a new process while the messages go out. Every message is
counted on both sides: the client says how it ended, the server's log says how often it arrived. Nothing may arrive twice,
nothing accepted may be missing in the log, and nothing may be called not sent that arrived. With STRICT every message
has to be accepted as well; until then how many were is printed for each server.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pushcore
from pushcore.testing import Sandbox

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))
from run import certificate, free_port, go  # noqa: E402

# Every message has to be accepted, not only accounted for.
STRICT = True
MESSAGES = 1000
failures: list[str] = []

# Runs a server: its port, and the paths of the requests that it answered so far.
Server = contextlib.AbstractContextManager[tuple[int, Callable[[], list[str]]]]


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


@contextlib.contextmanager
def nginx(folder: pathlib.Path, every: int) -> Iterator[tuple[int, Callable[[], list[str]]]]:
    public, private = certificate(folder)
    port, log = free_port(), folder / "access.log"
    (folder / "nginx.conf").write_text(f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
        events {{ worker_connections 1024; }}
        http {{
            log_format path '$uri'; access_log {log} path;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            server {{
                listen 127.0.0.1:{port} ssl http2; ssl_certificate {public}; ssl_certificate_key {private};
                keepalive_requests {every}; http2_max_concurrent_streams 100;
                location / {{ return 200; }}
            }}
        }}""")
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], text=True, stderr=-3)
    try:
        wait_for(port, process)
        yield port, lambda: log.read_text().split()
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(30)


@contextlib.contextmanager
def go_server(folder: pathlib.Path, every: int) -> Iterator[tuple[int, Callable[[], list[str]]]]:
    public, private = certificate(folder)
    said = folder / "served"
    with said.open("w") as out:
        command = [*go("server"), str(public), str(private), str(every)]
        process = subprocess.Popen(command, stdout=out, stderr=-3, text=True)
    try:
        while not said.read_text().endswith("\n"):
            time.sleep(0.02)
        port = int(said.read_text().split()[0])
        yield port, lambda: said.read_text().split()[1:]
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def haproxy(folder: pathlib.Path, every: int) -> Iterator[tuple[int, Callable[[], list[str]]]]:
    """In place of a limit of requests, which HAProxy 2.6 lacks: a new process takes over `every` times."""
    public, private = certificate(folder)
    both = folder / "both.pem"
    both.write_text(public.read_text() + private.read_text())
    port = free_port()
    log = folder / "served"
    (folder / "haproxy.cfg").write_text(f"""
global
    log stdout format raw local0
    nbthread 1
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
frontend push
    bind 127.0.0.1:{port} ssl crt {both} alpn h2
    log global
    http-request set-var(txn.path) path
    log-format "%[var(txn.path)]"
    http-request return status 200
""")
    processes: list[subprocess.Popen[str]] = []

    def begin() -> None:
        old = ["-sf", str(processes[-1].pid)] if processes else []
        command = ["haproxy", "-db", "-f", str(folder / "haproxy.cfg"), *old]
        with log.open("a") as out:
            processes.append(subprocess.Popen(command, text=True, stderr=-3, stdout=out))

    def take_over() -> None:
        for _ in range(every):
            time.sleep(0.05)
            begin()

    begin()
    # While the messages go out.
    successors = threading.Thread(target=take_over)
    try:
        wait_for(port, processes[0])
        successors.start()
        yield port, lambda: [line for line in log.read_text().split() if line.startswith("/3/device/")]
    finally:
        successors.join()
        for process in processes:
            process.terminate()
            process.wait(30)


SERVERS: dict[str, tuple[str, Callable[[pathlib.Path, int], Server], tuple[int, ...]]] = {
    "nginx": ("nginx", nginx, (1, 10, 50)),
    "go": ("go", go_server, (1, 10, 50)),
    "haproxy": ("haproxy", haproxy, (1, 3)),
}


def run(name: str, server: Callable[[pathlib.Path, int], Server], every: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        with server(pathlib.Path(folder), every) as (port, served):
            tokens = [f"{n:064x}" for n in range(MESSAGES)]
            message = pushcore.ApnsMessage(token=tokens[0], topic="com.example.app", title="hello")
            credentials, ca = sandbox.apns_credentials(), pathlib.Path(folder) / "server.pem"
            started = time.monotonic()
            with pushcore.Client.apns(credentials, host=f"localhost:{port}", ca=ca) as client:
                results = dict(client.send_many(tokens, message=message))
            took = time.monotonic() - started
            # The log is written after the answer, and by a busy machine long after.
            for _ in range(40):
                time.sleep(0.25)
                arrived = Counter(path.rsplit("/", 1)[-1] for path in served())
                if arrived.keys() == results.keys():
                    break
    ends = Counter(type(result).__name__ for result in results.values())
    wrong = []
    if len(results) != MESSAGES:
        wrong.append(f"{MESSAGES - len(results)} messages have no result")
    if twice := sum(count > 1 for count in arrived.values()):
        wrong.append(f"{twice} arrived twice")
    accepted = {token for token, result in results.items() if isinstance(result, pushcore.Accepted)}
    if missing := len(accepted - arrived.keys()):
        wrong.append(f"{missing} accepted are not in the server's log")
    not_sent = {token for token, result in results.items() if isinstance(result, pushcore.NotSent | pushcore.Expired)}
    if lies := len(not_sent & arrived.keys()):
        wrong.append(f"{lies} called not sent arrived")
    if not accepted:
        causes = Counter(str(result)[:200] for result in results.values())
        wrong.append(f"none was accepted: {causes.most_common(1)}")
    if STRICT and len(accepted) != MESSAGES:
        wrong.append(f"{MESSAGES - len(accepted)} were not accepted")
    failures.extend(wrong)
    what = "times replaced" if name == "haproxy" else "requests a connection"
    print(f"{name:8} {every:3} {what:22} {len(accepted):5} of {MESSAGES} accepted in {took:5.1f} s  {dict(ends)}  "
          f"{'; '.join(wrong) or 'every message accounted for'}", flush=True)  # fmt: skip


if __name__ == "__main__":
    for name in sys.argv[1:] or SERVERS:
        program, server, limits = SERVERS[name]
        if shutil.which(program) is None:
            print(f"left out: {name} (no {program})")
            continue
        for every in limits:
            run(name, server, every)
    print(f"{len(failures)} failed")
    sys.exit(bool(failures))

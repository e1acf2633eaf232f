"""One writer for each journal: the second one is told who the first one is."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import socket
import sys

# `sys.platform` is compared because type checkers understand it.
if sys.platform != "win32":
    import fcntl


class Busy(Exception):
    """Another process writes to the journal."""

    def __init__(self, path: pathlib.Path, holder: dict[str, object]) -> None:
        who = f"process {holder.get('pid', '?')} on {holder.get('host', '?')}, since {holder.get('since', '?')}"
        super().__init__(f"{path} is held by another run: {who}")
        #: The holder's `pid`, `host` and `since`, as far as it has written them.
        self.holder = holder


class Lock:
    """An advisory lock on a file of its own, which names the holder.

    The operating system gives the lock back when the process ends, however it ends. The lock is not on the database
    itself, because closing any other descriptor of that file would give SQLite's own locks away.
    """

    def __init__(self, journal: pathlib.Path) -> None:
        """Takes the lock. Raises `Busy`."""
        self._path = journal.with_name(journal.name + ".lock")
        while True:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if sys.platform != "win32":
                try:
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    holder = self._holder()
                    os.close(self._descriptor)
                    raise Busy(journal, holder) from None
            if self._is_current():
                break
            # The holder before has removed the file between `open` and `flock`.
            os.close(self._descriptor)
        since = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
        told = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(told).encode() + b"\n", 0)

    def _is_current(self) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))

    def _holder(self) -> dict[str, object]:
        try:
            found = json.loads(os.pread(self._descriptor, 4096, 0) or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def release(self) -> None:
        """Gives the lock back and removes its file."""
        # The folder may be gone or read-only: the lock ends with the descriptor all the same.
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        os.close(self._descriptor)

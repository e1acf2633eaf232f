"""One command starts it, what it prints is what works, and it ends when it is told to."""

from __future__ import annotations

import json
import pathlib
import re
import signal
import subprocess
import sys
import urllib.request

HUG = pathlib.Path(__file__).resolve().parents[1]


def test_one_command(tmp_path: pathlib.Path) -> None:
    from serving import _free_port

    command = [sys.executable, str(HUG / "serve.py"), "--port", str(_free_port()), "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        while "metrics " not in printed:
            line = process.stdout.readline()
            assert line, "serve.py ended"
            printed += line
        # The line for the legacy API, as printed.
        key, body, url = re.search(r"key=(\w+)'.*?-d '(.*?)' (\S+/fcm/send)", printed, re.DOTALL).groups()  # type: ignore[union-attr]
        headers = {"Authorization": f"key={key}", "Content-Type": "application/json"}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(url, body.encode(), headers), timeout=30) as response:
            assert json.loads(response.read())["success"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

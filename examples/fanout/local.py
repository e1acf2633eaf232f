"""The services on this machine, to try the example without an Apple account.

python local.py 1000 settings.json tokens.txt      # until Ctrl-C
"""

from __future__ import annotations

import json
import pathlib
import secrets
import signal
import sys
import time
from typing import Any

from pushcore.testing import Sandbox


def prepare(sandbox: Sandbox, count: int, **settings: Any) -> tuple[dict[str, Any], list[str]]:
    """Settings for that sandbox, and tokens: every 50th is dead, one is throttled."""
    apns = sandbox.ready["apns"]
    tokens = [secrets.token_hex(32) for _ in range(count)]
    bundle, died = apns["topic"], int(time.time() * 1000) - 86_400_000
    registered: list[dict[str, Any]] = [
        {"token": token, "bundle": bundle, "unregistered_at": died if index % 50 == 49 else None}
        for index, token in enumerate(tokens)
    ]
    registered[-2]["throttled"] = True
    for start in range(0, count, 1000):
        sandbox.control("POST", "apns/tokens", registered[start : start + 1000])
    there = {
        "key": apns["p8_file"],
        "key_id": apns["key_id"],
        "team_id": apns["team_id"],
        "topic": bundle,
        "environment": "sandbox",
        "host": apns["authority"],
        "ca": str(sandbox.ca),
    }
    return {**there, **settings}, tokens


def main() -> int:
    """Starts the sandbox, writes both files, waits."""
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    with Sandbox() as sandbox:
        settings, tokens = prepare(sandbox, max(2, int(sys.argv[1])), retry_wait=1, max_retries=1)
        pathlib.Path(sys.argv[2]).write_text(json.dumps(settings, indent=1))
        pathlib.Path(sys.argv[3]).write_text("\n".join(tokens) + "\n")
        print(f"export FANOUT_SETTINGS={pathlib.Path(sys.argv[2]).resolve()}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print(json.dumps(sandbox.stats()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The command `pushcore`: send, look into keys and tokens, find out what is wrong.

It stands on click, which the extra `cli` brings: `pip install 'pushcore[cli]'`. The library itself needs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_MISSING = "pushcore: the command needs the extra `cli`: pip install 'pushcore[cli]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    try:
        import click  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        print(_MISSING, file=sys.stderr)
        return 2
    from ._app import run

    return run(sys.argv[1:] if arguments is None else list(arguments))

"""Reading the files that people keep their keys in."""

from __future__ import annotations

import os


def read(path: os.PathLike[str]) -> bytes:
    """The whole of a file."""
    with open(path, "rb") as file:
        return file.read()

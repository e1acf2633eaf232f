"""Reading the files that people keep their keys in."""

from __future__ import annotations

import os


def load(value: object) -> object:
    """What a file holds, where `value` names one; otherwise `value` itself.

    A path object always names a file. A `str` does too, unless it can only be the text itself:
    several lines, a PEM header, or JSON.
    """
    if isinstance(value, os.PathLike):
        path: str = os.fspath(value)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, str) and not _is_text(value):
        path = value
    else:
        return value
    with open(path, "rb") as file:
        return file.read()


def _is_text(value: str) -> bool:
    stripped = value.lstrip("\ufeff \t\r\n")
    return not stripped or "\n" in value or stripped.startswith(("{", "-----BEGIN"))

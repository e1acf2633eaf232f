"""Reading the files that people keep their keys in."""

from __future__ import annotations

from ._pushcore import load_credential


def load(value: object) -> bytes:
    """The key, certificate or credential file that `value` holds or names.

    `str`, `bytes` and path objects mean the same. Content is recognised first, in every form that the
    library reads; what cannot be content is the name of a file. No exception quotes `value`.
    """
    return load_credential(value)

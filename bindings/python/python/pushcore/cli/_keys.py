"""`pushcore keys`: make, convert and look at signing keys."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Any

import click

from .._files import load
from .._pushcore import SigningKey
from ._grammar import FILE, FILE_OR_TEXT, Group, argument, command, option
from ._output import Output

_FORMS = {
    "pem": ("PKCS#8 PEM, as an APNs .p8 file", SigningKey.to_pem),
    "sec1": ("SEC1 PEM (EC PRIVATE KEY)", SigningKey.to_sec1_pem),
    "jwk": ("JSON Web Key", SigningKey.to_jwk),
    "base64": ("32 bytes in base64url, as web-push writes them", SigningKey.to_base64),
    "public": ("the public key, as JavaScript's applicationServerKey", lambda key: key.public_key),
    "public-pem": ("the public key in PEM", SigningKey.public_pem),
    "public-jwk": ("the public key as a JSON Web Key", SigningKey.public_jwk),
}


_PRIVATE = ("pem", "sec1", "jwk", "base64")


def add(top: click.Group) -> None:
    """The command's grammar."""
    keys = Group("keys", help="Make, convert and look at signing keys (VAPID, APNs).", no_args_is_help=True)
    top.add_command(keys)
    forms = "Forms:\n" + "\n".join(f"  {name:10} {what}" for name, (what, _) in _FORMS.items())
    command(
        keys,
        "generate",
        _generate,
        [
            option("--out", type=FILE, metavar="FILE", help="write the private key here (mode 600), never over a file"),
            option("--form", choices=list(_FORMS), default="pem"),
        ],
        "Make a new VAPID key.",
        epilog=forms,
    )
    command(
        keys,
        "convert",
        _convert,
        [
            argument("key", type=FILE_OR_TEXT),
            option("--to", choices=list(_FORMS), required=True),
            option("--out", type=FILE, metavar="FILE", help="write it here (mode 600), never over a file"),
        ],
        "Write a key in another form. KEY is a file, - for standard input, or base64 (after -- where it"
        " begins with a dash).",
        epilog=forms,
    )
    command(
        keys,
        "inspect",
        _inspect,
        [argument("key", type=FILE_OR_TEXT)],
        "Say what a key is, or why it cannot be used. KEY is a file, - for standard input, or base64.",
    )


def read(argument: str) -> bytes:
    """A file, standard input, or the argument itself."""
    if argument == "-":
        return sys.stdin.buffer.read()
    return load(argument)


def _generate(options: Any, output: Output) -> int:
    key = SigningKey.generate()
    text = _FORMS[options.form][1](key)
    record: dict[str, Any] = {"public_key": key.public_key}
    if options.form not in _PRIVATE:
        # Asked for the public half: the private one goes to the file, or is shown, and is never thrown away.
        record["form"], record["key"] = options.form, text
        text = key.to_pem()
    if options.out is not None:
        _write(options.out, text)
        record["private_key_file"] = str(options.out)
        output.record(record)
    else:
        record["private_key"] = text
        shown = [text.rstrip(), f"public key: {key.public_key}"]
        if "key" in record:
            shown.append(record["key"].rstrip())
        output.record(record, "\n".join(shown))
    return 0


def _convert(options: Any, output: Output) -> int:
    text = _FORMS[options.to][1](SigningKey.read(read(options.key)))
    if options.out is not None:
        _write(options.out, text)
    else:
        output.record({"form": options.to, "key": text}, text.rstrip())
    return 0


def _inspect(options: Any, output: Output) -> int:
    key = SigningKey.read(read(options.key))
    output.record(
        {
            "kind": "private key, P-256 (ES256)",
            "good_for": "APNs provider tokens, VAPID",
            "public_key": key.public_key,
        }
    )
    return 0


def _write(path: pathlib.Path, text: str) -> None:
    # Never over a key that is there, and never readable by others.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        # Half a key helps nobody, and its name would be taken.
        os.unlink(path)
        raise

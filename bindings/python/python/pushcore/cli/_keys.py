"""`pushcore keys`: make, convert and look at signing keys."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from typing import Any

from .._files import load
from .._pushcore import SigningKey
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


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    keys = commands.add_parser("keys", help="make, convert and look at signing keys (VAPID, APNs)")
    verbs = keys.add_subparsers(title="what to do", dest="verb", required=True, metavar="VERB")
    forms = "; ".join(f"{name}: {what}" for name, (what, _) in _FORMS.items())

    generate = verbs.add_parser("generate", parents=[common], help="a new VAPID key", epilog=forms)
    generate.add_argument("--out", type=pathlib.Path, metavar="FILE", help="write the private key here (mode 600)")
    generate.add_argument("--form", choices=_FORMS, default="pem")
    generate.set_defaults(run=_generate)

    convert = verbs.add_parser("convert", parents=[common], help="a key in another form", epilog=forms)
    convert.add_argument("key", help="a file, - for standard input, or base64 (after -- where it begins with a dash)")
    convert.add_argument("--to", choices=_FORMS, required=True)
    convert.add_argument("--out", type=pathlib.Path, metavar="FILE")
    convert.set_defaults(run=_convert)

    inspect = verbs.add_parser("inspect", parents=[common], help="what a key is, or why it cannot be used")
    inspect.add_argument("key", help="a file, - for standard input, or base64 (after -- where it begins with a dash)")
    inspect.set_defaults(run=_inspect)


def read(argument: str) -> bytes:
    """A file, standard input, or the argument itself."""
    if argument == "-":
        return sys.stdin.buffer.read()
    return load(argument)


def _generate(options: argparse.Namespace, output: Output) -> int:
    key = SigningKey.generate()
    text = _FORMS[options.form][1](key)
    record: dict[str, Any] = {"public_key": key.public_key}
    if options.out is not None:
        _write(options.out, text)
        record["private_key_file"] = str(options.out)
        output.record(record)
    else:
        record["private_key"] = text
        output.record(record, f"{text.rstrip()}\npublic key: {key.public_key}")
    return 0


def _convert(options: argparse.Namespace, output: Output) -> int:
    text = _FORMS[options.to][1](SigningKey.read(read(options.key)))
    if options.out is not None:
        _write(options.out, text)
    else:
        output.record({"form": options.to, "key": text}, text.rstrip())
    return 0


def _inspect(options: argparse.Namespace, output: Output) -> int:
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
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") else text + "\n")

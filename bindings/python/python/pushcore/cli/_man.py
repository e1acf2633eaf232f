"""The man page, out of the grammar: `python -m pushcore.cli._man > pushcore.1`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from .._pushcore import VERSION
from . import _status
from ._app import grammar

_FILES = """\
.TP
.I ~/.config/pushcore/config.toml
Profiles: tables of options, by profile and service. Names of files are taken beside this file. Another place is
named by
.BR PUSHCORE_CONFIG .
.TP
.I FILE.db
The journal of a campaign, an SQLite file that only its owner may read. Beside a results file it has that file's
name with
.I .db
added.
.TP
.I FILE.db.lock
Held while a campaign runs; it names the process.
"""

_EXAMPLES = """\
One push:
.PP
.nf
    pushcore send apns \\-\\-profile night \\-\\-token HEX \\-\\-title Hello
.fi
.PP
A campaign out of cron, which the same line goes on with after whatever has ended it:
.PP
.nf
    pushcore send fcm \\-\\-profile night \\-\\-title "Hi {name}" \\e
        \\-\\-from users.csv \\-\\-results monday.csv
.fi
.PP
The tokens to delete, one a line:
.PP
.nf
    pushcore results monday.csv \\-\\-delete
.fi
"""


def page() -> str:
    """The page in roff."""
    top = grammar()
    parts = [
        f'.TH PUSHCORE 1 "" "pushcore {VERSION}" "User Commands"',
        ".SH NAME",
        "pushcore \\- push notifications through APNs, FCM, Web Push, Amazon ADM and Baidu",
        ".SH SYNOPSIS",
        ".B pushcore",
        ".I COMMAND",
        "[\\fIOPTION\\fR]...",
        ".SH DESCRIPTION",
        "Sends push notifications, one or a file of them, looks into keys and tokens, and says what is wrong.",
        "With \\fB\\-\\-results\\fR a campaign remembers each row: the same command again goes on where it was, after",
        "whatever has ended it, and sends nothing twice.",
        ".SH COMMANDS",
    ]
    for path, command in _walk(top, ()):
        parts.extend(_command(path, command))
    parts.append(".SH EXIT STATUS")
    for status, what in _status.TABLE.items():
        parts += [".TP", f".B {_text(status)}", _text(what)]
    parts += [".SH FILES", _FILES.rstrip(), ".SH EXAMPLES", _EXAMPLES.rstrip()]
    return "\n".join(parts) + "\n"


def _walk(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _walk(command, (*path, name))
        else:
            yield (*path, name), command


def _command(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    arguments = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
    yield f".SS pushcore {_text(' '.join(path))} {_text(arguments)}".rstrip()
    yield _text(command.help or "")
    for parameter in command.params:
        if not isinstance(parameter, click.Option):
            continue
        record = parameter.get_help_record(context)
        if record is None:
            continue
        yield ".TP"
        yield f".B {_text(record[0])}"
        yield _text(record[1]) or "\\&"


def _text(text: str) -> str:
    text = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    # A line that begins with a dot or an apostrophe would be a request of roff.
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    sys.stdout.write(page())

"""The whole grammar, and what becomes of errors."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence

import click

from .._errors import CredentialError, MessageError, MisuseError, PushcoreError
from .._pushcore import VERSION
from ..campaign import Busy, JournalError, SourceError, WriteError
from . import _completion, _doctor, _keys, _manage, _results, _send, _status, _tools
from ._grammar import Group
from ._output import Output, forget_stdout
from ._status import Status


def grammar() -> click.Group:
    """Every command with its options: the help, the completion and the man page are made of it."""
    top = Group(
        "pushcore",
        help="Push notifications through APNs, FCM, Web Push, Amazon ADM and Baidu.",
        epilog=f"Exit status:\n{_status.text()}",
        no_args_is_help=True,
    )
    version = f"pushcore {VERSION}"
    top.params.append(click.Option(["--version"], is_flag=True, expose_value=False, is_eager=True,
                                   callback=lambda ctx, _, on: _say(ctx, version) if on else None,
                                   help="Show the version."))  # fmt: skip
    for part in (_send, _results, _doctor, _keys, _manage, _tools, _completion):
        part.add(top)
    return top


def _say(ctx: click.Context, text: str) -> None:
    click.echo(text)
    ctx.exit()


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns its exit status."""
    output = Output(json="--json" in arguments)
    try:
        status = grammar().main(list(arguments), prog_name="pushcore", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return Status.WRONG
    except click.UsageError as error:
        shown = _without_keys(error, arguments)
        if output.json:
            output.error(shown.format_message())
        else:
            shown.show(sys.stderr)
        return Status.WRONG
    except click.ClickException as error:
        output.error(error.format_message())
        return Status.WRONG
    except (KeyboardInterrupt, click.Abort):
        output.error("interrupted")
        return 130
    except Busy as error:
        output.error(str(error), **error.holder)
        return Status.BUSY
    except WriteError as error:
        output.error(f"the journal cannot be written: {error}")
        return Status.UNWRITTEN
    except (JournalError, SourceError) as error:
        output.error(str(error))
        return Status.WRONG
    except (CredentialError, MessageError, MisuseError) as error:
        output.error(str(error), code=error.code)
        return Status.WRONG
    except PushcoreError as error:
        output.error(str(error), code=error.code)
        return Status.LEFT
    except BrokenPipeError:
        forget_stdout()
        return Status.PIPE
    except (OSError, ValueError) as error:
        output.error(_plain(error))
        return Status.WRONG
    except Exception as error:
        # Not Python's own 1, which would say that rows were refused.
        if not output.json:
            traceback.print_exc()
        output.error(f"a fault of pushcore, please report it: {error!r}")
        return Status.FAULT


#: An option as people write them.
_OPTION = re.compile(r"--?[a-z][a-z0-9-]{0,31}")


def _without_keys(error: click.UsageError, arguments: Sequence[str]) -> click.UsageError:
    """The error about the command line without what may be a key: a PEM text looks like an option to click."""
    if isinstance(error, click.NoSuchOption):
        if _OPTION.fullmatch(error.option_name) is not None:
            return error
        return click.UsageError("No such option (its text is not shown)", error.ctx)
    if "extra argument" not in error.message:
        return error
    message = error.message
    for text in arguments:
        if len(text) > 23:
            message = message.replace(text, "...")
    return click.UsageError(message, error.ctx)


def _plain(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return (
            f"{os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename}: {error.strerror}"
        )
    return str(error)

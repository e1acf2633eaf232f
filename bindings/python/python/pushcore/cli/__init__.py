"""The command `pushcore`: send, look into keys and tokens, find out what is wrong.

Exit status: 0 all accepted, 1 refused by the service, 2 wrong input or credentials, 3 no answer,
130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .._errors import CredentialError, MessageError, MisuseError, PushcoreError
from .._pushcore import VERSION
from . import _completion, _doctor, _keys, _manage, _send, _tools
from ._output import Output


def parser() -> argparse.ArgumentParser:
    """The whole grammar."""
    top = argparse.ArgumentParser(
        prog="pushcore",
        description="Push notifications through APNs, FCM, Web Push, Amazon ADM and Baidu.",
        epilog="Exit status: 0 accepted, 1 refused, 2 wrong input or credentials, 3 no answer, 130 interrupted.",
    )
    top.add_argument("--version", action="version", version=f"pushcore {VERSION}")
    commands = top.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="write JSON, one object a line, for programs")
    _send.add(commands, common)
    _manage.add(commands, common)
    _keys.add(commands, common)
    _tools.add(commands, common)
    _doctor.add(commands, common)
    _completion.add(commands, top)
    return top


def _with_values(grammar: argparse.ArgumentParser, arguments: Sequence[str]) -> list[str]:
    """Tokens and base64 may begin with a dash: what follows an option that takes a value is its value."""
    known: set[str] = set()
    valued: set[str] = set()
    for _, actions in _completion.actions(grammar, ()):
        for action in actions:
            known.update(action.option_strings)
            if action.nargs is None:
                valued.update(action.option_strings)
    made: list[str] = []
    for at, argument in enumerate(arguments):
        if argument in ("--", "sandbox"):
            return [*made, *arguments[at:]]
        value = argument.startswith("-") and argument.partition("=")[0] not in known
        if value and len(argument) > 1 and made and made[-1] in valued:
            made[-1] += "=" + argument
        else:
            made.append(argument)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    grammar = parser()
    options = grammar.parse_args(_with_values(grammar, sys.argv[1:] if arguments is None else arguments))
    output = Output(json=getattr(options, "json", False))
    try:
        status: int = options.run(options, output)
    except KeyboardInterrupt:
        output.error("interrupted")
        return 130
    except (CredentialError, MessageError, MisuseError) as error:
        output.error(str(error), code=error.code)
        return 2
    except PushcoreError as error:
        output.error(str(error), code=error.code)
        return 3
    except BrokenPipeError:
        # The reader has seen enough. Python would complain at exit.
        sys.stdout = None
        return 0
    except (OSError, ValueError) as error:
        output.error(str(error))
        return 2
    return status

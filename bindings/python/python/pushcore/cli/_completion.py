"""`pushcore completion`: the shell completes commands, options, their values, and files."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import get_completion_class

from ._grammar import argument, command
from ._output import Output

_HINTS = {
    "bash": 'put this into ~/.bashrc:  eval "$(pushcore completion bash)"',
    "zsh": 'put this into ~/.zshrc, after compinit:  eval "$(pushcore completion zsh)"',
    "fish": "put this into ~/.config/fish/config.fish:  pushcore completion fish | source",
}


def add(top: click.Group) -> None:
    """The command's grammar."""
    epilog = "\n".join(f"{shell:5} {hint}" for shell, hint in _HINTS.items())
    shells = click.Choice(list(_HINTS))
    command(
        top,
        "completion",
        lambda options, output: _run(top, options, output),
        [argument("shell", type=shells)],
        "Print the completion script for a shell.",
        epilog=epilog,
    )


def _run(top: click.Group, options: Any, output: Output) -> int:
    made = get_completion_class(options.shell)
    assert made is not None
    print(made(top, {}, "pushcore", "_PUSHCORE_COMPLETE").source())
    import sys

    if sys.stdout.isatty():
        output.note(_HINTS[options.shell])
    return 0

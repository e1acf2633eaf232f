"""The argument grammar on click: options in sections, profiles, and functions that get plain values."""

from __future__ import annotations

import pathlib
import types
from collections.abc import Callable, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from . import _profile
from ._output import Output

Run = Callable[[Any, Output], int]


class FileOrText(click.ParamType[str]):
    """A file, or the text itself. Completed as a file."""

    name = "file or text"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Files."""
        return [CompletionItem(incomplete, type="file")]


FILE = click.Path(path_type=pathlib.Path)
#: A key or a credential file: its name, or its text, which a path object would change (`//` in base64).
CREDENTIAL = click.Path()
FILE_OR_TEXT = FileOrText()


class Option(click.Option):
    """An option with the section that the help shows it in."""

    def __init__(self, *declarations: str, section: str = "Options", **how: Any) -> None:
        super().__init__(list(declarations), **how)
        self.section = section


def option(*declarations: str, section: str = "Options", choices: Sequence[str] = (), **how: Any) -> Option:
    """An option; `choices` are its values."""
    if choices:
        how["type"] = click.Choice([str(choice) for choice in choices])
    how.setdefault("show_default", False)
    return Option(*declarations, section=section, **how)


def argument(name: str, **how: Any) -> click.Argument:
    """A positional argument. It may begin with a dash."""
    return click.Argument([name], **how)


class Command(click.Command):
    """A command whose help shows its options in sections, and whose options a profile may set."""

    service: str | None = None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options by their sections, in the order of the first of each."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections.setdefault(getattr(parameter, "section", "Options"), []).append(record)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As it is written: tables and examples keep their lines."""
        if self.epilog:
            formatter.write_paragraph()
            for line in self.epilog.splitlines():
                formatter.write(f"{line}\n")


class Group(click.Group):
    """A group of commands, listed in the order of their making."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Not sorted: the important ones come first."""
        return list(self.commands)

    format_epilog = Command.format_epilog


JSON = option("--json", is_flag=True, help="write JSON, one object a line, for programs; errors too (standard error)")


def command(
    group: click.Group,
    name: str,
    run: Run,
    parameters: Sequence[click.Parameter],
    help: str,  # noqa: A002
    *,
    service: str | None = None,
    epilog: str | None = None,
    **more: Any,
) -> Command:
    """Adds a command. `run` gets an object with the options' values, and says the exit status."""

    def call(**values: Any) -> int:
        ctx = click.get_current_context()
        options = types.SimpleNamespace(**values, **more)
        if service is not None:
            options.service = service
            _profile.apply(ctx, options, [service])
        return run(options, Output(json=values.get("json", False)))

    made = Command(name, params=[*parameters, JSON], callback=call, help=help, short_help=help, epilog=epilog)
    made.service = service
    group.add_command(made)
    return made

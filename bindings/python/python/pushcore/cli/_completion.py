"""`pushcore completion`: the words of every command, for the shell."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ._output import Output

_BASH = """\
_pushcore() {{
    local path="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ $word == -* ]] || path="$path $word"
        case "$path" in
{known}
            *) path="${{path% *}}" ;;
        esac
    done
    local words=""
    case "$path" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _pushcore pushcore
"""


def add(commands: Any, top: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    completion = commands.add_parser("completion", help="completion for the shell")
    completion.add_argument("shell", choices=["bash", "zsh", "fish"])
    completion.set_defaults(
        run=run,
        grammar=top,
        epilog='bash: eval "$(pushcore completion bash)"; fish: pushcore completion fish | source',
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Prints the script."""
    words = dict(_walk(options.grammar, ()))
    if options.shell == "fish":
        for path, (verbs, flags) in words.items():
            seen = "; and ".join(f"__fish_seen_subcommand_from {verb}" for verb in path) or "__fish_use_subcommand"
            for verb in verbs:
                print(f"complete -c pushcore -f -n '{seen}' -a {verb}")
            for flag in flags:
                print(f"complete -c pushcore -n '{seen}' -l {flag.removeprefix('--')}")
        return 0
    if options.shell == "zsh":
        print("autoload -U +X bashcompinit && bashcompinit")
    cases = (
        f'        "{_joined(path)}") words="{" ".join([*verbs, *flags])}" ;;' for path, (verbs, flags) in words.items()
    )
    known = (f'            "{_joined(path)}") ;;' for path in words)
    print(_BASH.format(cases="\n".join(cases), known="\n".join(known)), end="")
    return 0


def _joined(path: tuple[str, ...]) -> str:
    return "".join(" " + word for word in path)


def actions(
    parser: argparse.ArgumentParser, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[argparse.Action]]]:
    """What each command takes."""
    yield path, parser._actions
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from actions(sub, (*path, name))


def _walk(
    parser: argparse.ArgumentParser, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[list[str], list[str]]]]:
    for where, found in actions(parser, path):
        verbs: list[str] = []
        flags: list[str] = []
        for action in found:
            if isinstance(action, argparse._SubParsersAction):
                verbs += action.choices
            flags += [flag for flag in action.option_strings if flag.startswith("--")]
        yield where, (verbs, flags)

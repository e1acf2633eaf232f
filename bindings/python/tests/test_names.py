"""Every public name, parameter and option of the stub, and every option of the command, is used by a test.

A name counts as used where a test calls it, reads it, or passes it by keyword (`**{"name": ...}` too). Tests that
only look at types, at what travels through `pickle`, or at whether arbitrary input is refused do not count.
"""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterable

import click
from pushcore.cli._app import grammar

HERE = pathlib.Path(__file__).parent
PACKAGE = HERE.parent / "python/pushcore"
#: Tests that take names without looking at their effect, and this one.
NO_EFFECT = {"test_names.py", "test_typing.py", "test_inputs.py", "test_pickling.py", "test_schema.py"}

#: What a client is driven with. These classes are used by the package's own drivers and by the example of a driver,
#: which the tests of the clients and of the examples run.
DRIVEN = {"Batch", "BlockingBatch", "BlockingClient", "HubBoard", "Session", "Tunnel"}
#: Names that no test uses, each with the reason.
EXCUSED: dict[str, str] = {"Service.resolve_on_threads": "read by the asyncio engine; the option has its tests"}


def classes(tree: ast.Module) -> list[tuple[str, list[ast.stmt]]]:
    return [(node.name, node.body) for node in tree.body if isinstance(node, ast.ClassDef)]


def public() -> set[str]:
    """`Class.method`, `Class.method(parameter=)`, `Options(option=)`."""
    names: set[str] = set()
    for stub in ("_pushcore.pyi", "_client.py", "_hub_blocking.py", "aio.py"):
        tree = ast.parse((PACKAGE / stub).read_text())
        for owner, body in classes(tree):
            for node in body:
                if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    continue
                own = node.name.startswith("_")
                if own and node.name not in ("__new__", "__init__"):
                    continue
                if not own:
                    names.add(f"{owner}.{node.name}")
                called = owner if own else f"{owner}.{node.name}"
                names.update(f"{called}({argument.arg}=)" for argument in node.args.kwonlyargs)
    options = ast.parse((PACKAGE / "_types.py").read_text())
    for owner, body in classes(options):
        if owner in ("Options", "ClientOptions"):
            fields = [node.target for node in body if isinstance(node, ast.AnnAssign)]
            names.update(f"Options({field.id}=)" for field in fields if isinstance(field, ast.Name))
    return names


def used(paths: Iterable[pathlib.Path]) -> tuple[set[str], set[str]]:
    """What is read or called, and what is passed by keyword."""
    attributes: set[str] = set()
    keywords: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Attribute(attr=name):
                    attributes.add(name)
                case ast.keyword(arg=str(name)):
                    keywords.add(name)
                case ast.Dict(keys=keys):
                    keywords.update(
                        key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
                    )
                case _:
                    pass
    return attributes, keywords


def test_every_public_name_is_used_by_a_test() -> None:
    names = public()
    assert {"Client.send", "ApnsMessage(alert=)", "Options(rate=)", "Outcome.reason"} <= names
    tests = used(path for path in HERE.glob("test_*.py") if path.name not in NO_EFFECT)
    drivers = used([*PACKAGE.glob("*.py"), HERE.parents[2] / "examples/python/trio_client.py"])
    unused = set()
    for name in names:
        parameter = name.rpartition("(")[2].removesuffix("=)")
        driven = name.partition(".")[0].partition("(")[0] in DRIVEN
        attributes, keywords = (mine | theirs if driven else mine for mine, theirs in zip(tests, drivers, strict=True))
        known = parameter in keywords if name.endswith("=)") else name.rpartition(".")[2] in attributes
        if not known:
            unused.add(name)
    assert unused == set(EXCUSED), "without a test, or excused without need"


#: Tests of the help, the man page and the completions, which name options without using them.
NO_USE = {"test_names.py", "test_campaign_docs.py"}
#: Options of the command that no test uses, each with the reason.
EXCUSED_OPTIONS: dict[str, str] = {}


def options_of_the_command() -> set[str]:
    """`command subcommand --option` for every option of the grammar."""
    found: set[str] = set()

    def walk(command: click.Command, names: list[str]) -> None:
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                walk(inner, [*names, name])
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                longest = max(parameter.opts, key=len)
                found.add(" ".join([*names, longest]))

    walk(grammar(), [])
    return found


def words_of_tests() -> set[str]:
    """The options in the texts of the tests: `"--rate"`, `"--rate=5"`, `"send apns --rate 5"`."""
    words: set[str] = set()
    for path in [*HERE.glob("*.py")]:
        if path.name in NO_USE:
            continue
        tree = ast.parse(path.read_text())
        spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken:
                words.update(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]*)", node.value))
    return words


def test_every_option_of_the_command_is_used_by_a_test() -> None:
    options = options_of_the_command()
    assert len(options) > 100
    assert {"send apns --resend-unknown", "send apns --rate"} <= options, sorted(options)[:50]
    used_words = words_of_tests()
    assert "--no-such-option" not in used_words
    unused = {option for option in {one.rpartition(" ")[2] for one in options} if option not in used_words}
    assert unused == set(EXCUSED_OPTIONS), "without a test, or excused without need"

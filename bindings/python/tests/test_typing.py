"""The stubs say what the extension has; the package, its tests and the examples type-check."""

from __future__ import annotations

import importlib.util
import pathlib
import shutil
import subprocess
import sys

import pushcore
import pytest
from pushcore import _pushcore

HERE = pathlib.Path(__file__).resolve().parent.parent
FOLDER = HERE.parent.parent / "examples"
EXAMPLES = sorted(str(path) for path in FOLDER.glob("*.py"))
#: What these examples import may not be here. Celery and Django have no types of their own.
OPTIONAL = {"fastapi": "fastapi", "flask": "flask", "opentelemetry": "opentelemetry.sdk"}
UNTYPED = ("celery", "django")


def _checkable(name: str) -> bool:
    if name.startswith(UNTYPED):
        return False
    needed = [module for prefix, module in OPTIONAL.items() if name.startswith(prefix)]
    return all(_is_here(module) for module in needed)


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


#: They import each other.
SMALL = sorted(path.name for path in (FOLDER / "python").glob("*.py") if _checkable(path.name))


def run(*command: str, cwd: pathlib.Path = HERE) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_match_the_extension() -> None:
    pytest.importorskip("mypy")
    run("mypy.stubtest", "pushcore._pushcore", "--allowlist", "stubtest-allowlist.txt")


def test_strict_mypy() -> None:
    pytest.importorskip("mypy")
    run("mypy", "--strict", "python/pushcore", "tests", *EXAMPLES)


def test_strict_mypy_of_the_small_examples() -> None:
    pytest.importorskip("mypy")
    if not SMALL:
        pytest.skip("the examples are not here")
    run("mypy", "--strict", "--config-file", str(HERE / "pyproject.toml"), *SMALL, cwd=FOLDER / "python")


def test_pyright() -> None:
    pytest.importorskip("pyright")
    if shutil.which("node") is None:
        pytest.skip("pyright needs node")
    # The command line is nobody's interface for types; mypy has seen it.
    package = HERE / "python" / "pushcore"
    files = [str(path) for path in (*package.glob("*.py*"), *package.glob("testing/*.py"))]
    # Without it pyright asks whatever `python` is first on the path.
    run("pyright", "--pythonpath", sys.executable, *(file for file in files if not file.endswith(".typed")), *EXAMPLES)
    if SMALL:
        run("pyright", "--pythonpath", sys.executable, *SMALL, cwd=FOLDER / "python")


def test_error_kinds_are_the_cores() -> None:
    def words(name: str) -> str:
        # WrongKeyType -> WRONG_KEY_TYPE, Http2Protocol -> HTTP2_PROTOCOL
        return "".join("_" + c if c.isupper() and i else c for i, c in enumerate(name)).upper()

    theirs = {words(name): code for name, code in _pushcore.error_kinds()}
    ours = {kind.name: int(kind) for kind in pushcore.ErrorKind}
    assert ours == theirs


def test_every_public_name_is_documented() -> None:
    for name in pushcore.__all__:
        value = getattr(pushcore, name)
        if isinstance(value, type):
            assert value.__module__ in {"pushcore", "pushcore._client", "pushcore._errors"}, name
            assert value.__doc__, name

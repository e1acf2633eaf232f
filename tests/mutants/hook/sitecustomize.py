"""Puts a fault into a module of pushcore while it is imported, in every process that has this folder on its path.

`PUSHCORE_MUTANT=FILE:NUMBER` puts one in; `PUSHCORE_MUTANTS_REACHED=LOG` writes down which statements of `PUSHCORE_MUTANT_FILES` are reached.
"""

from __future__ import annotations

import importlib.machinery
import os
import types

import pushcore_mutants

_FILE, _, _NUMBER = os.environ.get("PUSHCORE_MUTANT", "").rpartition(":")
_MARKED = os.environ.get("PUSHCORE_MUTANT_FILES", "").split(":")
_compile = importlib.machinery.SourceFileLoader.get_code


def _get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> types.CodeType | None:
    path = self.get_filename(fullname)
    if _FILE and path.endswith("/" + _FILE):
        source = self.get_data(path).decode()
        return compile(pushcore_mutants.with_fault(source, int(_NUMBER)), path, "exec", dont_inherit=True)  # type: ignore[arg-type]
    for file in _MARKED:
        if file and "PUSHCORE_MUTANTS_REACHED" in os.environ and path.endswith("/" + file):
            source = self.get_data(path).decode()
            return compile(pushcore_mutants.with_marks(source, file), path, "exec", dont_inherit=True)  # type: ignore[arg-type]
    return _compile(self, fullname)


importlib.machinery.SourceFileLoader.get_code = _get_code  # type: ignore[method-assign]

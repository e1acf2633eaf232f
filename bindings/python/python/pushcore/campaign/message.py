"""Messages out of rows: texts that name columns, and columns that hold whole messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .._errors import MessageError
from .._kinds import ErrorKind

if TYPE_CHECKING:
    from .._types import Message
    from .rows import Row

__all__ = ["Template", "columns_of"]

#: `{column}`; `{{` and `}}` stand for single braces.
_HOLE = re.compile(r"\{\{|\}\}|\{([^{}\s][^{}]{0,63})\}")


class Template:
    """The fields of a message, in whose texts `{column}` stands for a column of the row.

    Call it with a row to get the message; `make` gets the row and the fields filled in.
    """

    def __init__(
        self,
        make: Callable[[Row, dict[str, Any]], Message],
        values: Mapping[str, Any],
        *,
        message_column: str | None = None,
    ) -> None:
        self._make, self._values = make, dict(values)
        self._message_column = message_column
        #: The columns that the texts name.
        self.columns = columns_of(values)
        if message_column is not None:
            self.columns.add(message_column)

    def __call__(self, row: Row) -> Message:
        """The message of that row. Raises `MessageError` where the row lacks a column."""
        fields = row.fields or {}
        values: dict[str, Any] = _filled(self._values, fields)
        if self._message_column is not None:
            whole = _column(fields, self._message_column)
            if isinstance(whole, str):
                try:
                    whole = json.loads(whole)
                except ValueError as error:
                    raise _refused(f"the column {self._message_column} is not JSON: {error}") from None
            if not isinstance(whole, dict):
                raise _refused(f"the column {self._message_column} holds no JSON object")
            values["message"] = whole
        return self._make(row, values)


def columns_of(value: Any) -> set[str]:
    """The columns that the texts in `value` name."""
    if isinstance(value, str):
        return {name for name in _HOLE.findall(value) if name}
    if isinstance(value, Mapping):
        return set().union(*(columns_of(one) for one in value.values()), *(columns_of(one) for one in value))
    if isinstance(value, (list, tuple)):
        return set().union(*(columns_of(one) for one in value))
    return set()


def has_braces(value: Any) -> bool:
    """Whether filling would change anything: a column, or a doubled brace."""
    if isinstance(value, str):
        return _HOLE.search(value) is not None
    if isinstance(value, Mapping):
        return any(map(has_braces, value.values())) or any(map(has_braces, value))
    return isinstance(value, (list, tuple)) and any(map(has_braces, value))


def _filled(value: Any, fields: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _HOLE.sub(lambda hole: _text(hole, fields), value) if "{" in value or "}}" in value else value
    if isinstance(value, Mapping):
        return {_filled(name, fields): _filled(one, fields) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(one, fields) for one in value]
    return value


def _text(hole: re.Match[str], fields: Mapping[str, Any]) -> str:
    name = hole.group(1)
    if name is None:
        return hole.group()[0]
    value = _column(fields, name)
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _column(fields: Mapping[str, Any], name: str) -> Any:
    if name in fields:
        return fields[name]
    lower = name.lower()
    for one, value in fields.items():
        if one.strip().lower() == lower:
            return value
    raise _refused(f"the row has no column {name}; there are: {', '.join(list(fields)[:20]) or 'none'}")


def _refused(text: str) -> MessageError:
    return MessageError(text, int(ErrorKind.MISSING_FIELD), "MissingField")


def missing(columns: Iterable[str], there: Callable[[str], bool]) -> list[str]:
    """Those of `columns` that are not there."""
    return sorted(name for name in columns if not there(name))

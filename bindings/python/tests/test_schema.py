"""`docs/messages.schema.json` under a validator that knows nothing of pushcore: it takes every message of the
vectors that the core takes, and refuses unknown fields and wrong types as the core does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "docs/messages.schema.json").read_text(encoding="utf-8"))
KINDS = ["adm", "apns", "baidu", "fcm", "web_push"]


def rows(kind: str) -> Iterator[tuple[dict[str, Any], Any]]:
    vectors = json.loads((ROOT / f"tests/vectors/{kind.replace('_', '')}.json").read_text(encoding="utf-8"))
    for section in ("encode", "broadcasts", "invalid"):
        for row in vectors.get(section, []):
            form = next(row[key] for key in ("message", "broadcast", "json") if key in row)
            if isinstance(form, str):
                try:
                    form = json.loads(form)
                except ValueError:
                    continue
            yield row, form


def validator(kind: str) -> Any:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    whole = {"$schema": SCHEMA["$schema"], "$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}
    return jsonschema.Draft202012Validator(whole)


@pytest.mark.parametrize("kind", KINDS)
def test_messages_of_the_vectors_are_valid(kind: str) -> None:
    check = validator(kind)
    good = 0
    for row, form in rows(kind):
        if "error" not in row:
            errors = [error.message[:200] for error in check.iter_errors(form)]
            assert not errors, f"{row['name']}: {errors}"
            good += 1
    assert good >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_schema_can_refuse_is_refused(kind: str) -> None:
    check = validator(kind)
    refused = 0
    for row, form in rows(kind):
        error = row.get("error")
        path = row.get("path") or (error.get("path") if isinstance(error, dict) else None) or ""
        # Python's json takes the last of two equal keys, and a schema calls 1.0 an integer.
        words = ("unknown field", "not a string", "not a number", "not one of", "required")
        if any(word in path for word in words):
            assert not check.is_valid(form), f"{row['name']}: valid to the schema"
            refused += 1
    assert refused >= 2

"""What a host needs beside the jobs of Pushpad's dialect."""

from __future__ import annotations

import pushcore
import pytest
from pushcore.dialect import Selection, TagExpression, pushpad_signature


def test_selections_are_read_once_and_asked_often() -> None:
    selection = Selection({"uids": ["anna", "ben"], "tags": ["paid && !trial", "staff"]})
    assert selection.selects("anna", ["paid"])
    assert not selection.selects("anna", ["paid", "trial"])
    assert not selection.selects(None, ["staff"])
    assert Selection('{"uids": null}').selects(None, [])
    assert not Selection({"uids": []}).selects("anna", [])


def test_tag_expressions() -> None:
    assert TagExpression("!tag1 || tag2 && tag3").matches(["tag1", "tag2", "tag3"])
    assert not TagExpression("!tag1 || tag2 && tag3").matches(("tag1", "tag2"))


@pytest.mark.parametrize("text", ["", "a &", "(" * 500 + "a" + ")" * 500])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(pushcore.MessageError):
        TagExpression(text)
    with pytest.raises(pushcore.MessageError):
        Selection({"tags": [text]})


def test_signatures_are_those_of_pushpads_own_tests() -> None:
    expected = "6627820dab00a1971f2a6d3ff16a5ad8ba4048a02b2d402820afc61aefd0b69f"
    assert pushpad_signature("5374d7dfeffa2eb49965624ba7596a09", "user12345") == expected

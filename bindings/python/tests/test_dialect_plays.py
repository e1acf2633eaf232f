"""tests/dialects/plays.json, which every language plays: requests of original clients to their replies."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pushcore
import pytest
from pushcore.dialect import Dialect, Job, Selection, pushpad_signature, token_digest

PLAYS = json.loads((pathlib.Path(__file__).resolve().parents[3] / "tests/dialects/plays.json").read_text())


def holds(there: Any, expected: Any) -> bool:
    """Whether a value holds every member of the expected one."""
    if isinstance(expected, dict):
        return isinstance(there, dict) and all(
            name in there and holds(there[name], value) for name, value in expected.items()
        )
    return type(there) is type(expected) and there == expected


@pytest.mark.parametrize("play", PLAYS["plays"], ids=lambda play: play["label"])
def test_a_play_ends_in_its_reply(play: dict[str, Any]) -> None:
    request = play["request"]
    headers = [(name, value) for name, value in request["headers"]]
    dialect = Dialect(play["system"], play["options"])
    job = dialect.begin(request["method"], request["target"], headers, request["body"].encode(), now=play["now"])
    assert job.operation == play["operation"]
    for row in play["steps"]:
        assert job.reply is None
        job = Job.from_json(job.to_json())
        step = job.steps[0]
        assert holds(step.data, row["expect"]), (step.data, row["expect"])
        if "to" in row:
            message = step.message_to(json.dumps(row["to"]["target"]))
            assert holds(json.loads(message.payload), row["to"]["payload"])
        if "answer" in row:
            job.answer(step.id, row["answer"])
        elif "response" in row:
            own = step.message
            assert own is not None
            response = pushcore.Response(row["response"]["status"], body=row["response"]["body"].encode())
            job.sent(step.id, own.outcome(response))
        else:
            job.unknown(step.id)
    reply, expected = job.reply, play["reply"]
    assert reply is not None
    assert job.steps == []
    assert reply.status == expected["status"]
    assert dict(reply.headers)["Content-Type"] == expected["content_type"]
    assert len(reply.remember) == expected["remember"]
    assert holds(json.loads(reply.body), expected["body"]), reply.body


def test_digest_signature_and_selections() -> None:
    digest, signed = PLAYS["digest"], PLAYS["signature"]
    assert token_digest(digest["key"]) == digest["sha256"]
    assert pushpad_signature(signed["token"], signed["uid"]) == signed["signature"]
    for row in PLAYS["selections"]:
        selection = Selection(row["filter"])
        for uid, tags in row["selected"]:
            assert selection.selects(uid, tags), (row, uid, tags)
        for uid, tags in row["not"]:
            assert not selection.selects(uid, tags), (row, uid, tags)


def test_an_answer_that_cannot_be_is_refused_and_the_step_waits_on() -> None:
    play = PLAYS["plays"][0]
    request, now = play["request"], play["now"]
    dialect = Dialect("pinpoint")
    job = dialect.begin(request["method"], request["target"], request["headers"], request["body"].encode(), now=now)
    (step,) = job.steps
    with pytest.raises(pushcore.MessageError):
        job.answer(step.id, 7)
    with pytest.raises(pushcore.MisuseError):
        job.answer(step.id + 1, None)
    with pytest.raises(pushcore.MisuseError):
        job.unknown(step.id)
    assert [waiting.id for waiting in job.steps] == [step.id]

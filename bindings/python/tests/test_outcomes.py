"""Outcomes as values: made by hand, compared, copied and pickled."""

import copy
import pickle
from typing import Any

import pushcore
import pytest

TOKEN = "ab" * 32

#: One of each arm with every field that it has.
FULL: list[tuple[type[pushcore.Outcome], dict[str, Any]]] = [
    (
        pushcore.Accepted,
        {
            "status": 200,
            "id": "id",
            "replacement": "next",
            "unique_id": "u",
            "location": "https://push.example/m",
            "receipt": "https://push.example/r",
            "ttl": 1.5,
        },
    ),
    (
        pushcore.TokenGone,
        {"status": 410, "reason": "Unregistered", "body": b"{}", "since": 1454402113.123, "replacement": "next"},
    ),
    (
        pushcore.TokenMismatch,
        {"status": 400, "reason": "BadDeviceToken", "reason_is_known": True, "suspects": ("environment", "payload")},
    ),
    (pushcore.RetryLater, {"status": 429, "reason": "TooManyRequests", "after": 30.0, "scope": "device"}),
    (
        pushcore.FixCredentials,
        {"status": 403, "reason": "InvalidProviderToken", "refreshable": True, "reconnect": True, "clock_skew": -3720},
    ),
    (pushcore.Rejected, {"status": 413, "reason": "PayloadTooLarge", "body": b"x"}),
]


@pytest.mark.parametrize(("kind", "fields"), FULL)
def test_made_by_hand(kind: Any, fields: dict[str, Any]) -> None:
    outcome = kind(**fields)
    assert type(outcome) is kind
    for name, value in fields.items():
        assert getattr(outcome, name) == value
    assert outcome == kind(**fields)
    assert outcome != kind(status=1)
    for again in (pickle.loads(pickle.dumps(outcome)), copy.deepcopy(outcome)):
        assert again == outcome
        assert type(again) is kind
        for name, value in fields.items():
            assert getattr(again, name) == value


@pytest.mark.parametrize(("kind", "fields"), FULL)
def test_what_an_arm_does_not_have_is_refused(kind: Any, fields: dict[str, Any]) -> None:
    for _, others in FULL:
        for name, value in others.items():
            if name not in {*fields, "status", "reason", "reason_is_known", "body"}:
                with pytest.raises(pushcore.MessageError, match=f"has no {name}"):
                    kind(**{name: value})
    with pytest.raises(TypeError, match="no such_thing"):
        kind(such_thing=1)
    with pytest.raises(TypeError):
        kind(410)


def test_bad_words() -> None:
    for bad in (("clock",), "topic"):
        with pytest.raises(pushcore.MessageError):
            pushcore.TokenMismatch(suspects=bad)  # type: ignore[arg-type]
    with pytest.raises(pushcore.MessageError):
        pushcore.RetryLater(scope="world")  # type: ignore[arg-type]
    with pytest.raises(pushcore.MessageError):
        pushcore.Rejected(status=65536)
    with pytest.raises(TypeError):
        pushcore.Outcome()
    assert pushcore.RetryLater().scope == "message"


def test_the_same_as_what_a_service_said() -> None:
    message = pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x")
    body = b'{"reason":"BadDeviceToken"}'
    read = message.outcome(pushcore.Response(400, {}, body))
    made = pushcore.TokenMismatch(
        status=400, reason="BadDeviceToken", reason_is_known=True, body=body, suspects=("environment",)
    )
    assert read == made
    assert hash(read) == hash(made)
    assert repr(read) == repr(made)
    assert pickle.dumps(read) == pickle.dumps(made)


def apns(status: int, reason: str) -> pushcore.Outcome:
    message = pushcore.ApnsMessage(token=TOKEN, topic="a.b", alert="x")
    return message.outcome(pushcore.Response(status, {}, f'{{"reason":"{reason}"}}'.encode()))


@pytest.mark.parametrize(
    ("outcome", "suspect"),
    [
        (apns(400, "BadDeviceToken"), "environment"),
        (apns(400, "DeviceTokenNotForTopic"), "topic"),
    ],
)
def test_a_blamed_token_is_kept(outcome: pushcore.Outcome, suspect: str) -> None:
    assert isinstance(outcome, pushcore.TokenMismatch)
    assert outcome.name == "token_mismatch"
    assert outcome.suspects == (suspect,)
    assert outcome.advice.startswith(f"keep the token; check the {suspect}")

"""The vectors that every language runs: answers, received bodies, endpoints, topics, channels, checksums.

The requests of messages are in test_messages_json.py, devices and notifications in test_notification.py.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pushcore
import pytest

VECTORS = Path(__file__).resolve().parents[3] / "tests/vectors"
FILES = {
    name: json.loads((VECTORS / f"{name}.json").read_text()) for name in ("adm", "apns", "baidu", "fcm", "webpush")
}

#: When the answers come, in the core's own tests.
NOW = {"adm": 784_111_747, "apns": 1_700_000_000, "baidu": 1_500_000_000, "fcm": 784_111_747, "webpush": 784_111_747}
ANY_HOST = pushcore.EndpointPolicy(any_public_host=True)
KEYS = pushcore.ReceiverKeys.generate()
#: What a row leaves out is absent from the outcome.
ABSENT = {"reason": None, "id": None, "after": None, "since": None, "scope": None, "replacement": None}


def message_of(file: str, row: dict[str, Any]) -> Any:
    match file:
        case "adm":
            return pushcore.AdmMessage(registration_id="used", data={"k": "v"})
        case "apns":
            return pushcore.ApnsMessage(token="ab" * 32, topic="com.example.app", alert="hi")
        case "baidu":
            return pushcore.BaiduMessage(channel_id="4000000000000000000", text="x", topic_id="t")
        case "fcm":
            return pushcore.FcmMessage(token="t")
        case _:
            # Answers are read against the subscription: 406 is Microsoft's way to slow down, and nobody else's.
            host = "wns2-par02p.notify.windows.com" if row["name"].startswith("wns") else "push.example.org"
            subscription = pushcore.Subscription(KEYS.subscription_json(f"https://{host}/x"), policy=ANY_HOST)
            return pushcore.WebPushMessage(subscription=subscription, payload="x", policy=ANY_HOST)


def response_of(row: dict[str, Any]) -> pushcore.Response:
    body = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"])
    return pushcore.Response(row["status"], row["headers"], body.encode())


def said(outcome: Any) -> dict[str, Any]:
    """An outcome in the words of the vectors; what its class does not have is absent."""
    more = ("unique_id", "location", "receipt", "ttl", "clock_skew")
    got: dict[str, Any] = {name: getattr(outcome, name, None) for name in (*ABSENT, *more)}
    for name in ("after", "ttl"):
        value = got[name]
        got[name] = int(value.total_seconds()) if hasattr(value, "total_seconds") else value
    since = getattr(outcome, "since", None)
    got["since"] = since if since is None else round(since * 1000)
    return {
        **got,
        "outcome": outcome.name,
        "known": outcome.reason_is_known,
        "suspects": list(getattr(outcome, "suspects", ())),
        "refreshable": getattr(outcome, "refreshable", False),
        "reconnect": getattr(outcome, "reconnect", False),
    }


def in_our_words(expected: dict[str, Any]) -> dict[str, Any]:
    """What a row expects; APNs' rows have other names for some of it."""
    expected = dict(expected)
    for theirs, ours in ("name", "outcome"), ("after_s", "after"), ("since_ms", "since"):
        if theirs in expected:
            expected[ours] = expected.pop(theirs)
    if "unknown_reason" in expected:
        expected["known"] = not expected.pop("unknown_reason")
    return expected


ANSWERS = [(file, row) for file, vectors in FILES.items() for row in vectors["decode"]]


@pytest.mark.parametrize(("file", "row"), ANSWERS, ids=[f"{file} {row['name']}" for file, row in ANSWERS])
def test_answers(file: str, row: dict[str, Any]) -> None:
    outcome = message_of(file, row).outcome(response_of(row), now=NOW[file])
    if "registered_at_ms" in row:
        # Registered in 1970, which a message does not take: the outcome itself tells what such a registration means.
        assert isinstance(outcome, pushcore.TokenGone)
        applies = outcome.applies_to(row["registered_at_ms"] / 1000)
        assert applies == (row["outcome"]["name"] == "token_gone")
        return
    expected = {**ABSENT, **in_our_words(row["outcome"] if file == "apns" else row["expect"])}
    got = said(outcome)
    assert {name: got[name] for name in expected} == expected
    assert outcome.status == row["status"]


def test_every_outcome_is_in_the_vectors() -> None:
    names = {(row.get("outcome") or row["expect"]).get("name") or row["expect"]["outcome"] for _, row in ANSWERS}
    assert names == {"accepted", "token_gone", "token_mismatch", "retry_later", "fix_credentials", "rejected"}


@pytest.mark.parametrize("row", FILES["webpush"]["receive"], ids=lambda row: row["name"])
def test_received_bodies(row: dict[str, Any]) -> None:
    private = base64.urlsafe_b64decode(row["private_key"] + "=" * (-len(row["private_key"]) % 4))
    keys = pushcore.ReceiverKeys.import_keys(private, auth=row["auth"])
    body = base64.urlsafe_b64decode(row["body"] + "=" * (-len(row["body"]) % 4))
    legacy = {name: row[name] for name in ("crypto_key", "encryption") if name in row}
    if "plain" in row:
        assert keys.decrypt(body, **legacy).decode() == row["plain"]
    else:
        with pytest.raises(pushcore.MessageError) as refused:
            keys.decrypt(body, **legacy)
        assert pushcore.ErrorKind(refused.value.kind).name.replace("_", "").lower() == row["error"].lower()


ENDPOINTS = [(kind, url) for kind, urls in FILES["webpush"]["endpoints"].items() for url in urls]


@pytest.mark.parametrize(("kind", "url"), ENDPOINTS)
def test_endpoints(kind: str, url: str) -> None:
    for policy, is_allowed in (pushcore.EndpointPolicy(), kind == "allowed"), (ANY_HOST, kind != "refused"):
        form = {**json.loads(KEYS.subscription_json("https://push.example.org/x")), "endpoint": url}
        try:
            pushcore.Subscription(form, policy=policy)
        except pushcore.PushcoreError:
            assert not is_allowed
        else:
            assert is_allowed


@pytest.mark.parametrize("row", FILES["webpush"]["topics"], ids=lambda row: row["text"])
def test_topics(row: dict[str, Any]) -> None:
    vapid = pushcore.VapidCredentials(pushcore.SigningKey.generate(), subject="mailto:a@example.com")

    def sent(host: str) -> str | None:
        subscription = pushcore.Subscription(KEYS.subscription_json(f"https://{host}/x"))
        message = pushcore.WebPushMessage(subscription=subscription, payload="x", topic=row["text"])
        return dict(message.request(vapid).headers).get("topic")

    if row["ok"]:
        assert sent("fcm.googleapis.com") == row["text"]
        # Apple takes 32 characters of base64url whose length is a whole number of octets, and no others.
        assert sent("web.push.apple.com") == row["apple"]
    else:
        with pytest.raises(pushcore.MessageError):
            sent("fcm.googleapis.com")


@pytest.mark.parametrize("row", FILES["apns"]["channels"], ids=lambda row: json.dumps(row["call"]))
def test_channels(row: dict[str, Any]) -> None:
    key = pushcore.SigningKey.generate().to_pem()
    credentials = pushcore.ApnsCredentials.from_p8(key, key_id="ABC123DEFG", team_id="DEF123GHIJ")
    channels = pushcore.ApnsChannels("com.example.app")
    kind: str
    value: Any
    kind, value = (row["call"], None) if isinstance(row["call"], str) else next(iter(row["call"].items()))
    policies = ["no_storage", "most_recent"]
    calls: dict[str, Any] = {
        "create": lambda: channels.create(storage=policies[value]),
        "read": lambda: channels.read(value),
        "delete": lambda: channels.delete(value),
        "list": channels.list,
    }
    call: Any = calls[kind]()
    request = call.request(credentials, now=NOW["apns"])
    assert (request.method, request.url) == (row["request"]["method"], row["request"]["url"])
    assert bytes(request.body).decode() == row["request"]["body"]
    headers = dict(request.headers)
    assert {name: headers.get(name) for name in row["request"]["headers"]} == row["request"]["headers"]
    for answer in row["answers"]:
        outcome = call.outcome(response_of(answer), now=NOW["apns"])
        match answer["result"]:
            case {"refused": refused}:
                wanted = in_our_words(refused)
                got = said(outcome)
                assert {name: got[name] for name in wanted} == wanted
            case {"created": None} | {"policy": None}:
                # The answer lacks what it is about.
                assert isinstance(outcome, pushcore.Outcome)
            case {"created": channel}:
                assert outcome == channel
            case {"policy": policy}:
                assert outcome == policies[policy]
            case {"channels": ids}:
                assert list(outcome) == ids
            case {"deleted": True}:
                assert isinstance(outcome, pushcore.Accepted)
            case other:
                raise AssertionError(other)


@pytest.mark.parametrize("row", FILES["adm"]["md5"], ids=lambda row: row["md5"])
def test_checksums(row: dict[str, Any]) -> None:
    if not row["data"]:
        # A message without data is refused, so that its checksum is never sent.
        with pytest.raises(pushcore.MessageError):
            pushcore.AdmMessage(registration_id="a", data=row["data"], md5=True)
    else:
        message = pushcore.AdmMessage(registration_id="a", data=row["data"], md5=True)
        assert json.loads(message.payload)["md5"] == row["md5"]

"""Devices, notifications, feedback, retries and Live Activities by the vectors that every language reads."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pushcore
import pytest
from pushcore import Activity, Attempts, Campaign, Device, Feedback, Notification, Retries

ROOT = Path(__file__).resolve().parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "tests/vectors/notification.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((ROOT / "docs/notification.schema.json").read_text(encoding="utf-8"))
NOW = VECTORS["now_ms"] / 1000
BEGAN = 1_764_422_709
TOKEN = "ab" * 32
SUBSCRIPTION = pushcore.ReceiverKeys.generate().subscription_json(
    "https://updates.push.services.mozilla.com/wpush/v2/a"
)
KINDS = dict(pushcore._pushcore.error_kinds())


def named(rows: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(row, id=row.get("name", json.dumps(row)[:60])) for row in rows]


def check_error(error: pushcore.PushcoreError, row: dict[str, Any]) -> None:
    assert error.name == row["error"], error
    if "context" in row:
        assert str(error) == row["context"]


def outcome(row: dict[str, Any]) -> pushcore.Outcome:
    parts = dict(row)
    classes = [
        pushcore.Accepted,
        pushcore.TokenGone,
        pushcore.TokenMismatch,
        pushcore.RetryLater,
        pushcore.FixCredentials,
        pushcore.Rejected,
    ]
    kind = {cls().name: cls for cls in classes}[parts.pop("kind")]
    for name in ("since", "after"):
        if f"{name}_ms" in parts:
            parts[name] = parts.pop(f"{name}_ms") / 1000
    made: pushcore.Outcome = kind(**parts)
    return made


def error(kinds: list[str]) -> pushcore.PushcoreError:
    """An exception as the client makes it, with its causes."""
    made: pushcore.PushcoreError | None = None
    for name in reversed(kinds):
        outer = pushcore.PushcoreError("of a vector", KINDS[name], name)
        outer.__cause__ = made
        made = outer
    assert made is not None
    return made


def result(row: dict[str, Any]) -> pushcore.Outcome | pushcore.PushcoreError:
    return outcome(row["outcome"]) if "outcome" in row else error(row["error"])


@pytest.mark.parametrize("row", named(VECTORS["devices"]))
def test_devices(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(pushcore.PushcoreError) as caught:
            Device.from_json(row["json"])
        check_error(caught.value, row)
        return
    device = Device.from_json(row["json"])
    assert json.loads(device.to_json()) == row.get("back", row["json"])
    assert Device.from_json(json.dumps(row["json"])) == device
    assert device.token not in repr(device)


def test_a_device_by_keywords() -> None:
    device = Device(
        "apns",
        bytes.fromhex(TOKEN),
        app="com.example.app",
        environment="sandbox",
        platform="apple",
        registered_at=datetime.datetime.fromtimestamp(BEGAN, datetime.timezone.utc),
        key="user-7",
    )
    assert (device.service, device.token, device.app) == ("apns", TOKEN, "com.example.app")
    assert (device.environment, device.platform) == ("sandbox", "apple")
    assert (device.registered_at, device.key) == (BEGAN, "user-7")
    assert Device("fcm", {"fid": "c1xYz_-09"}).token == '{"fid":"c1xYz_-09"}'
    with pytest.raises(pushcore.MessageError, match="has the form of a token of apns, not of fcm"):
        Device("fcm", TOKEN)
    with pytest.raises(TypeError, match="a token as str"):
        Device("fcm", b"t")
    with pytest.raises(TypeError, match='unexpected keyword argument "topic"'):
        Device("apns", TOKEN, topic="x")  # type: ignore[call-arg]


def test_devices_of_web_push() -> None:
    policy = pushcore.EndpointPolicy(hosts=["push.example.com"])
    own = SUBSCRIPTION.replace("updates.push.services.mozilla.com", "push.example.com")
    with pytest.raises(pushcore.MessageError, match="subscription"):
        Device("web_push", own)
    device = Device("web_push", own, policy=policy)
    assert Device.from_json(device.to_json(), policy=policy) == device
    assert Device("web_push", json.loads(own), policy=policy) == device
    assert Device("web_push", pushcore.Subscription(own, policy=policy)) == device
    assert pickle.loads(pickle.dumps(device)) == device
    message, _ = Notification(title="x").message(device)
    assert isinstance(message, pushcore.WebPushMessage)


def test_a_replacement_makes_the_next_device() -> None:
    device = Device("adm", "amzn1.adm-registration.v3.a", app="shop", key="7")
    told = pushcore.feedback(pushcore.Accepted(replacement="amzn1.adm-registration.v3.b"), device)
    assert told.replacement is not None
    following = device.with_token(told.replacement, now=NOW)
    assert (following.token, following.app, following.key) == ("amzn1.adm-registration.v3.b", "shop", "7")
    assert following.registered_at == NOW


@pytest.mark.parametrize("row", named(VECTORS["feedback"]))
def test_feedback(row: dict[str, Any]) -> None:
    told = pushcore.feedback(result(row), Device.from_json(row["device"]), now=NOW)
    expected = dict(row["feedback"])
    match told:
        case Feedback(action):
            assert action == expected.pop("action")
    assert list(told.suspects) == expected.pop("suspects", [])
    until = expected.pop("until_ms", None)
    assert told.until == (None if until is None else until / 1000)
    for name in ("replacement", "scope", "cause", "clock_skew"):
        assert getattr(told, name) == expected.pop(name, None)
    assert not expected
    assert "registration" not in repr(told)
    again = pickle.loads(pickle.dumps(told))
    assert (again, hash(again), again.until) == (told, hash(told), told.until)


def test_feedback_by_hand() -> None:
    assert Feedback("wait", scope="project", until=NOW).until == NOW
    made = Feedback("check_configuration", cause="suspects", suspects=["topic", "key"])
    assert (made.cause, made.suspects) == ("suspects", ("topic", "key"))
    assert Feedback("check_configuration", cause="clock", clock_skew=-5).clock_skew == -5
    assert Feedback("replace", replacement="x") != Feedback("replace", replacement="y")
    for wrong in ({"action": "replace"}, {"action": "keep", "scope": "device"}, {"action": "wait", "scope": "all"}):
        with pytest.raises(pushcore.MessageError):
            Feedback(**wrong)  # type: ignore[arg-type]


def test_only_results_have_feedback() -> None:
    device = Device("apns", TOKEN)
    with pytest.raises(TypeError, match="an Outcome or a PushcoreError"):
        pushcore.feedback(ValueError("x"), device)  # type: ignore[arg-type]


@pytest.mark.parametrize("row", named(VECTORS["notifications"]))
def test_notifications_are_refused(row: dict[str, Any]) -> None:
    with pytest.raises(pushcore.PushcoreError) as caught:
        Notification.from_json(row["json"])
    check_error(caught.value, row)


def unfolded(value: Any) -> Any:
    """Payloads as values: the order of their keys is not the point here."""
    if not isinstance(value, dict):
        return value
    made = {}
    for key, member in value.items():
        if key in ("raw", "msg", "payload", "notification") and isinstance(member, str):
            made[key] = json.loads(member)
        else:
            made[key] = unfolded(member)
    return made


@pytest.mark.parametrize("row", named(VECTORS["messages"]))
def test_messages(row: dict[str, Any]) -> None:
    notification, device = Notification.from_json(row["notification"]), Device.from_json(row["device"])
    assert json.loads(notification.to_json()) == row["notification"]
    campaign = Campaign(notification)
    if "error" in row:
        for call in (notification.message, campaign.message, campaign.losses):
            with pytest.raises(pushcore.PushcoreError) as caught:
                call(device, now=NOW)
            check_error(caught.value, row)
        return
    message, losses = notification.message(device, now=NOW)
    assert unfolded(json.loads(message.to_json())) == row["message"]
    assert {f"{loss.field} {loss.platform or 'all'} {loss.kind}" for loss in losses} == set(row["losses"])
    assert all(loss.reason and loss.reason in repr(loss) for loss in losses)
    assert campaign.message(device, now=NOW) == message
    assert campaign.losses(device, now=NOW) == losses


def test_a_notification_by_keywords() -> None:
    by_keywords = Notification(
        title=pushcore.Localized("T", "Ada"),
        subtitle={"key": "S", "text": "Chat"},
        body="See you at six",
        image="https://img.example/a.png",
        icon="ic_chat",
        url="https://chat.example/7",
        buttons=[{"id": "yes", "title": "Yes"}],
        badge=3,
        sound="default",
        thread="chat-7",
        category="CHAT",
        channel="messages",
        urgency="high",
        ttl=datetime.timedelta(hours=1),
        collapse_key="chat-7",
        data={"id": "7"},
        shorten=True,
        overrides={"apns": {"priority": 5}},
    )
    assert json.loads(by_keywords.to_json()) == {
        "title": {"key": "T", "args": ["Ada"]},
        "subtitle": {"key": "S", "text": "Chat"},
        "body": "See you at six",
        "image": "https://img.example/a.png",
        "icon": "ic_chat",
        "action": {"url": "https://chat.example/7"},
        "buttons": [{"id": "yes", "title": "Yes"}],
        "badge": 3,
        "sound": "default",
        "thread": "chat-7",
        "category": "CHAT",
        "channel": "messages",
        "urgency": "high",
        "ttl": 3600,
        "collapse_key": "chat-7",
        "data": {"id": "7"},
        "shorten": True,
        "overrides": {"apns": {"priority": 5}},
    }
    silent = Notification(silent=True, data={"id": "7"})
    assert json.loads(silent.to_json()) == {"silent": True, "data": {"id": "7"}}
    assert json.loads(Notification(title="x", deep_link="app://7").to_json())["action"] == {"deep_link": "app://7"}
    with pytest.raises(pushcore.MessageError, match="not exactly one of url and deep_link"):
        Notification(title="x", url="https://a.example", deep_link="app://7")


@pytest.mark.parametrize("row", named(VECTORS["retries"]))
def test_retries(row: dict[str, Any]) -> None:
    policy = Retries.from_json(row["policy"])
    assert Retries.from_json(policy.to_json()) == policy
    attempts = Attempts(seed=7, now=BEGAN)
    for number, step in enumerate(row["steps"]):
        attempts.start()
        attempts = Attempts.from_json(attempts.to_json())
        now = BEGAN + step["at_ms"] / 1000
        decided = policy.next(attempts, result(step["result"]), now=now)
        assert attempts.made == number + 1
        if isinstance(step["expect"], str):
            assert (bool(decided), decided.stop) == (False, step["expect"])
            assert (decided.at, decided.after, decided.scope, attempts.next_at) == (None,) * 4
            continue
        least, most = step["expect"]["again"]
        assert decided
        assert decided.stop is None
        assert decided.after is not None
        assert decided.at is not None
        assert least <= decided.after * 1000 <= most
        assert decided.scope == step["expect"]["scope"]
        assert decided.at == attempts.next_at == pytest.approx(now + decided.after, abs=0.002)


def test_policies_by_keywords() -> None:
    policy = Retries(
        attempts=3, total=60, first_wait=datetime.timedelta(seconds=2), longest_wait=9, resend_unknown=True
    )
    assert (policy.attempts, policy.total, policy.resend_unknown) == (3, 60, True)
    assert json.loads(policy.to_json()) == {
        "attempts": 3,
        "total_ms": 60_000,
        "first_wait_ms": 2000,
        "longest_wait_ms": 9000,
        "resend_unknown": True,
    }
    assert Retries() == Retries.standard() != Retries.none()
    with pytest.raises(pushcore.MessageError, match="1 to 1000"):
        Retries(attempts=0)


def test_the_id_and_the_lost_attempt() -> None:
    uuid = "123e4567-e89b-12d3-a456-426655440000"
    attempts = Attempts(id=uuid, now=BEGAN)
    assert (attempts.id, attempts.began, attempts.made, attempts.lost()) == (uuid, BEGAN, 0, None)
    attempts.start()
    lost = Attempts.from_json(attempts.to_json()).lost()
    assert isinstance(lost, pushcore.Unknown)
    assert Retries.standard().next(attempts, lost).stop == "in_doubt"
    message = pushcore.ApnsMessage(token=TOKEN, topic="com.example.app", alert="x")
    sent = attempts.stable(message)
    assert json.loads(sent.to_json())["id"] == uuid
    assert sent != message


@pytest.mark.parametrize("row", named(VECTORS["activities"]))
def test_activities(row: dict[str, Any]) -> None:
    if "channel" in row:
        storage: Any = ["no_storage", "most_recent"][row["storage_policy"]]
        activity = Activity(row["bundle"], channel=row["channel"], storage=storage)
    else:
        activity = Activity(row["bundle"], token=row.get("running"))
    for step in row["steps"]:
        before = activity.to_json()
        activity = Activity.from_json(before)
        at, change = step["at"], step.get("change", {})
        calls: dict[str, Callable[[], Any]] = {
            "start": lambda: activity.start(step["token"], **step["start"], **change, now=at),  # noqa: B023
            "update": lambda: activity.update(**change, now=at),  # noqa: B023
            "end": lambda: activity.end(**change, now=at),  # noqa: B023
            "token": lambda: activity.token_received(step["token"]),  # noqa: B023
            "answer": lambda: activity.answered(outcome({"kind": step["outcome"]}), now=at),  # noqa: B023
        }
        if "error" in step:
            with pytest.raises(pushcore.PushcoreError) as caught:
                calls[step["do"]]()
            if step["error"] != "*":
                check_error(caught.value, step)
            assert activity.to_json() == before
            continue
        message = calls[step["do"]]()
        assert activity.phase == step["phase"], step
        if "body" in step:
            assert json.loads(message.payload) == step["body"]
            assert activity.timestamp == step["body"]["aps"]["timestamp"]
            form = json.loads(message.to_json())
            for member, field in [
                ("to", "device"),
                ("channel", "channel"),
                ("topic", "topic"),
                ("priority", "priority"),
            ]:
                if member in step:
                    assert form[field] == step[member]
        if "stale" in step:
            assert activity.is_stale(now=at) is step["stale"]
        if step["do"] == "token":
            assert activity.token == step["token"]


def test_activities_by_keywords() -> None:
    running = Activity("com.example.app", token=TOKEN, started_at=BEGAN)
    with pytest.raises(pushcore.MisuseError, match="eight hours"):
        running.update(content_state={}, now=BEGAN + 8 * 3600)
    message = running.update(
        content_state={"gate": "B1"},
        alert="Boarding",
        sound="bell.caf",
        stale_date=BEGAN + 60,
        relevance_score=2.5,
        priority=5,
        timestamp=BEGAN + 1,
        now=BEGAN + 2,
    )
    assert json.loads(message.payload)["aps"]["stale-date"] == BEGAN + 60
    assert running.is_stale(now=BEGAN + 60)
    message = running.end(dismissal_date=BEGAN, now=BEGAN + 3)
    assert json.loads(message.payload)["aps"]["dismissal-date"] == BEGAN
    fresh = Activity("com.example.app")
    message = fresh.start(
        TOKEN, attributes_type="Trip", attributes={"flight": "LH 454"}, content_state={"gate": "A13"}, alert="Boarding"
    )
    assert json.loads(message.payload)["aps"]["attributes-type"] == "Trip"
    with pytest.raises(pushcore.MessageError, match="go together"):
        Activity("com.example.app", channel="dHN0LXNyY2gtY2hubA==")
    with pytest.raises(TypeError, match='unexpected keyword argument "state"'):
        fresh.update(state={})  # type: ignore[call-arg]


VALUES: list[Any] = [
    Device("apns", TOKEN, app="com.example.app", key="7"),
    Device("web_push", SUBSCRIPTION),
    Notification(title="x", data={"a": "b"}),
    Retries(attempts=2),
    Feedback("wait", scope="device"),
]
STATES: list[Any] = [Attempts(id="123e4567-e89b-12d3-a456-426655440000"), Activity("com.example.app")]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_travel_and_compare(value: Any) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert hash(again) == hash(value)
    assert again != "something else"
    assert copy.copy(value) is value
    assert copy.deepcopy([value])[0] is value


@pytest.mark.parametrize("value", STATES, ids=repr)
def test_states_travel(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)).to_json() == value.to_json()
    changed = copy.copy(value)
    assert changed is not value


SECTIONS = {
    "device": [row["json"] for row in VECTORS["devices"] if "error" not in row],
    "notification": [row["notification"] for row in VECTORS["messages"]],
    "retries": [row["policy"] for row in VECTORS["retries"]],
    "attempts": [json.loads(Attempts(now=BEGAN).to_json())],
    "activity": [json.loads(Activity("com.example.app").to_json())],
    "start": [step["start"] for row in VECTORS["activities"] for step in row["steps"] if "start" in step],
    "change": [
        step["change"]
        for row in VECTORS["activities"]
        for step in row["steps"]
        if "change" in step and "error" not in step
    ],
}


@pytest.mark.parametrize("kind", SECTIONS)
def test_the_schema_takes_what_the_core_takes(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    whole = {"$schema": SCHEMA["$schema"], "$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}
    check = jsonschema.Draft202012Validator(whole)
    assert SECTIONS[kind]
    for value in SECTIONS[kind]:
        assert not [error.message[:200] for error in check.iter_errors(value)], value
        assert not check.is_valid({**value, "titel": "x"})


def test_the_schema_refuses_unknown_fields_and_words() -> None:
    words = ("unknown field", "required", "not a string", "not an object")
    for section, kind in [("devices", "device"), ("notifications", "notification")]:
        whole = {"$schema": SCHEMA["$schema"], "$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}
        check = jsonschema.Draft202012Validator(whole)
        refused = 0
        for row in VECTORS[section]:
            # Which of two members is required depends on the service, which a schema of one object does not say.
            depends = row.get("context", "").endswith(("token: required", "subscription: required"))
            if any(word in row.get("context", "") for word in words) and not depends:
                assert not check.is_valid(row["json"]), row
                refused += 1
        assert refused >= 2


def test_the_words_of_the_stub_are_the_cores() -> None:
    """`Literal`s of the stub, beside what the vectors hold."""
    stub = (ROOT / "bindings/python/python/pushcore/_pushcore.pyi").read_text(encoding="utf-8")
    for row in VECTORS["feedback"]:
        assert f'"{row["feedback"]["action"]}"' in stub
        assert f'"{row["feedback"].get("cause", "suspects")}"' in stub
    for row in VECTORS["retries"]:
        for step in row["steps"]:
            if isinstance(step["expect"], str):
                assert f'"{step["expect"]}"' in stub


def test_the_python_of_the_page_runs() -> None:
    page = (ROOT / "docs/notification.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("```python\n")
    code, _, _ = rest.partition("```")
    assert "pushcore.feedback" in code

    class Table(list[Device]):
        def delete(self, key: str | None) -> None:
            self.deleted = key

        def store(self, device: Device) -> None:
            self.stored = device

    class Client:
        def send(self, message: pushcore.BaseMessage[Any]) -> pushcore.Outcome:
            answers: dict[str, pushcore.Outcome] = {
                "apns": pushcore.TokenGone(status=410),
                "fcm": pushcore.RetryLater(status=503, after=60),
                "adm": pushcore.Accepted(replacement="amzn1.adm-registration.v3.b"),
            }
            return answers[message.service]

    table = Table(
        [
            Device("apns", TOKEN, app="com.example.app", key="a"),
            Device("fcm", "t", key="b"),
            Device("adm", "amzn1.adm-registration.v3.a", key="c"),
        ]
    )
    later: list[tuple[float, str, str]] = []
    clients = dict.fromkeys(("apns", "fcm", "adm"), Client())
    exec(code, {"pushcore": pushcore, "devices": table, "clients": clients, "later": later})
    assert table.deleted == "a"
    assert (table.stored.key, table.stored.token) == ("c", "amzn1.adm-registration.v3.b")
    [(at, device, attempts)] = later
    assert Device.from_json(device).key == "b"
    assert Attempts.from_json(attempts).next_at == at

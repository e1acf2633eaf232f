from __future__ import annotations

import pathlib

import pytest
from database import Database
from store import Store


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: pathlib.Path, clock: Clock) -> Store:
    return Store(Database(tmp_path / "hug.db"), clock=clock)


def test_one_user_has_many_devices_of_any_service(store: Store) -> None:
    store.register("pinpoint", "app", "e1", service="apns", environment="sandbox", target="ab", who="anna")
    store.register("pinpoint", "app", "e2", service="fcm", target="tok", who="anna", tags=["x"], fields={"a": 1})
    store.register("pinpoint", "app", "e3", service="adm", target="amzn", who="ben")
    store.register("pinpoint", "other", "e4", service="adm", target="amzn", who="anna")
    found = store.devices("pinpoint", "app", who="anna")
    assert [(one["key"], one["service"], one["target"]) for one in found] == [
        ("e1", "apns", "ab"),
        ("e2", "fcm", "tok"),
    ]
    assert (found[1]["tags"], found[1]["fields"]) == (["x"], {"a": 1})
    assert len(store.devices("pinpoint", "app")) == 3


def test_registering_again_replaces(store: Store) -> None:
    first = store.register("ionic", "app", "k", service="apns", target="ab", who="anna")
    assert store.register("ionic", "app", "k", service="fcm", target="cd") == first
    (one,) = store.devices("ionic", "app")
    assert (one["service"], one["target"], one["who"]) == ("fcm", "cd", None)


def test_a_dead_token_is_dead_in_every_system_until_its_app_speaks_again(store: Store, clock: Clock) -> None:
    for system in ("pinpoint", "ionic"):
        store.register(system, "app", "k", service="apns", target="ab")
    store.register("ionic", "app", "other", service="fcm", target="ab")
    clock.now += 10
    assert store.is_dead("apns", "ab", "Unregistered") == 2
    assert store.is_dead("apns", "ab", "Unregistered") == 0
    assert store.devices("pinpoint", "app") == []
    assert [(one["system"], one["reason"]) for one in store.dead()] == [
        ("pinpoint", "Unregistered"),
        ("ionic", "Unregistered"),
    ]
    assert store.device("ionic", "app", "k") is None
    store.register("ionic", "app", "k", service="apns", target="ab")
    assert store.device("ionic", "app", "k") is not None


def test_a_registration_younger_than_the_death_is_kept(store: Store, clock: Clock) -> None:
    store.register("ionic", "app", "old", service="apns", target="ab")
    clock.now += 10
    store.register("ionic", "app", "new", service="apns", target="ab")
    assert store.is_dead("apns", "ab", "Unregistered", since=1005.0) == 1
    assert [one["key"] for one in store.devices("ionic", "app")] == ["new"]


def test_a_token_with_a_successor(store: Store) -> None:
    store.register("pinpoint", "app", "k", service="adm", target="old")
    assert store.replace("adm", "old", "new") == 1
    found = store.by_target("new")
    assert found is not None
    assert found["key"] == "k"
    assert store.by_target("old") is None


def test_keys_are_kept_as_hashes_unless_they_sign(store: Store) -> None:
    store.add_key("cozie", "an api key", "app")
    store.add_key("pushpad", "a token", "7", keep=True)
    found = store.account_of_key("cozie", "an api key")
    assert found is not None
    assert "an api key" not in found.values()
    # printf 'an api key' | sha256sum
    assert found["name"] == "b2f195328e6c7592bcd3830bd4006acdb72c0138e75226d45be3f24964beb2a7"
    assert store.account_of_key("pushpad", "a token")["secret"] == "a token"  # type: ignore[index]
    assert store.account_of_key("pushpad", "an api key") is None
    assert store.account_of_key("cozie", "another") is None


def test_objects_and_numbers(store: Store) -> None:
    assert [store.number("project") for _ in range(3)] == [1, 2, 3]
    assert store.take("pinpoint", "reply", "app", "id", {"state": "open"}) is None
    assert store.take("pinpoint", "reply", "app", "id", {"state": "open"}) == {"state": "open"}
    store.put("pinpoint", "reply", "app", "id", {"state": "done"})
    assert store.get("pinpoint", "reply", "app", "id") == {"state": "done"}
    assert store.items("pinpoint", "reply", "app") == [("id", {"state": "done"})]
    assert store.drop("pinpoint", "reply", "app", "id")
    assert not store.drop("pinpoint", "reply", "app", "id")
    assert store.get("pinpoint", "reply", "app", "id") is None


def test_counters_add_up(store: Store) -> None:
    store.count("sends", {"b": "2", "a": "1"})
    store.count("sends", {"a": "1", "b": "2"}, 2)
    assert store.counters() == [("sends", {"a": "1", "b": "2"}, 3.0)]


def test_claims_are_all_or_none_and_end(store: Store, clock: Clock) -> None:
    assert store.claim(["a", "b"], 60) is None
    assert store.claim(["c", "b"], 60) == {"under_way": True}
    # c was not claimed with b.
    assert store.claim(["c"], 60) is None
    store.remember(["a", "b"], {"status": 200}, 60)
    assert store.claim(["b"], 60) == {"reply": {"status": 200}}
    clock.now += 61
    assert store.claim(["a", "b"], 60) is None

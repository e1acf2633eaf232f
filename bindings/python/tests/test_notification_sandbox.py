"""The sandbox, which was written from the services' documents, takes what notifications become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pushcore
import pytest
from pushcore import Attempts, Campaign, Device, Notification, Retries
from pushcore.testing import Sandbox

ROOT = Path(__file__).resolve().parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "tests/vectors/notification.json").read_text(encoding="utf-8"))
ROWS = [pytest.param(row, id=row["name"]) for row in VECTORS["messages"] if "error" not in row]


def client(sandbox: Sandbox, service: str) -> pushcore.Client:
    made: pushcore.Client = getattr(sandbox, service)(pushcore.Client)
    return made


def device(sandbox: Sandbox, row: dict[str, Any]) -> Device:
    """A device of the row's kind that the sandbox knows."""
    like = row["device"]
    [target] = sandbox.targets(like["service"])
    options: dict[str, Any] = {name: like[name] for name in ("platform", "key") if name in like}
    if like["service"] == "apns":
        options["app"] = sandbox.ready["apns"]["topic"]
    if like["service"] == "web_push":
        options["policy"] = sandbox.policy()
    if like["service"] == "baidu" and "environment" in like:
        options["environment"] = like["environment"]
    return Device(like["service"], target, **options)


@pytest.mark.parametrize("row", ROWS)
def test_the_sandbox_takes_every_message(sandbox: Sandbox, row: dict[str, Any]) -> None:
    to = device(sandbox, row)
    message = Campaign(Notification.from_json(row["notification"])).message(to)
    with client(sandbox, to.service) as sender:
        result = sender.send(message)
    assert result.name == "accepted", (result.reason, result.detail, result.body)
    told = pushcore.feedback(result, to)
    assert told.action == "keep"
    assert not Retries.standard().next(Attempts(), result)


def test_every_device_of_every_user(sandbox: Sandbox) -> None:
    """The rows of a table: the dead are deleted, the rest stays."""
    notification = Notification(title="Ada wrote", body="See you at six", url="https://chat.example/7", ttl=3600)
    campaign = Campaign(notification)
    devices: dict[str, Device] = {}
    dead: set[str] = set()
    for service in ("apns", "fcm", "adm", "web_push"):
        targets = sandbox.targets(service, 3, dead=2)
        for number, target in enumerate(targets):
            key = f"{service}-{number}"
            app = sandbox.ready["apns"]["topic"] if service == "apns" else None
            devices[key] = Device(service, target, app=app, key=key, policy=sandbox.policy())
            if number >= 3:
                dead.add(key)
    deleted = set()
    clients = {service: client(sandbox, service) for service in ("apns", "fcm", "adm", "web_push")}
    for key, one in devices.items():
        result = clients[one.service].send(campaign.message(one))
        told = pushcore.feedback(result, one)
        if told.action == "delete":
            deleted.add(key)
        else:
            assert told.action == "keep", (key, told)
    for sender in clients.values():
        sender.close()
    assert deleted == dead


def test_a_shortened_text_fits_what_the_service_counts(sandbox: Sandbox) -> None:
    """The sandbox counts by itself: the longest that we let through, it takes."""
    notification = Notification(title="Ada wrote", body="👨‍👩‍👧‍👦 " * 2000, shorten=True)
    for service in ("apns", "fcm", "web_push", "adm", "baidu"):
        [target] = sandbox.targets(service)
        app = sandbox.ready["apns"]["topic"] if service == "apns" else None
        to = Device(service, target, app=app, policy=sandbox.policy())
        message, losses = notification.message(to)
        assert ("body", "shortened") in {(loss.field, loss.kind) for loss in losses}
        with client(sandbox, service) as sender:
            result = sender.send(message)
        assert result.name == "accepted", (service, result.reason, result.detail)

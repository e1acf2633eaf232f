"""Clients out of a configuration: a file of JSON that names credentials, and the senders in the store."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pushcore
from database import Database
from sending import Clients
from store import Store


def read(path: str | os.PathLike[str] | None) -> dict[str, Any]:
    """The configuration of that file; an empty one without a file."""
    return {} if path is None else json.loads(pathlib.Path(path).read_text())  # type: ignore[no-any-return]


def of_sandbox(ready: dict[str, Any]) -> dict[str, Any]:
    """The configuration that leads to a running sandbox; `ready` is what the sandbox says when it listens."""
    ca = ready["ca_file"]
    apns, fcm, web_push, adm, baidu = (ready[name] for name in ("apns", "fcm", "webpush", "adm", "baidu"))
    return {
        "apns": {
            "p8": apns["p8_file"],
            "key_id": apns["key_id"],
            "team_id": apns["team_id"],
            "topic": apns["topic"],
            "host": apns["authority"],
            "ca": ca,
        },
        "fcm": {
            "service_account": fcm["service_account_file"],
            "token_host": fcm["authority"],
            "host": fcm["authority"],
            "ca": ca,
        },
        "web_push": {
            "trusted": [web_push["authority"]],
            "subject": web_push["vapid"]["subject"],
            "pem": web_push["vapid"]["pem_file"],
            "ca": ca,
        },
        "adm": {
            "client_id": adm["client_id"],
            "client_secret": adm["client_secret"],
            "token_host": adm["authority"],
            "host": adm["authority"],
            "ca": ca,
        },
        "baidu": {
            "api_key": baidu["api_key"],
            "secret_key": baidu["secret_key"],
            "host": baidu["authority"],
            "ca": ca,
        },
    }


def policy(configuration: dict[str, Any]) -> pushcore.EndpointPolicy:
    """Where Web Push subscriptions may lead."""
    trusted = configuration.get("web_push", {}).get("trusted", [])
    return pushcore.EndpointPolicy(trusted=trusted) if trusted else pushcore.EndpointPolicy()


def clients(configuration: dict[str, Any], database: Database) -> Clients:
    """The clients of one worker: call it after the fork."""
    store = Store(database)

    def make(service: str, environment: str) -> pushcore.Client:
        if service not in configuration:
            raise LookupError(f"{service} is not configured")
        told = configuration[service]
        options = {name: told[name] for name in ("host", "ca", "connections", "proxy") if told.get(name) is not None}
        if service == "apns":
            credentials = pushcore.ApnsCredentials.from_p8(
                pathlib.Path(told["p8"]), key_id=told["key_id"], team_id=told["team_id"]
            )
            return pushcore.Client.apns(credentials, environment=environment or None, **options)
        if service == "fcm":
            account = pathlib.Path(told["service_account"])
            there = {"token_host": told["token_host"]} if "token_host" in told else {}
            return pushcore.Client.fcm(pushcore.FcmCredentials.from_service_account(account, **there), **options)
        if service == "adm":
            there = {"token_host": told["token_host"]} if "token_host" in told else {}
            return pushcore.Client.adm(
                pushcore.AdmCredentials(told["client_id"], told["client_secret"], **there), **options
            )
        if service == "baidu":
            return pushcore.Client.baidu(pushcore.BaiduCredentials(told["api_key"], told["secret_key"]), **options)
        # A Web Push client signs with one VAPID key: that of the sender, whose number is the environment.
        key = store.sender_key(environment) or told.get("pem")
        if key is None:
            raise LookupError(f"no VAPID key for the sender {environment or '(none)'}")
        vapid = pushcore.VapidCredentials(
            key if "PRIVATE KEY" in key else pathlib.Path(key),
            subject=told["subject"],
            any_subject=bool(told.get("trusted")),
        )
        return pushcore.Client.web_push(vapid, policy=policy(configuration), **options)

    return Clients(make, policy(configuration))

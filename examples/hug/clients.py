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
    return {} if path is None else json.loads(pathlib.Path(path).read_text())


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
        environment, _, own = environment.partition("@")
        told = configuration.get(service, {})
        if own:
            # Credentials that an app brought itself (Pinpoint's channels), under the app and the channel's name.
            app, name, _ = own.split("@")
            told = {**told, **_of_channel(store.get("pinpoint", "channels", app, name) or {})}
        if not told:
            raise LookupError(f"{service} is not configured")
        options = {name: told[name] for name in ("host", "ca", "connections", "proxy") if told.get(name) is not None}
        there = {"token_host": told["token_host"]} if "token_host" in told else {}
        if service == "apns":
            if "certificate" in told:
                apns = pushcore.ApnsCredentials.from_certificate(told["certificate"], told.get("private_key"))
            else:
                apns = pushcore.ApnsCredentials.from_p8(
                    _file(told["p8"]), key_id=told["key_id"], team_id=told["team_id"]
                )
            return pushcore.Client.apns(apns, environment=environment or None, **options)
        if service == "fcm":
            account = _file(told["service_account"])
            return pushcore.Client.fcm(pushcore.FcmCredentials.from_service_account(account, **there), **options)
        if service == "adm":
            adm = pushcore.AdmCredentials(told["client_id"], told["client_secret"], **there)
            return pushcore.Client.adm(adm, **options)
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


def _file(value: str | bytes) -> pathlib.Path | bytes:
    """A file that the configuration names, or what an app brought itself."""
    return value if isinstance(value, bytes) else pathlib.Path(value)


def _of_channel(record: dict[str, Any]) -> dict[str, Any]:
    """The credentials of a channel of Pinpoint's, in the words of the configuration."""
    secret = record.get("secret", {})
    names = {
        "p8": secret.get("TokenKey", "").encode() or None,
        "key_id": record.get("TokenKeyId"),
        "team_id": record.get("TeamId"),
        "certificate": secret.get("Certificate", "").encode() or None,
        "private_key": secret.get("PrivateKey", "").encode() or None,
        "service_account": secret.get("ServiceJson", "").encode() or None,
        "client_id": record.get("ClientId"),
        "client_secret": secret.get("ClientSecret"),
        "api_key": record.get("ApiKey"),
        "secret_key": secret.get("SecretKey"),
    }
    return {name: value for name, value in names.items() if value is not None}

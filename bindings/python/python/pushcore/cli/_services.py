"""What the command knows of each service: its options, its credentials, its messages."""

from __future__ import annotations

import json
import os
import pathlib
import urllib.request
from collections.abc import Mapping
from typing import Any

import click

from .._client import Client
from .._pushcore import (
    AdmCredentials,
    AdmMessage,
    ApnsCredentials,
    ApnsMessage,
    BaiduCredentials,
    BaiduMessage,
    EndpointPolicy,
    FcmCredentials,
    FcmMessage,
    VapidCredentials,
    WebPushMessage,
)
from . import _profile
from ._grammar import CREDENTIAL, FILE, FILE_OR_TEXT, option

SERVICES = ("apns", "fcm", "webpush", "adm", "baidu")

#: Each service's name for people, its credentials, a target, and a message.
EXAMPLES = {
    "apns": ("Apple", "--key AuthKey.p8 --key-id ABC123DEFG --team-id DEF123GHIJ --topic com.example.app",
             "--token HEX", "--title Hello --body World"),
    "fcm": ("Firebase", "--credentials service-account.json", "--token TOKEN", "--title Hello --body World"),
    "webpush": ("Web Push", "--key vapid.pem --subject mailto:you@example.com", "--subscription @s.json",
                "--payload Hello"),
    "adm": ("Amazon", "--client-id ID --client-secret SECRET", "--token ID", "--data title=Hello"),
    "baidu": ("Baidu", "--api-key KEY --secret-key KEY", "--token ID", "--text Hello"),
}  # fmt: skip


def connection_options(service: str) -> list[click.Parameter]:
    """How to get there."""
    made: list[click.Parameter] = [
        option("--ca", type=FILE, metavar="FILE", help="PEM certificates to trust as well", section="Connection"),
        option("--proxy", metavar="URL", section="Connection",
               help="http://host:port or socks5://host:port (default: HTTPS_PROXY, NO_PROXY)"),
        option("--deadline", type=float, metavar="S", section="Connection",
               help="seconds for each message (default 60)"),
    ]  # fmt: skip
    if service == "webpush":
        made.append(option("--trust", multiple=True, metavar="HOST:PORT", section="Connection",
                           help="an endpoint to talk to whatever it is (a sandbox)"))  # fmt: skip
        made.append(option("--any-public-host", is_flag=True, section="Connection",
                           help="allow any public push service"))  # fmt: skip
    else:
        made.append(option("--host", metavar="HOST:PORT", section="Connection",
                           help="in place of the service's own host"))  # fmt: skip
    if service == "apns":
        made.append(option("--environment", choices=["production", "sandbox"], section="Connection",
                           envvar="PUSHCORE_APNS_ENVIRONMENT",
                           help="where the tokens belong (default: production)"))  # fmt: skip
    return made


def credential_options(service: str) -> list[click.Parameter]:
    """Who sends. Each may stand in a profile, or in the environment."""

    def one(name: str, text: str, *more: str, **how: Any) -> click.Parameter:
        variable = f"PUSHCORE_{service.upper()}_{name.strip('-').replace('-', '_').upper()}"
        how.setdefault("show_envvar", True)
        return option(name, help=text, section="Credentials", envvar=[variable, *more], **how)

    made: list[click.Parameter] = [
        option("--profile", section="Credentials", shell_complete=_complete_profile,
               help=f"options out of a section of {_short_path()} (or PUSHCORE_PROFILE)"),
    ]  # fmt: skip
    if service == "apns":
        made += [
            one("--key", "the .p8 signing key", type=CREDENTIAL, metavar="FILE"),
            one("--key-id", "its id, ten characters"),
            one("--team-id", "the team's id, ten characters"),
            one("--certificate", "or a client certificate with its key: PEM, or .p12 and .pfx", type=CREDENTIAL,
                metavar="FILE"),
            one("--password", "of a .p12 file; better in the environment: command lines can be seen"),
        ]  # fmt: skip
    elif service == "fcm":
        made += [
            one("--credentials", "the service account's JSON file", "GOOGLE_APPLICATION_CREDENTIALS", type=CREDENTIAL,
                metavar="FILE"),
            one("--project", "where the file names none"),
            one("--token-host", "in place of Google's token endpoint", metavar="HOST:PORT"),
        ]  # fmt: skip
    elif service == "webpush":
        made += [
            one("--key", "the VAPID key: a file, or base64", "PUSHCORE_VAPID_KEY", type=FILE_OR_TEXT, metavar="KEY"),
            one("--subject", "mailto:you@example.com or an https URL"),
            option("--any-subject", is_flag=True, help="also one that Apple would refuse", section="Credentials"),
        ]
    elif service == "adm":
        made += [
            one("--client-id", "the security profile's client id"),
            one("--client-secret", "better in the environment: command lines can be seen", "PUSHCORE_ADM_SECRET"),
            one("--token-host", "in place of Amazon's token endpoint", metavar="HOST:PORT"),
        ]
    else:
        made += [
            one("--api-key", "the application's API key"),
            one("--secret-key", "better in the environment: command lines can be seen", "PUSHCORE_BAIDU_SECRET"),
        ]
    return made


def message_options(service: str) -> list[click.Parameter]:
    """What is sent, and to whom where it is one."""

    def one(*names: str, **how: Any) -> click.Parameter:
        return option(*names, section="Message", **how)

    pairs = {"multiple": True, "metavar": "KEY=VALUE"}
    if service == "apns":
        return [
            one("--token", help="the device token, in hex"),
            one("--topic", envvar="PUSHCORE_APNS_TOPIC", help="the whole topic (usually the bundle id)"),
            one("--bundle", envvar="PUSHCORE_APNS_BUNDLE", help="the bundle id: the push type adds its suffix"),
            one("--alert", help="the text, where there is no title"),
            *(one(f"--{name}") for name in ("title", "subtitle", "body", "sound", "category", "thread-id")),
            one("--badge", type=int),
            one("--push-type", help="default: alert", choices=[
                "alert", "background", "complication", "controls", "fileprovider", "liveactivity", "location", "mdm",
                "pushtotalk", "voip", "widgets"]),
            one("--priority", choices=["10", "5", "1"]),
            one("--collapse-id"),
            one("--expiration", type=int, metavar="UNIX", help="0: one attempt, nothing stored"),
            one("--id", help="the apns-id, a UUID; not for many rows"),
            one("--content-available", is_flag=True),
            one("--mutable-content", is_flag=True),
            one("--data", **pairs, help="a key of the app's own beside `aps`"),
            one("--payload", metavar="JSON", help="the whole payload instead, or @FILE"),
        ]  # fmt: skip
    if service == "fcm":
        return [
            one("--token", help="the registration token"),
            one("--fid", help="the Firebase installation id"),
            one("--topic"),
            one("--condition"),
            one("--title"),
            one("--body"),
            one("--data", **pairs),
            one("--message", metavar="JSON", help="further fields of the message, or @FILE"),
            one("--validate-only", is_flag=True, help="FCM checks it and delivers nothing"),
        ]
    if service == "webpush":
        return [
            one("--subscription", metavar="JSON", help="what the browser gave, or @FILE"),
            one("--payload", help="a text, or @FILE"),
            one("--ttl", type=int, metavar="S", help="how long the service keeps it (default: four weeks)"),
            one("--urgency", choices=["very-low", "low", "normal", "high"]),
            one("--topic", help="replaces an earlier one of the same topic"),
        ]
    if service == "adm":
        return [
            one("--token", help="the registration id"),
            one("--data", **pairs),
            one("--consolidation-key"),
            one("--expires-after", type=int, metavar="S"),
        ]
    return [one("--token", help="the channel id"), one("--text"), one("--title"), one("--open-url")]


def options_of(service: str) -> list[click.Parameter]:
    """Every option of `send SERVICE` that a profile may name."""
    return [*credential_options(service), *connection_options(service), *message_options(service)]


def target(options: Any) -> Any:
    """The one target, if there is one. For FCM a pair of its kind and itself."""
    if options.service == "fcm":
        whole = _object(options.message, "--message") if options.message is not None else {}
        for name in ("token", "fid", "topic", "condition"):
            value = getattr(options, name) if getattr(options, name) is not None else whole.get(name)
            if value is not None:
                return (name, str(value))
        return None
    name = "subscription" if options.service == "webpush" else "token"
    value = getattr(options, name)
    return given(value) if value is not None and name == "subscription" else value


def client(options: Any) -> Client:
    """The client that the options describe."""
    there: dict[str, Any] = {"ca": options.ca, "proxy": options.proxy}
    if getattr(options, "rate", None) is not None:
        there["rate"] = options.rate
    if options.service == "apns":
        if options.certificate is not None and options.certificate.lower().endswith((".p12", ".pfx")):
            who = ApnsCredentials.from_pkcs12(options.certificate, options.password)
        elif options.certificate is not None:
            who = ApnsCredentials.from_certificate(options.certificate)
        else:
            _needed(options, "key", "key_id", "team_id", instead="--certificate")
            who = ApnsCredentials.from_p8(options.key, key_id=options.key_id, team_id=options.team_id)
        hosts: dict[str, Any] = {
            name: getattr(options, name, None) for name in ("host", "management_host", "broadcast_host")
        }
        return Client.apns(who, environment=options.environment, **{**hosts, **there})
    if options.service == "fcm":
        _needed(options, "credentials")
        google = FcmCredentials.from_file(options.credentials, project=options.project, token_host=options.token_host)
        return Client.fcm(google, host=options.host, **there)
    if options.service == "webpush":
        _needed(options, "key", "subject")
        vapid = VapidCredentials(options.key, subject=options.subject, any_subject=bool(options.any_subject))
        return Client.web_push(vapid, policy=policy(options), **there)
    if options.service == "adm":
        _needed(options, "client_id", "client_secret")
        amazon = AdmCredentials(options.client_id, options.client_secret, token_host=options.token_host)
        return Client.adm(amazon, host=options.host, **there)
    _needed(options, "api_key", "secret_key")
    return Client.baidu(BaiduCredentials(options.api_key, options.secret_key), host=options.host, **there)


def _needed(options: Any, *names: str, instead: str | None = None) -> None:
    lacking = ["--" + name.replace("_", "-") for name in names if not getattr(options, name)]
    if lacking:
        either = f", or {instead}" if instead else ""
        raise ValueError(f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} needed for {options.service}"
                         f"{either} (or in a profile)")  # fmt: skip


def proxy(options: Any) -> str | None:
    """The proxy that the environment names for this service's host."""
    proxies = urllib.request.getproxies_environment()
    found = proxies.get("https") or proxies.get("all")
    host = getattr(options, "host", None) or HOSTS[options.service]
    if not found or urllib.request.proxy_bypass_environment(host, proxies):  # type: ignore[attr-defined]
        return None
    return found if "://" in found else f"http://{found}"


#: What NO_PROXY is compared with where no host is named.
HOSTS = {
    "apns": "api.push.apple.com",
    "fcm": "fcm.googleapis.com",
    "webpush": "web.push.apple.com",
    "adm": "api.amazon.com",
    "baidu": "api.tuisong.baidu.com",
}


def policy(options: Any) -> EndpointPolicy:
    """Which endpoints may be talked to."""
    return EndpointPolicy(trusted=list(options.trust or ()), any_public_host=bool(options.any_public_host))


_APNS_FIELDS = (
    "topic", "bundle", "alert", "title", "subtitle", "body", "sound", "category", "thread_id", "badge", "push_type",
    "priority", "collapse_id", "expiration", "content_available", "mutable_content",
)  # fmt: skip


def fields(options: Any) -> dict[str, Any]:
    """What the options say of the message, without its target: texts, numbers, and JSON that has been read."""
    if options.service == "apns":
        made: dict[str, Any] = {name: getattr(options, name) for name in _APNS_FIELDS}
        made["priority"] = None if options.priority is None else int(options.priority)
        if options.data:
            made["custom"] = pairs(options.data)
        if options.payload is not None:
            made["payload"] = _text_or_object(given(options.payload) or b"")
        return _said(made)
    if options.service == "fcm":
        made = {} if options.message is None else dict(_object(options.message, "--message"))
        for name in ("token", "fid", "topic", "condition"):
            made.pop(name, None)
        shown = {"title": options.title, "body": options.body}
        if any(text is not None for text in shown.values()):
            made["notification"] = {name: text for name, text in shown.items() if text is not None}
        if options.data:
            made["data"] = pairs(options.data)
        return made
    if options.service == "webpush":
        made = {name: getattr(options, name) for name in ("ttl", "urgency", "topic")}
        if options.payload is not None:
            made["payload"] = _text_or_object(given(options.payload) or b"")
        return _said(made)
    if options.service == "adm":
        return _said({"data": pairs(options.data or ()), "consolidation_key": options.consolidation_key,
                      "expires_after": options.expires_after})  # fmt: skip
    return _said({"text": options.text, "title": options.title, "open_url": options.open_url})


def make(options: Any, values: Mapping[str, Any], where: Any) -> Any:
    """The message with these fields to that target."""
    values = dict(values)
    whole = values.pop("message", None)
    if options.service == "apns":
        if whole is not None:
            values["payload"] = whole
        if isinstance(values.get("payload"), (dict, list)):
            values["payload"] = _dumped(values["payload"])
        return ApnsMessage(token=where, id=options.id, **values)
    if options.service == "fcm":
        kind, value = where if isinstance(where, tuple) else ("token", where)
        made = {**values, **(whole or {}), kind: value}
        return FcmMessage(validate_only=bool(options.validate_only), **made)
    if options.service == "webpush":
        if whole is not None:
            values["payload"] = whole
        payload = values.pop("payload", None)
        payload = _dumped(payload) if isinstance(payload, (dict, list)) else payload
        return WebPushMessage(subscription=where, payload=payload, policy=policy(options), **values)
    if options.service == "adm":
        if whole is not None:
            values["data"] = whole
        return AdmMessage(registration_id=where, **values)
    if whole is not None:
        values.update(whole)
    return BaiduMessage(channel_id=where, **{"text": None, **values})


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value is not False and value != {}}


class Verbatim(dict[str, Any]):
    """A JSON object that remembers the bytes it was read from: they are sent as they are."""

    text: bytes = b""


def _dumped(value: Any) -> bytes:
    if isinstance(value, Verbatim):
        return value.text
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _text_or_object(text: bytes) -> Any:
    """A JSON object, or the text itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        made = Verbatim(value)
        made.text = text
        return made
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text


def _object(argument: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(given(argument) or b"{}")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no JSON object")
    return value


def given(value: str | None) -> bytes | None:
    """An argument, or with `@` the file it names."""
    if value is None:
        return None
    return pathlib.Path(value[1:]).read_bytes() if value.startswith("@") else os.fsencode(value)


def pairs(values: Any) -> dict[str, str]:
    """`KEY=VALUE` arguments."""
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise ValueError(f"--data wants KEY=VALUE, not {value!r}")
        found[name] = text
    return found


def _short_path() -> str:
    return "~/.config/pushcore/config.toml"


def _complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    try:
        config = _profile.load()
    except (OSError, ValueError):
        return []
    return [name for name, value in config.items() if isinstance(value, dict) and name.startswith(incomplete)]


_profile.OPTIONS.update({service: {one.name for one in options_of(service) if one.name} for service in SERVICES})

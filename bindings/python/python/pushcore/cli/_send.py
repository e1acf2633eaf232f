"""`pushcore send`: one message, or one message to many targets."""

from __future__ import annotations

import argparse
import os
import pathlib
from typing import Any

from .._client import Client
from .._errors import PushcoreError
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
    Outcome,
    VapidCredentials,
    WebPushMessage,
)
from . import _bulk
from ._output import Output, record_of, status_of

#: A target that every room takes, to make the template of a bulk send from.
_PLACEHOLDER = {"apns": "00", "fcm": "placeholder", "adm": "placeholder", "baidu": "0"}

_EPILOG = """\
one message:   pushcore send {service} {key} {target} {text}
many targets:  pushcore send {service} {key} --from tokens.csv --results results.csv {text}
               The results file says what to do with each target. The same command again, after an
               interruption, goes on where it was and sends nothing twice.
"""


def _group(
    commands: Any, common: argparse.ArgumentParser, service: str, title: str, key: str, target: str, text: str
) -> tuple[argparse.ArgumentParser, argparse._ArgumentGroup]:
    command: argparse.ArgumentParser = commands.add_parser(
        service,
        parents=[common],
        help=title,
        description=title,
        epilog=_EPILOG.format(service=service, key=key, target=target, text=text),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_run, service=service)
    connection = command.add_argument_group("connection")
    credentials(command.add_argument_group("credentials"), service)
    connections(connection, service)
    many = command.add_argument_group("many targets")
    _bulk.add(many)
    return command, command.add_argument_group("message")


def connections(group: argparse._ArgumentGroup, service: str) -> None:
    """How to get there."""
    group.add_argument("--ca", type=pathlib.Path, metavar="FILE", help="PEM certificates to trust as well")
    group.add_argument("--proxy", metavar="URL", help="http://host:port or socks5://host:port")
    group.add_argument("--deadline", type=float, metavar="S", help="seconds for each message (default 60)")
    if service == "webpush":
        group.add_argument("--trust", action="append", default=[], metavar="HOST:PORT",
                           help="an endpoint to talk to whatever it is (a sandbox)")  # fmt: skip
        group.add_argument("--any-public-host", action="store_true", help="allow any public push service")
    else:
        group.add_argument("--host", metavar="HOST:PORT", help="in place of the service's own host")
    if service == "apns":
        group.add_argument("--environment", choices=["production", "sandbox"], help="default: production")


def credentials(group: argparse._ArgumentGroup, service: str) -> None:
    """Who sends."""
    if service == "apns":
        group.add_argument("--key", metavar="FILE", help="the .p8 signing key")
        group.add_argument("--key-id", help="its id, ten characters")
        group.add_argument("--team-id", help="the team's id, ten characters")
        group.add_argument("--certificate", type=pathlib.Path, metavar="FILE",
                           help="or a client certificate with its key: PEM, or .p12 and .pfx")  # fmt: skip
        group.add_argument("--password", default=os.environ.get("PUSHCORE_APNS_PASSWORD"),
                           help="of a .p12 file; better in PUSHCORE_APNS_PASSWORD")  # fmt: skip
    elif service == "fcm":
        group.add_argument("--credentials", metavar="FILE", required=True,
                           help="the service account's JSON file")  # fmt: skip
        group.add_argument("--project", help="where the file names none")
        group.add_argument("--token-host", metavar="HOST:PORT", help="in place of Google's token endpoint")
    elif service == "webpush":
        group.add_argument("--key", metavar="KEY", default=os.environ.get("PUSHCORE_VAPID_KEY"),
                           help="the VAPID key: a file, or base64 (or PUSHCORE_VAPID_KEY)")  # fmt: skip
        group.add_argument("--subject", required=True, help="mailto:you@example.com or an https URL")
        group.add_argument("--any-subject", action="store_true", help="also one that Apple would refuse")
    elif service == "adm":
        group.add_argument("--client-id", required=True)
        group.add_argument("--client-secret", default=os.environ.get("PUSHCORE_ADM_SECRET"),
                           help="better in PUSHCORE_ADM_SECRET: command lines can be seen")  # fmt: skip
        group.add_argument("--token-host", metavar="HOST:PORT", help="in place of Amazon's token endpoint")
    else:
        group.add_argument("--api-key", required=True)
        group.add_argument("--secret-key", default=os.environ.get("PUSHCORE_BAIDU_SECRET"),
                           help="better in PUSHCORE_BAIDU_SECRET: command lines can be seen")  # fmt: skip


def add(commands: Any, common: argparse.ArgumentParser) -> None:
    """The command's grammar."""
    send = commands.add_parser("send", help="send a message, to one target or to many")
    services = send.add_subparsers(title="services", dest="service", required=True, metavar="SERVICE")

    key = "--key AuthKey.p8 --key-id ABC123DEFG --team-id DEF123GHIJ --topic com.example.app"
    _, apns = _group(services, common, "apns", "Apple", key, "--token HEX", "--title Hello --body World")
    apns.add_argument("--token", help="the device token, in hex")
    apns.add_argument("--topic", help="the whole topic (usually the bundle id)")
    apns.add_argument("--bundle", help="the bundle id: the push type adds its suffix")
    for name in ("--alert", "--title", "--subtitle", "--body", "--sound", "--category", "--thread-id"):
        apns.add_argument(name)
    apns.add_argument("--badge", type=int)
    apns.add_argument("--push-type", help="default: alert")
    apns.add_argument("--priority", type=int, choices=[10, 5, 1])
    apns.add_argument("--collapse-id")
    apns.add_argument("--expiration", type=int, metavar="UNIX", help="0: one attempt, nothing stored")
    apns.add_argument("--id", help="the apns-id, a UUID")
    apns.add_argument("--content-available", action="store_true")
    apns.add_argument("--mutable-content", action="store_true")
    apns.add_argument("--payload", metavar="JSON", help="the whole payload instead, or @FILE")

    key = "--credentials service-account.json"
    _, fcm = _group(services, common, "fcm", "Firebase", key, "--token TOKEN", "--title Hello --body World")
    for name in ("--token", "--topic", "--condition"):
        fcm.add_argument(name)
    for name in ("--title", "--body"):
        fcm.add_argument(name)
    fcm.add_argument("--data", action="append", default=[], metavar="KEY=VALUE")
    fcm.add_argument("--message", metavar="JSON", help="further fields of the message, or @FILE")
    fcm.add_argument("--validate-only", action="store_true", help="FCM checks it and delivers nothing")

    key = "--key vapid.pem --subject mailto:you@example.com"
    _, web = _group(services, common, "webpush", "Web Push", key, "--subscription @s.json", "--payload Hello")
    web.add_argument("--subscription", metavar="JSON", help="what the browser gave, or @FILE")
    web.add_argument("--payload", metavar="TEXT", help="at most 3993 bytes, or @FILE")
    web.add_argument("--ttl", type=float, metavar="S")
    web.add_argument("--urgency", choices=["very-low", "low", "normal", "high"])
    web.add_argument("--topic")

    _, adm = _group(services, common, "adm", "Amazon", "--client-id ID", "--token ID", "--data k=v")
    adm.add_argument("--token", help="the registration id")
    adm.add_argument("--data", action="append", default=[], metavar="KEY=VALUE")
    adm.add_argument("--consolidation-key")
    adm.add_argument("--expires-after", type=float, metavar="S")

    _, baidu = _group(services, common, "baidu", "Baidu", "--api-key KEY", "--token ID", "--text Hello")
    baidu.add_argument("--token", help="the channel id")
    for name in ("--text", "--title", "--open-url"):
        baidu.add_argument(name)


def _run(options: argparse.Namespace, output: Output) -> int:
    many = options.source is not None
    if many == (target(options) is not None):
        wanted = "--subscription" if options.service == "webpush" else "a target such as --token"
        raise ValueError(f"exactly one of {wanted} and --from is needed")
    with client(options) as sender:
        if many:
            return _bulk.run(options, output, sender, lambda first: message(options, first))
        try:
            result: Outcome | PushcoreError = sender.send(message(options, None), deadline=options.deadline)
        except PushcoreError as error:
            if error.code < 300:
                raise
            result = error
    record = record_of(result)
    output.record(record)
    return status_of(result)


def target(options: argparse.Namespace) -> str | None:
    """The one target, if there is one."""
    for name in ("token", "subscription", "condition") + (("topic",) if options.service == "fcm" else ()):
        value = getattr(options, name, None)
        if value is not None:
            return str(value)
    return None


def client(options: argparse.Namespace) -> Client:
    """The client that the options describe."""
    there: dict[str, Any] = {"ca": options.ca, "proxy": options.proxy}
    if options.service == "apns":
        if options.certificate is not None and options.certificate.suffix.lower() in (".p12", ".pfx"):
            who = ApnsCredentials.from_pkcs12(options.certificate, options.password)
        elif options.certificate is not None:
            who = ApnsCredentials.from_certificate(options.certificate)
        elif None in (options.key, options.key_id, options.team_id):
            raise ValueError("--key, --key-id and --team-id are needed, or --certificate")
        else:
            who = ApnsCredentials.from_p8(options.key, key_id=options.key_id, team_id=options.team_id)
        hosts: dict[str, Any] = {
            name: getattr(options, name, None) for name in ("host", "management_host", "broadcast_host")
        }
        return Client.apns(who, environment=options.environment, **{**hosts, **there})
    if options.service == "fcm":
        google = FcmCredentials.from_file(options.credentials, project=options.project, token_host=options.token_host)
        return Client.fcm(google, host=options.host, **there)
    if options.service == "webpush":
        if not options.key:
            raise ValueError("--key or PUSHCORE_VAPID_KEY is needed")
        vapid = VapidCredentials(options.key, subject=options.subject, any_subject=options.any_subject)
        return Client.web_push(vapid, policy=policy(options), **there)
    if options.service == "adm":
        if not options.client_secret:
            raise ValueError("--client-secret or PUSHCORE_ADM_SECRET is needed")
        amazon = AdmCredentials(options.client_id, options.client_secret, token_host=options.token_host)
        return Client.adm(amazon, host=options.host, **there)
    if not options.secret_key:
        raise ValueError("--secret-key or PUSHCORE_BAIDU_SECRET is needed")
    return Client.baidu(BaiduCredentials(options.api_key, options.secret_key), host=options.host, **there)


def policy(options: argparse.Namespace) -> EndpointPolicy:
    """Which endpoints may be talked to."""
    return EndpointPolicy(trusted=options.trust, any_public_host=options.any_public_host)


def message(options: argparse.Namespace, first: Any) -> Any:
    """The message that the options describe, to `first` where they name no target."""
    where = target(options) if first is None else first
    if options.service == "apns":
        names = (
            "topic bundle alert title subtitle body sound category thread_id badge push_type priority "
            "collapse_id expiration id content_available mutable_content"
        )
        fields = {name: getattr(options, name) for name in names.split()}
        payload = given(options.payload)
        return ApnsMessage(token=where or _PLACEHOLDER["apns"], payload=payload, **fields)
    if options.service == "fcm":
        import json

        fields = json.loads(given(options.message) or b"{}")
        fields.update({name: getattr(options, name) for name in ("topic", "condition")})
        if options.token is not None or first is not None:
            fields["token"] = first or options.token
        if options.title is not None or options.body is not None:
            shown = {"title": options.title, "body": options.body}
            fields["notification"] = {name: text for name, text in shown.items() if text is not None}
        if options.data:
            fields["data"] = pairs(options.data)
        return FcmMessage(validate_only=options.validate_only, **fields)
    if options.service == "webpush":
        subscription = first or given(options.subscription) or b""
        return WebPushMessage(
            subscription=subscription,
            payload=given(options.payload),
            ttl=options.ttl,
            urgency=options.urgency,
            topic=options.topic,
            policy=policy(options),
        )
    if options.service == "adm":
        return AdmMessage(
            registration_id=where or _PLACEHOLDER["adm"],
            data=pairs(options.data),
            consolidation_key=options.consolidation_key,
            expires_after=options.expires_after,
        )
    return BaiduMessage(
        channel_id=where or _PLACEHOLDER["baidu"],
        text=options.text,
        title=options.title,
        open_url=options.open_url,
    )


def given(value: str | None) -> bytes | None:
    """An argument, or with `@` the file it names."""
    if value is None:
        return None
    return pathlib.Path(value[1:]).read_bytes() if value.startswith("@") else value.encode()


def pairs(values: list[str]) -> dict[str, str]:
    """`KEY=VALUE` arguments."""
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise ValueError(f"--data wants KEY=VALUE, not {value!r}")
        found[name] = text
    return found

"""A host of dialects: answers a job's questions out of the store, writes its messages down and sends them."""

from __future__ import annotations

import functools
import itertools
import json
import logging
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pushcore
from database import Database
from pushcore.dialect import Dialect, Job, Reply, Selection, Step, token_digest
from sending import Clients, Sender, end
from store import Store
from work import Message, Send, Work

LOG = logging.getLogger("pushcore.hug")

#: How a channel of a foreign system is reached.
CHANNELS = {
    "APNS": ("apns", "production"),
    "APNS_SANDBOX": ("apns", "sandbox"),
    "APNS_VOIP": ("apns", "production"),
    "APNS_VOIP_SANDBOX": ("apns", "sandbox"),
    "GCM": ("fcm", ""),
    "ADM": ("adm", ""),
    "BAIDU": ("baidu", ""),
}
#: Records that are devices: what a service says of their tokens concerns them.
DEVICES = ("endpoints", "subscriptions")
#: How long an answer to a request waits for the services, in seconds.
PATIENCE = 20.0


class Host:
    """The dialects of one worker. Made after the fork, because it has clients and threads."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        *,
        configuration: Mapping[str, Any] | None = None,
        lease: float = 10.0,
    ) -> None:
        self._configuration = configuration or {}
        self._database, self._clients = database, clients
        self.store = Store(database)
        self.work = Work(database, lease=lease, chosen=chosen)
        self.sender = Sender(self.work, clients, feedback=self._feedback, tick=self.count_events, lease=lease)
        options = self._configuration.get("dialects", {})
        self.dialects = {name: Dialect(name, options.get(name)) for name in Dialect.systems()}

    def start(self) -> None:
        """Begins to send what is due."""
        self.sender.start()

    def stop(self) -> None:
        """Lets what is under way end."""
        self.sender.stop()
        self._clients.close()

    # Requests.

    def serve(self, system: str, method: str, target: str, headers: Iterable[Any], body: bytes) -> Reply:
        """Answers a request of a foreign system."""
        job = self.dialects[system].begin(method, target, headers, body)
        while (reply := job.reply) is None:
            sends = [step for step in job.steps if step.kind == "send" and "at" not in step.data]
            later = [step for step in job.steps if step.kind == "send" and "at" in step.data]
            for step in job.steps:
                if step.kind == "ask":
                    job.answer(step.id, self._ask(system, step.data))
                elif step.kind == "broadcast":
                    job.answer(step.id, self._broadcast(system, step.data))
            if later:
                self._schedule(system, job, later)
            if sends:
                self._send(system, job, sends)
        if reply.remember:
            # Before the client gets it: a client that repeats itself must not find the key free.
            self.store.remember(reply.remember, json.loads(reply.to_json()), reply.remember_seconds)
        for warning in job.warnings:
            LOG.info("%s %s: %s", system, job.operation, warning)
        labels = {"system": system, "operation": job.operation or "none", "status": str(reply.status)}
        self.store.count("pushcore_hug_replies", labels)
        return reply

    def _send(self, system: str, job: Job, steps: list[Step]) -> None:
        """Writes messages down, sends them, writes their ends down, and tells the job."""
        for way, group in itertools.groupby(steps, key=lambda step: self._way(system, step.data["channel"])):
            waiting = {str(step.id): step for step in group}
            app = next(iter(waiting.values())).data["channel"]["scope"]
            number = self.work.add(
                system,
                app,
                f"request-{uuid.uuid4()}",
                [Message(*way, json.dumps(step.data["message"])) for step in waiting.values()],
                targets=[
                    (key, position, "", self._device_of(system, step.data))
                    for position, (key, step) in enumerate(waiting.items())
                ],
                begun=True,
            )
            ended: list[tuple[Send, Any]] = []
            for send, result in self._results(way, self.work.mine(number), waiting):
                self.work.ended([end(send, result, time.time(), again=False)])
                ended.append((send, result))
                job.sent(int(send.key), result)
            self._feedback(ended, {key: step.data["key"] for key, step in waiting.items()})

    def _schedule(self, system: str, job: Job, steps: list[Step]) -> None:
        """Writes messages down that are due later; the sender of whichever worker is free sends them then."""
        first = steps[0].data
        self.work.add(
            system,
            first["channel"]["scope"],
            first["notification"],
            [Message(*self._way(system, step.data["channel"]), json.dumps(step.data["message"])) for step in steps],
            targets=[
                (step.data["key"], position, step.data["key"], self._device_of(system, step.data))
                for position, step in enumerate(steps)
            ],
            due=first["at"],
        )
        for step in steps:
            job.answer(step.id, {"outcome": "scheduled"})

    def _way(self, system: str, channel: Mapping[str, Any]) -> tuple[str, str]:
        """Service and environment of a channel, which name a client.

        A Web Push client signs with one key, so its environment is the sender. An app that brought credentials of its
        own has a client of its own, which is another one when they change.
        """
        service, environment = channel["service"], ""
        if service == "apns":
            environment = "sandbox" if channel["sandbox"] else "production"
        elif service == "web_push":
            environment = channel["name"]
        record = self.store.get(system, "channels", channel["scope"], channel["name"])
        if record is not None and record.get("secret"):
            version = token_digest(json.dumps(record, sort_keys=True))[:12]
            environment += f"@{channel['scope']}@{channel['name']}@{version}"
        return service, environment

    def _results(self, way: tuple[str, str], sends: list[Send], waiting: dict[str, Step]) -> Iterable[tuple[Send, Any]]:
        try:
            client = self._clients.get(*way)
        except (LookupError, pushcore.PushcoreError) as error:
            refused = error if isinstance(error, pushcore.PushcoreError) else pushcore.CredentialError(str(error))
            return [(send, refused) for send in sends]
        messages = ((send, waiting[send.key].message) for send in sends)
        return client.send_many(messages, deadline=PATIENCE)  # type: ignore[arg-type]

    def _device_of(self, system: str, data: Mapping[str, Any]) -> int | None:
        if data.get("record") is None:
            return None
        found = self.store.device(system, data["channel"]["scope"], data["key"])
        return None if found is None else int(found["id"])

    def send_one(self, system: str, app: str, message: Message, target: str) -> bool:
        """Sends one message that is complete with its target; whether the service took it."""
        job = self.work.add(
            system, app, f"request-{uuid.uuid4()}", [message], targets=[("0", 0, target, None)], begun=True
        )
        taken = False
        for send in self.work.mine(job):
            result: Any
            try:
                made = self._clients.message(message, "")
                result = self._clients.get(message.service, message.environment).send(made, deadline=PATIENCE)
            except LookupError as error:
                result = pushcore.CredentialError(str(error))
            except pushcore.PushcoreError as error:
                result = error
            self.work.ended([end(send, result, time.time(), again=False)])
            self._feedback([(send, result)])
            taken = isinstance(result, pushcore.Accepted)
        return taken

    def topic(self) -> str:
        """The bundle id of the configuration."""
        return str(self._configuration.get("apns", {}).get("topic", ""))

    def count_events(self) -> None:
        """Counts what happened to this worker's clients since the last call."""
        happened = Counter((service, event.name) for service, event in self._clients.events())
        self.store.count_all(
            ("pushcore_hug_events", {"service": service, "event": name}, count)
            for (service, name), count in happened.items()
        )

    def stats(self) -> dict[tuple[str, str], dict[str, int]]:
        """How many messages of this worker are where."""
        return self._clients.stats()

    # What services say of tokens.

    def _feedback(self, pairs: list[tuple[Send, Any]], keys: Mapping[str, str] | None = None) -> None:
        """Counts results, and tells the store of tokens. `keys` are the targets of messages that hold theirs."""
        counted = Counter((send.message.service, _name(result)) for send, result in pairs)
        self.store.count_all(
            ("pushcore_hug_sends", {"service": service, "result": name}, count)
            for (service, name), count in counted.items()
        )
        for send, result in pairs:
            replacement = getattr(result, "replacement", None)
            if not replacement and not isinstance(result, pushcore.TokenGone):
                continue
            target = send.target or (keys or {}).get(send.key, "")
            if send.device is not None:
                # The device may have another token by now, which is not the one that died.
                found = self.store.by_id(send.device)
                target = send.target or (found["target"] if found is not None else "")
            if replacement:
                self.store.replace(send.message.service, target, replacement)
            else:
                self.store.is_dead(send.message.service, target, result.reason, result.since)

    # Questions.

    def _ask(self, system: str, ask: dict[str, Any]) -> Any:
        return getattr(self, "_" + ask["ask"])(system, ask)

    def _secret(self, system: str, ask: dict[str, Any]) -> Any:
        found = self.store.account(system, ask["access_key"])
        return None if found is None else {"secret": found["secret"], **_scopes(found)}

    def _token(self, system: str, ask: dict[str, Any]) -> Any:
        found = self.store.account(system, ask["sha256"])
        return None if found is None else _scopes(found)

    def _claim(self, system: str, ask: dict[str, Any]) -> Any:
        return self.store.claim(ask["keys"], ask["seconds"])

    def _get(self, system: str, ask: dict[str, Any]) -> Any:
        return {
            name: found
            for name in ask["ids"]
            if (found := self._record(system, ask["collection"], ask["scope"], name)) is not None
        }

    def _record(self, system: str, collection: str, scope: str | None, name: str) -> dict[str, Any] | None:
        if collection in DEVICES:
            found = self.store.device(system, scope or "", name)
            return None if found is None else found["fields"]
        record = self.store.get(system, collection, scope or "", name)
        if record is None and collection == "channels":
            return self._default_channel(name)
        if record is not None and collection == "notifications":
            return self._counted(system, name, record)
        return record if record is None else _open(record)

    def _default_channel(self, name: str) -> dict[str, Any] | None:
        """A channel that no app has of its own: the service of the configuration."""
        service, environment = CHANNELS.get(name, ("", ""))
        told = self._configuration.get(service)
        if told is None:
            return None
        default = {"BundleId": told["topic"], "Sandbox": environment == "sandbox"} if service == "apns" else {}
        return {"Enabled": True, **default}

    def _counted(self, system: str, name: str, record: dict[str, Any]) -> dict[str, Any]:
        job = self.work.job(system, name)
        if job is None:
            return record
        if "targets" in record:
            return {**record, "sent": self.work.ends(job)}
        counts = self.work.counts(job)
        return {**record, "successfully_sent_count": counts["accepted"], "scheduled_count": counts.total()}

    def _list(self, system: str, ask: dict[str, Any]) -> Any:
        collection, scope, wanted = ask["collection"], ask["scope"] or "", ask["filter"]
        if collection in DEVICES:
            items = [
                {"id": one["key"], "value": one["fields"]}
                for one in self.store.devices(system, scope)
                if _fits(wanted, one)
            ]
        else:
            there = self.store.items(system, collection, scope)
            if collection == "channels":
                own = {name for name, _ in there}
                defaults = ((name, self._default_channel(name)) for name in CHANNELS if name not in own)
                there += [(name, value) for name, value in defaults if value is not None]
            items = [
                {
                    "id": name,
                    "value": self._counted(system, name, value) if collection == "notifications" else _open(value),
                }
                for name, value in there
                if all(value.get(member) == expected for member, expected in wanted.items())
            ]
        items.reverse()
        last = None if ask["limit"] is None else ask["offset"] + ask["limit"]
        return {"items": items[ask["offset"] : last], "total": len(items)}

    def _put(self, system: str, ask: dict[str, Any]) -> Any:
        return {"ids": [self._write(system, ask, record) for record in ask["records"]]}

    def _write(self, system: str, ask: dict[str, Any], record: dict[str, Any]) -> str | None:
        collection, scope = ask["collection"], ask["scope"] or ""
        name = record["id"] if record["id"] is not None else self._new_id(system, collection)
        old = self._record(system, collection, ask["scope"], name)
        if old is not None and collection == "channels":
            # Credentials that are not written anew stay.
            old = self.store.get(system, collection, scope, name)
        if ask["write"] == "create" and old is not None:
            return None
        value = record["value"]
        if ask["write"] in ("merge", "upsert") and (old is not None or ask["write"] == "merge"):
            if old is None:
                return None
            merged = {**old, **value}
            value = {member: content for member, content in merged.items() if content is not None}
        if collection in DEVICES:
            self._register(system, collection, scope, name, value)
        else:
            self.store.put(system, collection, scope, name, value)
        if collection == "notifications" and value.get("cancelled"):
            job = self.work.job(system, name)
            if job is not None:
                self.work.cancel(job)
        return str(name)

    def _new_id(self, system: str, collection: str) -> str:
        # Pushpad's ids are numbers; everybody else's are 32 hex digits or a UUID.
        if system == "pushpad":
            return str(self.store.number(collection))
        return str(uuid.uuid4()) if system == "cozie" else uuid.uuid4().hex

    def _register(self, system: str, collection: str, scope: str, name: str, value: dict[str, Any]) -> None:
        if collection == "subscriptions":
            service, environment, target, who = "web_push", "", value.get("target", ""), value.get("uid")
        else:
            service, environment = CHANNELS.get(value.get("ChannelType", ""), ("", ""))
            target, who = value.get("Address", ""), (value.get("User") or {}).get("UserId")
        self.store.register(
            system,
            scope,
            name,
            service=service,
            environment=environment,
            target=target,
            who=who,
            tags=value.get("tags") or (),
            fields=value,
        )

    def _delete(self, system: str, ask: dict[str, Any]) -> Any:
        scope = ask["scope"] or ""
        forget = self.store.forget if ask["collection"] in DEVICES else None
        gone = [
            name
            for name in ask["ids"]
            if (
                forget(system, scope, name)
                if forget is not None
                else self.store.drop(system, ask["collection"], scope, name)
            )
        ]
        return {"ids": gone}

    def _forward(self, system: str, ask: dict[str, Any]) -> Any:
        """Hands a request on to another push system, with our key there."""
        told = self._configuration.get(ask["to"])
        if told is None:
            return {"status": 0, "body": ""}
        request = urllib.request.Request(
            told["url"].rstrip("/") + ask["path"],
            data=json.dumps(ask["body"]).encode(),
            headers={"Authorization": f"Basic {told['key']}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return {"status": response.status, "body": response.read().decode(errors="replace")}
        except urllib.error.HTTPError as error:
            return {"status": error.code, "body": error.read().decode(errors="replace")}
        except OSError as error:
            LOG.warning("%s did not answer: %s", ask["to"], error)
            return {"status": 0, "body": ""}

    def _broadcast(self, system: str, data: dict[str, Any]) -> Any:
        """Writes a broadcast down; the sender of whichever worker is free takes it up."""
        channel, record = data["channel"], data["record"]
        name = str(record["id"])
        scope = channel["scope"]
        count = sum(_fits(data["filter"], one) for one in self.store.devices(system, scope))
        self.store.put(system, "notifications", "", name, record)
        self.work.add(
            system,
            scope,
            name,
            [Message(*self._way(system, channel), json.dumps(data["template"]))],
            selection=data["filter"],
            due=data["at"],
        )
        self.sender.wake()
        return {"id": name, "count": count}


def chosen(selection: Mapping[str, Any], device: Mapping[str, Any]) -> bool:
    """Whether a broadcast's filter selects a device."""
    return _fits(selection, device)


@functools.lru_cache(maxsize=64)
def _selection(text: str) -> Selection:
    return Selection(text)


def _fits(selection: Mapping[str, Any], device: Mapping[str, Any]) -> bool:
    for member, wanted in selection.items():
        if member == "addresses":
            fits = device["target"] in wanted
        elif member == "users":
            fits = device["who"] in wanted
        elif member in ("uids", "tags"):
            continue
        else:
            fits = device["fields"].get(member) == wanted
        if not fits:
            return False
    people = {member: selection[member] for member in ("uids", "tags") if member in selection}
    return not people or _selection(json.dumps(people)).selects(device["who"], device["tags"])


def _open(record: dict[str, Any]) -> dict[str, Any]:
    """A record without the credentials that it was written with, which no job reads."""
    return {name: value for name, value in record.items() if name != "secret"}


def _name(result: Any) -> str:
    return result.name if isinstance(result, pushcore.Outcome) else type(result).__name__


def _scopes(account: Mapping[str, Any]) -> dict[str, Any]:
    return {} if account["app"] is None else {"scopes": [account["app"]]}

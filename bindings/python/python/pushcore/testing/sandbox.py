"""Starts `pushcore-sandbox` and talks to its control endpoint."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import shutil
import subprocess
import time
import urllib.request
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from .._pushcore import (
    AdmCredentials,
    ApnsCredentials,
    BaiduCredentials,
    Device,
    EndpointPolicy,
    FcmCredentials,
    VapidCredentials,
)
from .faults import Faults

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._client import Services
    from .._hub import BaseHub

_NAME = "pushcore-sandbox"


def find() -> pathlib.Path:
    """The sandbox's program: `PUSHCORE_SANDBOX`, on the path, or built in this repository.

    Raises `FileNotFoundError` with what to do.
    """
    named = os.environ.get("PUSHCORE_SANDBOX")
    if named:
        return pathlib.Path(named)
    on_path = shutil.which(_NAME)
    if on_path:
        return pathlib.Path(on_path)
    here = pathlib.Path(__file__).resolve()
    for folder in here.parents:
        if (folder / "sandbox" / "Cargo.toml").exists():
            targets = [pathlib.Path(os.environ.get("CARGO_TARGET_DIR", folder / "target")), folder / "target"]
            for target in targets:
                for profile in ("release", "debug"):
                    program = target / profile / _NAME
                    if program.exists():
                        return program
    raise FileNotFoundError(
        f"{_NAME} is not installed: run `cargo install pushcore-sandbox`, or `cargo build -p "
        "pushcore-sandbox` in the repository, or set PUSHCORE_SANDBOX to the program"
    )


#: How a new token of a service looks.
_TOKENS = {
    "apns": lambda: secrets.token_hex(32),
    "fcm": lambda: f"{secrets.token_urlsafe(16)}:APA91b{secrets.token_urlsafe(100)}",
    "adm": lambda: f"amzn1.adm-registration.v3.{secrets.token_urlsafe(64)}",
    "baidu": lambda: str(10**18 + secrets.randbelow(9 * 10**18)),
}


class Sandbox:
    """APNs, FCM, Web Push, ADM and Baidu on free loopback ports, as long as this object is open.

        with Sandbox() as sandbox:
            client = sandbox.apns(pushcore.Client)
            ...
            assert len(sandbox.log(service="apns", accepted=True)) == 1

    `ready` is what the program says when everything listens: addresses, credentials, tokens.
    Arguments are options of the program, `Sandbox("--profile", "quirk")`.
    """

    def __init__(self, *arguments: str, program: os.PathLike[str] | str | None = None) -> None:
        self.arguments = arguments
        """The options that the program was started with."""
        command = [os.fspath(program or find()), "--exit-with-stdin", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError(f"{command[0]} ended with status {self._process.returncode}")
        self.ready: dict[str, Any] = json.loads(line)

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    @property
    def ca(self) -> pathlib.Path:
        """The CA certificate to trust."""
        return pathlib.Path(self.ready["ca_file"])

    # Clients of either kind, `pushcore.Client` or `pushcore.aio.Client`.

    def apns(self, client: type[_C], **options: Any) -> _C:
        """An APNs client of the class `client`."""
        apns = self.ready["apns"]
        there = {"management_host": apns["management"], "broadcast_host": apns["broadcast"], **self._there("apns")}
        return client.apns(self.apns_credentials(), **{**there, **options})

    def fcm(self, client: type[_C], **options: Any) -> _C:
        """An FCM client of the class `client`."""
        return client.fcm(self.fcm_credentials(), **{**self._there("fcm"), **options})

    def web_push(self, client: type[_C], **options: Any) -> _C:
        """A Web Push client of the class `client`."""
        there: dict[str, Any] = {"ca": self.ca, "policy": self.policy()}
        return client.web_push(self.vapid_credentials(), **{**there, **options})

    def adm(self, client: type[_C], **options: Any) -> _C:
        """An ADM client of the class `client`."""
        return client.adm(self.adm_credentials(), **{**self._there("adm"), **options})

    def baidu(self, client: type[_C], **options: Any) -> _C:
        """A Baidu client of the class `client`."""
        return client.baidu(self.baidu_credentials(), **{**self._there("baidu"), **options})

    def _there(self, service: str) -> dict[str, Any]:
        return {"ca": self.ca, "host": self.ready[service]["authority"]}

    def apns_credentials(self) -> ApnsCredentials:
        """The key that the sandbox's APNs knows."""
        apns = self.ready["apns"]
        key = pathlib.Path(apns["p8_file"])
        return ApnsCredentials.from_p8(key, key_id=apns["key_id"], team_id=apns["team_id"])

    def fcm_credentials(self) -> FcmCredentials:
        """The service account that the sandbox's FCM knows."""
        fcm = self.ready["fcm"]
        # The file names a token endpoint outside Google's hosts, which is read because the code names it, too.
        account = pathlib.Path(fcm["service_account_file"])
        return FcmCredentials.from_service_account(account, token_host=fcm["authority"])

    def vapid_credentials(self) -> VapidCredentials:
        """The VAPID key that the sandbox's subscriptions were made with."""
        vapid = self.ready["webpush"]["vapid"]
        return VapidCredentials(pathlib.Path(vapid["pem_file"]), subject=vapid["subject"], any_subject=True)

    def adm_credentials(self) -> AdmCredentials:
        """The client id and secret that the sandbox's ADM knows."""
        adm = self.ready["adm"]
        return AdmCredentials(adm["client_id"], adm["client_secret"], token_host=adm["authority"])

    def baidu_credentials(self) -> BaiduCredentials:
        """The keys that the sandbox's Baidu knows."""
        baidu = self.ready["baidu"]
        return BaiduCredentials(baidu["api_key"], baidu["secret_key"])

    def policy(self) -> EndpointPolicy:
        """An endpoint policy that trusts the sandbox's Web Push service."""
        return EndpointPolicy(trusted=[self.ready["webpush"]["authority"]])

    # Devices and faults of one's own.

    def targets(self, service: str, count: int = 1, *, dead: int = 0) -> list[Any]:
        """New devices of a service: `count` that live, then `dead` whose token has died an hour ago.

        APNs device tokens, FCM and ADM registration ids, Baidu channel ids (of which none can be dead), or Web Push
        subscriptions as a browser gives them, in the form that a client's `send_many(..., message=)` takes.
        """
        states = [True] * count + [False] * dead
        if service == "web_push":
            wanted = [{"state": "active" if alive else "expired"} for alive in states]
            return [self.control("POST", "webpush/subscriptions", one) for one in wanted]
        tokens = [_TOKENS[service]() for _ in states]
        died = int(time.time() * 1000) - 3_600_000
        bundle = self.ready["apns"]["topic"]
        entries: list[dict[str, Any]] = []
        for token, alive in zip(tokens, states, strict=True):
            state = "active" if alive else "unregistered"
            if service == "apns":
                entries.append({"token": token, "bundle": bundle, "unregistered_at": None if alive else died})
            elif service == "fcm":
                entries.append({"token": token, "state": state})
            elif service == "adm":
                entries.append({"id": token, "state": state})
            elif not alive:
                raise ValueError("Baidu's channels do not die")
            else:
                self.control("POST", "baidu/channels", {"channel_id": token})
        call = {"apns": "apns/tokens", "fcm": "fcm/tokens", "adm": "adm/registrations"}.get(service, "")
        for start in range(0, len(entries), 500):
            self.control("POST", call, entries[start : start + 500])
        return tokens

    def device(self, service: str, target: Any, **fields: Any) -> Device:
        """A target of this sandbox as a `pushcore.Device`; `fields` are the device's own, `key` say."""
        if service == "apns":
            fields = {"app": self.ready["apns"]["topic"], "environment": "sandbox", **fields}
        if service == "web_push":
            fields = {"policy": self.policy(), **fields}
        return Device(service, target, **fields)  # type: ignore[arg-type]

    def devices(self, service: str, count: int = 1, *, dead: int = 0) -> list[Device]:
        """New devices of a service, as `targets` makes them; their keys are `apns-0`, `apns-1` and so on."""
        targets = self.targets(service, count, dead=dead)
        return [self.device(service, target, key=f"{service}-{number}") for number, target in enumerate(targets)]

    def hub(self, hub: type[_H], **options: Any) -> _H:
        """A hub of the class `hub`, `pushcore.Hub` or `pushcore.aio.Hub`, with a client for each of the five services.

        `options` are the hub's own, `retries` say.
        """
        made = hub(**options)
        made.add("apns", self.apns_credentials(), environment="sandbox", **self._there("apns"))
        made.add("fcm", self.fcm_credentials(), **self._there("fcm"))
        made.add("web_push", self.vapid_credentials(), ca=self.ca, policy=self.policy())
        made.add("adm", self.adm_credentials(), **self._there("adm"))
        return made.add("baidu", self.baidu_credentials(), **self._there("baidu"))

    @property
    def faults(self) -> Faults:
        """What makes the services misbehave, until `reset`."""
        return Faults(self)

    def reset(self) -> None:
        """Empties the log and the list of faults, sets the clock right; devices stay."""
        self.control("POST", "reset")

    # The control endpoint.

    def log(self, **filters: object) -> list[dict[str, Any]]:
        """What reached the services; `service`, `operation`, `target`, `accepted`, `after` narrow it down."""
        query = "&".join(f"{name}={int(v) if isinstance(v, bool) else v}" for name, v in filters.items())
        return cast("list[dict[str, Any]]", self.control("GET", f"log?{query}"))

    def stats(self) -> dict[str, Any]:
        """Connections, refused streams, minted tokens, judged and accepted requests."""
        return cast("dict[str, Any]", self.control("GET", "stats"))

    def control(self, method: str, call: str, body: object = None) -> Any:
        """Any call of the control endpoint; see the sandbox's own documentation."""
        data = None if body is None else json.dumps(body).encode()
        url = self.ready["control"]["url"].rstrip("/") + "/" + call
        headers = {"Authorization": f"Bearer {self.ready['control']['token']}"}
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def close(self) -> None:
        """Stops the program."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


if TYPE_CHECKING:
    from typing import TypeVar

    _C = TypeVar("_C", bound=Services)
    _H = TypeVar("_H", bound=BaseHub)

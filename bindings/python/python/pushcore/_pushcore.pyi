"""The extension module. Import from `pushcore`; what stands here only is not for callers."""

import datetime
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import GenericAlias, TracebackType
from typing import Any, ClassVar, Final, Generic, Literal, NoReturn, TypeAlias, final

from typing_extensions import Self, TypeVar, Unpack, disjoint_base

from ._errors import PushcoreError
from ._types import Duration, FileOrBytes, Message, Options

_T = TypeVar("_T")
_R = TypeVar("_R", covariant=True)
_C = TypeVar("_C", contravariant=True, default=Any)
_Bytes = str | bytes | bytearray | memoryview
_Time = float | datetime.datetime
_Json = Mapping[str, Any] | _Bytes
_StoragePolicy = Literal["no_storage", "most_recent"]
_ServiceName: TypeAlias = Literal["apns", "fcm", "web_push", "adm", "baidu"]
_Platform: TypeAlias = Literal["android", "apple", "web"]
_Scope: TypeAlias = Literal["message", "device", "topic", "project", "connection"]
_Line: TypeAlias = "str | Localized | Mapping[str, Any]"
_Suspect = Literal["environment", "topic", "sender", "key", "payload"]
_Ids = list[str]
_Results = list[TopicResult]
_Answer: TypeAlias = "Call[dict[str, Any] | Outcome]"

VERSION: Final[str]

def error_kinds() -> list[tuple[str, int]]:
    """Every error kind with its number."""

def message_from_json(
    kind: Literal["apns", "fcm", "web_push", "adm", "baidu"],
    message: _Json,
    /,
    *,
    policy: EndpointPolicy | None = None,
) -> Message:
    """A message of any service out of its JSON form, which `docs/messages.md` describes.

    `message` is a dict, or JSON as `str` or `bytes`, of which payloads are kept byte for byte. `policy` says
    where Web Push subscriptions may lead. Raises `MessageError` with the path of the field.
    """

def restore_message(kind: str, json: str, origin: str | None) -> Message:
    """A message out of a pickle."""

def load_credential(value: object) -> bytes:
    """What a key, a certificate or a credential file holds, for the command."""

# Outcomes

@disjoint_base
class Outcome:
    """What a service said about one message, and what to do now.

    One of `Accepted`, `TokenGone`, `TokenMismatch`, `RetryLater`, `FixCredentials`, `Rejected`.
    """

    @property
    def status(self) -> int:
        """The HTTP status."""
    @property
    def reason(self) -> str | None:
        """The service's own word, as it was sent."""
    @property
    def reason_is_known(self) -> bool:
        """Whether this version knows what the word means."""
    @property
    def body(self) -> bytes:
        """The body as received, at most 64 KiB."""
    @property
    def advice(self) -> str:
        """What to do now, in a few words for a person."""
    @property
    def detail(self) -> str | None:
        """The service's own sentence about a refusal, with the field that it names.

        `None` where it says nothing beside its reason.
        """
    @property
    def name(
        self,
    ) -> Literal["accepted", "token_gone", "token_mismatch", "retry_later", "fix_credentials", "rejected"]:
        """The arm's name as it stands in tables and result files."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Accepted(Outcome):
    """The service took the message. That is all it promises: never read it as "delivered"."""

    __match_args__: ClassVar[tuple[str, ...]] = ("id", "replacement")
    def __new__(
        cls,
        *,
        status: int = 0,
        reason: str | None = None,
        reason_is_known: bool = False,
        body: _Bytes = b"",
        id: str | None = None,
        replacement: str | None = None,
        unique_id: str | None = None,
        location: str | None = None,
        receipt: str | None = None,
        ttl: Duration | None = None,
    ) -> Self:
        """An outcome made by hand, for tests."""
    @property
    def id(self) -> str | None:
        """The service's id of the message."""
    @property
    def replacement(self) -> str | None:
        """A new registration id to store in place of the one used (ADM)."""
    @property
    def unique_id(self) -> str | None:
        """The id that APNs' console finds the push by (its sandbox environment only)."""
    @property
    def location(self) -> str | None:
        """Where the message lives at the push service (Web Push)."""
    @property
    def receipt(self) -> str | None:
        """Where receipts come from, if one was asked for (Web Push)."""
    @property
    def ttl(self) -> float | None:
        """The time to live that the service really applies, in seconds (Web Push)."""

@final
class TokenGone(Outcome):
    """This device's token or subscription is dead, whatever is sent to it: delete or replace it."""

    __match_args__: ClassVar[tuple[str, ...]] = ("since", "replacement")
    def __new__(
        cls,
        *,
        status: int = 0,
        reason: str | None = None,
        reason_is_known: bool = False,
        body: _Bytes = b"",
        since: _Time | None = None,
        replacement: str | None = None,
    ) -> Self:
        """An outcome made by hand, for tests."""
    @property
    def since(self) -> float | None:
        """Since when, in seconds since 1970 by the service's clock (APNs 410)."""
    @property
    def replacement(self) -> str | None:
        """The token that takes its place, if the service names one."""
    def applies_to(self, registered_at: _Time) -> bool:
        """Whether a token registered at that time is the one that died."""

@final
class TokenMismatch(Outcome):
    """The service blames the token, but a wrong environment, topic, sender, VAPID key or payload could explain the
    answer: keep the token.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ("reason", "suspects")
    def __new__(
        cls,
        *,
        status: int = 0,
        reason: str | None = None,
        reason_is_known: bool = False,
        body: _Bytes = b"",
        suspects: Iterable[_Suspect] = (),
    ) -> Self:
        """An outcome made by hand, for tests."""
    @property
    def suspects(self) -> tuple[_Suspect, ...]:
        """Everything that could be at fault in place of the token."""

@final
class RetryLater(Outcome):
    """Not now: send again later."""

    __match_args__: ClassVar[tuple[str, ...]] = ("after", "scope")
    def __new__(
        cls,
        *,
        status: int = 0,
        reason: str | None = None,
        reason_is_known: bool = False,
        body: _Bytes = b"",
        after: Duration | None = None,
        scope: Literal["message", "device", "topic", "project", "connection"] = "message",
    ) -> Self:
        """An outcome made by hand, for tests."""
    @property
    def after(self) -> float | None:
        """How long to wait at least, in seconds."""
    @property
    def scope(self) -> Literal["message", "device", "topic", "project", "connection"]:
        """What has to wait."""

@final
class FixCredentials(Outcome):
    """The credentials are the problem, not the message or the device."""

    __match_args__: ClassVar[tuple[str, ...]] = ("reason", "refreshable")
    def __new__(
        cls,
        *,
        status: int = 0,
        reason: str | None = None,
        reason_is_known: bool = False,
        body: _Bytes = b"",
        refreshable: bool = False,
        reconnect: bool = False,
        clock_skew: int | None = None,
    ) -> Self:
        """An outcome made by hand, for tests."""
    @property
    def refreshable(self) -> bool:
        """A new token made from the same key may help."""
    @property
    def reconnect(self) -> bool:
        """The connection is spoiled; the client replaces it by itself."""
    @property
    def clock_skew(self) -> int | None:
        """How many seconds the service's clock is ahead of this machine's, where that explains the answer."""

@final
class Rejected(Outcome):
    """This message can never be accepted as it is."""

    __match_args__: ClassVar[tuple[str, ...]] = ("reason",)
    def __new__(
        cls,
        *,
        status: int = 0,
        reason: str | None = None,
        reason_is_known: bool = False,
        body: _Bytes = b"",
    ) -> Self:
        """An outcome made by hand, for tests."""

def restore_outcome(parts: dict[str, Any]) -> Outcome:
    """An outcome out of a pickle."""

# HTTP values

@final
class Request:
    """One HTTPS request, complete: hand it to any HTTP client. APNs wants HTTP/2.

    Or one of your own, for `Client.exchange`: `authority` is `host` or `host:port`, `path` begins with a
    slash and is percent-encoded. Raises `MessageError`.
    """

    def __new__(
        cls,
        method: Literal["DELETE", "GET", "PATCH", "POST", "PUT"],
        authority: str,
        path: str,
        headers: Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]] | None = None,
        body: _Bytes | None = None,
    ) -> Self: ...
    @property
    def method(self) -> str:
        """`POST`, mostly."""
    @property
    def url(self) -> str:
        """`https://authority/path`."""
    @property
    def authority(self) -> str:
        """`host` or `host:port`."""
    @property
    def path(self) -> str:
        """Path and query."""
    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case, in the order of the wire. Holds the credentials."""
    @property
    def body(self) -> bytes:
        """The body."""
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Response:
    """An answer that another HTTP client received."""

    def __new__(
        cls,
        status: int,
        headers: Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]] | None = None,
        body: _Bytes | None = None,
    ) -> Self: ...
    @property
    def status(self) -> int:
        """The status."""
    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case, in the order of the wire."""
    @property
    def body(self) -> bytes:
        """The body."""

# Keys

class _Secret:
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __reduce__(self) -> NoReturn: ...

@final
class SigningKey(_Secret):
    """A P-256 private key that signs: for APNs provider tokens and for VAPID."""

    @staticmethod
    def generate() -> SigningKey:
        """A new key from the system's generator."""
    @staticmethod
    def read(key: FileOrBytes) -> SigningKey:
        """A key in any form that people have: PEM (PKCS#8, SEC1), DER, JWK, base64 of 32 bytes, in quotes,
        in base64, in UTF-16; or the file that holds it. Content is recognised before the name of a file.

        Raises `CredentialError` that says what it is instead.
        """
    @staticmethod
    def from_file(path: FileOrBytes) -> SigningKey:
        """The same as `read`, under the name of the usual case."""
    def to_pem(self) -> str:
        """PKCS#8 in PEM, the form of an APNs `.p8` file."""
    def to_der(self) -> bytes:
        """PKCS#8 in DER."""
    def to_sec1_pem(self) -> str:
        """SEC1 in PEM (`EC PRIVATE KEY`)."""
    def to_jwk(self) -> str:
        """A JSON Web Key."""
    def to_base64(self) -> str:
        """The 32 bytes in base64url: the form of `web-push generate-vapid-keys`."""
    @property
    def public_key(self) -> str:
        """The public key in base64url: what JavaScript takes as `applicationServerKey`."""
    def public_pem(self) -> str:
        """The public key in PEM."""
    def public_jwk(self) -> str:
        """The public key as a JSON Web Key."""

# APNs

@final
class ApnsCredentials(_Secret):
    """Who pushes to APNs: a signing key or a client certificate. Clients share its provider token."""

    @staticmethod
    def from_p8(key: FileOrBytes, *, key_id: str, team_id: str, topics: Sequence[str] | None = None) -> ApnsCredentials:
        """A signing key: the `.p8` file or what it holds.

        `key_id` and `team_id` have ten characters each. `topics` are the bundle ids that a
        topic-scoped key is for. Raises `CredentialError`.
        """
    @staticmethod
    def from_certificate(certificate: FileOrBytes, key: FileOrBytes | None = None) -> ApnsCredentials:
        """A client certificate in PEM; `key` where it is not in the same file."""
    @staticmethod
    def from_pkcs12(file: FileOrBytes, password: str | None = None) -> ApnsCredentials:
        """A client certificate with its key in a PKCS#12 file (`.p12`, `.pfx`), or what it holds.

        At most 10 MiB and a million key-derivation rounds. Raises `CredentialError`: `WRONG_PASSWORD`,
        `INVALID_KEY`, `INVALID_CREDENTIAL` or `KEY_MISMATCH`.
        """
    @staticmethod
    def from_provider_tokens(*, key_id: str, team_id: str) -> ApnsCredentials:
        """No key here: provider tokens of one key that other processes make and hand in with `import_token`."""
    def import_token(self, token: str, *, now: _Time | None = None) -> bool:
        """Takes over a provider token that another process made: `True` where it is newer than the present one.

        Raises `CredentialError` for a token of another key or team, or older than an hour.
        """
    def provider_token(self, *, now: _Time | None = None) -> str:
        """The provider token of now (a JWT)."""

@final
class Localized:
    """A text that the app looks up in its own language files."""

    def __new__(cls, key: str, *args: str) -> Self: ...
    @property
    def key(self) -> str:
        """The key of the text."""
    @property
    def args(self) -> list[str]:
        """What goes into its placeholders."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs__(self) -> tuple[str, ...]: ...

@final
class LiveActivity:
    """What a Live Activity push says. Times are seconds since 1970 or a `datetime`."""

    @staticmethod
    def start(
        *,
        timestamp: _Time,
        attributes_type: str,
        attributes: dict[str, Any],
        content_state: dict[str, Any],
        input_token: bool = False,
        input_channel: str | None = None,
        stale_date: _Time | None = None,
    ) -> LiveActivity:
        """Starts an activity; the push needs an alert as well."""
    @staticmethod
    def update(*, timestamp: _Time, content_state: dict[str, Any], stale_date: _Time | None = None) -> LiveActivity:
        """Updates an activity."""
    @staticmethod
    def end(
        *,
        timestamp: _Time,
        content_state: dict[str, Any] | None = None,
        dismissal_date: _Time | None = None,
    ) -> LiveActivity:
        """Ends an activity."""

@disjoint_base
class BaseMessage(Generic[_C]):
    """A message to any of the services: the base class of `ApnsMessage`, `ApnsBroadcast`, `FcmMessage`,
    `WebPushMessage`, `AdmMessage`, `AdmAudienceMessage` and `BaiduMessage`.

    Never changes. Two messages are equal when `to_json` writes the same of both.
    """

    @property
    def service(self) -> Literal["apns", "fcm", "web_push", "adm", "baidu"]:
        """The name of the service."""
    @property
    def target(self) -> str | None:
        """The target as text: a token, a subscription as JSON with its `auth` secret, or an object that names a
        topic, a group, a tag or a condition. `None` for a broadcast. For the caller's own storage, not for logs.
        """
    def template(self) -> Template:
        """The message without its target. A broadcast to a channel has none: `MessageError`."""
    @property
    def payload(self) -> bytes:
        """The payload: the body of the request as it is sent (APNs, FCM, ADM), the text or bytes before they are
        encrypted (Web Push; empty without a payload), or `msg` (Baidu).
        """
    def request(
        self,
        credentials: _C,
        *,
        environment: Literal["production", "sandbox"] | str | None = None,
        host: str | None = None,
        policy: EndpointPolicy | None = None,
        now: _Time | None = None,
    ) -> Request:
        """The request for an HTTP client of one's own, complete with its authorization; APNs wants HTTP/2. FCM's
        and ADM's credentials need a token first.

        `environment` is for APNs, `host` for all but Web Push, `policy` for Web Push: an endpoint that no policy
        has been asked about is checked with `policy`, or with the default one.
        """
    def outcome(self, response: Response, *, now: _Time | None = None) -> Outcome:
        """What the answer to that request means for this message and its target."""
    def to_json(self) -> str:
        """The message as JSON: `docs/messages.md`. `message_from_json` reads it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class Template:
    """A checked message without a target, encoded once: for `send_many(..., message=)`, `batch(message=)` and `to`.

    `message` is the form of `docs/messages.md` without a target: a dict, or JSON as `str` or `bytes`. Also made by
    `BaseMessage.template`. Never changes.
    """

    def __new__(cls, service: Literal["apns", "fcm", "web_push", "adm", "baidu"], message: _Json) -> Self: ...
    @property
    def service(self) -> Literal["apns", "fcm", "web_push", "adm", "baidu"]:
        """The name of the service."""
    def to(
        self,
        target: str | bytes | Subscription | Mapping[str, Any],
        /,
        *,
        policy: EndpointPolicy | None = None,
    ) -> Message:
        """The message to a target: a token, an object as text that names a topic, group or tag, or a subscription.

        `policy` says where a subscription may lead. Raises `MessageError`.
        """
    def to_json(self) -> str:
        """The template as JSON, which the constructor reads."""
    def __getnewargs__(self) -> tuple[str, str]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class ApnsMessage(BaseMessage[ApnsCredentials]):
    """One push to one device.

    What is shown comes from `alert` (a text, or a dict of the `alert` dictionary's own keys) or
    from `title`, `subtitle` and `body`. `aps` adds keys to the `aps` dictionary, `custom` beside
    it. `payload` is the whole payload instead, sent as it is. At most 4,096 bytes (VoIP 5,120).

    `topic` is the whole topic, `bundle` the app's bundle id to which the push type's suffix is
    added. `expiration` 0 means one attempt and nothing stored; without it APNs decides.
    Raises `MessageError` where APNs would refuse.
    """

    def __new__(
        cls,
        *,
        token: str | bytes,
        topic: str | None = None,
        bundle: str | None = None,
        push_type: Literal[
            "alert",
            "background",
            "voip",
            "complication",
            "fileprovider",
            "mdm",
            "location",
            "liveactivity",
            "pushtotalk",
            "widgets",
            "controls",
        ]
        | None = None,
        alert: str | dict[str, Any] | None = None,
        title: str | Localized | None = None,
        subtitle: str | Localized | None = None,
        body: str | Localized | None = None,
        badge: int | None = None,
        sound: str | None = None,
        critical_volume: float | None = None,
        thread_id: str | None = None,
        category: str | None = None,
        content_available: bool = False,
        mutable_content: bool = False,
        target_content_id: str | None = None,
        interruption_level: Literal["passive", "active", "time-sensitive", "critical"] | None = None,
        relevance_score: float | None = None,
        filter_criteria: str | None = None,
        live_activity: LiveActivity | None = None,
        aps: dict[str, Any] | None = None,
        custom: dict[str, Any] | None = None,
        payload: dict[str, Any] | _Bytes | None = None,
        priority: Literal[10, 5, 1] | None = None,
        collapse_id: str | None = None,
        expiration: _Time | None = None,
        ttl: Duration | None = None,
        id: str | uuid.UUID | None = None,
        registered_at: _Time | None = None,
    ) -> Self: ...
    def to(
        self,
        token: str | bytes,
        *,
        id: str | uuid.UUID | None = None,
        expiration: _Time | None = None,
        ttl: Duration | None = None,
        registered_at: _Time | None = None,
    ) -> ApnsMessage:
        """The same notification to another device; nothing is encoded again."""
    @property
    def token(self) -> str:
        """The device token, in lower-case hex."""
    @property
    def topic(self) -> str | None:
        """The topic."""
    @property
    def push_type(self) -> str:
        """The push type."""
    @property
    def id(self) -> str | None:
        """The id that the caller gave."""

@final
class ApnsBroadcast(BaseMessage[ApnsCredentials]):
    """An update or the end of a Live Activity, for everyone who follows a channel.

    `bundle` is the app's bundle id, `channel` the id that `ApnsChannels.create` gave, `storage` the
    policy that the channel was made with: `"no_storage"` channels take no `expiration`, others at most
    8 hours. At most 5,120 bytes. Raises `MessageError` where APNs would refuse.
    """

    def __new__(
        cls,
        *,
        bundle: str,
        channel: str,
        storage: _StoragePolicy | None = None,
        live_activity: LiveActivity | None = None,
        alert: str | dict[str, Any] | None = None,
        title: str | Localized | None = None,
        subtitle: str | Localized | None = None,
        body: str | Localized | None = None,
        sound: str | None = None,
        relevance_score: float | None = None,
        aps: dict[str, Any] | None = None,
        custom: dict[str, Any] | None = None,
        payload: dict[str, Any] | _Bytes | None = None,
        priority: Literal[10, 5] | None = None,
        expiration: _Time | None = None,
        ttl: Duration | None = None,
        id: str | uuid.UUID | None = None,
    ) -> Self: ...

@final
class ApnsChannels:
    """The broadcast channels of one app: what `Client.call` takes.

    An app has at most 10,000 of them in an environment.
    """

    def __new__(cls, bundle: str) -> Self: ...
    def create(
        self, *, storage: _StoragePolicy | None = None, id: str | uuid.UUID | None = None
    ) -> Call[str | Outcome]:
        """Makes a channel: its id, or the outcome that says why not.

        `storage` cannot be changed later: `"no_storage"` (the default) or `"most_recent"`, which keeps
        the last broadcast for devices that are away, for up to 8 hours.
        """
    def read(self, channel: str, *, id: str | uuid.UUID | None = None) -> Call[_StoragePolicy | Outcome]:
        """Asks for the storage policy of a channel: its word, or an outcome."""
    def delete(self, channel: str, *, id: str | uuid.UUID | None = None) -> Call[Outcome]:
        """Deletes a channel for good. Broadcasts that are stored may still arrive."""
    def list(self, *, id: str | uuid.UUID | None = None) -> Call[_Ids | Outcome]:
        """Lists the ids of all channels of the app, or says why not."""

# FCM

@final
class FcmCredentials(_Secret):
    """A Google identity that sends for one project. Clients share its access token."""

    @staticmethod
    def from_service_account(
        file: FileOrBytes | dict[str, Any], *, project: str | None = None, token_host: str | None = None
    ) -> FcmCredentials:
        """A service account's key file: a path, its text, or its JSON as a dict.

        `project` wins over the file's own: an account may send for another project that lets it.
        `token_host` (`"host:port"`) replaces Google's token endpoint. Raises `CredentialError`.
        """
    @staticmethod
    def from_file(
        file: FileOrBytes | dict[str, Any], *, project: str | None = None, token_host: str | None = None
    ) -> FcmCredentials:
        """Any credential file of Google; `project` where the file names none."""
    @staticmethod
    def from_metadata_server(project: str, *, host: str | None = None) -> FcmCredentials:
        """The identity of a machine in Google's cloud, asked of its metadata server over plain HTTP.

        `host` (`"host:port"`) is another server than `metadata.google.internal`, as `GCE_METADATA_HOST` names it.
        """
    @staticmethod
    def from_access_tokens(project: str) -> FcmCredentials:
        """Access tokens that the host mints and hands in with `supply_token`."""
    @property
    def project(self) -> str:
        """The project that messages are sent for."""
    def supply_token(self, token: str, *, lifetime: Duration, now: _Time | None = None) -> None:
        """A token that the host minted, good for `lifetime` seconds."""
    def token_request(self, *, now: _Time | None = None) -> Request:
        """The request that fetches an access token, for an HTTP client of one's own."""
    def accept_token(self, response: Response, *, now: _Time | None = None) -> bool:
        """Takes the answer; `False` when another request is due."""

@final
class FcmMessage(BaseMessage[FcmCredentials]):
    """One message for one target.

    Keywords are the fields of Google's own schema (`token`, `topic`, `condition` or `fid`;
    `notification`, `data`, `android`, `apns`, `webpush`, `fcm_options`), with dicts inside. Or the
    whole message as one dict or JSON text, with or without `{"message": ...}` around it.
    Both `snake_case` and `camelCase` are read; a field that this version does not know is refused
    unless it stands in a dict `extra` beside the known ones. Raises `MessageError` where FCM would refuse.
    """

    def __new__(
        cls,
        message: dict[str, Any] | _Bytes | None = None,
        /,
        *,
        validate_only: bool | None = None,
        ttl: Duration | None = None,
        token: str | None = ...,
        topic: str | None = ...,
        condition: str | None = ...,
        fid: str | None = ...,
        notification: dict[str, Any] | None = ...,
        data: dict[str, str] | None = ...,
        android: dict[str, Any] | None = ...,
        android_v2: dict[str, Any] | None = ...,
        apns: dict[str, Any] | None = ...,
        webpush: dict[str, Any] | None = ...,
        fcm_options: dict[str, Any] | None = ...,
        **fields: Any,
    ) -> Self: ...
    def to(
        self,
        token: str | None = None,
        /,
        *,
        topic: str | None = None,
        condition: str | None = None,
        fid: str | None = None,
    ) -> FcmMessage:
        """The same message for another target; nothing is encoded again."""
    @property
    def payload_size(self) -> int:
        """Bytes of payload as the service counts them: at most 4,096, for topics 2,048."""

@final
class FcmTopics:
    """Topic subscriptions of FCM: what `Client.call` takes.

    Google allows a project 3,000 calls a second, which a client keeps by itself (`call_rate`);
    `subscribe_many` and `unsubscribe_many`, which take up to 1,000 tokens at once.
    """

    @staticmethod
    def subscribe(token: str, topic: str) -> Call[Outcome]:
        """Subscribes a registration token or installation id to a topic; doing it twice does no harm."""
    @staticmethod
    def unsubscribe(token: str, topic: str) -> Call[Outcome]:
        """Ends a subscription; doing it twice does no harm."""
    @staticmethod
    def list(token: str, *, page_size: int | None = None, page_token: str | None = None) -> Call[TopicPage | Outcome]:
        """Asks for a page of one token's subscriptions: a `TopicPage`, or the outcome that says why not.

        `page_size` is 1 to 2,000, `page_token` the `next_page_token` of the page before.
        """
    @staticmethod
    def subscribe_many(tokens: Sequence[str], topic: str) -> Call[_Results | Outcome]:
        """Subscribes up to 1,000 registration tokens with one request, over Google's older service.

        One `TopicResult` for each token, in their order, or the outcome of the whole request.
        """
    @staticmethod
    def unsubscribe_many(tokens: Sequence[str], topic: str) -> Call[_Results | Outcome]:
        """Ends the subscriptions of up to 1,000 registration tokens with one request."""

@final
class TopicPage:
    """One page of a token's topic subscriptions."""

    @property
    def subscriptions(self) -> list[TopicSubscription]:
        """The subscriptions."""
    @property
    def next_page_token(self) -> str | None:
        """What to ask the next page with; `None` on the last one."""

@final
class TopicSubscription:
    """One topic that a token is subscribed to."""

    @property
    def topic(self) -> str:
        """The topic's name."""
    @property
    def create_time(self) -> float | None:
        """Since when, in seconds since 1970."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class TopicResult:
    """What became of one token of a `subscribe_many` or `unsubscribe_many`."""

    @property
    def name(self) -> str:
        """`done`, `token_gone` (delete the token), `retry_later` or `rejected`; others may come."""
    @property
    def reason(self) -> str | None:
        """The service's word, where it gave one."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

# Web Push

@final
class VapidCredentials(_Secret):
    """A VAPID key and the sender's contact."""

    def __new__(
        cls,
        key: SigningKey | os.PathLike[str] | _Bytes,
        *,
        subject: str,
        any_subject: bool = False,
    ) -> Self:
        """`key` in any form that `SigningKey.read` takes, or a path object.

        `subject` is `mailto:` and an address, or an `https` URL. `any_subject` allows one that
        Apple would refuse.
        """
    @property
    def public_key(self) -> str:
        """What JavaScript takes as `applicationServerKey`."""

@final
class EndpointPolicy:
    """Which Web Push endpoints may be talked to: by default the public services, by name.

    `hosts` allows more hosts (`.example.org`: and all under it), `any_public_host` every public
    name, `ports` more ports besides 443, `trusted` (`"host:port"`) exactly these, whatever they
    are: only from configuration, never from a user's input.
    """

    def __new__(
        cls,
        *,
        hosts: Sequence[str] = ...,
        any_public_host: bool = False,
        ports: Sequence[int] = ...,
        trusted: Sequence[str] = ...,
    ) -> Self: ...

@final
class Subscription:
    """What the browser handed out: the JSON of a `PushSubscription`, as text or as a dict.

    Checked once, here; raises `MessageError`.
    """

    def __new__(
        cls, subscription: _Json, *, policy: EndpointPolicy | None = None, created_at: _Time | None = None
    ) -> Self: ...
    @property
    def endpoint(self) -> str:
        """Where messages go: a URL, and a secret."""
    @property
    def expires(self) -> float | None:
        """When the browser says that it expires, in seconds since 1970."""
    @property
    def has_keys(self) -> bool:
        """Whether it can receive a payload."""
    def to_json(self) -> str:
        """The JSON that browsers make of it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    @staticmethod
    def _restore(json: bytes, origin: str, created_at: float | None) -> Subscription:
        """Read again under a policy that trusts its origin: what a client sends to is the client's policy."""
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class WebPushMessage(BaseMessage[VapidCredentials]):
    """One message to one subscription.

    `payload` is encrypted for the receiver: a dict becomes JSON, text UTF-8; at most 3,993 bytes.
    `ttl` in seconds (28 days); `topic` replaces an undelivered message of the same topic.
    Where neither `policy` nor a `Subscription` is given, the client's policy decides about the endpoint.
    `encoding="aesgcm"` is the legacy one (KaiOS, relays of Mastodon clients) and needs `vapid`: the
    credentials that the message is sent with, or their public key.
    `pad_to` and `pad_to_multiple_of` hide the payload's length. `receipt` asks for a receipt, or (the
    `receipt` of an earlier `Accepted`) for one where those come from.
    """

    def __new__(
        cls,
        *,
        subscription: Subscription | _Json,
        payload: _Json | None = None,
        ttl: Duration | None = None,
        urgency: Literal["very-low", "low", "normal", "high"] | None = None,
        topic: str | None = None,
        pad_to: int | None = None,
        pad_to_multiple_of: int | None = None,
        receipt: bool | str | None = None,
        policy: EndpointPolicy | None = None,
        encoding: Literal["aes128gcm", "aesgcm"] | None = None,
        vapid: VapidCredentials | str | None = None,
    ) -> Self: ...
    def to(self, subscription: Subscription | _Json, *, policy: EndpointPolicy | None = None) -> WebPushMessage:
        """The same message to another subscription."""
    def withdraw(self, location: str) -> Call[Outcome]:
        """Takes back a message that the device has not got yet: what `Client.call` takes.

        `location` is that of the `Accepted` outcome of this message.
        """
    def receipts(
        self, receipt: str, *, wait: Duration | None = None
    ) -> Call[Literal["delivered", "expired"] | Outcome]:
        """Asks for receipts: a call for a client that takes HTTP/2 server push, which these do not.

        Its `outcome` reads each pushed response: `"delivered"`, `"expired"`, or an outcome. `receipt` is
        that of the `Accepted` outcome; with `wait`, the service is asked to answer within so many
        seconds. No public push service gives receipts.
        """

@final
class ReceiverKeys(_Secret):
    """The private half of a subscription: for apps, extensions and tests."""

    @staticmethod
    def generate() -> ReceiverKeys:
        """New keys from the system's generator."""
    @staticmethod
    def import_keys(private_key: dict[str, Any] | _Bytes, *, auth: str) -> ReceiverKeys:
        """From what `export` wrote, or another library's keys."""
    def export(self) -> str:
        """The private key as a JSON Web Key."""
    @property
    def p256dh(self) -> str:
        """The public key in base64url."""
    @property
    def auth(self) -> str:
        """The authentication secret in base64url."""
    def subscription_json(self, endpoint: str) -> str:
        """The subscription as browsers write it, for the sender."""
    def decrypt(self, body: _Bytes, *, crypto_key: str | None = None, encryption: str | None = None) -> bytes:
        """Decrypts a body of `aes128gcm`, or of `aesgcm` given its two headers.

        Raises `MessageError`: `INVALID_CIPHERTEXT` or `DECRYPTION_FAILED`.
        """

# ADM and Baidu

@final
class AdmCredentials(_Secret):
    """A security profile of Amazon's developer console. Clients share its access token."""

    def __new__(cls, client_id: str, client_secret: str, *, token_host: str | None = None) -> Self: ...
    def token_request(self, *, now: _Time | None = None) -> Request:
        """The request that fetches an access token, for an HTTP client of one's own."""
    def accept_token(self, response: Response, *, now: _Time | None = None) -> bool:
        """Takes the answer."""

@final
class AdmMessage(BaseMessage[AdmCredentials]):
    """One message for one device: at most 6,144 bytes of data and notification.

    `ttl` 60 seconds to 31 days (`expires_after` means the same); `consolidation_key` replaces messages of the same key
    while the device is away.
    """

    def __new__(
        cls,
        *,
        registration_id: str,
        data: dict[str, str] | None = None,
        notification: dict[str, Any] | _Bytes | None = None,
        priority: Literal["normal", "high"] | None = None,
        consolidation_key: str | None = None,
        ttl: Duration | None = None,
        expires_after: Duration | None = None,
        md5: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> Self: ...
    def to(self, registration_id: str) -> AdmMessage:
        """The same message for another device."""

@final
class AdmAudienceMessage(BaseMessage[AdmCredentials]):
    """One message for all who follow a `topic`, or for all members of a `group`.

    The rest is as for `AdmMessage`. A topic has at most 10,000 app instances.
    """

    def __new__(
        cls,
        *,
        topic: str | None = None,
        group: str | None = None,
        data: dict[str, str] | None = None,
        notification: dict[str, Any] | _Bytes | None = None,
        priority: Literal["normal", "high"] | None = None,
        consolidation_key: str | None = None,
        ttl: Duration | None = None,
        expires_after: Duration | None = None,
        md5: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> Self: ...

@final
class AdmGroups:
    """Groups of ADM: what `Client.call` takes. Who is in a group is the caller's to keep.

    Each comes to an `AdmGroupResult`, or to the outcome that says why nothing was done.
    """

    @staticmethod
    def create(group: str, registration_ids: Sequence[str]) -> Call[AdmGroupResult | Outcome]:
        """Makes a group of these registrations."""
    @staticmethod
    def add(group: str, registration_ids: Sequence[str]) -> Call[AdmGroupResult | Outcome]:
        """Adds registrations to a group."""
    @staticmethod
    def remove(group: str, registration_ids: Sequence[str]) -> Call[AdmGroupResult | Outcome]:
        """Takes registrations out of a group."""

@final
class AdmGroupResult:
    """What became of a call of `AdmGroups`."""

    @property
    def succeeded(self) -> int:
        """For how many registrations it was done. A group that none was added to is not created."""
    @property
    def failed(self) -> list[str]:
        """Those it was not done for; ADM gives no reason."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class BaiduCredentials(_Secret):
    """An application's API key and secret key."""

    def __new__(cls, api_key: str, secret_key: str) -> Self: ...

@final
class BaiduMessage(BaseMessage[BaiduCredentials]):
    """One message for one target: `channel_id`, `channel_ids`, `tag`, `selector` or `everyone`.

    What it says: `text` (with `title`, `open_url`, `confirm`, `custom`, `extra`) for an Android
    notification, `raw` for JSON that the Android app handles, `ios` for an APNs payload (with
    `production`). `ttl` 1 second to a week (`expires_after` means the same).
    """

    def __new__(
        cls,
        *,
        channel_id: str | None = None,
        channel_ids: list[str] | None = None,
        tag: str | None = None,
        selector: dict[str, Any] | _Bytes | None = None,
        everyone: bool = False,
        text: str | None = None,
        title: str | None = None,
        open_url: str | None = None,
        confirm: bool = False,
        custom: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        raw: dict[str, Any] | _Bytes | None = None,
        ios: dict[str, Any] | _Bytes | None = None,
        production: bool | None = None,
        ttl: Duration | None = None,
        expires_after: Duration | None = None,
        topic_id: str | None = None,
        send_at: _Time | None = None,
    ) -> Self: ...
    def to(self, channel_id: str) -> BaiduMessage:
        """The same message for another device."""

@final
class BaiduCalls:
    """What Baidu knows of an app's messages, tags and timers: what `Client.call` takes.

    Each comes to the `response_params` of Baidu's answer (a dict in Baidu's words: lists have
    `total_num` and `result`), or to the outcome that says why not. Lists begin at `start` and have at
    most `limit` entries: 1 to 100, of topics 1 to 20.
    """

    @staticmethod
    def message_status(ids: Sequence[str]) -> _Answer:
        """Whether messages have been sent, and how many devices they reached."""
    @staticmethod
    def timer_records(
        timer_id: str | None = None,
        *,
        start: int = 0,
        limit: int | None = None,
        since: _Time | None = None,
        until: _Time | None = None,
    ) -> _Answer:
        """What timers have sent, between two times if given."""
    @staticmethod
    def topic_records(
        topic_id: str,
        *,
        start: int = 0,
        limit: int | None = None,
        since: _Time | None = None,
        until: _Time | None = None,
    ) -> _Answer:
        """What was sent under a topic id, between two times if given."""
    @staticmethod
    def device_statistics() -> _Answer:
        """How many devices the app has."""
    @staticmethod
    def topic_statistics(topic_id: str) -> _Answer:
        """How many messages of a topic id arrived."""
    @staticmethod
    def topics(*, start: int = 0, limit: int | None = None) -> _Answer:
        """The topic ids in use, at most 20 at a time."""
    @staticmethod
    def tags(tag: str | None = None, *, start: int = 0, limit: int | None = None) -> _Answer:
        """The app's tags, or one of them."""
    @staticmethod
    def create_tag(tag: str) -> _Answer:
        """Makes a tag."""
    @staticmethod
    def delete_tag(tag: str) -> _Answer:
        """Deletes a tag."""
    @staticmethod
    def tag_devices(tag: str, channel_ids: Sequence[str]) -> _Answer:
        """Gives devices a tag; the answer has a result for each."""
    @staticmethod
    def untag_devices(tag: str, channel_ids: Sequence[str]) -> _Answer:
        """Takes a tag from devices."""
    @staticmethod
    def devices_with_tag(tag: str) -> _Answer:
        """How many devices have a tag."""
    @staticmethod
    def timers(timer_id: str | None = None, *, start: int = 0, limit: int | None = None) -> _Answer:
        """The timers that wait, or one of them."""
    @staticmethod
    def cancel_timer(timer_id: str) -> _Answer:
        """Takes a message back whose time has not come (`send_at`)."""

# Driving

@final
class Call(Generic[_R]):
    """A request to a service that is not a message: `Client.call` sends it and reads the answer.

    Made by `ApnsChannels`, `FcmTopics`, `AdmGroups`, `BaiduCalls` and `WebPushMessage`. With an HTTP
    client of one's own: send what `request` gives, and hand the answer to `outcome`.
    """

    def request(
        self,
        credentials: ApnsCredentials | FcmCredentials | VapidCredentials | AdmCredentials | BaiduCredentials,
        *,
        environment: Literal["production", "sandbox"] | str | None = None,
        host: str | None = None,
        policy: EndpointPolicy | None = None,
        now: _Time | None = None,
    ) -> Request:
        """The request for an HTTP client of one's own. FCM's credentials need a token first."""
    def outcome(self, response: Response, *, now: _Time | None = None) -> _R:
        """What the answer to that request means."""
    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...

@final
class Service:
    """A service with its credentials and settings: what clients and sessions are opened from."""

    def __new__(
        cls,
        kind: Literal["apns", "fcm", "web_push", "adm", "baidu"],
        credentials: object,
        *,
        environment: str | None = None,
        host: str | None = None,
        management_host: str | None = None,
        broadcast_host: str | None = None,
        policy: EndpointPolicy | None = None,
        **options: Unpack[Options],
    ) -> Self: ...
    @property
    def kind(self) -> Literal["apns", "fcm", "web_push", "adm", "baidu"]:
        """The name of the service."""
    @property
    def deadline(self) -> float:
        """From submission to the end at the latest, in seconds."""
    @property
    def proxy_url(self) -> str | None:
        """The proxy."""
    @property
    def resolve_on_threads(self) -> bool:
        """Whether names are looked up in threads of the client's own."""
    def uses_proxy(self, host: str) -> bool:
        """Whether connections to `host` go through a proxy."""

@final
class Progress:
    """How far a bulk send is."""

    def __new__(
        cls,
        *,
        expected: int | None = None,
        taken: int = 0,
        in_flight: int = 0,
        accepted: int = 0,
        token_gone: int = 0,
        retry_later: int = 0,
        fix_credentials: int = 0,
        rejected: int = 0,
        not_sent: int = 0,
        unknown: int = 0,
        ended: int = 0,
        elapsed: float = 0.0,
        rate: float = 0.0,
        token_mismatch: int = 0,
    ) -> Self:
        """A progress made by hand, for tests and for drivers written in Python; what is not given is 0."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @property
    def expected(self) -> int | None:
        """How many messages there are in all, if the iterable knows."""
    @property
    def taken(self) -> int:
        """Taken from the iterable."""
    @property
    def in_flight(self) -> int:
        """Submitted, not ended."""
    @property
    def accepted(self) -> int:
        """Ended: taken by the service."""
    @property
    def token_gone(self) -> int:
        """Ended: the token is dead."""
    @property
    def token_mismatch(self) -> int:
        """Ended: the token is blamed, and may be good."""
    @property
    def retry_later(self) -> int:
        """Ended: not now."""
    @property
    def fix_credentials(self) -> int:
        """Ended: the credentials are at fault."""
    @property
    def rejected(self) -> int:
        """Ended: can never be accepted."""
    @property
    def not_sent(self) -> int:
        """Ended: certainly not processed."""
    @property
    def unknown(self) -> int:
        """Ended: written, no answer."""
    @property
    def ended(self) -> int:
        """Ended, in whatever way."""
    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
    @property
    def rate(self) -> float:
        """Ended messages a second."""

@final
class Histogram:
    """Durations, counted in fixed steps."""

    @property
    def count(self) -> int:
        """The number of durations."""
    @property
    def sum(self) -> float:
        """The sum of all durations, in seconds."""
    @property
    def steps(self) -> list[tuple[float | None, int]]:
        """Pairs of an upper bound in seconds (`None` for the last step, which has none) and the number of durations
        in this step alone.
        """

@final
class Metrics:
    """The counts and latencies of a client at one moment. Made by `Client.metrics`."""

    @staticmethod
    def _sum(service: Service, sessions: list[Session]) -> Metrics:
        """The sum of several sessions of one service."""
    @property
    def service(self) -> Literal["apns", "fcm", "web_push", "adm", "baidu"]:
        """The name of the service."""
    @property
    def stats(self) -> dict[str, int]:
        """How many messages are where, under the names of `Client.stats`."""
    @property
    def latencies(self) -> dict[Literal["queue", "wire", "whole"], Histogram]:
        """How long messages took: `queue` from submission to the stream, `wire` from the stream to the end, `whole`
        from submission to the end.
        """
    def to_open_metrics(self, labels: Mapping[str, str] | None = None) -> str:
        """OpenMetrics text of this client, with labels of one's own: what Prometheus scrapes.

        Raises `MessageError` for a label that OpenMetrics or the text itself does not allow.
        """
    @staticmethod
    def open_metrics(clients: Iterable[tuple[Mapping[str, str], Metrics]]) -> str:
        """OpenMetrics text of several clients, each with labels that tell it from the others of its service."""

@final
class Event:
    """Something worth a line in a log: no secret, no token."""

    def __new__(
        cls,
        name: str,
        text: str,
        *,
        level: Literal["error", "warning", "info", "debug"] | None = None,
        link: int | None = None,
        code: int | None = None,
        after: Duration | None = None,
    ) -> Self:
        """An event made by hand, for tests; its level is `info` unless told."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, Any]]: ...
    @property
    def level(self) -> Literal["error", "warning", "info", "debug"]:
        """How much the event matters: `error` where somebody has to do something, `warning` for what the client
        handles by itself, `info` for changes that concern nobody, `debug` for the everyday.
        """
    @property
    def name(self) -> str:
        """`dialling`, `let_go`, `connected`, `disconnected`, `settings_changed`, `go_away`, `token_renewed`,
        `token_failed`, `requeued`, `throttled`, `clock_skew`, `wedged`, `mix_up_suspected`, `credentials_refused`,
        `credentials_accepted`, `internal`; others may come."""
    @property
    def link(self) -> int | None:
        """Which connection."""
    @property
    def code(self) -> int | None:
        """An `ErrorKind`, a GOAWAY code, or the number of streams."""
    @property
    def after(self) -> float | None:
        """For how long, or how far a clock is off, in seconds."""
    @property
    def text(self) -> str:
        """The event in words, never empty."""

@final
class SendMany(Generic[_T]):
    """Yields pairs of what was sent and its result, as they land."""

    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[_T, Outcome | PushcoreError]: ...
    @property
    def progress(self) -> Progress | None:
        """How far it is; `None` when it is over."""
    def close(self) -> None:
        """Cancels what has not ended."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None: ...

@final
class BlockingClient:
    """The blocking client of one process."""

    def __new__(cls, service: Service, on_event: Callable[[Event], object] | None = None) -> Self: ...
    def pump(self) -> None:
        """Hands what has happened to `on_event`. Never waits."""
    def send(self, message: Message, *, deadline: Duration | None = None, priority: str | None = None) -> Outcome:
        """Sends one message and waits for its end."""
    def send_many(
        self,
        source: Iterable[Any],
        *,
        template: Message | Template | None = None,
        deadline: Duration | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        progress_every: Duration | None = None,
        on_suspicion: str | None = None,
        priority: str | None = None,
    ) -> SendMany[Any]:
        """Sends every message of an iterable, or `template` to every target of one."""
    def batch(
        self,
        *,
        template: Message | Template | None = None,
        deadline: Duration | None = None,
        priority: str | None = None,
    ) -> BlockingBatch:
        """Many messages in the caller's own loop: submit, wait, submit again."""
    def call(self, call: Call[_T], *, deadline: Duration | None = None) -> _T:
        """Sends a request that is not a message and reads the answer."""
    def exchange(self, request: Request, *, deadline: Duration | None = None) -> Response:
        """Sends a request to one of the service's hosts; the answer is whatever came."""
    def connections(self) -> list[dict[str, Any]]:
        """Every connection as it is now.

        Each is a `dict` of `link`, `authority`, `ready`, `retired`, `surplus`, `in_flight`, `streams`, `window`,
        `widest_window` (in bytes) and `round_trip` (in seconds); the last three are `None` while unknown.
        """
    def hosts(self) -> list[dict[str, Any]]:
        """Every host that is connected or that messages wait for.

        Each is a `dict` of `authority`, `waiting`, `in_flight`, `connections` and `waits_for`: `"pause"`, `"room"`,
        `"back_off"`, `"connection"`, `"stream"` or `None`.
        """
    def metrics(self) -> Metrics:
        """The counts and latencies of this client."""
    def stats(self) -> dict[str, int]:
        """How many messages are where."""
    def header_bytes(self) -> tuple[int, int]:
        """Bytes of header blocks sent and received so far."""
    def is_mix_up_suspected(self) -> bool:
        """Whether many answers in a row blame the tokens, so that the configuration is probably wrong."""
    def poll_event(self) -> Event | None:
        """The next thing that happened; never waits."""
    def close(self) -> None:
        """Waits until what was taken has ended, then closes the connections."""

@final
class BlockingBatch:
    """Many messages of one caller: every result comes back with the key that was submitted with its message.

    Made by `Client.batch`. What is dropped is cancelled.
    """

    def submit(self, pairs: list[tuple[Any, Any]]) -> int:
        """Takes pairs of a key and a message (where there is a template: a target); returns the number taken.

        It is smaller than the list when the queue is full or when results wait: call `wait`, then submit the rest. What
        cannot be sent at all counts as taken: its result is the exception that says why.
        """
    def wait(self, longest: Duration | None = None) -> list[tuple[Any, Outcome | PushcoreError]]:
        """Moves bytes until something has ended or `longest` is over, 0.1 seconds at most; what has ended."""
    def submit_from(self, board: HubBoard, lane: int, most: int) -> bool:
        """Takes messages from a lane of a hub's board; returns whether there may be room for more."""
    def wait_for(self, board: HubBoard, longest: float) -> int:
        """Moves bytes as `wait` does; tells the board what has ended, and returns the number of messages."""
    def finish(self) -> None:
        """Says that no message follows: doubtful answers are held back no longer than for those under way."""
    def withdraw(self) -> int:
        """Cancels every message of which the service cannot have seen a byte; returns their number.

        Each of them ends as `Cancelled`: it may be sent again. The others go on to their own ends.
        """
    @property
    def in_flight(self) -> int:
        """The number of messages that were taken and whose results `wait` has not handed out."""
    def cancel(self) -> None:
        """Cancels what has not ended and lets go of everything; no result comes any more."""

@final
class HubBoard:
    """The books of one `send` of a hub, for both hubs; not for callers."""

    def __new__(
        cls,
        notification: Notification | None,
        retries: Retries,
        find: Callable[[Device], int | None],
        landed: Callable[[tuple[Any, ...]], Any],
        *,
        queue: int | None,
        patience: float,
        remember: int | None,
        total_deadline: Duration | None,
    ) -> Self: ...
    def add_lane(self) -> int:
        """Adds a lane; returns its number."""
    def read(self, items: object, most: int, longest: float, results: int) -> Literal["more", "full", "over"]:
        """Reads devices from an iterator, as long as there is room."""
    def take(self, item: object) -> bool:
        """Takes one item; returns whether it found its place."""
    def place(self) -> bool:
        """Gives what waits for room its place, if there is one; returns whether nothing waits any more."""
    def submit(self, lane: int, most: int) -> list[tuple[float | None, list[tuple[int, Message]]]]:
        """Takes messages out of a lane: pieces with the seconds that they have left."""
    def put_back(self, pairs: list[tuple[int, Message]], from_: int, /) -> None:
        """Takes back what found no room."""
    def end(self, pairs: list[tuple[int, Outcome | PushcoreError]]) -> None:
        """Attempts have ended."""
    def fail(self, lane: int, waiting: PushcoreError, sent: PushcoreError) -> None:
        """The client of a lane sends nothing more."""
    def fetch(self, most: int) -> list[Any]:
        """The results that have landed, at most so many."""
    @property
    def ended(self) -> int:
        """The number of results that have not been fetched."""
    @property
    def is_full(self) -> bool:
        """Whether a device waits for room in its lane."""
    @property
    def is_open(self) -> bool:
        """Whether devices were read that have not landed."""
    def has_queued(self, lane: int) -> bool:
        """Whether messages of the lane wait to be sent."""
    def in_flight(self, lane: int) -> int:
        """The number of messages of the lane that its client has."""
    def is_behind(self, lane: int) -> bool:
        """Whether the lane is behind."""
    def rests(self, lane: int) -> bool:
        """Whether messages of the lane rest before another attempt."""
    def progress(self, lane: int) -> Progress:
        """How far the lane is."""
    def waiting(self) -> list[tuple[Any, Device, Attempts]]:
        """What rests before another attempt, with the states of the attempts."""
    def due(self) -> float | None:
        """The seconds until something is due; `None` is never."""
    def handle_timeout(self) -> None:
        """Does what is due."""
    def note_wait(self, waited: float) -> None:
        """The hub has waited for its clients for so many seconds."""
    def drain(self) -> None:
        """Reads no further, and sends nothing again."""
    def clear(self) -> None:
        """Forgets everything."""

@final
class Batch:
    """Many messages of one caller: what `take` hands out is what `submit` was given, with its result.

    Made by `Session.batch`. What is dropped is cancelled.
    """

    def submit(self, items: list[Any], *, waited: float = 0.0) -> int:
        """Takes messages (where there is a template: targets) from a list; says how many.

        To the list's end or as many as there is room for. What cannot be sent at all counts as taken:
        its result is the exception that says why. `waited` is for how many seconds they have waited for
        room, which counts in the deadline: when that is over, all are taken, and those without room have expired.
        """
    def take(self, most: int = 256) -> list[tuple[Any, Outcome | PushcoreError]]:
        """What has ended, as pairs of a message or target and its result; at most so many.

        They come with the session's `poll_outcomes`.
        """
    @property
    def ready(self) -> int:
        """How many `take` would hand out now, were there no limit."""
    @property
    def in_flight(self) -> int:
        """How many were taken and have not been handed out with their results."""
    @property
    def stopped(self) -> bool:
        """Whether no further message is taken, because many answers in a row blame the tokens."""
    def finish(self) -> None:
        """Says that no message follows.

        Doubtful answers are held back no longer than for the messages that are under way; without this they are held
        back for five seconds.
        """
    def progress(self, *, elapsed: float, expected: int | None = None) -> Progress:
        """How far it is, so many seconds after its start."""
    def cancel(self) -> None:
        """Cancels what has not ended and lets go of everything; nobody is told."""

@final
class Session:
    """Messages in, outcomes out: the state machine under both clients, for other event loops.

    It opens no socket and reads no clock. Call `tick` with both clocks at every turn of the loop.
    The run loop is in `examples/python/trio_client.py`.
    """

    def __new__(cls, service: Service, *, monotonic: float, unix: float) -> Self: ...
    def tick(self, monotonic: float, unix: float) -> None:
        """What the two clocks show, in seconds; the monotonic one may have any epoch."""
    def capacity(self) -> int:
        """How many more messages `submit` takes now."""
    def submit(
        self,
        message: Message,
        *,
        to: object = None,
        deadline: Duration | None = None,
        priority: str | None = None,
    ) -> int:
        """Takes a message, or the same message to another target; its ticket comes back with its end."""
    def submit_many(
        self, items: list[Any], *, template: Message | Template | None = None, deadline: Duration | None = None
    ) -> list[int | PushcoreError]:
        """`submit` of many, to the end of the list or of the room.

        For each that was looked at its ticket, or the exception that says why it cannot be sent.
        """
    def batch(
        self,
        *,
        template: Message | Template | None = None,
        deadline: Duration | None = None,
        on_suspicion: str | None = None,
        priority: str | None = None,
    ) -> Batch:
        """Many messages of one caller: their results come back with what was submitted, not by tickets.

        They are one bulk send: see `Client.send_many` for what that means for doubtful answers and pauses.
        """
    def call(self, call: Call[Any], *, deadline: Duration | None = None) -> int | None:
        """Takes a request that is not a message; its ticket comes back in `poll_responses`.

        `None` while the access token that it needs is being fetched: ask again.
        """
    def exchange(self, request: Request, *, deadline: Duration | None = None) -> int:
        """Takes a request to one of the service's hosts; its ticket comes back in `poll_responses`."""
    def poll_responses(self) -> list[tuple[int, Response | PushcoreError]]:
        """Every request of `call` and `exchange` that has ended: tickets with their answer or exception."""
    def cancel(self, ticket: int) -> bool:
        """Ends a message as cancelled; `False` when it has ended already."""
    def poll_action(
        self,
    ) -> tuple[Literal["connect"], int, str, int] | tuple[Literal["close"], int, bytes] | None:
        """The next thing to do: `("connect", link, host, port)` or `("close", link, last_words)`."""
    def is_direct(self, link: int) -> bool:
        """Whether that connection is made without the proxy: to the machine's metadata server."""
    def allow_address(self, host: str, port: int, address: str) -> None:
        """Raises if the policy refuses to connect to that address."""
    def connected(self, link: int) -> None:
        """The socket of `link` is connected."""
    def connect_failed(self, link: int, code: int, text: str) -> None:
        """The socket of `link` could not be connected; `code` is an `ErrorKind`."""
    def receive(self, link: int, data: bytes | bytearray | memoryview) -> None:
        """Bytes from the socket of `link`."""
    def receive_eof(self, link: int) -> None:
        """The socket of `link` has come to its end."""
    def data_to_send(self, link: int, most: int | None = None) -> bytes:
        """What is to be written to the socket of `link` now, at most `most` bytes of it; it counts as written."""
    def poll_writable(self) -> int | None:
        """The next connection that may have bytes to write, told once after each change; `None` when there is none."""
    def links(self) -> list[int]:
        """Every connection there is."""
    def poll_timeout(self) -> float | None:
        """When `handle_timeout` has to be called, on the monotonic clock; `None` is never."""
    def handle_timeout(self) -> None:
        """Time has passed."""
    def poll_outcomes(self) -> list[tuple[int, Outcome | PushcoreError]]:
        """Everything that has ended: tickets with their outcome or exception. What belongs to a batch goes there."""
    def poll_event(self) -> Event | None:
        """The next thing that happened."""
    def connections(self) -> list[dict[str, Any]]:
        """Every connection as it is now.

        Each is a `dict` of `link`, `authority`, `ready`, `retired`, `surplus`, `in_flight`, `streams`, `window`,
        `widest_window` (in bytes) and `round_trip` (in seconds); the last three are `None` while unknown.
        """
    def hosts(self) -> list[dict[str, Any]]:
        """Every host that is connected or that messages wait for.

        Each is a `dict` of `authority`, `waiting`, `in_flight`, `connections` and `waits_for`: `"pause"`, `"room"`,
        `"back_off"`, `"connection"`, `"stream"` or `None`.
        """
    @staticmethod
    def no_stats() -> dict[str, int]:
        """The stats of a session that was given nothing."""
    def metrics(self) -> Metrics:
        """The counts and latencies of this session."""
    def stats(self) -> dict[str, int]:
        """How many messages are where."""
    def header_bytes(self) -> tuple[int, int]:
        """Bytes of header blocks sent and received so far."""
    def is_mix_up_suspected(self) -> bool:
        """Whether many answers in a row blame the tokens, so that the configuration is probably wrong."""
    def close(self) -> None:
        """No more messages; those taken go on to their end."""
    def abandon(self) -> None:
        """Ends every message now."""
    def is_closed(self) -> bool:
        """Whether every message has ended and every connection is gone."""

@final
class Tunnel:
    """The dialogue with a proxy: bytes in, bytes out."""

    def __new__(cls, proxy: str | Service, host: str, port: int) -> Self: ...
    @property
    def proxy(self) -> tuple[str, int]:
        """Where the proxy listens."""
    def data_to_send(self) -> bytes:
        """What is to be written to the proxy now; it counts as written."""
    def receive(self, data: bytes | bytearray | memoryview) -> bytes | None:
        """What the proxy said; `bytes` when the tunnel stands: they came through it already."""

# Dialects

@final
class Dialect:
    """A push system whose requests are understood, with options: jobs are begun from it."""

    def __new__(cls, system: str, options: dict[str, Any] | None = None) -> Self:
        """`system` is the name of a system, for example `"pinpoint"`; `docs/dialects.md` describes the options.

        Raises `MessageError`.
        """
    @staticmethod
    def systems() -> list[str]:
        """The names of all systems."""
    @property
    def system(self) -> str:
        """The name of the system."""
    @property
    def routes(self) -> list[tuple[str, str, str]]:
        """Method, path and operation of every request that is understood; `{name}` stands for one segment."""
    def begin(
        self,
        method: str,
        target: str,
        headers: Iterable[Sequence[str | bytes]],
        body: _Bytes,
        *,
        now: _Time | None = None,
    ) -> DialectJob:
        """Begins the job of a request that came in.

        `target` is the raw target, path and query as they stood on the wire; `headers` are all headers in their order
        (a `str` is taken as Latin-1, as WSGI has it); `body` is the body without chunks. `now` is `time.time()` by
        default. Raises `MessageError` for a target that no HTTP server lets through.
        """

@final
class DialectJob:
    """One request on its way through a dialect: steps that wait for answers, then a reply."""

    @staticmethod
    def from_json(text: str | bytes) -> DialectJob:
        """Reads a job back from `to_json`. What it waited for it waits for again. Raises `MessageError`."""
    @property
    def steps(self) -> list[DialectStep]:
        """The steps that wait for an answer. The next ones come when all are answered."""
    @property
    def reply(self) -> DialectReply | None:
        """The answer to the client; `None` while steps wait."""
    @property
    def warnings(self) -> list[str]:
        """What the translation lost or changed, in words, as far as it is known now."""
    @property
    def system(self) -> str:
        """The name of the system."""
    @property
    def operation(self) -> str | None:
        """The operation of the routing table; `None` where no route takes the request."""
    @property
    def began(self) -> float:
        """When the job began, in seconds since 1970."""
    def answer(self, id: int, answer: Any) -> None:
        """Takes the answer to a step, as `None`, `dict` or another JSON value.

        Raises `MisuseError` or `MessageError`; the step waits on.
        """
    def sent(self, id: int, result: Outcome | PushcoreError) -> None:
        """Takes the result of a message: an `Outcome`, or the exception that was raised in its place."""
    def unknown(self, id: int) -> None:
        """Takes note that nobody knows what became of a step that sends. Nothing is sent again by itself."""
    def to_json(self) -> str:
        """The whole job as JSON, without a secret in it; `Job.from_json` reads it.

        Raises `MisuseError` for a request that brings credentials.
        """

@final
class DialectStep:
    """One thing that a job waits for."""

    @staticmethod
    def from_json(text: str | bytes) -> DialectStep:
        """Reads a step back from `to_json`, for a worker in another process. Raises `MessageError`."""
    @property
    def id(self) -> int:
        """The number by which the answer goes in."""
    @property
    def kind(self) -> Literal["ask", "send", "broadcast"]:
        """What is waited for: an answer of the store, a message, or a broadcast."""
    @property
    def data(self) -> dict[str, Any]:
        """The step as a `dict`: `{"id": 1, "step": "ask", "ask": "secret", ...}`."""
    @property
    def message(self) -> Message | None:
        """The message to send, complete with its target; `None` for a step that is no `send`."""
    def message_to(self, target: _Json, *, policy: EndpointPolicy | None = None) -> Message:
        """The message of a broadcast to one of its targets.

        Raises `MisuseError` for a step that is no `broadcast`.
        """
    def to_json(self) -> str:
        """The step as JSON."""

@final
class DialectReply:
    """The answer to the client."""

    @property
    def status(self) -> int:
        """The HTTP status."""
    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values in order."""
    @property
    def body(self) -> bytes:
        """The body. The host adds `content-length`."""
    @property
    def remember(self) -> list[str]:
        """The idempotency keys that the host stores this reply under, before the client gets it."""
    @property
    def remember_seconds(self) -> int:
        """The time for which the reply is remembered, in seconds."""
    def to_json(self) -> str:
        """The reply as JSON: `{"reply": json.loads(...)}` answers a claim later."""

def token_digest(key: str) -> str:
    """The SHA-256 of an API key or bearer token, as a job asks for it and a store keeps it."""

@final
class Selection:
    """The subscriptions that a filter of Pushpad's steps means.

    A subscription is selected when its uid is among `uids` and its tags match one of `tags`; what is absent or `None`
    selects everybody, and an empty list nobody.
    """

    def __new__(cls, filter: _Json) -> Self: ...
    def selects(self, uid: str | None, tags: Sequence[str]) -> bool:
        """Whether a subscription with this uid and these tags is selected.

        `uid` is `None` for a subscription of nobody in particular.
        """

@final
class TagExpression:
    """A condition on the tags of a subscription, for example `"paid && !trial || staff"`.

    The operators are `!`, `&&` and `||`, from highest to lowest precedence, and at most 64 parentheses that are open at
    the same time. Raises `MessageError`.
    """

    def __new__(cls, text: str) -> Self: ...
    def matches(self, tags: Sequence[str]) -> bool:
        """Whether a subscription with these tags is meant."""

def pushpad_signature(token: str, uid: str) -> str:
    """The signature with which a page proves a user's id to Pushpad's part in the browser: lower-case hex."""

# One notification, every device

@final
class Device:
    """One row of a table of devices: a service, a token or subscription, its app, when it was registered, and a key of
    the caller's own. Never changes.

    A token that has the form of another service's is refused: `MessageError`.
    """

    def __new__(
        cls,
        service: _ServiceName,
        token: str | bytes | Mapping[str, Any] | Subscription,
        *,
        app: str | None = None,
        environment: Literal["production", "sandbox"] | None = None,
        platform: _Platform | None = None,
        registered_at: _Time | None = None,
        key: str | None = None,
        policy: EndpointPolicy | None = None,
    ) -> Self: ...
    @classmethod
    def from_json(cls, device: _Json, /, *, policy: EndpointPolicy | None = None) -> Device:
        """Reads a device in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`."""
    def to_json(self) -> str:
        """The device as JSON, with its token: for the caller's own storage, not for logs."""
    @property
    def service(self) -> _ServiceName:
        """The name of the service."""
    @property
    def token(self) -> str:
        """The token, or the subscription as JSON with its `auth` secret."""
    @property
    def app(self) -> str | None:
        """The app: bundle id, project id or a name of the caller's own; `None` when it was not given."""
    @property
    def environment(self) -> Literal["production", "sandbox"]:
        """The environment; `production` for a service that has only one."""
    @property
    def platform(self) -> _Platform | None:
        """The platform; `None` when it was not given."""
    @property
    def registered_at(self) -> float | None:
        """When the app registered the token, in seconds since 1970; `None` when the caller did not say."""
    @property
    def key(self) -> str | None:
        """The caller's own key; `None` when there is none."""
    def with_token(self, token: str, *, now: _Time | None = None) -> Device:
        """The same device with the token that a service named in place of the old one, registered now."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

def restore_device(json: str, origin: str | None) -> Device:
    """A device out of a pickle."""

@final
class Feedback:
    """The change that a result asks for in a table of devices; `match feedback.action`."""

    __match_args__: ClassVar[tuple[str]] = ("action",)
    def __new__(
        cls,
        action: Literal["keep", "delete", "replace", "wait", "check_configuration"],
        *,
        replacement: str | None = None,
        until: _Time | None = None,
        scope: _Scope | None = None,
        cause: Literal["suspects", "credentials", "clock", "device", "connection"] | None = None,
        suspects: Sequence[_Suspect] = ...,
        clock_skew: int | None = None,
    ) -> Self:
        """A feedback made by hand, for tests."""
    @property
    def action(self) -> Literal["keep", "delete", "replace", "wait", "check_configuration"]:
        """What to do with the device."""
    @property
    def replacement(self) -> str | None:
        """The new token; `None` except for `replace`."""
    @property
    def until(self) -> float | None:
        """The earliest time of the next message, in seconds since 1970; `None` except for `wait` with a known time."""
    @property
    def scope(self) -> _Scope | None:
        """The messages that have to wait; `None` except for `wait`."""
    @property
    def cause(self) -> Literal["suspects", "credentials", "clock", "device", "connection"] | None:
        """The part of the configuration to check; `None` except for `check_configuration`."""
    @property
    def suspects(self) -> tuple[_Suspect, ...]:
        """The settings to check, for the cause `suspects`."""
    @property
    def clock_skew(self) -> int | None:
        """The error of this machine's clock in seconds; `None` except for the cause `clock`."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]: ...

def feedback(result: Outcome | PushcoreError, device: Device, *, now: _Time | None = None) -> Feedback:
    """What the result of one message means for its device.

    `now` is the time of the answer, which a wait is counted from.
    """

@final
class Notification:
    """One thing to say, on every service: `docs/notification.md` says where each field lands, and what a service
    cannot show. Never changes.

    A text may be a `Localized`, or a dict of `key`, `args` and `text`, which services that look up nothing show.
    """

    def __new__(
        cls,
        *,
        title: _Line | None = None,
        subtitle: _Line | None = None,
        body: _Line | None = None,
        image: str | None = None,
        icon: str | None = None,
        url: str | None = None,
        deep_link: str | None = None,
        buttons: Sequence[Mapping[str, str]] | None = None,
        badge: int | None = None,
        sound: str | None = None,
        thread: str | None = None,
        category: str | None = None,
        channel: str | None = None,
        urgency: Literal["very_low", "low", "normal", "high"] | None = None,
        ttl: Duration | None = None,
        collapse_key: str | None = None,
        data: dict[str, str] | None = None,
        silent: bool = False,
        shorten: bool = False,
        overrides: dict[str, Any] | None = None,
    ) -> Self: ...
    @classmethod
    def from_json(cls, notification: _Json, /) -> Notification:
        """Reads a notification in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`."""
    def to_json(self) -> str:
        """The notification as JSON."""
    def message(self, device: Device, *, now: _Time | None = None) -> tuple[Message, list[NotificationLoss]]:
        """The message to one device, and what the device's service cannot show.

        For many devices `Campaign` encodes once.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Campaign:
    """One notification to many devices: the message to each app is made when its first device asks, and encoded once.

    May be used from several threads.
    """

    def __new__(cls, notification: Notification) -> Self: ...
    def message(self, device: Device, *, now: _Time | None = None) -> Message:
        """The message to one device."""
    def losses(self, device: Device, *, now: _Time | None = None) -> list[NotificationLoss]:
        """What the service of a device cannot show."""

@final
class NotificationLoss:
    """A part of a notification that a service does not take as it is."""

    @property
    def field(self) -> str:
        """The field of the notification."""
    @property
    def platform(self) -> _Platform | None:
        """The platform that loses the field; `None` when every device of the app does."""
    @property
    def kind(self) -> Literal["dropped", "changed", "shortened"]:
        """The kind of loss."""
    @property
    def reason(self) -> str:
        """The reason, in a few words for a person."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Retries:
    """A policy of sending again: how often, for how long, after which waits. Never changes.

    A wait that the service names is heeded, with its scope. What the service may have taken is not sent again unless
    `resend_unknown`. What is not given is as in `standard()`; times are seconds or a `timedelta`.
    """

    def __new__(
        cls,
        *,
        attempts: int | None = None,
        total: Duration | None = None,
        first_wait: Duration | None = None,
        longest_wait: Duration | None = None,
        resend_unknown: bool | None = None,
    ) -> Self: ...
    @staticmethod
    def none() -> Retries:
        """The policy of one attempt."""
    @staticmethod
    def standard() -> Retries:
        """Five attempts within ten minutes, with waits of 1, 2, 4 and 8 seconds where the service names none."""
    @classmethod
    def from_json(cls, retries: _Json, /) -> Retries:
        """Reads a policy in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`."""
    def to_json(self) -> str:
        """The policy as JSON."""
    @property
    def attempts(self) -> int:
        """The most attempts, the first one included."""
    @property
    def total(self) -> float:
        """The longest time from the first attempt to the last, in seconds."""
    @property
    def resend_unknown(self) -> bool:
        """Whether a message that the service may have taken is sent again."""
    def next(self, attempts: Attempts, result: Outcome | PushcoreError, *, now: _Time | None = None) -> Retry:
        """Decides about a message whose attempt ended with `result`, and counts the attempt."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Retry:
    """The decision about a message after an attempt: true when it is to be sent again."""

    @property
    def at(self) -> float | None:
        """The earliest time of the next attempt, in seconds since 1970; `None` when there is none."""
    @property
    def after(self) -> float | None:
        """The wait from now to that time, in seconds; `None` when there is no next attempt."""
    @property
    def scope(self) -> _Scope | None:
        """The messages that have to wait as long; `None` when there is no next attempt."""
    @property
    def stop(self) -> Literal["accepted", "final", "in_doubt", "attempts", "time"] | None:
        """The reason why it is not sent again; `None` when it is."""
    def __bool__(self) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

@final
class Attempts:
    """The state of one message under a policy: how often and since when. Goes to JSON and back, over a restart.

    `id` is one that all attempts have in common (APNs); `seed` makes messages that fail together wait differently long.
    """

    def __new__(cls, *, id: str | None = None, seed: int | None = None, now: _Time | None = None) -> Self: ...
    @classmethod
    def from_json(cls, attempts: _Json, /) -> Attempts:
        """Reads a state in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`."""
    def to_json(self) -> str:
        """The state as JSON."""
    def start(self) -> None:
        """Notes that an attempt is under way."""
    def lost(self) -> PushcoreError | None:
        """The exception for an attempt that was under way when the process ended; `None` when none was."""
    def stable(self, message: BaseMessage[Any]) -> Message:
        """The message with the id that all attempts have in common."""
    @property
    def made(self) -> int:
        """The number of attempts that have ended."""
    @property
    def began(self) -> float:
        """The time when the state was begun, in seconds since 1970."""
    @property
    def next_at(self) -> float | None:
        """The earliest time of the next attempt, in seconds since 1970; `None` before the first and after the last."""
    @property
    def id(self) -> str | None:
        """The id that all attempts have in common; `None` when there is none."""
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Activity:
    """A Live Activity over its life, as the sender knows it: refuses what APNs takes and no device acts on.

    Started by a push and updated by the token that the app then sends, unless `channel` and `storage` are given, or the
    `token` of an activity that the app has started by itself.
    """

    def __new__(
        cls,
        bundle: str,
        *,
        channel: str | None = None,
        storage: _StoragePolicy | None = None,
        token: str | bytes | None = None,
        started_at: _Time | None = None,
    ) -> Self: ...
    @classmethod
    def from_json(cls, activity: _Json, /) -> Activity:
        """Reads an activity in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`."""
    def to_json(self) -> str:
        """The activity as JSON, with its tokens: for the caller's own storage, not for logs."""
    def start(
        self,
        token: str | bytes,
        *,
        attributes_type: str,
        attributes: dict[str, Any],
        content_state: Any = ...,
        alert: str | dict[str, Any] | None = ...,
        sound: str | dict[str, Any] | None = ...,
        stale_date: _Time | None = ...,
        relevance_score: float | None = ...,
        priority: Literal[10, 5] | None = ...,
        timestamp: _Time | None = ...,
        now: _Time | None = None,
    ) -> Message:
        """Starts the activity on a device, by the app's push-to-start token.

        `content_state` and `alert` are required; see `update` for the other keywords.
        """
    def token_received(self, token: str | bytes) -> None:
        """Takes the update token that the app has sent: after a start, and whenever the system replaces the token."""
    def update(
        self,
        *,
        content_state: Any = ...,
        alert: str | dict[str, Any] | None = ...,
        sound: str | dict[str, Any] | None = ...,
        stale_date: _Time | None = ...,
        relevance_score: float | None = ...,
        priority: Literal[10, 5] | None = ...,
        timestamp: _Time | None = ...,
        now: _Time | None = None,
    ) -> Message:
        """Updates the activity: a message to the update token, or a broadcast to the channel.

        `content_state` is required; `alert` is a text or a dict of the message's form, times are seconds since 1970
        or a `datetime`.
        """
    def end(
        self,
        *,
        content_state: Any = ...,
        alert: str | dict[str, Any] | None = ...,
        sound: str | dict[str, Any] | None = ...,
        dismissal_date: _Time | None = ...,
        relevance_score: float | None = ...,
        priority: Literal[10, 5] | None = ...,
        timestamp: _Time | None = ...,
        now: _Time | None = None,
    ) -> Message:
        """Ends the activity. Without `content_state` the last state stands; `dismissal_date` is within four hours."""
    def answered(self, outcome: Outcome, *, now: _Time | None = None) -> None:
        """Takes note of the answer to a push: a token that is gone ends the activity."""
    @property
    def phase(self) -> Literal["new", "starting", "running", "ended"]:
        """Where the activity is in its life; `starting` while no update token is known."""
    @property
    def token(self) -> str | None:
        """The update token; `None` while none is known, and on a channel."""
    @property
    def timestamp(self) -> float | None:
        """The timestamp of the last push, in seconds since 1970; `None` before the first."""
    def is_stale(self, *, now: _Time | None = None) -> bool:
        """Whether the last state has passed its stale date."""
    def __reduce__(self) -> tuple[Any, ...]: ...

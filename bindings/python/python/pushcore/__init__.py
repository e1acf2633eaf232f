"""Push notifications through APNs, FCM, Web Push, Amazon ADM and Baidu.

    import pathlib, pushcore

    credentials = pushcore.ApnsCredentials.from_p8(
        pathlib.Path("AuthKey_ABC123DEFG.p8"), key_id="ABC123DEFG", team_id="DEF123GHIJ"
    )
    with pushcore.Client.apns(credentials) as client:
        message = pushcore.ApnsMessage(token="ab" * 32, topic="com.example.app", alert="Hello")
        match client.send(message):
            case pushcore.Accepted(id=apns_id):
                print("taken", apns_id)
            case pushcore.TokenGone():
                print("delete this token")
            case outcome:
                print(outcome.advice)

A service's "no" is an `Outcome`; an exception means that there is no answer, or that the input
cannot be sent. `pushcore.aio` has the same words for asyncio; messages' `request` and `outcome`
serve those who have an HTTP client of their own.
"""

from __future__ import annotations

from ._client import Client, outcome, request
from ._errors import (
    Cancelled,
    CredentialError,
    Expired,
    InternalError,
    MessageError,
    MisuseError,
    NoAnswer,
    NotSent,
    PushcoreError,
    TlsError,
    TransportError,
    Unknown,
)
from ._pushcore import (
    VERSION as __version__,
)
from ._pushcore import (
    Accepted,
    Activity,
    AdmAudienceMessage,
    AdmCredentials,
    AdmGroupResult,
    AdmGroups,
    AdmMessage,
    ApnsBroadcast,
    ApnsChannels,
    ApnsCredentials,
    ApnsMessage,
    Attempts,
    BaiduCalls,
    BaiduCredentials,
    BaiduMessage,
    BaseMessage,
    BlockingBatch,
    Call,
    Campaign,
    Device,
    EndpointPolicy,
    Event,
    FcmCredentials,
    FcmMessage,
    FcmTopics,
    Feedback,
    FixCredentials,
    Histogram,
    LiveActivity,
    Localized,
    Metrics,
    Notification,
    NotificationLoss,
    Outcome,
    Progress,
    ReceiverKeys,
    Rejected,
    Request,
    Response,
    Retries,
    Retry,
    RetryLater,
    SendMany,
    Session,
    SigningKey,
    Subscription,
    Target,
    Template,
    TokenGone,
    TokenMismatch,
    TopicPage,
    TopicResult,
    TopicSubscription,
    VapidCredentials,
    WebPushMessage,
    feedback,
    message_from_json,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._hub import Landed
    from ._hub_blocking import Hub
    from ._kinds import ErrorKind
    from ._types import Credentials, Message


if not TYPE_CHECKING:
    # Seldom needed, and dear: `enum` and `typing` cost more than all the rest of the import.
    _LAZY = {
        "Credentials": "_types",
        "ErrorKind": "_kinds",
        "Hub": "_hub_blocking",
        "Landed": "_hub",
        "Message": "_types",
    }

    def __getattr__(name):
        """What is imported when it is asked for."""
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f".{_LAZY[name]}", __name__), name)
        return value


__all__ = [
    "Accepted",
    "Activity",
    "AdmAudienceMessage",
    "AdmCredentials",
    "AdmGroupResult",
    "AdmGroups",
    "AdmMessage",
    "ApnsBroadcast",
    "ApnsChannels",
    "ApnsCredentials",
    "ApnsMessage",
    "Attempts",
    "BaiduCalls",
    "BaiduCredentials",
    "BaiduMessage",
    "BaseMessage",
    "BlockingBatch",
    "Call",
    "Campaign",
    "Cancelled",
    "Client",
    "CredentialError",
    "Credentials",
    "Device",
    "EndpointPolicy",
    "ErrorKind",
    "Event",
    "Expired",
    "FcmCredentials",
    "FcmMessage",
    "FcmTopics",
    "Feedback",
    "FixCredentials",
    "Histogram",
    "Hub",
    "InternalError",
    "Landed",
    "LiveActivity",
    "Localized",
    "Message",
    "MessageError",
    "Metrics",
    "MisuseError",
    "NoAnswer",
    "NotSent",
    "Notification",
    "NotificationLoss",
    "Outcome",
    "Progress",
    "PushcoreError",
    "ReceiverKeys",
    "Rejected",
    "Request",
    "Response",
    "Retries",
    "Retry",
    "RetryLater",
    "SendMany",
    "Session",
    "SigningKey",
    "Subscription",
    "Target",
    "Template",
    "TlsError",
    "TokenGone",
    "TokenMismatch",
    "TopicPage",
    "TopicResult",
    "TopicSubscription",
    "TransportError",
    "Unknown",
    "VapidCredentials",
    "WebPushMessage",
    "__version__",
    "feedback",
    "message_from_json",
    "outcome",
    "request",
]

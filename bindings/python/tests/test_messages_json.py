"""The vectors' messages through `message_from_json`, as the core's own tests run them."""

import json
import pickle
from pathlib import Path
from typing import Any

import pushcore
import pytest

VECTORS = Path(__file__).resolve().parents[3] / "tests/vectors"


def rows(kind: str) -> list[Any]:
    vectors = json.loads((VECTORS / f"{kind.replace('_', '')}.json").read_text(encoding="utf-8"))
    return [
        pytest.param(kind, row, vectors.get("request"), id=f"{kind} {row['name']}")
        for section in ("encode", "broadcasts", "invalid")
        for row in vectors.get(section, [])
    ]


def text_of(row: dict[str, Any]) -> str:
    form = next(row[key] for key in ("message", "broadcast", "json") if key in row)
    # Compact, because values of the caller's own are sent as they are written.
    return form if isinstance(form, str) else json.dumps(form, separators=(",", ":"), ensure_ascii=False)


@pytest.fixture(scope="module")
def credentials() -> dict[str, Any]:
    key = pushcore.SigningKey.generate().to_pem()
    adm = pushcore.AdmCredentials("id", "s")
    token = pushcore.Response(200, {}, b'{"access_token":"t","expires_in":3600,"token_type":"bearer"}')
    now = 1_500_000_000
    adm.token_request(now=now)
    adm.accept_token(token, now=now)
    fcm = pushcore.FcmCredentials.from_access_tokens("my-app")
    fcm.supply_token("t", lifetime=3600, now=now)
    return {
        "adm": adm,
        "apns": pushcore.ApnsCredentials.from_p8(key, key_id="ABC123DEFG", team_id="DEF123GHIJ"),
        "baidu": pushcore.BaiduCredentials("AK", "SK"),
        "fcm": fcm,
        "web_push": pushcore.VapidCredentials(key, subject="mailto:push@example.com"),
    }


@pytest.mark.parametrize(
    ("kind", "row", "request_of_all"),
    [row for kind in ("adm", "apns", "baidu", "fcm", "web_push") for row in rows(kind)],
)
def test_vectors(kind: Any, row: dict[str, Any], request_of_all: Any, credentials: dict[str, Any]) -> None:
    now = 1_700_000_000 if kind == "apns" else 1_500_000_000
    extra = {"environment": row["environment"]} if "environment" in row else {}
    if "error" in row:
        expected = row["error"] if isinstance(row["error"], dict) else {"kind": row["error"], "path": row.get("path")}
        with pytest.raises(pushcore.MessageError) as refused:
            pushcore.message_from_json(kind, text_of(row)).request(credentials[kind], now=now, **extra)
        assert pushcore.ErrorKind(refused.value.kind).name.replace("_", "").lower() == expected["kind"].lower()
        assert str(refused.value).startswith(expected.get("path") or "")
        return
    message: Any = pushcore.message_from_json(kind, text_of(row))
    request = message.request(credentials[kind], now=now, **extra)
    again = pushcore.message_from_json(kind, message.to_json())
    assert type(again) is type(message)
    assert again.to_json() == message.to_json()
    assert pickle.loads(pickle.dumps(message)).to_json() == message.to_json()
    body = bytes(request.body)
    if kind == "apns":
        expected = row["request"]
        headers = {name: value for name, value in request.headers if name != "authorization"}
        assert (request.url, headers, body) == (expected["url"], expected["headers"], expected["body"].encode())
    elif kind == "web_push":
        headers = {name: value for name, value in request.headers if name != "authorization"}
        assert (request.url, headers) == (row["url"], row["headers"])
        assert len(body) == int(headers["content-length"])
    elif kind == "baidu":
        assert request.url.endswith(row["path"])
        assert body.decode() == row["body"]
    elif "text" in row:
        assert body.decode() == row["text"]
    else:
        assert json.loads(body) == row["body"]
        assert request.url.endswith(row.get("path") or request_of_all["path"])


def test_other_arguments() -> None:
    message = pushcore.message_from_json("adm", {"registration_id": "r", "data": {"k": "v"}})
    assert isinstance(message, pushcore.AdmMessage)
    own = {"subscription": {"endpoint": "https://push.example.com/x"}}
    with pytest.raises(pushcore.MessageError) as refused:
        pushcore.message_from_json("web_push", own)
    assert refused.value.kind is pushcore.ErrorKind.ENDPOINT_NOT_ALLOWED
    policy = pushcore.EndpointPolicy(any_public_host=True)
    assert pushcore.message_from_json("web_push", json.dumps(own), policy=policy)
    with pytest.raises(pushcore.MessageError):
        pushcore.message_from_json("gcm", {})  # type: ignore[arg-type]


def test_fcm_refuses_unknown_fields() -> None:
    given: list[dict[str, Any]] = [
        {"token": "t", "notifcation": {"title": "T"}},
        {"token": "t", "notification": {"titel": "T"}},
    ]
    for fields in given:
        with pytest.raises(pushcore.MessageError, match=r"^message\.notif.*: unknown field"):
            pushcore.FcmMessage(**fields)
        with pytest.raises(pushcore.MessageError, match=r"^message\.notif.*: unknown field"):
            pushcore.FcmMessage(fields)
    message = pushcore.FcmMessage(token="t", notification={"title": "T", "extra": {"new": 1}}, extra={"newer": 2})
    assert json.loads(message.payload) == {
        "message": {"token": "t", "notification": {"title": "T", "new": 1}, "newer": 2}
    }

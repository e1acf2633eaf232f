#!/usr/bin/env python3
"""Holds what pushcore sends to FCM beside what Google's own client sends.

    python3 -m venv venv && venv/bin/pip install firebase-admin==7.7.0 'pyjwt[crypto]'
    venv/bin/python tests/interop/fcm/compare.py

1. Every message is built with `firebase_admin.messaging` and sent with `messaging.send`
   over a transport that records the request. The same message, built with pushcore's types by
   `core/examples/fcm_bodies.rs`, must be equal field by field. Durations, timestamps and the
   default of a colour's alpha are compared by value.
2. What firebase-admin sent, read by `Message::from_json`, must come out equal.
3. The OAuth assertion must verify with PyJWT, and so must the one of google-auth for the same
   account, with the same claims except the scopes.
"""

import datetime
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse
import warnings

import firebase_admin
import jwt
import requests
from firebase_admin import credentials, messaging
from google.oauth2 import service_account

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT / "core" / "tests" / "data"
ACCOUNT = DATA / "fcm_service_account.json"
TOKEN = 'tok:1"\\'
UTC = datetime.timezone.utc
# firebase-admin 7.7 deprecates the token in favour of the installation id.
warnings.simplefilter("ignore", DeprecationWarning)


class Recorder:
    """Stands in for the transport of `requests`: answers the token endpoint and FCM without a
    network, and keeps what was sent."""

    def __init__(self):
        self.sent = []
        self.assertions = []

    def install(self):
        requests.adapters.HTTPAdapter.send = lambda _, request, **options: self.send(request)

    def send(self, request):
        response = requests.Response()
        response.status_code = 200
        response.request = request
        response.url = request.url
        response.headers["content-type"] = "application/json"
        if "oauth2.googleapis.com" in request.url:
            form = urllib.parse.parse_qs(request.body.decode() if isinstance(request.body, bytes) else request.body)
            self.assertions.append(form["assertion"][0])
            answer = {"access_token": "recorded", "expires_in": 3599, "token_type": "Bearer"}
        else:
            assert request.method == "POST", request.method
            assert request.url == "https://fcm.googleapis.com/v1/projects/pushcore-test/messages:send", request.url
            self.sent.append(json.loads(request.body))
            answer = {"name": "projects/pushcore-test/messages/1"}
        response._content = json.dumps(answer).encode()
        return response


def android(**fields):
    return messaging.Message(token=TOKEN, android=messaging.AndroidConfig(**fields))


def drawn(**fields):
    return android(notification=messaging.AndroidNotification(**fields))


def light(color):
    return drawn(light_settings=messaging.LightSettings(color, 200, 300))


def apns(**fields):
    return messaging.Message(token=TOKEN, apns=messaging.APNSConfig(**fields))


def web(**fields):
    return messaging.Message(token=TOKEN, webpush=messaging.WebpushConfig(**fields))


def build():
    m = messaging
    return {
        "token_only": m.Message(token=TOKEN),
        "fid": m.Message(fid="c1xYz_-09", notification=m.Notification(title="t")),
        "topic": m.Message(topic="news", data={"k": "v"}),
        "condition": m.Message(
            condition="'a' in topics && ('b' in topics || 'c' in topics)", data={"k": "v"}
        ),
        "notification": m.Message(
            token=TOKEN,
            notification=m.Notification(
                title="Grüße", body='\U0001f600 "q" \\ \n', image="https://a.example/i.png"
            ),
        ),
        "data": m.Message(token=TOKEN, data={"z": "1", "a": "", "ключ": "значение"}),
        "android_normal": android(priority="normal", collapse_key="ck"),
        "android_high_ttl": android(
            priority="high", ttl=3600, restricted_package_name="com.example.app", data={"x": "y"}
        ),
        "android_ttl_zero": android(ttl=0),
        "android_ttl_fraction": android(ttl=datetime.timedelta(milliseconds=1500)),
        "android_flags": android(
            direct_boot_ok=True,
            bandwidth_constrained_ok=True,
            restricted_satellite_ok=True,
            fcm_options=m.AndroidFCMOptions(analytics_label="label-1"),
        ),
        "android_texts": drawn(
            title="t", body="b", icon="i", color="#aabbcc", sound="default", tag="tag",
            click_action="OPEN", channel_id="ch", ticker="tick", image="https://a.example/i.png",
        ),
        "android_loc": drawn(
            body_loc_key="bk", body_loc_args=["1", "2"], title_loc_key="tk", title_loc_args=["3"]
        ),
        "android_behaviour": drawn(
            sticky=True, local_only=True, default_sound=True, default_vibrate_timings=True,
            default_light_settings=True, notification_count=7,
        ),
        "android_event_time": drawn(
            event_timestamp=datetime.datetime(2026, 11, 22, 7, 8, 9, 123456, tzinfo=UTC)
        ),
        "android_priority_min": drawn(priority="min"),
        "android_priority_max": drawn(priority="max"),
        "android_visibility": drawn(visibility="secret"),
        "android_vibrate": drawn(vibrate_timings_millis=[0, 500, 2000]),
        "android_light": light("#0aff00"),
        "android_light_alpha": light("#11223344"),
        "android_proxy": drawn(proxy="if_priority_lowered"),
        "webpush_headers": web(
            headers={"TTL": "60", "Urgency": "high"},
            data={"w": "1"},
            fcm_options=m.WebpushFCMOptions(link="https://a.example/"),
        ),
        "webpush_notification": web(
            notification=m.WebpushNotification(
                title="t", body="b", icon="i",
                actions=[m.WebpushNotificationAction("a", "A", "x")],
                badge="bd", data={"k": [1, 2]}, direction="rtl", image="img", language="de",
                renotify=True, require_interaction=True, silent=True, tag="tg",
                timestamp_millis=100, vibrate=[200, 100], custom_data={"custom": "c"},
            )
        ),
        "apns_alert": apns(
            headers={"apns-priority": "10", "apns-collapse-id": "c"},
            payload=m.APNSPayload(
                m.Aps(
                    alert=m.ApsAlert(
                        title="t", subtitle="s", body="b", loc_key="lk", loc_args=["x"],
                        title_loc_key="tlk", title_loc_args=["y"], action_loc_key="alk",
                        launch_image="li",
                    ),
                    badge=0, sound="default", content_available=True, mutable_content=True,
                    category="cat", thread_id="th",
                ),
                custom={"deep": True},
            ),
        ),
        "apns_critical": apns(
            payload=m.APNSPayload(
                m.Aps(alert="plain", sound=m.CriticalSound("s", critical=True, volume=0.5))
            )
        ),
        "apns_background": apns(
            headers={"apns-priority": "5"}, payload=m.APNSPayload(m.Aps(content_available=True))
        ),
        "apns_options": apns(
            fcm_options=m.APNSFCMOptions(analytics_label="l2", image="https://a.example/i.png")
        ),
        "apns_live_activity": apns(
            live_activity_token="live-1",
            payload=m.APNSPayload(
                m.Aps(custom_data={"timestamp": 1, "event": "update", "content-state": {"n": 1}})
            ),
        ),
        "fcm_options": m.Message(token=TOKEN, fcm_options=m.FCMOptions(analytics_label="l3")),
    }


DURATION = re.compile(r"^(\d+)(?:\.(\d{1,9}))?s$")
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT[\d:]+(?:\.(\d+))?Z$")
TIMES = {"ttl", "vibrate_timings", "light_on_duration", "light_off_duration"}


def normal(value, key=None):
    """Spellings of one value become one."""
    if isinstance(value, dict):
        value = {name: normal(item, name) for name, item in value.items()}
        if key == "color" and value.get("alpha") == 1:
            value.pop("alpha")
        return value
    if isinstance(value, list):
        return [normal(item, key) for item in value]
    if key in TIMES:
        secs, fraction = DURATION.match(value).groups()
        return int(secs) * 10**9 + int((fraction or "").ljust(9, "0"))
    if key == "event_time":
        fraction = INSTANT.match(value).group(1) or ""
        return value[:19], fraction.rstrip("0")
    if key == "priority" and isinstance(value, str):
        return value.upper()
    if key == "color" and isinstance(value, str):
        return value.lower()
    if isinstance(value, float):
        return round(value, 12)
    return value


def example(*arguments, given=None):
    command = ["cargo", "run", "-q", "-p", "pushcore", "--example", "fcm_bodies", "--", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.splitlines()


def compare(name, theirs, ours):
    theirs, ours = dict(theirs), dict(ours)
    # Theirs always says false; ours leaves the default out.
    if theirs.get("validate_only") is False:
        theirs.pop("validate_only")
    if normal(theirs) == normal(ours):
        return True
    print(f"DIFFERENT {name}\n  firebase-admin {json.dumps(theirs)}\n  pushcore       {json.dumps(ours)}")
    return False


def main():
    recorder = Recorder()
    app = firebase_admin.initialize_app(credentials.Certificate(str(ACCOUNT)))
    recorder.install()

    messages = build()
    for message in messages.values():
        messaging.send(message, app=app)
    theirs = dict(zip(messages, recorder.sent, strict=True))
    ours = dict(line.split("\t", 1) for line in example("bodies"))
    if theirs.keys() != ours.keys():
        sys.exit(f"not the same messages: {theirs.keys() ^ ours.keys()}")
    equal = sum(compare(name, theirs[name], json.loads(ours[name])) for name in theirs)
    print(f"{equal} of {len(theirs)} messages equal what firebase-admin {firebase_admin.__version__} sends")

    given = "".join(json.dumps(body) + "\n" for body in theirs.values())
    parsed = [json.loads(line) for line in example("parse", given=given)]
    again = sum(compare(name, theirs[name], body) for name, body in zip(theirs, parsed, strict=True))
    print(f"{again} of {len(theirs)} of its bodies come through from_json unchanged")

    key = (DATA / "fcm_service_account.pub.pem").read_bytes()
    audience = "https://oauth2.googleapis.com/token"
    now = int(time.time())
    form = urllib.parse.parse_qs(example("assertion", str(ACCOUNT), str(now))[0], strict_parsing=True)
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"], form
    assertion = form["assertion"][0]
    claims = jwt.decode(assertion, key, algorithms=["RS256"], audience=audience)
    header = jwt.get_unverified_header(assertion)
    assert claims["exp"] - claims["iat"] == 3600 and claims["iat"] == now, claims
    assert recorder.assertions, "firebase-admin asked for no token"
    account = service_account.Credentials.from_service_account_file(
        str(ACCOUNT), scopes=["https://www.googleapis.com/auth/firebase.messaging"]
    )
    other = account._make_authorization_grant_assertion()
    expected = jwt.decode(other, key, algorithms=["RS256"], audience=audience)
    for moving in ("iat", "exp"):
        claims.pop(moving), expected.pop(moving)
    assert claims == expected, (claims, expected)
    assert header == jwt.get_unverified_header(other), header
    print(f"assertion verified by PyJWT {jwt.__version__}; header and claims equal google-auth's")
    sys.exit(0 if equal == again == len(theirs) >= 25 else 1)


if __name__ == "__main__":
    main()

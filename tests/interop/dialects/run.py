"""AWS's JavaScript clients against the dialect of Pinpoint, and Amplify as the judge of what comes out.

    PUSHCORE_SANDBOX=... python tests/interop/dialects/run.py

The clients are set nothing but environment variables (SDK v2, which knows none for the endpoint, is given one by a preload).
Amplify's normalizeNativeMessage reads the payloads that the sandbox received.
"""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import subprocess
import sys
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "bindings" / "python" / "tests"))

from _dialect_host import Senders, Store, serving  # noqa: E402
from pushcore.dialect import Dialect  # noqa: E402
from pushcore.testing import Sandbox  # noqa: E402

KEY, SECRET = "AKID" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30)
APP = secrets.token_hex(16)


def node(environment: dict[str, str], *arguments: str) -> Any:
    done = subprocess.run(["node", *arguments], cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def store() -> Store:
    made = Store()
    made.secrets[KEY] = {"secret": SECRET}
    made.collection("apps")[APP] = {}
    made.collection("channels", APP).update(GCM={}, ADM={}, BAIDU={}, APNS_SANDBOX={"BundleId": "com.example.app"})
    return made


def pushes(sandbox: Sandbox, service: str) -> list[Any]:
    """The bodies of pushes that the service took."""
    rows = [row for row in sandbox.log(service=service, accepted=True) if "token" not in row["operation"]]
    return [json.loads(row["body"]) if isinstance(row["body"], str) else row["body"] for row in rows]


def main() -> None:
    checked = 0
    with Sandbox() as sandbox:
        senders = Senders(sandbox)
        with serving(Dialect("pinpoint"), store(), senders) as (url, jobs):
            environment = {
                **os.environ,
                "AWS_ENDPOINT_URL_PINPOINT": url,
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1",
                "NO_PROXY": "*",
            }
            clients = {"SDK v3": ["sdk3.mjs"], "SDK v2": ["-r", "./preload.cjs", "sdk2.cjs"]}
            for name, program in clients.items():
                sandbox.control("POST", "reset")
                fcm, apns = sandbox.ready["fcm"]["tokens"]["valid"], sandbox.ready["apns"]["tokens"]["valid"]
                adm = sandbox.ready["adm"]["registrations"]["valid"]
                baidu = "1234567890:" + sandbox.ready["baidu"]["channels"]["valid"]
                request = {
                    "Addresses": {
                        fcm: {"ChannelType": "GCM"},
                        apns: {"ChannelType": "APNS_SANDBOX"},
                        adm: {"ChannelType": "ADM"},
                        baidu: {"ChannelType": "BAIDU"},
                    },
                    "MessageConfiguration": {
                        "DefaultPushNotificationMessage": {
                            "Action": "DEEP_LINK",
                            "Title": "Títle",
                            "Body": "A body.",
                            "Url": "app://x",
                            "Data": {"k": "v"},
                        },
                        "GCMMessage": {"ImageUrl": "https://e/i.png"},
                        "APNSMessage": {"MediaUrl": "https://e/i.png"},
                    },
                }
                result = node(environment, *program, APP, json.dumps(request))
                assert set(result) == set(request["Addresses"]), (name, result)
                for address, end in result.items():
                    assert end["DeliveryStatus"] == "SUCCESSFUL", (name, address, end)
                    checked += 1
                refused = node(environment, *program, APP, json.dumps({"MessageConfiguration": {}}))
                assert (refused["name"], refused["status"]) == ("BadRequestException", 400), (name, refused)
                missing = node(environment, *program, "no such app", json.dumps(request))
                assert (missing["name"], missing["status"]) == ("NotFoundException", 404), (name, missing)
                stranger = {**environment, "AWS_SECRET_ACCESS_KEY": "another"}
                wrong = node(stranger, *program, APP, json.dumps(request))
                assert (wrong["name"], wrong["status"]) == ("InvalidSignatureException", 403), (name, wrong)
                checked += 3
            (fcm_body,) = pushes(sandbox, "fcm")
            (apns_body,) = pushes(sandbox, "apns")
            # Amplify's reading of both, as an app gets it.
            expected = {"body": "A body.", "title": "Títle", "imageUrl": "https://e/i.png", "deeplinkUrl": "app://x"}
            for kind, native in (("fcm", fcm_body["message"]["data"]), ("apns", apns_body)):
                normal = node(dict(os.environ), "amplify.cjs", kind, json.dumps(native))
                data = normal.pop("data")
                assert normal == expected, (kind, normal)
                said = json.loads(data["pinpoint.jsonBody"]) if kind == "fcm" else data["jsonBody"]
                assert said == {"k": "v"}, (kind, data)
                checked += 1
            # SDK v3 signs more headers than the others.
            first = json.loads(jobs[0].to_json())["caller"]["headers"]
            assert {"amz-sdk-invocation-id", "amz-sdk-request", "x-amz-user-agent"} <= set(first), first
        senders.close()
    print(f"{checked} answers of SDK v3, SDK v2 and Amplify as expected")


if __name__ == "__main__":
    main()

"""Starts everything on this machine: the sandbox as the push services, the back end under gunicorn in front of it.

    python examples/hug/serve.py [--port 8000] [--folder FOLDER]

Prints the address and what lets each system's clients in. Ctrl-C ends it. With real services there is no sandbox: see
README.md.
"""

from __future__ import annotations

import argparse
import pathlib
import signal
import tempfile
import threading

from pushcore.testing import Sandbox
from serving import Serving


def main() -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(description="The reference back end with a sandbox behind.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--folder", type=pathlib.Path, help="where database and configuration go; default: a new one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or pathlib.Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        with Sandbox() as sandbox, Serving(folder, sandbox, port=arguments.port) as server:
            print(guide(server), flush=True)
            stopped = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.set())
            stopped.wait()


def guide(server: Serving) -> str:
    """What to type to see each system answered."""
    keys, ready, url = server.keys, server.sandbox.ready, server.url
    apns, fcm = ready["apns"]["tokens"]["valid"], ready["fcm"]["tokens"]["valid"]
    return f"""the back end listens at {url}, the sandbox's log is at {ready["control"]["url"]}

Pinpoint    export AWS_ENDPOINT_URL_PINPOINT={url} \\
                AWS_ACCESS_KEY_ID={keys["pinpoint_id"]} AWS_SECRET_ACCESS_KEY={keys["pinpoint_secret"]}
            application id: any that was registered, for example app; addresses: APNS {apns}
            GCM {fcm}
Pushpad     Pushpad("{keys["pushpad"]}", 123, base_url="{url}/api/v1")
Ionic       curl -u {keys["ionic"]}: -H 'X-Ionic-Application-Id: app' -H 'Content-Type: application/json' \\
                -d '{{"tokens": ["{apns}"], "notification": {{"alert": "Hello"}}}}' {url}/api/v1/push
Cozie       x-api-key: {keys["cozie"]} at {url}/prod/notification/
legacy FCM  curl -H 'Authorization: key={keys["fcm_legacy"]}' -H 'Content-Type: application/json' \\
                -d '{{"to": "{fcm}", "notification": {{"body": "Hello"}}}}' {url}/fcm/send
operator    curl -H 'Authorization: Bearer {keys["operator"]}' {url}/sends/unknown
metrics     curl {url}/metrics
"""


if __name__ == "__main__":
    main()

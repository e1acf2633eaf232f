"""Storing Web Push subscriptions: a route of Flask that trusts nothing a browser sends.

    pip install flask
    python examples/python/flask_subscriptions.py

A subscription is a URL that this server will later send requests to. Whoever may store any URL can
make the server talk to its own network (server-side request forgery): so the endpoint is checked
when it is stored, against the public push services by name, and once more by the client when it
connects, against the address that the name has then.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import flask
import pushcore

#: The default knows the public push services; a UnifiedPush server of one's own is named here, in
#: configuration, never in a request.
POLICY = pushcore.EndpointPolicy(hosts=["push.example.org"])


def create_app(path: str, policy: pushcore.EndpointPolicy = POLICY) -> flask.Flask:
    """The application, with its table at `path`."""
    app = flask.Flask(__name__)
    # A subscription is a few hundred bytes.
    app.config["MAX_CONTENT_LENGTH"] = 8192
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE IF NOT EXISTS subscriptions (endpoint TEXT PRIMARY KEY, user TEXT, json TEXT)"
        )
    db.close()

    def current_user() -> str:
        """Put your session here: a subscription belongs to somebody."""
        return "somebody"

    @app.post("/subscriptions")
    def subscribe() -> Any:
        try:
            subscription = pushcore.Subscription(flask.request.get_data(), policy=policy)
        except pushcore.MessageError as error:
            # The text names no endpoint and no key: it may be shown.
            return {"error": str(error), "code": error.code}, 400
        if not subscription.has_keys:
            return {"error": "the subscription has no keys"}, 400
        with sqlite3.connect(path) as db:
            # What `to_json` writes has been understood; what the browser sent is not stored.
            # An endpoint that another user has already is not handed over.
            stored = db.execute(
                "INSERT INTO subscriptions VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET json = excluded.json"
                " WHERE user = excluded.user",
                (subscription.endpoint, current_user(), subscription.to_json()),
            ).rowcount
        db.close()
        return ("", 204) if stored else ({"error": "this endpoint is somebody else's"}, 409)

    return app


def main() -> None:
    """Asks the route with Flask's test client: a browser's subscription, and an attack."""
    import os
    import tempfile

    keys = pushcore.ReceiverKeys.generate()
    with tempfile.TemporaryDirectory() as folder:
        browser = create_app(os.path.join(folder, "subscriptions.sqlite")).test_client()
        for endpoint in (
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://push.example.org/up/abc",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost:8080/admin",
            "http://fcm.googleapis.com/fcm/send/abc",
        ):
            sent = json.loads(keys.subscription_json("https://fcm.googleapis.com/"))
            answer = browser.post("/subscriptions", json={**sent, "endpoint": endpoint})
            print(answer.status_code, endpoint)


if __name__ == "__main__":
    main()

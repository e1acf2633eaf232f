"""Credentials age their token by one clock, whoever asks."""

from __future__ import annotations

import pushcore
from pushcore.testing import Sandbox


def test_a_token_stays_the_same_beside_a_client(sandbox: Sandbox) -> None:
    """A second token within 20 minutes is refused on the client's connection (429)."""
    credentials = sandbox.apns_credentials()
    apns = sandbox.ready["apns"]
    message = pushcore.ApnsMessage(token=apns["tokens"]["valid"], topic=apns["topic"], alert="x")
    with pushcore.Client.apns(credentials, ca=sandbox.ca, host=apns["authority"]) as client:
        assert isinstance(client.send(message), pushcore.Accepted)
        token = credentials.provider_token()
        authorization = dict(message.request(credentials).headers)["authorization"]
        assert authorization == f"bearer {token}"
        assert isinstance(client.send(message), pushcore.Accepted)

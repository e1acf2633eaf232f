"""A neutral HTTP/2 server that keeps what it was sent: hyper's `h2` over the standard library's sockets.

It shares nothing with the clients' side: neither pushcore nor its sandbox take part.
"""

from __future__ import annotations

import datetime
import pathlib
import socket
import ssl
import threading
import uuid
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded
from h2.exceptions import ProtocolError


@dataclass
class Recorded:
    """One request as it came: header fields in their order, repeated ones included."""

    headers: list[tuple[str, str]]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


@dataclass
class Recorder:
    """Listens on two ports of 127.0.0.1, one with TLS and one without; both speak HTTP/2 only."""

    folder: pathlib.Path
    requests: list[Recorded] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Recorder:
        self.ca = write_certificates(self.folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.folder / "leaf.pem", self.folder / "leaf.key")
        self.context.set_alpn_protocols(["h2"])
        self.listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.tls_port, self.clear_port = (listener.getsockname()[1] for listener in self.listeners)
        for listener, context in zip(self.listeners, [self.context, None], strict=True):
            threading.Thread(target=self._accept, args=(listener, context), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self.listeners:
            listener.close()

    def take(self) -> list[Recorded]:
        """What has come since the last call."""
        taken, self.requests = self.requests, []
        return taken

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(line, context), daemon=True).start()

    def _serve(self, line: socket.socket, context: ssl.SSLContext | None) -> None:
        try:
            if context:
                line = context.wrap_socket(line, server_side=True)
            with line:
                self._speak(line)
        except (OSError, ProtocolError):
            pass  # the client went away

    def _speak(self, line: socket.socket) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        line.sendall(connection.data_to_send())
        streams: dict[int, Recorded] = {}
        while data := line.recv(65536):
            for event in connection.receive_data(data):
                match event:
                    case RequestReceived(headers=headers, stream_id=stream):
                        streams[stream] = Recorded([(str(k), str(v)) for k, v in headers])
                    case DataReceived(data=body, stream_id=stream, flow_controlled_length=length):
                        streams[stream].body += body
                        connection.acknowledge_received_data(length, stream)
                    case StreamEnded(stream_id=stream):
                        done = streams.pop(stream)
                        self.requests.append(done)
                        given = done.all("apns-id") or [str(uuid.uuid4())]
                        connection.send_headers(
                            stream, [(":status", "200"), ("apns-id", given[0])], end_stream=True
                        )
                    case ConnectionTerminated():
                        return
            line.sendall(connection.data_to_send())


def write_certificates(folder: pathlib.Path) -> pathlib.Path:
    """A CA and a certificate of it for localhost; returns the CA's file."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        ca = name == issuer
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = x509.CertificateBuilder(
            subject_name=subject,
            issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(hours=1),
            not_valid_after=now + datetime.timedelta(days=1),
        ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if not ca:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        return made.sign(signer, hashes.SHA256())

    ca_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    pem = serialization.Encoding.PEM
    ca = folder / "ca.pem"
    ca.write_bytes(certificate("recorder CA", ca_key, "recorder CA", ca_key).public_bytes(pem))
    leaf = certificate("localhost", leaf_key, "recorder CA", ca_key)
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(pem))
    (folder / "leaf.key").write_bytes(
        leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ca

"""A proxy that answers in the place of named hosts: what lets a client run of which not a byte is changed.

The client is told of it by `HTTPS_PROXY`, and of its certificate authority, made for the test, by the variables that
its HTTP library reads. Everything that comes for one of the hosts goes to the back end, byte for byte.
"""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

HOSTS = (
    "pushpad.xyz",
    "push.ionic.io",
    "fcm.googleapis.com",
    "gcm-http.googleapis.com",
    "android.googleapis.com",
    "api.pushprovider.com",
    "69xmiejax4.execute-api.ap-southeast-1.amazonaws.com",
    "pinpoint.us-east-1.amazonaws.com",
)


class Intercept:
    """The proxy, as long as this object is open. `ca` is the authority's certificate."""

    def __init__(self, folder: pathlib.Path, port: int) -> None:
        self.ca, certificate = _certificates(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        #: The hosts that were asked for, in order.
        self.asked: list[str] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """What a client's environment has to say."""
        ca = str(self.ca)
        return {
            "HTTPS_PROXY": self.url,
            "https_proxy": self.url,
            "NO_PROXY": "",
            "no_proxy": "",
            "REQUESTS_CA_BUNDLE": ca,
            "SSL_CERT_FILE": ca,
            "AWS_CA_BUNDLE": ca,
            "CURL_CA_BUNDLE": ca,
        }

    def close(self) -> None:
        """Stops listening."""
        self._listener.close()

    def __enter__(self) -> Intercept:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(4096)
            if not part:
                client.close()
                return
            head += part
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ", 2)
        host = target.rsplit(":", 1)[0]
        self.asked.append(host)
        if method != "CONNECT" or host not in HOSTS:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with (
            self._context.wrap_socket(client, server_side=True) as inner,
            socket.create_connection(("127.0.0.1", self._port)) as server,
        ):
            back = threading.Thread(target=_pipe, args=(server, inner), daemon=True)
            back.start()
            _pipe(inner, server)
            back.join(30)


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _certificates(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    now = datetime.datetime.now(datetime.timezone.utc)
    authority_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made for a test")])

    def builder(subject: x509.Name, public: rsa.RSAPublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    authority = (
        builder(name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTS[0])])
    leaf = (
        builder(subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    ca, certificate = folder / "ca.pem", folder / "server.pem"
    ca.write_bytes(authority.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate.write_bytes(leaf.public_bytes(pem) + private)
    return ca, certificate

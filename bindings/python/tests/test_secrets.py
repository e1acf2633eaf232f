"""No key is ever printed: every constructor and every option of the command, over good and broken keys."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator

import pushcore
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

#: A secret is told by as few characters of it as this, wherever they stand.
WINDOW = 12


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, form: str = "PKCS8", password: bytes = b"") -> str:
    how: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        how = serialization.BestAvailableEncryption(password)
    style = getattr(serialization.PrivateFormat, form)
    return key.private_bytes(serialization.Encoding.PEM, style, how).decode()


def _body(pem: str) -> str:
    return "".join(line for line in pem.splitlines() if not line.startswith("-"))


class Material:
    """Keys of one test run, and the texts that nobody may see."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        other = rsa.generate_private_key(65537, 2048)
        self.p8 = _private(key)
        self.sec1 = _private(key, "TraditionalOpenSSL")
        self.rsa = _private(other)
        self.scalar = key.private_numbers().private_value.to_bytes(32, "big")
        self.scalar64 = base64.urlsafe_b64encode(self.scalar).decode().rstrip("=")
        account = {
            "type": "service_account",
            "project_id": "a-project",
            "private_key_id": "0" * 40,
            "private_key": self.rsa,
            "client_email": "a@a-project.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
        self.json = json.dumps(account)
        self.ec_json = json.dumps({**account, "private_key": self.p8})
        self.user = json.dumps(
            {
                "type": "authorized_user",
                "client_id": "c",
                "client_secret": os.urandom(20).hex(),
                "refresh_token": os.urandom(20).hex(),
            }
        )
        self.encrypted = _private(key, password=b"x")
        self.p384 = _private(ec.generate_private_key(ec.SECP384R1()))

    def forms(self) -> Iterator[tuple[str, str | bytes]]:
        """Good keys as environments leave them, and broken ones: at least 40 in all."""
        for name, text in (
            ("p8", self.p8), ("sec1", self.sec1), ("rsa", self.rsa), ("json", self.json), ("user", self.user)
        ):  # fmt: skip
            yield name, text
            yield f"{name}: escaped line ends", text.replace("\n", "\\n")
            yield f"{name}: quoted, one line", '"' + text.replace("\n", "\\n") + '"'
            yield f"{name}: single quotes", f"'{text}'"
            yield f"{name}: a quote left open", '"' + text.replace("\n", "\\n")
            yield f"{name}: a json string", json.dumps(text)
            yield f"{name}: in base64", base64.b64encode(text.encode()).decode()
            yield f"{name}: in base64 of lines", base64.encodebytes(text.encode()).decode()
            yield f"{name}: in base64 twice", base64.b64encode(base64.b64encode(text.encode())).decode()
            yield f"{name}: in base64, cut", base64.b64encode(text.encode()).decode()[:-7]
            yield f"{name}: in base64, first character lost", base64.b64encode(text.encode()).decode()[1:]
            yield f"{name}: with a bom", "\ufeff" + text
            yield f"{name}: blanks for line ends", text.replace("\n", " ")
            yield f"{name}: utf-16", text.encode("utf-16")
            yield f"{name}: no line ends", text.replace("\n", "")
            yield f"{name}: half of it", text[: len(text) // 2]
            yield f"{name}: a nul inside", text[:40] + "\0" + text[40:]
            yield f"{name}: a lone surrogate", text + "\ud800"
            yield f"{name}: dashes of a word processor", text.replace("--", "\u2014")
            yield f"{name}: in a url", "https://example.com/" + text.replace("\n", "")
            yield f"{name}: as a path", "/run/secrets/" + _body(text)[:200]
            yield f"{name}: as a file", _body(text)[:100] + ".p8"
            yield f"{name}: with a tilde", "~" + _body(text)
        body = _body(self.p8)
        yield "bare body", body
        yield "bare body in url-safe letters", body.replace("+", "-").replace("/", "_")
        yield "bare body, first character lost", body[1:]
        yield "bare body, last characters lost", body[:-3]
        yield "bare body with a star", body[:50] + "*" + body[50:]
        yield "der", base64.b64decode(body)
        yield "scalar", self.scalar
        yield "scalar in base64url", self.scalar64
        yield "scalar in base64url, one lost", self.scalar64[:-1]
        yield "scalar in hex", self.scalar.hex()
        yield "scalar with a label", f"VAPID_PRIVATE_KEY={self.scalar64}"
        yield "a path of the scalar", f"keys/{self.scalar64}.pem"
        yield "an ec key in a service account", self.ec_json
        yield "a json object that is no credential", json.dumps({"key": self.scalar64})
        yield "a jwk of another curve", json.dumps({"kty": "EC", "crv": "P-521", "d": self.scalar64})
        yield "json with a key twice", self.json[:-1] + ', "type": "x"}'
        yield "json with a trailing comma", self.json[:-1] + ",}"
        yield "encrypted", self.encrypted
        yield "p-384", self.p384
        yield "two keys", self.p8 + self.p8

    def windows(self) -> set[str]:
        """Every piece of a secret that is long enough to tell."""
        user = json.loads(self.user)
        texts = [_body(pem) for pem in (self.p8, self.sec1, self.rsa, self.encrypted, self.p384)]
        texts += [self.scalar64, self.scalar.hex(), user["client_secret"], user["refresh_token"]]
        texts += [base64.b64encode(text.encode()).decode() for text in (self.p8, self.sec1, self.rsa, self.json)]
        texts += [base64.b64encode(base64.b64encode(text.encode())).decode() for text in (self.p8, self.json)]
        # What every key of the kind has in common is no secret: headers of DER, of PEM and of the file.
        common = {base64.b64encode(mark.encode()).decode() for mark in ("-----BEGIN PRIVATE KEY-----",)}
        found = {text[at : at + WINDOW] for text in texts for at in range(40, len(text) - WINDOW)}
        found |= {self.scalar64[at : at + WINDOW] for at in range(len(self.scalar64) - WINDOW + 1)}
        return found - {mark[at : at + WINDOW] for mark in common for at in range(len(mark))}


@pytest.fixture(scope="module")
def material() -> Material:
    return Material()


def shows(text: str, windows: set[str]) -> bool:
    """Whether a text holds a piece of a secret."""
    return any(text[at : at + WINDOW] in windows for at in range(len(text) - WINDOW + 1))


def _everything(error: BaseException) -> str:
    """What anybody could print of an exception."""
    seen: list[str] = []
    todo: list[BaseException] = [error]
    while todo:
        one = todo.pop()
        seen += [str(one), repr(one), repr(one.args), repr(one.__dict__)]
        for name in ("filename", "filename2", "object", "reason", "strerror"):
            seen.append(repr(getattr(one, name, None)))
        seen += traceback.format_exception(one)
        todo += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
    return "\n".join(seen)


CONSTRUCTORS: dict[str, Callable[[object], object]] = {
    "from_p8": lambda key: pushcore.ApnsCredentials.from_p8(key, key_id="A" * 10, team_id="B" * 10),  # type: ignore[arg-type]
    "from_certificate": lambda key: pushcore.ApnsCredentials.from_certificate(key),  # type: ignore[arg-type]
    "from_certificate, key": lambda key: pushcore.ApnsCredentials.from_certificate(key, key),  # type: ignore[arg-type]
    "from_pkcs12": lambda key: pushcore.ApnsCredentials.from_pkcs12(key, "password"),  # type: ignore[arg-type]
    "from_service_account": lambda key: pushcore.FcmCredentials.from_service_account(key),  # type: ignore[arg-type]
    "from_file": lambda key: pushcore.FcmCredentials.from_file(key, project="a-project"),  # type: ignore[arg-type]
    "SigningKey.read": lambda key: pushcore.SigningKey.read(key),  # type: ignore[arg-type]
    "SigningKey.from_file": lambda key: pushcore.SigningKey.from_file(key),  # type: ignore[arg-type]
    "VapidCredentials": lambda key: pushcore.VapidCredentials(key, subject="mailto:a@example.com"),  # type: ignore[arg-type]
    "import_keys": lambda key: pushcore.ReceiverKeys.import_keys(key, auth="A" * 22),  # type: ignore[arg-type]
    "AdmCredentials": lambda key: pushcore.AdmCredentials("id", key),  # type: ignore[arg-type]
    "BaiduCredentials": lambda key: pushcore.BaiduCredentials("id", key),  # type: ignore[arg-type]
    "ca": lambda key: pushcore.Client.adm(pushcore.AdmCredentials("id", "secret"), ca=key),  # type: ignore[arg-type]
    "proxy": lambda key: pushcore.Client.adm(pushcore.AdmCredentials("id", "secret"), proxy=key),  # type: ignore[arg-type]
}


def test_no_constructor_prints_a_key(material: Material) -> None:
    windows = material.windows()
    forms = list(material.forms())
    assert len(forms) >= 40
    leaks = []
    refused = 0
    for name, construct in CONSTRUCTORS.items():
        for form, value in forms:
            shapes: list[object] = [value]
            if isinstance(value, str):
                shapes += [value.encode("utf-8", "surrogatepass"), bytearray(value.encode("utf-8", "surrogatepass"))]
                shapes.append(pathlib.PurePath(value))
            for shape in shapes:
                try:
                    made = construct(shape)
                    text = repr(made)
                except Exception as error:
                    refused += 1
                    text = _everything(error)
                if shows(text, windows):
                    leaks.append(f"{name}({form} as {type(shape).__name__})")
    assert refused > 1000
    assert leaks == []


def test_the_same_text_means_the_same_in_every_type(material: Material, tmp_path: pathlib.Path) -> None:
    construct = CONSTRUCTORS["from_p8"]
    good = [
        material.p8,
        material.sec1,
        '"' + material.p8.replace("\n", "\\n") + '"',
        _body(material.p8),
        material.scalar64,
        base64.b64encode(material.p8.encode()).decode(),
        json.dumps(material.p8),
    ]
    for text in good:
        for value in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
            construct(value)
        path = tmp_path / "AuthKey.p8"
        path.write_text(text)
        for named in (path, str(path), os.fsencode(path)):
            construct(named)
    construct(material.p8.encode("utf-16"))
    for text in (
        material.json,
        "\ufeff" + material.json,
        material.json.replace("\\n", "\n"),
        repr(material.json)[1:-1],
    ):
        for value in (text, text.encode()):
            pushcore.FcmCredentials.from_service_account(value)
        pushcore.FcmCredentials.from_service_account(base64.b64encode(text.encode()).decode())


def test_a_missing_file_is_a_file_not_found_error(tmp_path: pathlib.Path) -> None:
    for missing in ("AuthKey_ABC123DEFG.p8", b"AuthKey_ABC123DEFG.p8", tmp_path / "none.p8"):
        with pytest.raises(FileNotFoundError, match="entity not found"):
            CONSTRUCTORS["from_p8"](missing)
    with pytest.raises(IsADirectoryError):
        CONSTRUCTORS["from_p8"](tmp_path)


COMMANDS: dict[str, list[str]] = {
    "send apns --key": ["send", "apns", "--key-id", "A" * 10, "--team-id", "B" * 10, "--token", "ab" * 32,
                        "--topic", "a.b", "--title", "x", "--host", "127.0.0.1:1", "--deadline", "0.02", "--key", "{}"],
    "send apns --certificate": ["send", "apns", "--token", "ab" * 32, "--topic", "a.b", "--title", "x",
                                "--host", "127.0.0.1:1", "--deadline", "0.02", "--certificate", "{}"],
    "send fcm --credentials": ["send", "fcm", "--token", "t", "--title", "x", "--host", "127.0.0.1:1",
                               "--token-host", "127.0.0.1:1", "--deadline", "0.02", "--credentials", "{}"],
    "send webpush --key": ["send", "webpush", "--subject", "mailto:a@example.com", "--subscription",
                           '{"endpoint":"https://127.0.0.1:1/x"}', "--trust", "127.0.0.1:1", "--deadline", "0.02",
                           "--key", "{}"],
    "send adm --client-secret": ["send", "adm", "--client-id", "c", "--token", "t", "--data", "a=b", "--host",
                                 "127.0.0.1:1", "--token-host", "127.0.0.1:1", "--deadline", "0.02",
                                 "--client-secret", "{}"],
    "send baidu --secret-key": ["send", "baidu", "--api-key", "c", "--token", "1", "--text", "t", "--host",
                                "127.0.0.1:1", "--deadline", "0.02", "--secret-key", "{}"],
    "send apns --ca": ["send", "apns", "--key-id", "A" * 10, "--team-id", "B" * 10, "--token", "ab" * 32,
                       "--topic", "a.b", "--title", "x", "--host", "127.0.0.1:1", "--deadline", "0.02",
                       "--key", "none.p8", "--ca", "{}"],
    "doctor apns": ["doctor", "apns", "--key-id", "A" * 10, "--team-id", "B" * 10, "--topic", "a.b", "--host",
                    "127.0.0.1:1", "--deadline", "0.02", "--key", "{}"],
    "doctor fcm": ["doctor", "fcm", "--host", "127.0.0.1:1", "--token-host", "127.0.0.1:1", "--deadline", "0.02",
                   "--credentials", "{}"],
    "doctor webpush": ["doctor", "webpush", "--subject", "mailto:a@example.com", "--key", "{}"],
    "keys inspect": ["keys", "inspect", "{}"],
    "keys inspect, one too many": ["keys", "inspect", "none.pem", "{}"],
    "webpush decrypt --key": ["webpush", "decrypt", os.devnull, "--auth", "A" * 22, "--key", "{}"],
}  # fmt: skip

#: Runs many command lines in one process: each as a shell would start it.
_RUN = """
import contextlib, io, json, sys, traceback
from pushcore.cli import main
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main(json.loads(line))
        except SystemExit:
            pass
        except BaseException:
            traceback.print_exc()
    print(json.dumps(said.getvalue()), flush=True)
"""


def test_no_option_of_the_command_prints_a_key(material: Material) -> None:
    windows = material.windows()
    lines: list[str] = []
    names: list[str] = []
    for name, command in COMMANDS.items():
        for form, value in material.forms():
            # What a shell can hand over: text without NUL, and base64 of what is binary.
            text = value if isinstance(value, str) else base64.b64encode(value).decode()
            text = text.replace("\0", "").replace("\ud800", "")
            more = ["--json"] if len(lines) % 2 else []
            lines.append(json.dumps([text if word == "{}" else word for word in command] + more))
            names.append(f"{name} ({form})")
    ran = subprocess.run(
        [sys.executable, "-c", _RUN], input="\n".join(lines), capture_output=True, text=True, timeout=600, check=True
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == len(lines)
    leaks = [name for name, said in zip(names, answers, strict=True) if shows(said, windows)]
    assert leaks == []
    assert not shows(ran.stderr, windows)
    tracebacks = [name for name, said in zip(names, answers, strict=True) if "Traceback" in said]
    assert tracebacks == []


def test_environment_variables_are_not_printed(material: Material) -> None:
    windows = material.windows()
    for value in (material.p8, base64.b64encode(material.p8.encode()).decode(), _body(material.p8)[1:]):
        ran = subprocess.run(
            [sys.executable, "-m", "pushcore", "doctor", "webpush", "--subject", "mailto:a@example.com"],
            env={**os.environ, "PUSHCORE_VAPID_KEY": value},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = ran.stdout + ran.stderr
        assert said
        assert not shows(said, windows)


READS_A_KEY = """
import sys, pushcore
path, form = sys.argv[1:]
if form == "path":
    key = pushcore.SigningKey.read(path)
else:
    with open(path, "rb", buffering=0) as file:
        text = bytearray(4096)
        del text[file.readinto(text) :]
    key = pushcore.SigningKey.read(memoryview(text) if form == "memoryview" else text)
    text[:] = bytes(len(text))
pushcore.VapidCredentials(key, subject="mailto:a@example.com")
print("read", flush=True)
sys.stdin.readline()
"""


def copies(process: int, needle: bytes) -> int:
    """How often a process holds a text (proc(5), `/proc/PID/mem`)."""
    found = 0
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(part, 16) for part in span.split("-"))
                try:
                    memory.seek(start)
                    found += memory.read(end - start).count(needle)
                except (OSError, ValueError):
                    continue  # a guard page
    return found


@pytest.mark.parametrize("form", ["bytearray", "memoryview", "path"])
def test_a_bytearray_leaves_no_copy(tmp_path: pathlib.Path, form: str) -> None:
    pem = pushcore.SigningKey.generate().to_pem()
    path = tmp_path / "key.p8"
    path.write_text(pem)
    needle = pem.splitlines()[1][20:60].encode()
    program = [sys.executable, "-c", READS_A_KEY, str(path), form]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "read\n"
        # The search finds what is there.
        assert copies(child.pid, str(path).encode()) > 0
        assert copies(child.pid, needle) == 0
        child.communicate("\n", timeout=10)

"""What is written about the command is what the command does: README, docs/cli.md, the man page, the completion."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from campaigns import register, run
from pushcore.cli import main
from pushcore.cli._app import grammar
from pushcore.cli._man import page
from pushcore.cli._status import TABLE
from pushcore.testing import Sandbox

HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
MAN = HERE / "pushcore.data/data/share/man/man1/pushcore.1"


def rows_of(text: str) -> dict[str, str]:
    """The rows of the table under "exit status"."""
    found = re.search(r"^\| (?:exit )?status \| says \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.M)
    assert found
    cells = (line.strip("|").split("|") for line in found.group(1).splitlines())
    return {one.strip(): two.strip() for one, two in cells}


def test_the_exit_status_is_told_the_same_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    for file in (HERE / "README.md", ROOT / "docs/cli.md"):
        assert rows_of(file.read_text()) == TABLE, file
    assert main(["send", "apns", "--help"]) == 0
    shown = capsys.readouterr().out
    man = MAN.read_text().replace("\\-", "-")
    for status, what in TABLE.items():
        assert f"{status:<6} {what}" in shown
        assert f".B {status}\n{what}" in man


def test_the_man_page_is_made_of_the_grammar() -> None:
    again = "write it again: python -m pushcore.cli._man > bindings/python/pushcore.data/data/share/man/man1/pushcore.1"
    assert MAN.read_text() == page(), again
    groff = shutil.which("groff")
    assert groff, "groff is needed: apt-get install groff-base"
    done = subprocess.run([groff, "-man", "-ww", "-Tutf8", str(MAN)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    shown = re.sub("\x1b\\[[0-9;]*m|.\x08", "", done.stdout)
    for name in ("send", "results", "doctor", "keys"):
        assert name in grammar().commands
        assert f"pushcore {name}" in shown


def words(shell: str, line: str, folder: pathlib.Path) -> set[str]:
    """What the shell's own completion function offers at the end of that line."""
    at = line.split(" ")
    environment = {
        **os.environ,
        "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        "_PUSHCORE_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(at) - 1) if shell != "fish" else at[-1],
    }
    command = [sys.executable, "-m", "pushcore"]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    text = done.stdout
    if shell == "zsh":
        # Three lines for each: its kind, itself, its help.
        lines = text.splitlines()
        return {f"{kind},{value}" for kind, value in zip(lines[::3], lines[1::3], strict=False)}
    found = (line.partition("\t")[0] for line in text.splitlines())
    # fish is told "kind,value", bash too; values stand without help.
    return set(found)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, tmp_path: pathlib.Path) -> None:
    offered = words(shell, "pushcore send ", tmp_path)
    assert {f"plain,{name}" for name in ("apns", "fcm", "webpush", "adm", "baidu", "mixed")} <= offered
    assert words(shell, "pushcore send apns --environment ", tmp_path) == {"plain,production", "plain,sandbox"}
    assert "plain,--title" in words(shell, "pushcore send apns --ti", tmp_path)
    assert any(one.startswith("file,") for one in words(shell, "pushcore send apns --from ", tmp_path))


def test_the_scripts_are_valid_in_their_shells(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        program = shutil.which(shell)
        assert program, f"{shell} is needed: apt-get install {shell}"
        assert main(["completion", shell]) == 0
        script = tmp_path / f"complete.{shell}"
        script.write_text(capsys.readouterr().out)
        subprocess.run([program, "-n", str(script)], check=True, capture_output=True)


def test_bash_completes_files_and_values(tmp_path: pathlib.Path) -> None:
    """The whole way: a bash that has the script, and its answers."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "pushcore").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pushcore "$@"\n')
    (bin_folder / "pushcore").chmod(0o755)
    ask = """
eval "$(pushcore completion bash)"
ask() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _pushcore_completion pushcore
    echo "${COMPREPLY[*]}"
}
ask pushcore send apns --environment ""
ask pushcore send apns --push-type back
"""
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", ask], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["production sandbox", "background"], done.stderr


def test_did_you_mean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "apns", "--tokn", "x"]) == 2
    shown = capsys.readouterr().err
    assert "--token" in shown
    assert "Usage: pushcore send apns" in shown, "of the right command"
    assert main(["sned"]) == 2
    assert "send" in capsys.readouterr().err


def lines_of(text: str) -> list[str]:
    """The command lines of the first shell block under "Command line"."""
    block = re.search(r"```sh\n(.*?)```", text[text.index("## Command line") :], re.S)
    assert block
    return block.group(1).strip().splitlines()


def test_the_lines_of_the_readme_run(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    """Each line as it stands; a profile brings what only a sandbox needs (its addresses and its CA)."""
    ready = sandbox.ready
    token = register(sandbox, 3)[0]
    google = ["fcm-1:APA91b", "fcm-2:APA91b"]
    sandbox.control("POST", "fcm/tokens", [{"token": one, "state": "active"} for one in google])
    account = json.loads(pathlib.Path(ready["fcm"]["service_account_file"]).read_text())
    del account["token_uri"]
    (tmp_path / "account.json").write_text(json.dumps(account))
    shutil.copy(ready["apns"]["p8_file"], tmp_path / "AuthKey.p8")
    (tmp_path / "tokens.csv").write_text("user,token\na,fcm-1:APA91b\nb,fcm-2:APA91b\n")
    (tmp_path / "users.csv").write_text("name,token\nAnn,fcm-1:APA91b\nBob,fcm-2:APA91b\n")
    (tmp_path / "devices.csv").write_text(f"service,token\napns,{token}\nfcm,fcm-1:APA91b\n")
    (tmp_path / "tokens.txt").write_text(token)
    (tmp_path / "config.toml").write_text(f"""
default = "here"
[here.apns]
key = "AuthKey.p8"
key_id = "{ready["apns"]["key_id"]}"
team_id = "{ready["apns"]["team_id"]}"
topic = "{ready["apns"]["topic"]}"
host = "{ready["apns"]["authority"]}"
ca = "{sandbox.ca}"
[here.fcm]
credentials = "account.json"
host = "{ready["fcm"]["authority"]}"
token_host = "{ready["fcm"]["authority"]}"
ca = "{sandbox.ca}"
""")
    lines = lines_of((HERE / "README.md").read_text())
    assert len(lines) >= 8
    environment = {
        **os.environ,
        "PUSHCORE_CONFIG": str(tmp_path / "config.toml"),
        "TOKEN": token,
        "KEY_ID": ready["apns"]["key_id"],
        "TEAM_ID": ready["apns"]["team_id"],
    }
    for line in lines:
        line = line.replace("com.example.app", ready["apns"]["topic"])
        script = f'pushcore() {{ "{sys.executable}" -m pushcore "$@"; }}; {line}'
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    assert personal(sandbox) == {"Hi Ann", "Hi Bob"}


def personal(sandbox: Sandbox) -> set[str]:
    """The personal titles that FCM has got."""
    titles = (
        record["body"]["message"].get("notification", {}).get("title", "")
        for record in sandbox.log(service="fcm", operation="push", accepted=True)
    )
    return {title for title in titles if title.startswith("Hi ")}


def test_the_doctor_names_clock_key_topic_environment_proxy_and_ca(sandbox: Sandbox) -> None:
    ready = sandbox.ready["apns"]
    command = ["doctor", "apns", "--key", ready["p8_file"], "--key-id", ready["key_id"], "--team-id", ready["team_id"],
               "--topic", ready["topic"], "--host", ready["authority"], "--ca", str(sandbox.ca)]  # fmt: skip
    status, out, err = run(command)
    assert status == 0, (out, err)
    for word in ("clock", ready["p8_file"], ready["topic"], "environment production", "no proxy", str(sandbox.ca)):
        assert word in out, word
    # A proxy with a password, which is not shown.
    environment = {**os.environ, "HTTPS_PROXY": "http://me:secret@127.0.0.1:9", "NO_PROXY": ""}
    status, out, err = run(command, env=environment)
    assert status == 1
    assert "proxy 127.0.0.1:9" in out
    assert "secret" not in out + err
    environment["NO_PROXY"] = "localhost,127.0.0.1"
    assert run(command, env=environment)[0] == 0


def test_no_private_key_is_thrown_away(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pushcore

    for form in ("public", "public-pem", "public-jwk"):
        assert main(["keys", "generate", "--form", form, "--json"]) == 0
        made = json.loads(capsys.readouterr().out)
        assert pushcore.SigningKey.read(made["private_key"]).public_key == made["public_key"]
        file = tmp_path / form
        assert main(["keys", "generate", "--form", form, "--out", str(file), "--json"]) == 0
        made = json.loads(capsys.readouterr().out)
        assert pushcore.SigningKey.read(file.read_bytes()).public_key == made["public_key"]

"""Profiles: options that stand in `~/.config/pushcore/config.toml` and not on every command line.

```toml
default = "production"

[production.apns]
key = "AuthKey_ABC123DEFG.p8"      # beside the configuration file, unless it is a whole path
key_id = "ABC123DEFG"
team_id = "DEF123GHIJ"
topic = "com.example.app"

[production.fcm]
credentials = "service-account.json"
```

An option on the command line comes first, then the environment (`PUSHCORE_APNS_KEY_ID`), then the profile.
"""

from __future__ import annotations

import difflib
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import click

#: What a profile cannot set: what is sent to, and where results go.
_NEVER = {"profile", "json", "token", "source", "results", "retry", "resend_unknown", "subscription", "condition"}

#: The names of every option of `send SERVICE`, by service; `_services` fills it.
OPTIONS: dict[str, set[str]] = {}


def path() -> pathlib.Path:
    """Where the configuration stands: `PUSHCORE_CONFIG`, or in `XDG_CONFIG_HOME`."""
    named = os.environ.get("PUSHCORE_CONFIG")
    if named:
        return pathlib.Path(named)
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return pathlib.Path(home) / "pushcore" / "config.toml"


def load() -> dict[str, Any]:
    """The whole configuration; empty where there is none. Raises `ValueError`."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    file = path()
    try:
        text = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    try:
        read: dict[str, Any] = tomllib.loads(text.decode())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    return read


def chosen(name: str | None) -> tuple[str | None, dict[str, Any]]:
    """The profile of that name, or the default one. Raises `ValueError` when it is not there."""
    name = name or os.environ.get("PUSHCORE_PROFILE") or None
    config = load()
    asked = name is not None
    name = name or config.get("default")
    if name is None:
        return None, {}
    found = config.get(name)
    if not isinstance(found, dict):
        there = sorted(key for key, value in config.items() if isinstance(value, dict))
        known = ", ".join(there) or "none"
        where = "--profile" if asked else "default"
        raise ValueError(f"{path()} has no profile {name!r} ({where}); there are: {known}")
    return name, found


def apply(ctx: click.Context, options: Any, services: Sequence[str]) -> None:
    """Fills the options that were said neither on the command line nor in the environment."""
    name, profile = chosen(getattr(options, "profile", None))
    options.profile = name
    for service in services:
        section = profile.get(service, {})
        if not isinstance(section, dict):
            raise ValueError(f"{path()}: {name}.{service} is no table")
        parameters = {one.name: one for one in ctx.command.params if one.name}
        for key, value in section.items():
            attribute = key.replace("-", "_")
            parameter = parameters.get(attribute)
            if parameter is None or attribute in _NEVER:
                # Options of other commands of the same service are no mistake.
                if attribute not in _known(service):
                    near = difflib.get_close_matches(attribute, _known(service), 1)
                    hint = f"; did you mean {near[0]}?" if near else ""
                    raise ValueError(f"{path()}: {name}.{service} has an option that there is not: {key}{hint}")
                continue
            if not is_said(ctx, attribute):
                setattr(options, attribute, convert(ctx, parameter, value))


def convert(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """The value of a profile as the option would have made it."""
    many = parameter.multiple if isinstance(parameter, click.Option) else False
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    made = [_one(ctx, parameter, one) for one in values]
    return made if many else made[0]


def _one(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    text = str(value)
    if isinstance(parameter.type, click.Path):
        # `~` and names beside the configuration: a job's working folder says nothing.
        return path().parent / pathlib.Path(text).expanduser()
    return parameter.type.convert(text, parameter, ctx)


def is_said(ctx: click.Context, name: str) -> bool:
    """Whether an option stands on the command line or in the environment."""
    source = ctx.get_parameter_source(name)
    return source in (click.core.ParameterSource.COMMANDLINE, click.core.ParameterSource.ENVIRONMENT)


def _known(service: str) -> set[str]:
    return OPTIONS[service] - _NEVER | {"management_host", "broadcast_host"}

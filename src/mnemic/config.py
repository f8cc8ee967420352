"""The one reader of the environment, for the command line. The library itself never looks at it.

MNEMIC_FILE       the file, where --file is not given
MNEMIC_USER       the user, where --user is not given
MNEMIC_EMBEDDER   the embedder, where --embedder is not given
MNEMIC_RECIPE     what is derived, where --recipe is not given: rules (the default) or none
MNEMIC_API_KEY    the key of an http embedder or reranker
MNEMIC_MCP_KEY    the key that `mnemic mcp --http` asks of its clients
MNEMIC_PROXY_KEY  what clients of `mnemic proxy` have to show
NO_COLOR          set to anything: no colours (https://no-color.org)

For `mnemic mcp install` also HOME, XDG_CONFIG_HOME, APPDATA and CODEX_HOME: where clients keep their settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

FILE = "mnemic.db"
"""In the current folder, where neither --file nor MNEMIC_FILE names another."""
USER = "me"
"""A command line is one person's, so its memories are a user's, and never everybody's by accident."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line assumes where nothing is said."""

    file: str = FILE
    user: str = USER
    embedder: str | None = None
    recipe: str | None = None
    model: str | None = None
    api_key: str | None = None
    mcp_key: str | None = None
    proxy_key: str | None = None
    color: bool | None = None
    """False: never; None: where the output is a terminal."""


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment. An empty variable is one that is not set."""
    given = os.environ if environment is None else environment
    return Settings(
        file=given.get("MNEMIC_FILE") or FILE,
        user=given.get("MNEMIC_USER") or USER,
        embedder=given.get("MNEMIC_EMBEDDER") or None,
        recipe=given.get("MNEMIC_RECIPE") or None,
        model=given.get("MNEMIC_MODEL") or None,
        api_key=given.get("MNEMIC_API_KEY") or None,
        mcp_key=given.get("MNEMIC_MCP_KEY") or None,
        proxy_key=given.get("MNEMIC_PROXY_KEY") or None,
        color=False if given.get("NO_COLOR") else None,
    )


def passed_on(more: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process of ours that is started: this one's, and some more."""
    return {**os.environ, **more}


@dataclass(frozen=True, slots=True)
class Folders:
    """Where other programs of the user keep their settings."""

    home: Path
    here: Path
    """The folder of the project at hand."""
    config: Path
    """~/.config, or what XDG_CONFIG_HOME names."""
    apps: Path
    """Of desktop programs: as `config`, but on macOS and Windows the system's own place."""
    zed: Path
    codex: Path


def folders(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Folders:
    """The folders of this machine."""
    given = os.environ if environment is None else environment
    home = Path(given["HOME"]) if given.get("HOME") else Path.home()
    config = Path(given.get("XDG_CONFIG_HOME") or home / ".config")
    apps, zed = config, config / "zed"
    if platform == "darwin":
        apps, zed = home / "Library" / "Application Support", home / ".config" / "zed"
    elif platform == "win32":
        apps = Path(given.get("APPDATA") or home / "AppData" / "Roaming")
        zed = apps / "Zed"
    return Folders(home, Path.cwd(), config, apps, zed, Path(given.get("CODEX_HOME") or home / ".codex"))


class LocalTime(tzinfo):
    """The machine's own time zone with its summer times, which no fixed offset has."""

    def utcoffset(self, dt: datetime | None, /) -> timedelta | None:
        """The offset that the machine's clock has, had or will have at a local time."""
        return None if dt is None else _local(dt).utcoffset()

    def dst(self, dt: datetime | None, /) -> timedelta | None:
        """Not told apart from the offset."""
        return None

    def tzname(self, dt: datetime | None, /) -> str | None:
        """The zone's abbreviation at a local time."""
        return None if dt is None else _local(dt).tzname()

    def fromutc(self, dt: datetime, /) -> datetime:
        """A UTC time on the machine's clock."""
        try:
            there = dt.replace(tzinfo=UTC).astimezone()
        except (OverflowError, OSError, ValueError):
            return dt  # as in _local
        return there.replace(tzinfo=self)


def _local(moment: datetime) -> datetime:
    naive = moment.replace(tzinfo=None)
    try:
        return naive.astimezone()
    except (OverflowError, OSError, ValueError):
        return naive.replace(tzinfo=UTC)  # the system knows no local time that far away

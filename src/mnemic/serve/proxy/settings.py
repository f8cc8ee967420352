"""What the one who starts a proxy decides."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from mnemic.errors import ConfigError
from mnemic.serve.listening import is_loopback
from mnemic.serve.proxy.asked import MODES
from mnemic.types import ScopeArgs

PORT: Final = 8766
_VERSION: Final = re.compile(r"/v\d+[a-z]*\d*(/|$)")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a proxy works. Times are in seconds, sizes in bytes.

    `upstream` is where requests go: "https://api.openai.com/v1", "https://api.anthropic.com". `scope` is whose memory
    it is where a request does not say; `fixed`: whatever a request says. `within` is the time that recalling may
    take. Raises ConfigError.
    """

    upstream: str
    scope: ScopeArgs = field(default_factory=lambda: ScopeArgs(user_id="me"))
    fixed: bool = False
    mode: str = "on"
    budget: int = 1000
    threshold: float = 0.1
    within: float = 0.3
    tools: bool = False
    """Whether what tools gave is remembered, too."""
    key: str | None = None
    """What clients have to show in X-Mnemic-Key."""
    host: str = "127.0.0.1"
    port: int = PORT
    open: bool = False
    """That it is meant to listen beyond loopback without a key."""
    hosts: tuple[str, ...] = ()
    """Further names under which it may be asked …"""
    origins: tuple[str, ...] = ()
    """… and pages that may ask it, as "https://chat.example"."""
    largest: int = 64_000_000
    """A request's body."""
    patience: float = 600.0
    """For the upstream, between two pieces of a response."""
    ending: float = 30.0
    """For requests that run when it is to stop, and again for what waits to be remembered then."""

    def __post_init__(self) -> None:
        parts = _upstream(self.upstream)
        if self.mode not in MODES:
            raise ConfigError(f"mode={self.mode!r} is not known: one of {', '.join(MODES)}")
        if self.key is not None and (len(self.key) < 16 or not self.key.isascii() or not self.key.isprintable()):
            raise ConfigError("the key is too short, or holds what no header can: use 16 printable characters or more")
        if not is_loopback(self.host) and self.key is None and not self.open:
            raise ConfigError(
                f"{self.host} can be reached from other machines, and there is no key: whoever reaches it reads what "
                "is remembered. Set a key, or say that this is meant (--without-key)"
            )
        if parts.port == self.port and is_loopback(parts.hostname or "") and is_loopback(self.host) and self.port:
            raise ConfigError(f"the upstream {self.upstream} is this proxy itself: choose another --port")

    @property
    def target(self) -> tuple[str, str]:
        """The upstream's address, and its path."""
        parts = urlsplit(self.upstream)
        return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")

    def path(self, asked: str) -> str | None:
        """The upstream's path for one that a client asks for; None for one that leads out of it.

        An upstream whose path names a version ("…/v1", "…/v1beta/openai") stands for the client's "/v1".
        """
        segments = re.sub(r"%2e", ".", asked, flags=re.IGNORECASE).replace("%2F", "/").replace("%2f", "/")
        if not asked.startswith("/") or "\\" in segments or ".." in segments.split("/"):
            return None
        base = self.target[1]
        if _VERSION.search(base) and re.match(r"/v1(/|$)", asked):
            asked = asked[len("/v1") :]
        return base + asked


def _upstream(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"the upstream {url!r} is no address ({error})") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"the upstream {url!r} is no address: pass one such as https://api.openai.com/v1")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("the upstream's address holds a password: clients send their own keys, take it out")
    if parts.query or parts.fragment:
        raise ConfigError(f"the upstream {url!r} has a query or a fragment: leave it out, clients send their own")
    return parts

"""What a configuration of mem0 means here: which file, which model. What it cannot mean is named, not passed over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from mnemic.errors import ConfigError, nearest

COLLECTION = "mem0"
"""The collection where none is named, as in mem0."""
_FILES = (".db", ".sqlite", ".sqlite3")
_LOCAL = ("ollama", "lmstudio", "vllm")
"""Servers that need no key."""
_SERVERS = {
    "openai": "https://api.openai.com/v1",
    "ollama": "http://localhost:11434",
    "lmstudio": "http://localhost:1234/v1",
    "vllm": "http://localhost:8000/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "groq": "https://api.groq.com/openai/v1",
    "together": "https://api.together.xyz/v1",
    "xai": "https://api.x.ai/v1",
}
"""Where providers are that speak OpenAI's chat protocol."""


@dataclass(frozen=True)
class MemoryConfig:
    """The keys of mem0's configuration, each as mem0 has it; and `mnemic`, keyword parameters of `mnemic.Memory`.

    The file is `{folder}/{collection_name}.mnemic.db`: in `vector_store.config.path`, else beside `history_db_path`,
    else in the working folder. A path that ends in .db is the file itself.
    """

    vector_store: Any = None
    llm: Any = None
    embedder: Any = None
    reranker: Any = None
    graph_store: Any = None
    history_db_path: str | None = None
    version: str = "v1.1"
    custom_instructions: str | None = None
    custom_fact_extraction_prompt: str | None = None
    custom_update_memory_prompt: str | None = None
    mnemic: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Settings:
    """What `mnemic.Memory` is opened with."""

    options: Mapping[str, Any]
    bare: bool
    """Whether results are lists without a dict around them, as of version "v1.0"."""
    ignored: tuple[str, ...]
    """What of the configuration has no effect, and why."""


def config_of(given: object) -> MemoryConfig:
    """A configuration from a dict, a MemoryConfig, or mem0's own. Raises ConfigError."""
    if isinstance(given, MemoryConfig):
        return given
    keys = _plain(given)
    names = [one.name for one in fields(MemoryConfig)]
    for key in keys:
        if key not in names:
            raise ConfigError(f"the configuration has no key '{key}'{nearest(key, names)}")
    return MemoryConfig(**keys)


def settings_of(config: MemoryConfig) -> Settings:
    """What a configuration means. Raises ConfigError."""
    ignored: list[str] = []
    options: dict[str, Any] = {"url": _url(config, ignored), **_model(config, ignored), **config.mnemic}
    for name, why in _NOT_HERE.items():
        if getattr(config, name):
            ignored.append(f"{name} ({why})")
    return Settings(options, config.version == "v1.0", tuple(ignored))


_NOT_HERE = {
    "embedder": "Mnemic has one of its own; another: config['mnemic'] = {'embedder': …}",
    "reranker": "config['mnemic'] = {'reranker': …} takes one",
    "graph_store": "there is no graph; statements and entities are records",
    "custom_instructions": "what is derived follows the recipe: config['mnemic'] = {'recipe': …}",
    "custom_fact_extraction_prompt": "what is derived follows the recipe: config['mnemic'] = {'recipe': …}",
    "custom_update_memory_prompt": "what is derived follows the recipe: config['mnemic'] = {'recipe': …}",
}


def _url(config: MemoryConfig, ignored: list[str]) -> str:
    provider, store = _provided("vector_store", config.vector_store)
    for key in store:
        if key not in ("path", "collection_name"):
            ignored.append(f"vector_store.config.{key} (memories are in one file)")
    if provider not in (None, "mnemic") and "path" not in store:
        ignored.append(f"vector_store.provider '{provider}' (memories are in one file)")
    name = f"{store.get('collection_name') or COLLECTION}.mnemic.db"
    path, history = store.get("path"), config.history_db_path
    if ":memory:" in (path, path or history):
        return ":memory:"
    if path is not None and Path(path).suffix in _FILES:
        return str(path)
    folder = Path(path) if path is not None else Path(history).parent if history else Path()
    return str(folder.expanduser() / name)


def _model(config: MemoryConfig, ignored: list[str]) -> dict[str, Any]:
    provider, llm = _provided("llm", config.llm)
    if provider is None:
        return {}
    model, key = llm.get("model"), llm.get("api_key")
    why = None
    if provider not in (*_SERVERS, "anthropic"):
        why = "unknown here; a model: config['mnemic'] = {'model': …}"
    elif not model:
        why = "it names no model"
    elif not key and provider not in _LOCAL:
        why = "it has no api_key, and the environment is not read"
    if why is not None:
        ignored.append(f"llm '{provider}' ({why}); statements are derived by rules")
        return {}
    found = (
        {"model": f"anthropic:{model}"} if provider == "anthropic" else {"model": f"{_server(provider, llm)}#{model}"}
    )
    return found | ({"api_key": key} if key else {})


def _server(provider: str, llm: Mapping[str, Any]) -> str:
    url = str(llm.get(f"{provider}_base_url") or llm.get("base_url") or _SERVERS[provider]).rstrip("/")
    return url if provider != "ollama" or url.endswith("/v1") else f"{url}/v1"


def _provided(name: str, given: object) -> tuple[str | None, dict[str, Any]]:
    """The provider and the settings of one part of a configuration."""
    if given is None:
        return None, {}
    part = _plain(given)
    return part.get("provider"), _plain(part.get("config") or {})


def _plain(given: object) -> dict[str, Any]:
    """A configuration as a dict; of mem0's own, what was set by hand."""
    if isinstance(given, Mapping):
        return dict(cast("Mapping[str, Any]", given))
    named = cast("Collection[str] | None", getattr(given, "model_fields_set", None))
    if named is not None:
        return {name: getattr(given, name) for name in named}
    raise ConfigError(f"the configuration {given!r:.60} is {type(given).__name__}: pass a dict, as mem0 takes it")

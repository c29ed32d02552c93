"""How much a model can be asked at once, as data; and how much of it we use."""

from collections.abc import Mapping
from dataclasses import dataclass

UNKNOWN = 16_384  # tokens: what a card of 24 GB serves; a server with more says so by a setting
SMALLEST = 4_096
SPARED = 2_048  # for what a provider adds to each message
LONGEST_ANSWER = 8_192
SHARE = 0.85

WINDOWS: Mapping[str, int] = {
    "gpt-5": 400_000,
    "gpt-4.1": 1_047_576,
    "gpt-4o": 128_000,
    "gpt-4-turbo": 128_000,
    "o1": 200_000,
    "o3": 200_000,
    "o4-mini": 200_000,
    "claude-": 200_000,
    "gemini-": 1_048_576,
    "mistral-large": 128_000,
    "mistral-medium": 128_000,
    "mistral-small": 32_768,
    "codestral": 256_000,
    "devstral": 128_000,
}
"""Beginnings of the names of models that only their vendors serve, and their windows in tokens.

Of models that anybody serves, Qwen or Llama say, nothing is known by the name: each server is started with a
window of its own, often a small part of what the model could do.
"""
BOUNDLESS = frozenset({"offline", "scripted"})  # providers that are no language models


@dataclass(frozen=True, slots=True)
class Budget:
    """What a model may be asked, in its own tokens. None: anything."""

    window: int | None
    limit: int | None
    "Of a question, its tools included."


def budget(spec: str, windows: Mapping[str, int]) -> Budget:
    """Return what the model `provider:name` may be asked; `windows` are those that somebody set.

    >>> budget("ollama:qwen2.5-coder:7b", {})
    Budget(window=16384, limit=12288)
    """
    window = _window(spec, windows)
    if window is None:
        return Budget(None, None)
    answer = min(LONGEST_ANSWER, window // 8)
    return Budget(window, min(int(SHARE * window), window - answer - SPARED))


def _window(spec: str, windows: Mapping[str, int]) -> int | None:
    provider, _, name = spec.partition(":")
    for known in (spec, name, provider):
        if known and known in windows:
            return windows[known]
    if provider in BOUNDLESS:
        return None
    plain = name.rpartition("/")[2]
    found = [begin for begin in WINDOWS if plain.startswith(begin)]
    return WINDOWS[max(found, key=len)] if found and not plain.startswith("gpt-oss") else UNKNOWN

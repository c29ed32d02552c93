"""How much of a folder is in the index, what it is made of, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from artel.tools.knowledge.code.imports import Unresolved, graph
from artel.tools.knowledge.code.likeness import Pair, near_duplicates
from artel.tools.knowledge.code.trees import language_of

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Language:
    """What a folder has of one language."""

    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """The folder beside its index, by hash of content: a date says nothing, a checkout resets it."""

    files: int
    indexed: int
    """Files whose text of now is in the index."""
    lines: int
    lines_indexed: int
    stale: tuple[str, ...]
    """In the index with a text they no longer have."""
    missing: tuple[str, ...]
    """In the folder only."""
    gone: tuple[str, ...]
    """In the index only."""

    @property
    def files_percent(self) -> float:
        """Share of files that are found as they are, 0 to 100; 100 of nothing."""
        return 100 * self.indexed / self.files if self.files else 100.0

    @property
    def lines_percent(self) -> float:
        """The same of lines."""
        return 100 * self.lines_indexed / self.lines if self.lines else 100.0

    @property
    def stale_percent(self) -> float:
        """Share of indexed files whose text has changed or that are gone, 0 to 100."""
        known = self.indexed + len(self.stale) + len(self.gone)
        return 100 * (len(self.stale) + len(self.gone)) / known if known else 0.0


@dataclass(frozen=True, slots=True)
class Statistics:
    """All figures of one folder."""

    coverage: Coverage
    languages: Mapping[str, Language]
    duplicates: tuple[Pair, ...]
    unresolved: tuple[Unresolved, ...]


def statistics(texts: Mapping[str, str], indexed: Mapping[str, str]) -> Statistics:
    """Return the figures of a folder: `texts` by path, `indexed` the hash of each path's text in the index.

    It reads and parses every text: a second for some hundred files; a thread is the place for it.
    """
    return Statistics(
        coverage(texts, indexed),
        languages(texts),
        tuple(near_duplicates(texts)),
        graph(texts).unresolved,
    )


def content_hash(text: str) -> str:
    """Return what two texts share only if they are the same: BLAKE2b of 16 bytes, in hex."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def lines_of(text: str) -> int:
    """Return how many lines a text has; a last one without its end counts."""
    return text.count("\n") + (not text.endswith("\n") if text else 0)


def coverage(texts: Mapping[str, str], indexed: Mapping[str, str]) -> Coverage:
    """Compare a folder with the hashes, made by `content_hash`, of what the index has."""
    lines = {path: lines_of(text) for path, text in texts.items()}
    fresh = {path for path, text in texts.items() if path in indexed and indexed[path] == content_hash(text)}
    return Coverage(
        files=len(texts),
        indexed=len(fresh),
        lines=sum(lines.values()),
        lines_indexed=sum(lines[path] for path in fresh),
        stale=_sorted(path for path in texts if path in indexed and path not in fresh),
        missing=_sorted(path for path in texts if path not in indexed),
        gone=_sorted(path for path in indexed if path not in texts),
    )


def languages(texts: Mapping[str, str]) -> dict[str, Language]:
    """Return files and lines of each language, most lines first; `other` for what we do not know."""
    files, lines = Counter[str](), Counter[str]()
    for path, text in texts.items():
        name = language_of(path) or OTHER
        files[name] += 1
        lines[name] += lines_of(text)
    return {
        name: Language(files[name], lines[name]) for name in sorted(files, key=lambda one: (-lines[one], one))
    }


def _sorted(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(paths))

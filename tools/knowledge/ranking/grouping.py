"""From chunks to documents: a reader is shown a document once, by its best chunk."""

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Generic, TypeVar

from artel.storage.knowledge.hits import Hit

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bonus:
    """What further chunks add: `most · (1 - decay) · Σ decay^i · score` over the second, third … best chunk.

    However many chunks a document has, they add less than `most`: length alone lifts nothing to the top.
    The figures were chosen on half of the PEPs, long documents all: see `fusion.json`.
    """

    most: float = 0.0
    decay: float = 0.5


@dataclass(frozen=True, slots=True)
class Grouped(Generic[Key]):
    """A document that was found."""

    document: Key
    score: float
    "0 to 1 + the bonus."
    hits: tuple[Hit, ...]
    "Its chunks, best first."


def group(
    hits: Sequence[Hit], documents: Mapping[int, Key], bonus: Bonus | None = None
) -> list[Grouped[Key]]:
    """Return documents, best first; `documents` names that of each chunk; a chunk without one is left out.

    `hits` come best first, with scores of 0 or more. Of equal scores the document whose chunk came first is
    first.
    """
    bonus = bonus or shipped()
    found: dict[Key, list[Hit]] = {}
    for hit in hits:
        if hit.chunk_id in documents:
            found.setdefault(documents[hit.chunk_id], []).append(hit)
    made = [Grouped(document, _score(own, bonus), tuple(own)) for document, own in found.items()]
    return sorted(made, key=lambda one: -one.score)


def _score(hits: Sequence[Hit], bonus: Bonus) -> float:
    first, *others = hits
    added = sum(bonus.decay**place * hit.score for place, hit in enumerate(others))
    return first.score + bonus.most * (1 - bonus.decay) * added


@cache
def shipped() -> Bonus:
    """Return the bonus of the package, from `fusion.json`."""
    return Bonus(
        **json.loads(files(__package__).joinpath("fusion.json").read_text(encoding="utf-8"))["bonus"]
    )

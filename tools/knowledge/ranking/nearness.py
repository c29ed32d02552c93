"""Whether what a question is about stands together in a text, or is scattered over it."""

import re
from collections.abc import Mapping

from artel.storage.knowledge.lexical.terms import terms

MOST_READ = 8_000  # characters of a text: a chunk is shorter
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


def together(text: str, rarity: Mapping[str, float], language: str) -> float:
    """Return the share of a question's terms, by rarity, that one sentence of a text holds at most, 0 to 1.

    `rarity` is that of the question's terms, `language` what the question is written in (ISO 639-1).
    """
    whole = sum(rarity.values())
    if not whole:
        return 0.0
    sentences = _SENTENCE.split(text[:MOST_READ])
    held = (set(terms(sentence, language)) & rarity.keys() for sentence in sentences)
    return max(sum(rarity[term] for term in one) for one in held) / whole

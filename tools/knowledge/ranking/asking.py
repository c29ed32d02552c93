"""What is known of a question before anything is searched."""

import re
from collections.abc import Mapping

import numpy as np

from artel.storage.knowledge.lexical.languages import Told
from artel.tools.knowledge.ranking.lists import Question

# `snake_case`, `camelCase`, `a.b`, `a::b`, `call()`: how programs name things, and people do not
_NAME = re.compile(r"\w_\w|[a-z][A-Z]|\w\.\w|\w::\w|\w\(\)|^--?\w")
_SLACK = 1e-4  # of a rarity in 32 bits


def asked(text: str, told: Told, rarity: Mapping[str, float], chunks: int) -> Question:
    """Return a question as the ranking sees it.

    `rarity` is that of its terms in the lexical index (ln(1 + (N - n + ½) / (n + ½))), which holds `chunks` chunks: a
    term of the highest rarity is one that no chunk holds.
    """
    highest = float(np.log1p((chunks + 0.5) / 0.5)) - _SLACK
    words = text.split()
    named = sum(bool(_NAME.search(word.strip(",;:!?"))) for word in words)
    return Question(
        language=told.language,
        kind=told.kind,
        rarity=dict(rarity),
        unknown=frozenset(term for term, rare in rarity.items() if rare >= highest),
        identifiers=named / len(words) if words else 0.0,
    )

"""What is known of a question before anything is searched."""

import re
from collections.abc import Mapping

import numpy as np

from artel.storage.knowledge.lexical.languages import Told
from artel.storage.knowledge.lexical.terms import asked, terms
from artel.tools.knowledge.ranking.lists import Question

# `snake_case`, `camelCase`, `a.b`, `a::b`, `call()`: how programs name things, and people do not
_NAME = re.compile(r"\w_\w|[a-z][A-Z]|\w\.\w|\w::\w|\w\(\)|^--?\w")
_WORD = re.compile(r"\w(?:[\w.'’-]*\w)?")
_SLACK = 1e-4  # of a rarity in 32 bits


def described(
    text: str, told: Told, weights: Mapping[str, float], rarity: Mapping[str, float], chunks: int
) -> Question:
    """Return a question as the ranking sees it.

    `weights` are the terms of the question with what each counts for (`lexical.terms.asked`), pairs of
    neighbours among them, which are left out here; `rarity` is theirs in the lexical index (ln(1 + (N - n +
    ½) / (n + ½))), which holds `chunks` chunks: a term of the highest rarity is one that no chunk holds.
    """
    highest = float(np.log1p((chunks + 0.5) / 0.5)) - _SLACK
    single = [term for term in weights if " " not in term]
    words = text.split()
    named = sum(bool(_NAME.search(word.strip(",;:!?"))) for word in words)
    return Question(
        language=told.language,
        kind=told.kind,
        rarity={term: weights[term] * rarity[term] for term in single},
        unknown=frozenset(term for term in single if rarity[term] >= highest),
        identifiers=named / len(words) if words else 0.0,
    )


def missing(text: str, question: Question) -> list[str]:
    """Return the words of a question, as written, of which the collection holds no term, each once.

    Common words and single letters are not among them: nobody can say them otherwise.
    """
    counts = asked(text, question.language)
    lacking = {term for term in question.unknown if counts.get(term, 0.0) >= 1}
    words = {word: terms(word, question.language) for word in _WORD.findall(text) if len(word) > 1}
    return [word for word, own in words.items() if own and lacking.issuperset(own)]

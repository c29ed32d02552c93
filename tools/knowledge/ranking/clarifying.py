"""What to ask back when the first result may be wrong: what parts the results, in the asker's language.

A question is drawn from the results themselves: the property that splits them best, with its values as
options. When an important word of what was asked is nowhere to be found, that word is asked about; so it is
when nothing splits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Literal, get_args

Facet = Literal["source", "product", "version", "kind", "role", "section"]
About = Facet | Literal["title", "word"]

HEAD = 8  # results that a person would still look at
NEAR = 0.5  # of the first score: what is below is no rival
OPTIONS = 4
QUESTIONS = 2
COVERED = 0.6  # of the results by score must have the property
SPLITS = 0.5  # bits, after the first question: a second that tells less is not asked
TITLE_WORTH = 0.6  # of its bits: titles nearly always differ, and say less than a source or a version
LONGEST = 60  # characters of an option, and of what was asked, within a sentence


@dataclass(frozen=True, slots=True)
class Result:
    """A result as far as it can be told from others."""

    score: float
    title: str
    facets: Mapping[Facet, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asking:
    """A question to the person, with 2 to 4 options; none only where nothing at all was found."""

    about: About
    text: str
    options: tuple[str, ...]


def clarify(
    asked: str, results: Sequence[Result], missing: Sequence[str] = (), *, language: str, vague: bool = False
) -> list[Asking]:
    """Return one or two questions about `asked`, the one that tells most first.

    `results` come best first; `missing` are words of `asked`, as they were written, that no result has.
    `vague`: those weigh more than the ones that were found, so they are asked about before anything else.
    `language`: Russian for `ru`, English for all others.
    """
    head = [one for one in results[:HEAD] if one.score >= NEAR * results[0].score]
    words = RUSSIAN if language == "ru" else ENGLISH
    chosen = [] if vague and missing else _splitting(head)
    made = [_about(about, options, asked, words) for about, options in chosen]
    if (vague and missing) or not made:
        made = [
            _word(missing, asked, head, words),
            *(_about(*one, asked, words) for one in _splitting(head)[:1]),
        ]
    return made[:QUESTIONS]


def _splitting(head: Sequence[Result]) -> list[tuple[About, tuple[str, ...]]]:
    """The properties that split best, at most QUESTIONS of them, with their most weighty values."""
    values: dict[About, list[str]] = {about: [one.facets.get(about, "") for one in head] for about in FACETS}
    values["title"] = _told_apart([one.title for one in head])
    weights = [max(one.score, 1e-9) for one in head]
    ranked = sorted(values, key=lambda about: -_worth(about, values[about], weights))
    best = [about for about in ranked if _worth(about, values[about], weights) > 0][:1]
    for about in ranked[1:]:
        if len(best) != 1 or _worth(about, values[about], weights) <= 0:
            continue
        both = [f"{one}\0{other}" for one, other in zip(values[best[0]], values[about], strict=True)]
        if _bits(both, weights) - _bits(values[best[0]], weights) >= SPLITS:
            best.append(about)
    return [(about, _options(values[about], weights)) for about in best]


def _worth(about: About, values: Sequence[str], weights: Sequence[float]) -> float:
    """The bits that an answer would tell, over the results that the options speak of."""
    whole = sum(weights)
    options = _options(values, weights)
    kept = [(one, weight) for one, weight in zip(values, weights, strict=True) if one in options]
    held = sum(weight for one, weight in zip(values, weights, strict=True) if one)
    if len(options) < 2 or held < COVERED * whole:
        return 0.0
    bits = _bits([one for one, _ in kept], [weight for _, weight in kept])
    return bits * sum(weight for _, weight in kept) / whole * (TITLE_WORTH if about == "title" else 1.0)


def _bits(values: Sequence[str], weights: Sequence[float]) -> float:
    shares = _summed(values, weights).values()
    whole = sum(shares)
    return -sum(share / whole * log2(share / whole) for share in shares)


def _options(values: Sequence[str], weights: Sequence[float]) -> tuple[str, ...]:
    summed = _summed(values, weights)
    summed.pop("", None)
    return tuple(sorted(summed, key=lambda one: -summed[one])[:OPTIONS])


def _summed(values: Sequence[str], weights: Sequence[float]) -> dict[str, float]:
    summed: dict[str, float] = {}
    for value, weight in zip(values, weights, strict=True):
        summed[value] = summed.get(value, 0.0) + weight
    return summed


def _told_apart(titles: Sequence[str]) -> list[str]:
    """Titles without the words that all of them begin or end with; empty where nothing of one is left."""
    told = [title.split() for title in titles]
    for backwards in (False, True):
        while (
            len(told) > 1
            and all(told)
            and len({words[-1 if backwards else 0].casefold() for words in told}) == 1
        ):
            told = [words[:-1] if backwards else words[1:] for words in told]
    return [_cut(" ".join(words)) for words in told]


def _about(about: About, options: tuple[str, ...], asked: str, words: Mapping[str, str]) -> Asking:
    text = words[about].format(asked=_topic(asked), options=_listed(map(_cut, options), words["or"]))
    return Asking(about, text, tuple(map(_cut, options)))


def _word(missing: Sequence[str], asked: str, head: Sequence[Result], words: Mapping[str, str]) -> Asking:
    titles = tuple(dict.fromkeys(_cut(one.title) for one in head if one.title))[:OPTIONS]
    options = titles if len(titles) > 1 else ()
    named = _listed((f"“{one}”" if words is ENGLISH else f"«{one}»" for one in missing[:3]), words["and"])
    sentence = words["missing" if missing else "nothing"].format(asked=_topic(asked), missing=named)
    offered = (
        words["offered"].format(options=_listed(options, words["or"])) if options else words["otherwise"]
    )
    return Asking("word", f"{sentence} {offered}", options)


def _topic(asked: str) -> str:
    return _cut(" ".join(asked.split()).rstrip("?!. "))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _listed(options: Iterable[str], last: str) -> str:
    *first, end = list(options) or [""]
    return f"{', '.join(first)} {last} {end}" if first else end


FACETS: tuple[Facet, ...] = get_args(Facet)
ENGLISH = {
    "source": "“{asked}” is spoken of in several sources. Where shall I look: {options}?",
    "product": "Which product is “{asked}” about: {options}?",
    "version": "Of which version do you ask “{asked}”: {options}?",
    "kind": "What kind of text do you need for “{asked}”: {options}?",
    "role": "For whom is the answer to “{asked}”: {options}?",
    "section": "Which part do you mean by “{asked}”: {options}?",
    "title": "Several texts come near to “{asked}”. Which do you mean: {options}?",
    "missing": "I find nothing that mentions {missing}.",
    "nothing": "I find nothing that clearly answers “{asked}”.",
    "offered": "Do you mean {options}, or what else is it called?",
    "otherwise": "What else is it called, or where would it be written?",
    "or": "or",
    "and": "or",
}
RUSSIAN = {
    "source": "О «{asked}» говорится в нескольких источниках. Где искать: {options}?",
    "product": "К какому продукту относится «{asked}»: {options}?",
    "version": "О какой версии вопрос «{asked}»: {options}?",
    "kind": "Какого рода текст нужен по запросу «{asked}»: {options}?",
    "role": "Для кого ответ на «{asked}»: {options}?",
    "section": "Какой раздел имеется в виду под «{asked}»: {options}?",
    "title": "К «{asked}» близки несколько текстов. Какой из них нужен: {options}?",
    "missing": "Ничего не найдено, где упоминается {missing}.",
    "nothing": "Не найдено ничего, что ясно отвечает на «{asked}».",
    "offered": "Имеется в виду {options}, или как ещё это называется?",
    "otherwise": "Как ещё это называется или где об этом может быть написано?",
    "or": "или",
    "and": "или",
}

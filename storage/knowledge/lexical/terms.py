"""The terms of a text: what a question and a text must share for one to find the other.

A word is split out, and everything else about it is looked up: texts repeat their words, so that a term costs
one look in a dictionary.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import chain, pairwise

from artel.storage.knowledge.lexical.languages import COMMON
from artel.storage.knowledge.lexical.stems import SNOWBALL, stem

RULES = 1  # counts up when the terms of a text change: what was kept under other rules is made anew
# What a term counts for, by nDCG@10 on two halves of five sets, both seen. With pairs it rose by 1.2 and 0.9
# points in the mean, and on no whole set fell by more than 0.2.
PAIR_COUNTS = 0.2
COMMON_COUNTS = 0.4  # of 0, 0.2, 0.5 and 1 alone 0.5 was best: by 0.1 and 0.4 points over 1, by 0.3 over 0
TITLE_COUNTS = 2
MOST_CACHED = 200_000  # words of a language: about 40 MB
WORTH_KEEPING = 40  # characters: a longer word hardly comes twice

# A word, its parts joined as names are: `asyncio.gather`, `std::vector`, `well-known`, `1,000`, `don't`.
_MARKS = (  # vowels and accents that stand on a letter of their own: `\w` leaves them out
    r"\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f"
    r"\u0981-\u0983\u09bc-\u09cd\u0a3c-\u0a4d\u0abc-\u0acd\u0bbe-\u0bcd\u0c3e-\u0c4d\u0cbe-\u0ccd\u0d3e-\u0d4d"
    r"\u0e31-\u0e3a\u0e47-\u0e4e"
)
_JOINED = r"{0}{{1,64}}+(?:(?:[.\-'’‐‑]|::|,(?=\d{{3}}(?!\d))){0}{{1,64}}+){{0,15}}+(?:(?:\+\+|#)(?!\w))?"
_PLAIN_WORD = re.compile(_JOINED.format(r"\w"))
_ANY_WORD = re.compile(_JOINED.format(rf"[\w{_MARKS}]"))

_PIECES = re.compile(r"(?<!\d)\.|\.(?!\d)|[\-'‐‑_]|::")
_CASES = re.compile(
    r"[A-ZА-ЯЁ]+(?=[A-ZА-ЯЁ][a-zа-яё])|[A-ZА-ЯЁ]?[a-zа-яё]+|\d+(?:\.\d+)*|[^\W\d_a-zA-Z]+|[A-Z]+"
)
_NUMBER = re.compile(r"v?\d+(?:\.\d+)+$|\d+(?:,\d{3})+$", re.IGNORECASE)
_LETTER_AND_NUMBER = re.compile(r"[^\W\d_]\d+$")  # p53, E0308: a name, whose parts say nothing
_SHORTENED = re.compile(r"(\w+)'(?:s|re|ve|ll|d|m)$", re.IGNORECASE)
_UNSPACED = re.compile(  # scripts that set no space between words
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\U00020000-\U0003ffff]+"
)
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN = re.compile(r"[a-z\u00df-\u024f]")
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))


def terms(text: str, language: str = "en") -> list[str]:
    """Return the terms of a text or a question in their order, those of one word together.

    Words are stemmed by their script, so that one text may mix Russian, English and code. A word of another
    language that we can stem has the stem of `language` (ISO 639-1) besides. Names of code are split where
    their case or an underscore says so, and kept whole too; so are numbers with a unit and versions.
    """
    pattern = _PLAIN_WORD
    if not text.isascii():
        text, pattern = unicodedata.normalize("NFKC", text).translate(_INVISIBLE), _ANY_WORD
    known = _words(language if language in SNOWBALL else "en")
    return list(chain.from_iterable(map(known.__getitem__, pattern.findall(text))))


def indexed(text: str, language: str = "en", *, title: str = "") -> list[str]:
    """Return what an index is given for a text: its terms, those of its title twice, and pairs of neighbours.

    A pair is two terms with a space between, common words left out.
    """
    found, head = terms(text, language), terms(title, language)
    twice = [*head, *_pairs(head, language)] * TITLE_COUNTS
    return [*twice, *found, *_pairs(found, language)]


def asked(question: str, language: str = "en") -> dict[str, float]:
    """Return the terms of a question and its pairs, each with what it counts for.

    `how`, `the` or «какой» help little to tell texts apart, but do: without any of them short questions lose.
    """
    found = terms(question, language)
    common = _common(language)
    weights = {
        term: times * (COMMON_COUNTS if term in common else 1.0) for term, times in Counter(found).items()
    }
    return weights | {pair: times * PAIR_COUNTS for pair, times in Counter(_pairs(found, language)).items()}


def _pairs(found: list[str], language: str) -> list[str]:
    common = _common(language)
    telling = [term for term in found if term not in common]
    return [f"{left} {right}" for left, right in pairwise(telling)]


@cache
def _common(language: str) -> frozenset[str]:
    listed = " ".join(COMMON[code] for code in {"en", "ru", language} & COMMON.keys())
    return frozenset(terms(listed, language))


class _Words(dict[str, tuple[str, ...]]):
    """The terms of every word seen, in one language."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language

    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(self) >= MOST_CACHED:
            self.clear()
        made = tuple(dict.fromkeys(_terms(word, self.language)))
        if len(word) <= WORTH_KEEPING:
            self[word] = made
        return made


@cache
def _words(language: str) -> _Words:
    return _Words(language)


def _terms(word: str, language: str) -> Iterable[str]:
    if word.endswith(("++", "#")):
        bare = word.rstrip("+#")
        return [word.casefold()] if len(bare) == 1 and bare.isalpha() else _terms(bare, language)
    if word.isalpha() and (word.islower() or word.istitle() or word.isupper()) and not _UNSPACED.search(word):
        return _stems(word, language)
    if _NUMBER.match(word):
        return _number(word.lower())
    word = word.replace("’", "'")
    if shortened := _SHORTENED.match(word):
        return _terms(shortened.group(1), language)
    if word.endswith(("n't", "N'T")):
        return _stems(word.replace("'", ""), language)
    pieces = [piece for piece in _PIECES.split(word) if piece]
    found = [term for piece in pieces for term in _piece(piece, language)]
    return found if len(pieces) < 2 else [*found, _folded("".join(pieces))]


def _number(number: str) -> Iterable[str]:
    """`3.11.7` is found by `3.11` too, and `1,000` is 1000."""
    if "," in number:
        return [number.replace(",", "")]
    parts = number.lstrip("v").split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 1, -1)]


def _piece(piece: str, language: str) -> list[str]:
    if run := _UNSPACED.search(piece):
        around = (piece[: run.start()], piece[run.end() :])
        return [*_bigrams(run.group()), *(term for one in around if one for term in _piece(one, language))]
    parts = _CASES.findall(piece)
    if len(parts) < 2 or "".join(parts) != piece:
        return [*_stems(piece, language)]
    if _LETTER_AND_NUMBER.match(piece):
        return [_folded(piece)]
    return [_folded(piece), *(term for part in parts for term in _stems(part, language))]


def _bigrams(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


@lru_cache(MOST_CACHED // 4)
def _stems(word: str, language: str) -> tuple[str, ...]:
    word = _folded(word)
    if _CYRILLIC.search(word):
        return (stem(word, "ru"),)
    if not _LATIN.search(word):
        return (word,)
    plain = stem(_unaccented(word), "en")
    return (plain,) if language in ("en", "ru") else (plain, _unaccented(stem(word, language)))


def _folded(word: str) -> str:
    return word.casefold().replace("ё", "е")


def _unaccented(word: str) -> str:
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(one for one in apart if not unicodedata.combining(one)))

"""Measure spans of one text in tokens, and find where it may be cut."""

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LONGEST_SEQUENCE = 64  # marks on one letter; the Stream-Safe format of Unicode ends at 30
HUNDREDTH = 100
TABLE = 0x3000  # code points with weights of their own


@lru_cache(maxsize=1)
def _weights() -> NDArray[np.int64]:
    # hundredths of a token a character; of WordPiece and Qwen the greater, measured on prose and code
    weights = np.full(TABLE + 1, 80, np.int64)
    weights[:0x80] = 70
    for low, high in (("a", "z"), ("A", "Z")):
        weights[ord(low) : ord(high) + 1] = 23
    weights[ord("0") : ord("9") + 1] = 60
    weights[[*range(9, 14), 32]] = 2
    weights[0x80:0x250] = 60
    weights[0x370:0x530] = 33  # Greek, Cyrillic
    return weights


def tokens(text: str) -> int:
    """Return about how many tokens a text has for an embedder or a model; 0 if it is empty."""
    return -(-int(_weights()[_points(text)].sum()) // HUNDREDTH)


class Ruler:
    """Knows the tokens of every span of a text at once; 8 bytes a character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._sums = np.concatenate(([0], np.cumsum(_weights()[_points(text)])))

    def tokens(self, start: int, end: int) -> int:
        """Return about how many tokens text[start:end] has."""
        return -(-int(self._sums[end] - self._sums[start]) // HUNDREDTH)

    def reach(self, start: int, most: int) -> int:
        """Return the furthest end whose span from `start` has at most `most` tokens; at least a character."""
        most_weight = int(self._sums[start]) + most * HUNDREDTH
        end = int(np.searchsorted(self._sums, most_weight, side="right")) - 1
        return min(max(end, start + 1), len(self.text))

    def back(self, end: int, most: int) -> int:
        """Return the first start whose span to `end` has at most `most` tokens."""
        return int(np.searchsorted(self._sums, int(self._sums[end]) - most * HUNDREDTH, side="left"))


def _points(text: str) -> NDArray[np.uint32]:
    return np.minimum(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32), TABLE)


def whole(text: str, at: int) -> int:
    """Return the nearest offset not after `at` where no character sequence is cut.

    A sequence is a letter with its marks, a pair of surrogates, CR LF, an emoji with what joins it, a flag.
    One of more than LONGEST_SEQUENCE characters is cut, though never within a pair.
    """
    begin = at
    while 0 < begin < len(text) and _joined(text, begin):
        begin -= 1
        if at - begin > LONGEST_SEQUENCE:
            return at - _pair(text[at - 1], text[at])
    return begin


def after(text: str, at: int) -> int:
    """Return the nearest offset not before `at` where no character sequence is cut, but for its pairs."""
    end = at
    while 0 < end < len(text) and _joined(text, end):
        end += 1
        if end - at > LONGEST_SEQUENCE:
            return at + _pair(text[at - 1], text[at])
    return end


def _joined(text: str, at: int) -> bool:
    before, here = text[at - 1], text[at]
    if here < "\u0300":
        return (before == "\r" and here == "\n") or (before == "\u200d" and not here.isspace())
    if unicodedata.category(here)[0] == "M" or here == "\u200d" or "\U0001f3fb" <= here <= "\U0001f3ff":
        return True
    if "\U000e0020" <= here <= "\U000e007f":
        return True
    if _pair(before, here) or (before == "\u200d" and not here.isspace()):
        return True
    return _flag(here) and _flags_before(text, at) % 2 == 1


def _pair(before: str, here: str) -> bool:
    return ("\ud800" <= before <= "\udbff" and "\udc00" <= here <= "\udfff") or before + here == "\r\n"


def _flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> int:
    begin = at
    while begin and at - begin <= LONGEST_SEQUENCE and _flag(text[begin - 1]):
        begin -= 1
    return at - begin

"""Bytes as letters, in whatever encoding they were written."""

import codecs
import re

from charset_normalizer import from_bytes

from artel.tools.knowledge.formats.errors import Unreadable

SAMPLE = 200_000  # bytes looked at to tell the encoding
LETTERS = 8_000  # bytes of it that are read as letters of each Cyrillic encoding
FEW = 60  # bytes beyond ASCII, below which statistics say less than Western habit does
CUT = 20  # bytes; in fewer, half a letter may as well be a whole one of another encoding

MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")

# Only what turns bytes into letters: Python also knows `punycode`, which takes hours over a long text
_DECLARABLE = re.compile(
    r"utf-?8|utf-?16(?:[-_]?[lb]e)?|(?:us-)?ascii|latin-?1|iso-?8859-?\d{1,2}|(?:windows|cp)-?125\d|cp866|ibm866|"
    r"koi8-[ru]|gbk|gb2312|gb18030|big5|euc-(?:jp|kr)|shift[-_]jis|iso-2022-jp|(?:x-)?mac-?cyrillic",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
# How often a letter stands in Russian text, in thousandths; Ukrainian and Bulgarian are near enough.
_OFTEN = dict(
    zip("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґў", [
        110, 85, 80, 74, 67, 63, 55, 47, 45, 44, 35, 32, 30, 28, 26, 20, 19, 17, 17, 16, 16, 14, 12, 10, 9, 7,
        6, 5, 4, 3, 3, 1, 4, 10, 5, 5, 1, 1,
    ], strict=True)
)  # fmt: skip


def decoded(data: bytes, declared: str = "") -> tuple[str, str, int]:
    """Return the text, the encoding, and how many characters could not be read.

    A byte order mark decides, then UTF-8 if it fits, then what was declared if it fits, then the letters.

    Raises:
        Unreadable: it holds NUL bytes as text does not.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _read(data, encoding)
    if b"\0" in data:
        return _read(data, _wide(data))
    try:
        return data.decode("utf-8"), "utf-8", 0
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and len(data) > CUT:  # in the middle of a letter
            return _read(data, "utf-8")
    if _DECLARABLE.fullmatch(declared):
        try:
            return data.decode(declared), codecs.lookup(declared).name, 0
        except (UnicodeDecodeError, LookupError):
            pass  # it declares what it is not
    return _read(data, _told_by_letters(data))


def _read(data: bytes, encoding: str) -> tuple[str, str, int]:
    text = data.decode(encoding, "replace")
    lost = text.count("\N{REPLACEMENT CHARACTER}")
    return text, codecs.lookup(encoding).name.removesuffix("-sig").replace("_", "-"), lost


def _wide(data: bytes) -> str:
    """Return which UTF-16 it is that has no mark: half of the bytes of most letters are alike."""
    sample = data[:SAMPLE]
    for encoding, high in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        alike = sum(high.count(block) for block in (b"\x00", b"\x01", b"\x04"))
        if len(high) >= 2 and alike >= 0.7 * len(high):
            text = sample[: len(sample) // 2 * 2].decode(encoding, "replace")
            if sum(char.isprintable() or char in "\r\n\t" for char in text) >= 0.95 * len(text):
                return encoding
    raise Unreadable("it is binary, or damaged: text holds no NUL bytes; send a document or a text")


def _told_by_letters(data: bytes) -> str:
    beyond = re.sub(rb"[\x00-\x7f]+", b" ", data)
    at = max(0, next(re.finditer(rb"[\x80-\xff]", data)).start() - 1_000)
    sample = data[at : at + SAMPLE]
    scores = {encoding: _cyrillic(sample[:LETTERS], encoding) for encoding in CYRILLIC}
    best = max(scores, key=lambda encoding: scores[encoding])
    if scores[best] > 0.5:
        return best
    if len(beyond) < FEW:
        return "cp1252" if _fits(sample, "cp1252") else "latin-1"
    guess = from_bytes(sample, cp_exclusion=["utf_7"]).best()
    return guess.encoding if guess else "utf-8"


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _cyrillic(sample: bytes, encoding: str) -> float:
    """Return how much a text looks like words in Cyrillic letters: 1 for most Russian, below 0 for none.

    Letters of the wrong encoding are rare ones, in the wrong case, or in one word with Latin ones.
    """
    text = sample.decode(encoding, "replace")
    foreign = sum(not char.isascii() for char in text)
    score = 0.0
    for word in _WORD.findall(text):
        ours = [char for char in word if not char.isascii()]
        if not ours:
            continue
        if len(ours) < len(word) or not (word.islower() or word.isupper() or word.istitle()):
            score -= len(ours)
            continue
        score += sum(min(1.5, _OFTEN.get(char, -40) / 40) for char in word.lower())
        score -= 0.25 * word.isupper() * len(word)
    marks = sum(not char.isascii() and not char.isalpha() and char not in "«»—–…№ё“”„•°§ " for char in text)
    return (score - marks) / max(1, foreign)

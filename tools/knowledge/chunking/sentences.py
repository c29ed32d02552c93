"""Where sentences end, in Russian and English."""

import re
from collections.abc import Iterator

from artel.tools.knowledge.chunking.ruler import whole

END = re.compile(r"[.!?…]{1,6}[)\]»”\"'*_]{0,4}(?=\s)|[。！？]")
NEXT = re.compile(r"\s{0,40}(\S)")
LAST_WORD = re.compile(r"(?:[^\W\d_]\.)?(?:[^\W_]|-)+$")
WORDS = """
mr mrs ms dr prof st vs fig figs eq no nos vol ch sec pp ed eds inc ltd co corp jr sr dept est approx cf
e.g i.e resp jan feb mar apr jun jul aug sep sept oct nov dec u.s
в вв т.е т.к т.н проф акад доц ул пл пер им рис см ср стр гл ст п пп табл илл изд
тыс млн млрд чел кв напр англ нем рус лат и.о н.э
"""
SHORTENED = frozenset(WORDS.split())
ENDING = "etc al т.д т.п др пр г гг руб коп км м мин сек ч"
MAY_END = frozenset(ENDING.split())


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield spans that cover text[start:end], a sentence each with the blanks after it."""
    begin = start
    for found in END.finditer(text, start, end):
        stop = found.end()
        if found[0][0] == "." and not _ends(text, begin, found.start(), stop):
            continue
        following = NEXT.match(text, stop, end)
        cut = whole(text, following.start(1)) if following else stop
        if cut > begin:
            yield begin, cut
            begin = cut
    if begin < end:
        yield begin, end


def _ends(text: str, begin: int, stop: int, after: int) -> bool:
    following = NEXT.match(text, after)
    first = following[1] if following else ""
    if first.islower() or first in ",;:":
        return False
    word = LAST_WORD.search(text, max(begin, stop - 30), stop)
    if word is None:
        return True
    said = word[0].lower()
    if said in MAY_END:  # «и т. д. Потом», but not «5 г. Москва»… which a capital cannot tell apart
        return first.isupper()
    initial = len(said) == 1 and word[0].isupper()
    return not (initial or said in SHORTENED)

"""Cut what has no structure: windows that overlap."""

import re
from collections.abc import Iterator

from artel.tools.knowledge.chunking.ruler import Ruler, after, whole

SIZE, OVERLAP = 512, 50  # tokens
WORD_END = re.compile(r"\s(?=\S)")
LOOK_BACK = 200  # characters for the end of a line or word; hashes and pictures have none


def windows(
    ruler: Ruler, start: int, end: int, *, size: int = SIZE, overlap: int = OVERLAP
) -> Iterator[tuple[int, int]]:
    """Yield spans of about `size` tokens at most that cover text[start:end], each from within the one before.

    They end at a line where one ends near, else at a word, else anywhere that cuts no character sequence.
    """
    text = ruler.text
    while start < end:
        reach = min(ruler.reach(start, size), end)
        stop = end if reach >= end else _end(text, start, reach)
        stop = min(max(stop, after(text, start + 1)), end)
        yield start, stop
        if stop >= end:
            return
        begin = max(ruler.back(stop, overlap), start + 1) if overlap else stop
        start = max(_begin(text, begin, stop), start + 1)


def _end(text: str, start: int, reach: int) -> int:
    near = max(start + (reach - start) // 2, reach - LOOK_BACK * 5)
    line = text.rfind("\n", near, reach)
    if line > near:
        return line + 1
    words = [found.end() for found in WORD_END.finditer(text, max(near, reach - LOOK_BACK), reach)]
    return words[-1] if words else whole(text, reach)


def _begin(text: str, begin: int, stop: int) -> int:
    line = text.find("\n", begin - 1, stop - 1)
    if 0 <= line < stop - 1:
        return line + 1
    found = WORD_END.search(text, begin, stop)
    return found.end() if found and found.end() < stop else whole(text, begin)

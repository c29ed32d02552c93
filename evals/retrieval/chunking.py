"""Long texts by their paragraphs, for sets whose documents are longer than a model reads."""

import re

SIZE = 1_200  # characters: about the 256 tokens that the default model reads
_GAP = re.compile(r"\n\s*\n")


def paragraphs(text: str, *, size: int = SIZE) -> list[str]:
    """Return pieces of about `size` characters, of whole paragraphs where they fit; at least one piece.

    A paragraph longer than one and a half of it is cut between words.
    """
    pieces: list[str] = []
    held = ""
    for paragraph in filter(None, (one.strip() for one in _GAP.split(text))):
        for part in _cut(paragraph, size):
            if held and len(held) + len(part) > size:
                pieces.append(held)
                held = part
            else:
                held = f"{held}\n\n{part}" if held else part
    return [*pieces, held] if held or not pieces else pieces


def _cut(paragraph: str, size: int) -> list[str]:
    parts = []
    while len(paragraph) > size * 3 // 2:
        at = paragraph.rfind(" ", size // 2, size)
        at = at if at > 0 else size
        parts.append(paragraph[:at])
        paragraph = paragraph[at:].strip()
    return [*parts, paragraph]

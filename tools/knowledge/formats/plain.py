"""Text that is text already: plain, tables of values, and programs."""

from artel.tools.knowledge.formats import charsets, kinds, wording
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.parsing import File
from artel.tools.knowledge.formats.records import Kind, Read


def parse(file: File) -> Read:
    """Return the text; of a program every blank is kept.

    Raises:
        Unreadable: it holds NUL bytes as text does not.
    """
    raw, encoding, lost = charsets.decoded(file.data, file.charset)
    is_code = file.format is Format.CODE
    kind: Kind = "code" if is_code else "prose"
    text = wording.clean(raw)
    return Read(
        file.name,
        text if is_code else text.strip("\n"),
        language=kinds.LANGUAGES.get(kinds.ending(file.name), "") if is_code else "",
        kind=kind,
        metadata={"encoding": encoding},
        warnings=lost_letters(lost, encoding),
    )


def lost_letters(lost: int, encoding: str) -> tuple[str, ...]:
    """Return the warning about characters that could not be read, if there are any."""
    return (f"{lost} characters could not be read as {encoding}",) if lost else ()

"""How large what is known may be, and what text Postgres takes."""

MAX_NAME = 512  # characters of an id or a name
MAX_TEXT = 5_000_000  # bytes of a document's text
MAX_METADATA = 16 * 1024  # bytes of JSON
MAX_TITLE = 2_000
MAX_URL = 4_000
MAX_HEADER = 2_000
MAX_WORD = 64  # characters of a kind, a language, a role
MAX_ROLES = 32
MAX_CHUNKS = 50_000  # of a document
MAX_DRAFTS = 1_000  # in one call
MAX_TOGETHER = 64_000_000  # bytes of text in one call
MAX_IDS = 10_000  # asked for in one call


def plain(text: str, what: str, most: int) -> str | None:
    """Return why `text` is not `most` characters that Postgres can keep, or None.

    >>> plain("a" * 9, "id", 8)
    'id may have 8 characters, got 9'
    """
    if len(text) > most:
        return f"{what} may have {most} characters, got {len(text)}"
    if "\0" in text:
        return f"{what} has a NUL character in it"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"{what} has half a character (a lone surrogate) in it"
    return None

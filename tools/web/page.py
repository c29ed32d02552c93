"""A page as the model is shown it: a piece of its text at a time, fenced off."""

import asyncio

from artel.tools.errors import ToolRefused
from artel.tools.web import markup
from artel.tools.web.fetching import MAX_BYTES, Fetched, fetch
from artel.tools.web.internet import Internet
from artel.tools.web.outside import fenced, visible
from artel.tools.web.types import decoded

MAX_CHARS = 20_000  # about 5k tokens


async def show(internet: Internet, url: str, offset: int = 0) -> str:
    """Return the text of a page from character `offset` on, MAX_CHARS at most, and how to go on.

    Raises:
        ToolRefused: the URL may not be called, or `offset` is past the end.
        ToolFailed: it could not be got, or is no text.
    """
    fetched = await fetch(internet, url)
    text = await asyncio.to_thread(_text, fetched)
    if offset and offset >= len(text):
        raise ToolRefused(f"offset must be less than {len(text)}, the length of the page, got {offset}")
    end = min(offset + MAX_CHARS, len(text))
    notes = [f"Characters {offset} to {end} of {len(text)}"]
    if not text:
        notes.append("it says nothing, as a page does that scripts draw")
    if end < len(text):
        notes.append(f"go on with offset={end}")
    if fetched.cut:
        notes.append(f"the page is longer than {MAX_BYTES:,} bytes, and the rest was not read")
    return "; ".join(notes) + ".\n" + fenced(f"{fetched.url}\n\n{text[offset:end]}")


def _text(fetched: Fetched) -> str:
    """Return what a page says. A long one takes a second, so this belongs into a thread."""
    text = decoded(fetched.body, fetched.type).replace("\r\n", "\n").replace("\r", "\n")
    if fetched.type.reads_as == "html":
        text = markup.readable(text, str(fetched.url))
    return visible(text).strip()

"""HTML: the main content of a web page, or all that is shown of it."""

import logging
import re

from lxml import etree  # type: ignore[import-untyped]  # without stubs; trafilatura brings it
from trafilatura import extract_with_metadata, load_html
from trafilatura.settings import Document

from artel.tools.knowledge.formats import charsets, markdown, plain, wording
from artel.tools.knowledge.formats.errors import BROKEN
from artel.tools.knowledge.formats.parsing import File
from artel.tools.knowledge.formats.records import Read
from artel.tools.knowledge.formats.timing import TooSlow, at_most
from artel.tools.web.markup import readable

MAX_MAIN = 3_000_000  # characters; a longer page is an archive or a log and is read whole
SHORT = 200  # characters
LEAST = 0.1  # of all that is shown: a smaller main content was guessed wrong

_DECLARED = re.compile(rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?([\w-]{1,40})""", re.IGNORECASE)
_XML = re.compile(r"\A\s*<\?xml[^>]{0,300}\?>")
_TITLE = re.compile(r"<title\b[^>]{0,500}>(.{0,2000}?)</title", re.IGNORECASE | re.DOTALL)
_LANG = re.compile(r"<html\b[^>]{0,2000}?\blang\s{0,9}=\s{0,9}[\"']?([\w-]{2,20})", re.IGNORECASE)
_UNSEEN = etree.XPath(
    "//*[self::script or self::style or self::template or self::noscript or self::iframe or self::object"
    " or @hidden or @aria-hidden='true'"
    " or contains(translate(@style, ' DISPLAYNO', 'displayno'), 'display:none')"
    " or contains(translate(@style, ' VISBLTYHDEN', 'visbltyhden'), 'visibility:hidden')]"
)
_ABOUT = ("author", "date", "description", "sitename", "url")

for _name in ("trafilatura", "htmldate", "courlan", "justext"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)  # what a page does wrong is nobody's business here


def parse(file: File) -> Read:
    """Return what a page says, as Markdown; scripts and what is hidden are left out.

    Raises:
        Unreadable: it holds NUL bytes as text does not.
    """
    declared = file.charset
    if not declared and (found := _DECLARED.search(file.data[:4_096])):
        declared = found[1].decode("ascii")
    html, encoding, lost = charsets.decoded(file.data, declared)
    html = _XML.sub("", wording.clean(html))
    whole = wording.tidy(readable(html, ""))
    main, about, warnings = _main(html, file.limits.page_s) if len(html) <= MAX_MAIN else ("", {}, ())
    title = about.pop("title", "")
    if not title and (named := _TITLE.search(html)):
        title = wording.line(wording.tidy(readable(named[1], "")))
    if len(main) < max(min(SHORT, len(whole) // 2), LEAST * len(whole)):
        main = whole.removeprefix(f"Title: {title}").lstrip("\n")
    language = _LANG.search(html[:20_000])
    return Read(
        file.name,
        main,
        title=title,
        language=markdown.iso(language[1]) if language else "",
        places=wording.headings(main),
        metadata={"encoding": encoding, **about},
        warnings=(*warnings, *plain.lost_letters(lost, encoding)),
    )


def _main(html: str, seconds: float) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Return the main content, what the page says of itself, and what went wrong."""
    try:
        with at_most(seconds):
            page = _extracted(html)
    except TooSlow:
        return "", {}, (f"its main content was not told within {seconds:g} s: all of it was read",)
    except (*BROKEN, MemoryError, etree.LxmlError) as error:
        return "", {}, (f"its main content could not be told ({type(error).__name__}): all of it was read",)
    if page is None:
        return "", {}, ()
    values = page.as_dict()
    about = {key: wording.line(values[key]) for key in ("title", *_ABOUT) if values.get(key)}
    text, _, _ = markdown.parted(wording.tidy(page.text or ""))
    return text, about, ()


def _extracted(html: str) -> Document | None:
    tree = load_html(html)
    if tree is None:
        return None
    for unseen in _UNSEEN(tree):
        if unseen.getparent() is not None:
            unseen.drop_tree()
    return extract_with_metadata(
        tree,
        output_format="markdown",
        include_formatting=True,
        include_tables=True,
        include_comments=False,
        favor_recall=True,
    )

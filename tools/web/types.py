"""Which answers can be read, and as what."""

import re
from dataclasses import dataclass
from typing import Literal

from artel.tools.errors import ToolFailed

READABLE = re.compile(
    r"text/[\w.+-]+|application/(?:json|xml|xhtml\+xml|javascript|ecmascript|x-javascript|x-ndjson|jsonl|yaml|"
    r"x-yaml|toml|graphql|sql|x-sh|[\w.-]+\+(?:json|xml|yaml))|image/svg\+xml"
)
KNOWN = re.compile(r"(?:application|audio|font|image|model|multipart|video)/[\w.+-]{1,40}")
HTML = ("text/html", "application/xhtml+xml")

# Only what turns bytes into letters: Python also knows `punycode`, which takes hours over a long text
CHARSETS = re.compile(
    r"utf-?8|utf-?16(?:[-_]?[lb]e)?|us-ascii|ascii|latin-?1|iso-?8859-?\d{1,2}|(?:windows|cp)-?125\d|cp866|"
    r"koi8-[ru]|gbk|gb2312|gb18030|big5|euc-(?:jp|kr)|shift[-_]jis|iso-2022-jp|mac-?cyrillic"
)
IN_HTML = re.compile(rb"""<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([\w-]{1,40})""", re.IGNORECASE)
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class TypeRefused(ToolFailed):
    """What is there is no text."""

    code = "type_refused"


@dataclass(frozen=True, slots=True)
class Type:
    """What an answer says that it is."""

    reads_as: Literal["html", "text"]
    charset: str
    "As it was declared; empty: it was not, or it is none of ours."


def type_of(header: str) -> Type:
    """Return what a Content-Type says; nothing said is plain text.

    >>> type_of("text/html; charset=KOI8-R")
    Type(reads_as='html', charset='koi8-r')

    Raises:
        TypeRefused: it is no text.
    """
    media, _, rest = header.lower().partition(";")
    media = media.strip() or "text/plain"
    if media == "application/pdf":
        raise TypeRefused("this is a PDF, which this tool cannot read; look for the same as a web page")
    if not READABLE.fullmatch(media):
        shown = media if KNOWN.fullmatch(media) else "of no known type"
        raise TypeRefused(f"the answer is {shown}; only text, HTML, JSON and XML can be read")
    declared = re.search(r"charset\s*=\s*[\"']?([\w-]{1,40})", rest)
    return Type("html" if media in HTML else "text", _ours(declared[1]) if declared else "")


def decoded(body: bytes, kind: Type) -> str:
    """Return a body as text; what cannot be read in its charset becomes a replacement character.

    Raises:
        TypeRefused: it holds NUL bytes, as text does not.
    """
    charset = next((name for mark, name in MARKS if body.startswith(mark)), kind.charset)
    if not charset and kind.reads_as == "html":
        named = IN_HTML.search(body[:4_096])
        charset = _ours(named[1].decode("ascii").lower()) if named else ""
    if b"\0" in body and not charset.startswith("utf-16"):
        raise TypeRefused("the answer calls itself text but is binary")
    try:
        return body.decode(charset or "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _ours(name: str) -> str:
    return name if CHARSETS.fullmatch(name) else ""

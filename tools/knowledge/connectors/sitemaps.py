"""Sitemaps: lists of pages, and lists of such lists, packed or not."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from artel.tools.knowledge.connectors import elements
from artel.tools.knowledge.connectors.elements import NotXml

MAX_BYTES = 52_428_800  # of one, unpacked: as the protocol has it
MAX_PAGES = 50_000  # of one
GZIP = b"\x1f\x8b"
_WINDOW = 31  # zlib: gzip, with its header


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What one says."""

    pages: Mapping[str, datetime | None]
    "Addresses, and when they last changed."
    sitemaps: tuple[str, ...] = ()


def read(data: bytes) -> Sitemap:
    """Return what a sitemap, a sitemap index or a plain list of addresses holds.

    Raises:
        NotXml: it is none, or has more than MAX_BYTES or MAX_PAGES.
    """
    if data.startswith(GZIP):
        data = _unpacked(data)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = data.decode("utf-8", "replace").split()
        if not all(line.startswith(("http://", "https://")) for line in lines):
            raise NotXml("it is neither XML nor a list of addresses")
        return _checked(Sitemap(dict.fromkeys(lines)))
    root = elements.parse(data)
    if root.tag.endswith("sitemapindex"):
        found = tuple(elements.text(one, "{*}loc") for one in root.findall("{*}sitemap"))
        return Sitemap({}, tuple(one for one in found if one))
    if not root.tag.endswith("urlset"):
        raise NotXml(f"it is no sitemap but <{root.tag[:80]}>")
    pages = {
        elements.text(one, "{*}loc"): _time(elements.text(one, "{*}lastmod"))
        for one in root.findall("{*}url")
    }
    pages.pop("", None)
    return _checked(Sitemap(pages))


def _checked(found: Sitemap) -> Sitemap:
    if len(found.pages) > MAX_PAGES:
        raise NotXml(f"it has more than {MAX_PAGES:,} pages")
    return found


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(_WINDOW)
    try:
        got = unpacker.decompress(data, MAX_BYTES + 1)
    except zlib.error:
        raise NotXml("it is packed wrongly") from None
    if len(got) > MAX_BYTES:
        raise NotXml(f"it has more than {MAX_BYTES:,} bytes when unpacked")
    if not unpacker.eof:
        raise NotXml("it was cut short")
    return got


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

"""What a web page says to who crawls it: its title, links, canonical address, and whether it may be kept."""

import re
from dataclasses import dataclass
from html import unescape

import httpx

from artel.tools.errors import ToolRefused
from artel.tools.web import markup
from artel.tools.web.fetching import parse as parse_url

MAX_LINKS = 2_000  # of one page
MAX_TITLE = 300  # characters
RAW = markup.RAW - {"textarea"}
TRACKING = re.compile(r"utm_\w+|gclid|fbclid|yclid|msclkid|mc_[ce]id|_openstat", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """What was found in the markup."""

    title: str
    links: tuple[str, ...]
    canonical: str
    index: bool
    follow: bool


def read(html: str, at: str) -> Page:
    """Return what a page at the address `at` says; every character is looked at once."""
    base, canonical, title, words = at, "", "", set[str]()
    links: dict[str, None] = {}
    position = 0
    while position < len(html) and (token := markup.TOKEN.match(html, position)):
        position = token.end()
        name = (token["name"] or "").lower()
        if not name or token["end"]:
            continue
        if name in RAW or name == "title":
            end = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, position)
            stop = end.start() if end else len(html)
            if name == "title" and not title:
                title = " ".join(unescape(html[position : min(stop, position + 2_000)]).split())[:MAX_TITLE]
            position = stop
            continue
        if name not in ("a", "area", "link", "base", "meta"):
            continue
        about = _attributes(token["attributes"])
        rel = about.get("rel", "").lower().split()
        match name:
            case "base" if base == at:
                base = address(about.get("href", ""), at) or at
            case "link" if "canonical" in rel and not canonical:
                canonical = address(about.get("href", ""), base)
            case "meta" if about.get("name", "").lower() in ("robots", "artel-knowledge"):
                words |= set(re.split(r"[\s,]+", about.get("content", "").lower()))
            case "a" | "area" if "nofollow" not in rel and len(links) < MAX_LINKS:
                if found := address(about.get("href", ""), base):
                    links[found] = None
    no_index, no_follow = (
        not words.isdisjoint({"noindex", "none"}),
        not words.isdisjoint({"nofollow", "none"}),
    )
    return Page(title, tuple(links), canonical, not no_index, not no_follow)


def address(href: str, base: str) -> str:
    """Return an address as it names a page: whole, without fragment and marks of who sent one there.

    >>> address("../b?utm_source=x&p=1#c", "http://Docs.Example:80/a/")
    'http://docs.example/b?p=1'
    """
    href = re.sub(r"[\x00-\x1f\x7f]", "", href).strip()
    if href.startswith(("#", "mailto:", "javascript:", "tel:", "data:")) or (not href and not base):
        return ""
    try:
        url = parse_url(str(httpx.URL(base).join(href)))
    except (httpx.InvalidURL, ValueError, ToolRefused):
        return ""
    kept = [(key, value) for key, value in url.params.multi_items() if not TRACKING.fullmatch(key)]
    if len(kept) != len(url.params.multi_items()):
        url = url.copy_with(params=kept or None)
    return str(url.copy_with(raw_path=url.raw_path))  # of a host alone, the `/` is said too


def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, *values in markup.ATTRIBUTE.findall(text or ""):
        found.setdefault(name.lower(), unescape("".join(values)))
    return found

"""A walk over a site: breadth first, polite, bounded, and honest about what it did not see."""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from artel.tools.errors import ToolFailed
from artel.tools.knowledge.connectors import pages, robots, sitemaps
from artel.tools.knowledge.connectors.elements import NotXml
from artel.tools.knowledge.connectors.http import AGENT, Answer, Client, shown
from artel.tools.knowledge.connectors.pages import address
from artel.tools.knowledge.connectors.port import Fetched, ItemGone, Refused, SourceDown, TooBig
from artel.tools.knowledge.connectors.robots import Robots
from artel.tools.web import markup
from artel.tools.web.types import HTML, TypeRefused, decoded, type_of

MAX_SITEMAPS = 100
MAX_QUEUE = 100_000  # addresses that wait


@dataclass(frozen=True, slots=True)
class Visit:
    """What is remembered of a page."""

    etag: str = ""
    modified: str = ""
    "The Last-Modified header, as it came."
    version: str = ""
    "Hash of what the page says; empty: it is no document."
    links: tuple[str, ...] = ()
    same: str = ""
    "The canonical address, where that is another one."


@dataclass(frozen=True, slots=True)
class Seen:
    """One page of the walk."""

    url: str
    visit: Visit | None
    "None: there is nothing any more."
    title: str = ""
    modified: datetime | None = None
    content: Fetched | None = None
    "None: it is as it was."


@dataclass(frozen=True, slots=True)
class Scope:
    """Which addresses belong to a site."""

    starts: tuple[str, ...]
    sitemaps: tuple[str, ...]
    within: str
    "How the path begins."
    types: Collection[str]
    depth: int
    most: int

    def __contains__(self, url: str) -> bool:
        """Say whether an address is on a host of the starts, at the same port, below `within`."""
        parsed = httpx.URL(url)
        return _place(parsed) in self.places and parsed.path.startswith(self.within)

    @property
    def places(self) -> set[tuple[str, int | None]]:
        """Hosts and ports; http and https of one are the same place."""
        return {_place(httpx.URL(one)) for one in (*self.starts, *self.sitemaps)}


@dataclass(slots=True)
class Walk:
    """One walk: iterate over `pages`, then look at what came of it."""

    client: Client
    scope: Scope
    before: Mapping[str, Visit]
    max_bytes: int
    delay_s: float = 0.0
    heed_robots: bool = True
    visits: dict[str, Visit] = field(default_factory=dict)
    missed: str = ""
    "Why not all was seen; empty: it was."
    _failed: set[str] = field(default_factory=set)
    _rules: dict[str, Robots] = field(default_factory=dict)
    _dates: dict[str, datetime | None] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _queue: deque[tuple[str, int]] = field(default_factory=deque)

    async def pages(self) -> AsyncIterator[Seen]:
        """Yield the pages of the site, those that are gone among them.

        Raises:
            SourceDown, Refused: none could be seen.
        """
        failure: SourceDown | Refused | None = None
        await self._begin()
        while self._queue:
            url, hops = self._queue.popleft()
            if url in self._asked or url not in self.scope or not await self._allowed(url):
                continue
            if len(self._asked) >= self.scope.most:
                self.missed = f"there are more than {self.scope.most} pages"
                break
            self._asked.add(url)
            try:
                seen = await self._see(url)
            except (SourceDown, Refused) as error:
                failure = failure or error
                self._failed.add(url)
                self.missed = self.missed or str(error)
                continue
            if seen is None:
                continue
            if seen.visit is not None:
                self._go_on(seen.url, seen.visit, hops)
            yield seen
        if not self.visits and failure:
            raise failure

    def was_asked(self, url: str) -> bool:
        """Say whether the walk came by an address."""
        return url in self._asked

    def has_failed(self, url: str) -> bool:
        """Say whether an address was asked and did not answer as it should."""
        return url in self._failed

    async def is_gone(self, url: str) -> bool:
        """Say whether there is surely nothing at an address that no link leads to."""
        if url not in self.scope or not await self._allowed(url):
            return True
        try:
            await self._pause()
            await self.client.get(url, limit=self.max_bytes, types=(), ok=(401, 403))
        except ItemGone:
            return True
        except (SourceDown, Refused):
            return False
        return False

    async def _begin(self) -> None:
        waiting = list(self.scope.sitemaps)
        self._queue.extend((start, 0) for start in self.scope.starts)
        read: set[str] = set()
        while waiting:
            one = address(waiting.pop(0), "")
            if not one or one in read or _place(httpx.URL(one)) not in self.scope.places:
                continue
            if len(read) >= MAX_SITEMAPS:
                self.missed = f"there are more than {MAX_SITEMAPS} sitemaps"
                return
            read.add(one)
            found = await self._sitemap(one)
            waiting += found.sitemaps
            for page, when in found.pages.items():
                if url := address(page, one):
                    self._dates[url] = when
                    self._queue.append((url, 0))

    async def _sitemap(self, url: str) -> sitemaps.Sitemap:
        try:
            answer = await self.client.get(url, limit=self.max_bytes)
            return await asyncio.to_thread(sitemaps.read, answer.body)
        except (NotXml, ItemGone, TooBig) as error:
            raise SourceDown(f"the sitemap {shown(httpx.URL(url))} cannot be read: {error}") from None

    async def _see(self, url: str) -> Seen | None:
        """Ask for a page, unless it is as it was; None: it is no page of this site."""
        known = self.before.get(url, Visit())
        conditions = {"If-None-Match": known.etag} if known.etag else {}
        conditions |= {"If-Modified-Since": known.modified} if known.modified else {}
        await self._pause()
        try:
            answer = await self.client.get(
                url, headers=conditions, limit=self.max_bytes, types=self.scope.types, ok=(304, 401, 403)
            )
        except ItemGone:
            return Seen(url, None)
        except TooBig:
            visit = self.visits[url] = Visit(version="unread")
            return Seen(url, visit, url, None, Fetched(b"", "", "", url))
        except Refused as error:  # it leads out of the site, or to where nobody may go
            if url in self.scope.starts:
                raise
            return Seen(url, None) if "redirects" in str(error) else None
        if answer.status in (401, 403):
            raise Refused(f"{shown(answer.url)} answered {answer.status}")
        if answer.status == 304:
            self.visits[url] = known
            return Seen(url, known)
        at = address(str(answer.url), url)
        if at != url:
            if at in self._asked or at not in self.scope or not await self._allowed(at):
                return Seen(url, None)
            self._asked.add(at)
        if answer.unread:
            return Seen(at, None)
        seen = await asyncio.to_thread(_understood, at, answer, self._dates.get(at) or self._dates.get(url))
        if seen.visit is not None:
            self.visits[at] = seen.visit
        return seen

    def _go_on(self, url: str, visit: Visit, hops: int) -> None:
        if visit.same and visit.same in self.scope:
            self._queue.appendleft((visit.same, hops))
        if hops < self.scope.depth and len(self._queue) < MAX_QUEUE:
            self._queue.extend((link, hops + 1) for link in visit.links if link not in self._asked)

    async def _allowed(self, url: str) -> bool:
        parsed = httpx.URL(url)
        return (await self._robots(url)).allows(parsed.raw_path.decode("ascii"))

    async def _robots(self, url: str) -> Robots:
        if not self.heed_robots:
            return Robots()
        at = str(httpx.URL(url).join("/robots.txt"))
        if at not in self._rules:
            self._rules[at] = await self._read_robots(at)
        return self._rules[at]

    async def _read_robots(self, at: str) -> Robots:
        try:
            answer = await self.client.get(at, limit=robots.MAX_BYTES)
        except (ItemGone, Refused, TooBig):  # none to heed, as RFC 9309 has it
            return Robots()
        return robots.parse(answer.body.decode("utf-8", "replace"), AGENT)

    async def _pause(self) -> None:
        wanted = max([self.delay_s, *(rules.delay_s for rules in self._rules.values())])
        if wanted and len(self._asked) > 1:
            await self.client.sleep(wanted)


def _understood(url: str, answer: Answer, dated: datetime | None) -> Seen:
    """Return what a page says. A long one takes a second, so this belongs into a thread."""
    title, links, same, index = "", tuple[str, ...](), "", True
    says = answer.body
    if answer.media_type in HTML:
        try:
            text = decoded(answer.body, type_of(answer.headers.get("content-type", "")))
        except (TypeRefused, ToolFailed):
            return Seen(url, None)
        page = pages.read(text, url)
        title, links, index = page.title, page.links if page.follow else (), page.index
        same = page.canonical if page.canonical != url else ""
        says = f"{title}\0{markup.readable(text, url)}".encode("utf-8", "replace")
    asked = answer.headers.get("x-robots-tag", "").lower()
    if "noindex" in asked or "none" in asked.split(","):
        index = False
    if _place(httpx.URL(same or url)) != _place(httpx.URL(url)):
        same = ""
    version = hashlib.sha256(says).hexdigest() if index and not same else ""
    changed = answer.headers.get("last-modified", "")
    visit = Visit(answer.headers.get("etag", ""), changed, version, links, same)
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2] or "index"
    content = Fetched(answer.body, name, answer.media_type, url, {"title": title} if title else {})
    return Seen(url, visit, title or name, _time(changed) or dated, content)


def _place(url: httpx.URL) -> tuple[str, int | None]:
    return url.raw_host.decode("ascii").rstrip("."), url.port


def _time(header: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

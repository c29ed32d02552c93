"""Pages of the web: those that links and sitemaps of one site lead to."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import Any

import httpx

from artel.tools.knowledge.connectors.crawl import Scope, Seen, Visit, Walk
from artel.tools.knowledge.connectors.diff import refusal
from artel.tools.knowledge.connectors.http import Client, shown
from artel.tools.knowledge.connectors.pages import address
from artel.tools.knowledge.connectors.port import (
    MAX_ITEM,
    Change,
    Changed,
    Cursor,
    Fetched,
    Gone,
    Incomplete,
    Json,
    Refused,
)

TYPES = frozenset(
    [
        *("text/html", "application/xhtml+xml", "text/plain", "text/markdown", "application/pdf"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ]
)
MOST = 1_000  # pages
HELD = 16 * 1_048_576  # bytes of pages that are kept for who fetches them next
SAVED = 50  # pages between two cursors


@dataclass(frozen=True, slots=True)
class Web:
    """The pages of a site, from `starts` and `sitemaps` on, `depth` links away at most.

    Only the hosts and ports of those are asked, robots.txt is heeded, and of two addresses of a page the
    canonical one is its id. The version is a hash of what a page says, not of its markup. The cursor holds
    ETag, hash and links of each page, so that one that has not changed is not sent again.

    `client.home` is one of the hosts; a page that the site does not show us, or that fails, takes nothing
    away and makes a listing incomplete.
    """

    name: str
    client: Client
    starts: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    within: str = ""
    "How the paths of pages begin, as `/docs/`."
    depth: int = 2
    most: int = MOST
    types: Collection[str] = TYPES
    delay_s: float = 0.0
    "Seconds between two requests; robots.txt may want more."
    heed_robots: bool = True
    max_bytes: int = MAX_ITEM
    _held: OrderedDict[str, Fetched] = field(default_factory=OrderedDict, init=False, repr=False)
    _visits: dict[str, Visit] = field(default_factory=dict, init=False, repr=False)

    async def changes(self, cursor: Json | None) -> AsyncIterator[Change]:
        """Yield pages that say something else than at the cursor, and those that are gone."""
        before = _visits(cursor)
        self._held.clear()
        walk = self._walk(before)
        count = 0
        async for seen in walk.pages():
            was = before.get(seen.url, Visit()).version
            if seen.visit is None or not seen.visit.version:
                if was:
                    yield Gone(seen.url)
            elif seen.content is not None and seen.visit.version != was:
                self._hold(seen)
                yield _changed(seen)
            count += 1
            if count % SAVED == 0:
                yield Cursor(_cursor({**before, **walk.visits}))
        async for change in self._unreached(walk):
            yield change
        self._visits.clear()
        self._visits.update(walk.visits)
        yield Cursor(_cursor(walk.visits))

    async def listing(self) -> AsyncIterator[str]:
        """Yield the addresses of all pages.

        Raises:
            Incomplete: a page failed or was not shown, or there are more than `most`.
        """
        walk = self._walk(dict(self._visits))
        async for seen in walk.pages():
            if seen.visit is not None and seen.visit.version:
                yield seen.url
        if walk.missed:
            raise Incomplete(f"{self.name}: not every page was seen: {walk.missed}")

    async def fetch(self, id: str) -> Fetched:  # noqa: A002 - the word of the port
        """Return a page; what `changes` has just read is not asked for again."""
        if id in self._held:
            return self._held.pop(id)
        url = address(id, "")
        if not url or url not in self._scope():
            raise Refused(f"{self.name}: {id[:200]!r} is no page of this site")
        answer = await self.client.get(url, limit=self.max_bytes, types=self.types)
        if answer.unread:
            raise Refused(f"{self.name}: {shown(answer.url)} is now {answer.media_type or 'of no type'}")
        name = httpx.URL(id).path.rstrip("/").rpartition("/")[2] or "index"
        return Fetched(answer.body, name, answer.media_type, id)

    async def _unreached(self, walk: Walk) -> AsyncIterator[Change]:
        """Yield what was known and no link leads to now; believed only if the walk saw all the rest."""
        asked = {url for url, visit in walk.before.items() if visit.version and url not in walk.visits}
        lost = [url for url in sorted(asked) if not walk.was_asked(url)]
        known = sum(1 for visit in walk.before.values() if visit.version)
        doubted = walk.missed or refusal(known, len(lost), known - len(lost))
        for url in lost:
            if not doubted or await walk.is_gone(url):
                yield Gone(url)
            else:
                walk.visits[url] = walk.before[url]
        for url in asked.difference(lost):  # asked, and not answered: as good as before
            if walk.has_failed(url):
                walk.visits[url] = walk.before[url]

    def _scope(self) -> Scope:
        starts = tuple(filter(None, (address(one, "") for one in self.starts)))
        maps = tuple(filter(None, (address(one, "") for one in self.sitemaps)))
        if len(starts) + len(maps) < len(self.starts) + len(self.sitemaps) or not starts + maps:
            raise Refused(f"{self.name}: starts and sitemaps are http or https addresses, one at least")
        return Scope(starts, maps, self.within, self.types, self.depth, self.most)

    def _walk(self, before: dict[str, Visit]) -> Walk:
        return Walk(self.client, self._scope(), before, self.max_bytes, self.delay_s, self.heed_robots)

    def _hold(self, seen: Seen) -> None:
        if seen.content is None or not seen.content.data:
            return
        self._held[seen.url] = seen.content
        while sum(len(one.data) for one in self._held.values() if isinstance(one.data, bytes)) > HELD:
            self._held.popitem(last=False)


def _changed(seen: Seen) -> Changed:
    assert seen.visit is not None
    assert seen.content is not None
    about = {"media_type": seen.content.media_type} if seen.content.media_type else {}
    return Changed(seen.url, seen.visit.version, seen.title, seen.url, seen.modified, "page", about)


def _cursor(visits: dict[str, Visit]) -> Json:
    """Return visits as a cursor: addresses once, links by their numbers."""
    urls = list(dict.fromkeys([*visits, *(link for visit in visits.values() for link in visit.links)]))
    number = {url: at for at, url in enumerate(urls)}
    kept = {
        str(number[url]): [
            one.etag,
            one.modified,
            one.version,
            [number[link] for link in one.links],
            one.same,
        ]
        for url, one in visits.items()
    }
    return {"urls": urls, "pages": kept}


def _visits(cursor: Json | None) -> dict[str, Visit]:
    urls: list[str] = (cursor or {}).get("urls", [])
    kept: dict[str, list[Any]] = (cursor or {}).get("pages", {})
    return {
        urls[int(at)]: Visit(etag, modified, version, tuple(urls[link] for link in links), same)
        for at, (etag, modified, version, links, same) in kept.items()
    }

"""arXiv: the papers that a query finds, or those that are named, as PDF or as abstract."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from artel.tools.knowledge.connectors import elements
from artel.tools.knowledge.connectors.elements import NotXml
from artel.tools.knowledge.connectors.http import Client
from artel.tools.knowledge.connectors.port import (
    MAX_ITEM,
    Change,
    Changed,
    Cursor,
    Fetched,
    Incomplete,
    ItemGone,
    Json,
    SourceDown,
)

API, SITE = "https://export.arxiv.org", "https://arxiv.org"
PAGE = 100
MOST = 1_000  # papers of one query; arXiv itself gives no more than 30,000
COURTESY_S = 3.0  # as its terms ask of programs
EMPTY = 5  # times that an empty page in the middle is asked for again: arXiv sends some
MAX_LIST = 32 * 1_048_576  # bytes of one answer
ID = re.compile(r"(?P<id>\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?P<version>v\d+)?")


@dataclass(frozen=True, slots=True)
class Arxiv:
    """Papers, the newest version of each; an id has no version in it.

    The client's address is API; `site` is where PDFs lie. Requests are `courtesy_s` apart.
    """

    name: str
    client: Client
    query: str = ""
    "In arXiv's words, as `cat:cs.IR AND abs:retrieval`."
    papers: Sequence[str] = ()
    "Ids, as 1706.03762, besides or instead of a query."
    most: int = MOST
    pdf: bool = True
    "Otherwise a paper is its abstract."
    site: str = SITE
    page: int = PAGE
    courtesy_s: float = COURTESY_S
    max_bytes: int = 5 * MAX_ITEM
    _begun: list[bool] = field(default_factory=list, init=False, repr=False)

    async def changes(self, cursor: Json | None) -> AsyncIterator[Change]:
        """Yield papers, those updated last first, down to the time of the cursor."""
        since = str((cursor or {}).get("since", ""))
        newest = since
        if self.query:
            async for one in self._entries({"search_query": self.query, "sortBy": "lastUpdatedDate"}):
                told = _changed(one)
                updated = elements.text(one, "{*}updated")
                if since and updated < since:
                    break
                newest = max(newest, updated)
                yield told
        async for one in self._named():
            yield _changed(one)
        yield Cursor({"since": newest})

    async def listing(self) -> AsyncIterator[str]:
        """Yield the ids of all papers.

        Raises:
            Incomplete: the query finds more than `most`, or arXiv did not give as many as it counted.
        """
        if self.query:
            found: set[str] = set()
            total = 0
            params = {"search_query": self.query, "sortBy": "submittedDate"}
            async for one, count in self._counted(params):
                total = count
                paper = _changed(one).id
                found.add(paper)
                yield paper
            if len(found) < total:
                raise Incomplete(f"{self.name}: {len(found)} of {total} papers were listed")
        async for one in self._named():
            yield _changed(one).id

    async def fetch(self, id: str) -> Fetched:  # noqa: A002 - the word of the port
        """Return the PDF of the newest version; of a paper that has none (withdrawn), the abstract."""
        if not (asked := ID.fullmatch(id)) or asked["version"]:
            raise ItemGone(f"{self.name}: {id[:100]!r} is no paper; one is called 1706.03762")
        entry = next(iter(await self._page({"id_list": id, "max_results": 1})), None)
        if entry is None or _id(entry)["id"] != id:
            raise ItemGone(f"{self.name} has no paper {id}")
        told = _changed(entry)
        name = id.replace("/", "-")
        if self.pdf:
            try:
                await self._wait()
                at = f"{self.site.rstrip('/')}/pdf/{id}{told.version}"
                answer = await self.client.get(at, limit=self.max_bytes, types={"application/pdf"})
                if not answer.unread:
                    return Fetched(answer.body, f"{name}.pdf", "application/pdf", told.url, told.metadata)
            except ItemGone:
                pass
        said = f"# {told.title}\n\n{', '.join(told.metadata['authors'])}\n\n{_abstract(entry)}\n"
        return Fetched(said.encode(), f"{name}.md", "text/markdown", told.url, told.metadata)

    async def _named(self) -> AsyncIterator[Element]:
        for start in range(0, len(self.papers), self.page):
            some = self.papers[start : start + self.page]
            params = {"id_list": ",".join(some), "max_results": len(some)}
            for one in await self._page(params):
                yield one

    async def _entries(self, params: Json) -> AsyncIterator[Element]:
        async for one, _ in self._counted(params):
            yield one

    async def _counted(self, params: Json) -> AsyncIterator[tuple[Element, int]]:
        """Yield entries, newest first, `most` at most, each with how many arXiv says there are."""
        start, empty = 0, 0
        while start < self.most:
            asked = {"start": start, "max_results": min(self.page, self.most - start)}
            root = await self._asked({**params, "sortOrder": "descending", **asked})
            said = elements.text(root, "{*}totalResults")
            total = int(said) if said.isdecimal() else 0
            found = _papers(root)
            for one in found:
                yield one, total
            start += len(found)
            if start >= total:
                return
            empty = 0 if found else empty + 1
            if empty > EMPTY:
                raise Incomplete(f"{self.name}: arXiv counts {total} papers and gives {start}")

    async def _page(self, params: Json) -> list[Element]:
        return _papers(await self._asked(params))

    async def _asked(self, params: Json) -> Element:
        await self._wait()
        try:
            answer = await self.client.get("api/query", params, limit=MAX_LIST)
            root = elements.parse(answer.body)
        except (NotXml, ItemGone) as error:
            raise SourceDown(f"{self.name} answered with no list of papers: {error}") from None
        for entry in root.findall("{*}entry"):
            if "/api/errors" in elements.text(entry, "{*}id"):
                raise SourceDown(f"{self.name}: {elements.text(entry, '{*}summary')[:200]}")
        return root

    async def _wait(self) -> None:
        """Let some time pass between two requests; the first one need not wait."""
        if self._begun:
            await self.client.sleep(self.courtesy_s)
        self._begun[:] = [True]


def _papers(root: Element) -> list[Element]:
    return [entry for entry in root.findall("{*}entry") if _id(entry)["id"]]


def _id(entry: Element) -> dict[str, str]:
    found = ID.search(elements.text(entry, "{*}id").partition("/abs/")[2])
    return {"id": found["id"], "version": found["version"] or "v1"} if found else {"id": "", "version": ""}


def _abstract(entry: Element) -> str:
    return elements.text(entry, "{*}summary")


def _changed(entry: Element) -> Changed:
    known = _id(entry)
    subjects = [one.get("term", "") for one in entry.findall("{*}category")]
    about: dict[str, Any] = {
        "authors": [elements.text(one) for one in entry.findall("{*}author/{*}name")],
        "categories": subjects,
        "published": elements.text(entry, "{*}published"),
        "abstract": _abstract(entry)[:2_000],
        "doi": elements.text(entry, "{*}doi"),
        "comment": elements.text(entry, "{*}comment"),
    }
    kept = {key: value for key, value in about.items() if value or key == "authors"}
    title, url = elements.text(entry, "{*}title"), f"{SITE}/abs/{known['id']}{known['version']}"
    modified = _time(elements.text(entry, "{*}updated"))
    return Changed(known["id"], known["version"], title, url, modified, "paper", kept)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None

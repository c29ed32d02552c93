"""Papers of arXiv: the newest version of each, asked for as slowly as arXiv wishes."""

from typing import Any

import pytest
from tests.fakes.arxiv_server import ArxivServer, Paper
from tests.fakes.rest_server import Patience, Reply, serving
from tests.tools.knowledge.connectors.gathering import Known, listed, text

from artel.tools.knowledge.connectors.arxiv import Arxiv
from artel.tools.knowledge.connectors.port import Incomplete, ItemGone, SourceDown, TooBig


def server(count: int = 120) -> ArxivServer:
    papers = [
        Paper(f"2601.{n:05}", f"Paper {n}", f"2026-02-{1 + n // 24:02}T{n % 24:02}:00:00Z")
        for n in range(count)
    ]
    return ArxivServer(papers=papers)


def source(opened: ArxivServer, patience: Patience | None = None, **changed: Any) -> Arxiv:
    client = (patience or Patience()).client(opened)
    return Arxiv("papers", client, site=opened.url, **{"query": "cat:cs.IR", "page": 50, **changed})


async def test_all_papers_come_with_three_seconds_between_requests() -> None:
    patience = Patience()
    async with serving(server()) as opened:
        known = Known(source(opened, patience))
        await known.sync()
        assert len(known.documents) == 120
        assert patience.waited == [3.0, 3.0]
        one = known.told.changed["2601.00007"]
        assert (one.title, one.version, one.kind) == ("Paper 7 & more", "v1", "paper")
        assert one.metadata["authors"] == ["Ann Lee", "Иван Петров"]
        assert one.metadata["abstract"] == "We show things."


async def test_later_only_what_was_updated_since_is_asked_for() -> None:
    async with serving(server()) as opened:
        known = Known(source(opened))
        await known.sync()
        opened.papers[3].version, opened.papers[3].updated = 2, "2026-03-01T00:00:00Z"
        opened.forget()
        found = await known.sync()
        assert (found.add, found.change) == ((), ("2601.00003",))
        assert known.documents["2601.00003"] == "v2"
        assert len(opened.asked) == 1


async def test_an_empty_page_in_the_middle_is_not_the_end() -> None:
    async with serving(server()) as opened:
        opened.empty = 3
        assert len(await listed(source(opened))) == 120
        opened.empty = 99
        with pytest.raises(Incomplete, match="gives 50"):
            await listed(source(opened))


async def test_a_listing_that_lacks_papers_is_incomplete() -> None:
    async with serving(server()) as opened:
        with pytest.raises(Incomplete, match="100 of 120"):
            await listed(source(opened, most=100))
        opened.claims = 1
        with pytest.raises(Incomplete):
            await listed(source(opened))


async def test_papers_can_be_named() -> None:
    async with serving(server()) as opened:
        opened.papers.append(Paper("hep-th/9901001", "Old", "1999-01-01T00:00:00Z", version=3))
        known = Known(source(opened, query="", papers=("2601.00001", "hep-th/9901001")))
        await known.sync(listing=True)
        assert known.documents == {"2601.00001": "v1", "hep-th/9901001": "v3"}
        fetched = await known.source.fetch("hep-th/9901001")
        assert (fetched.data, fetched.name) == (b"%PDF /pdf/hep-th/9901001v3", "hep-th-9901001.pdf")


async def test_a_paper_without_a_pdf_is_its_abstract() -> None:
    async with serving(server()) as opened:
        opened.papers[1].withdrawn = True
        assert await text(source(opened), "2601.00001") == (
            "# Paper 1 & more\n\nAnn Lee, Иван Петров\n\nWe show things.\n"
        )
        fetched = await source(opened, pdf=False).fetch("2601.00002")
        assert fetched.media_type == "text/markdown"
        with pytest.raises(TooBig):
            await source(opened, max_bytes=5).fetch("2601.00002")


async def test_what_arxiv_does_not_know_is_gone() -> None:
    async with serving(server()) as opened:
        for id in ("2601.99999", "x", "2601.00001v1", "../x"):  # noqa: A001
            with pytest.raises(ItemGone):
                await source(opened).fetch(id)


async def test_errors_of_the_interface_are_told() -> None:
    async with serving(server()) as opened:
        with pytest.raises(SourceDown, match="bad query"):
            await Known(source(opened, query="((")).sync()
        opened.told["/api/query"] = [Reply("<html><p>Rate exceeded")]
        with pytest.raises(SourceDown, match="no list of papers"):
            await Known(source(opened)).sync()


async def test_a_busy_server_is_waited_for() -> None:
    patience = Patience()
    async with serving(server()) as opened:
        opened.told["/api/query"] = [Reply("", 503, {"Retry-After": "9"})]
        await Known(source(opened, patience)).sync()
    assert max(patience.waited) >= 9

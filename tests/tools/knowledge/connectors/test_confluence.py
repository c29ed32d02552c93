"""Pages of Confluence follow what people do there: edits, moves, the trash. A lost token deletes none."""

from collections.abc import AsyncIterator
from datetime import timedelta, timezone
from typing import Any

import pytest
from pydantic import SecretStr
from tests.fakes.confluence_server import ConfluenceServer
from tests.fakes.rest_server import Patience, Reply, serving
from tests.tools.knowledge.connectors.gathering import Known, listed, text

from artel.tools.knowledge.connectors.confluence import Confluence
from artel.tools.knowledge.connectors.http import basic, bearer
from artel.tools.knowledge.connectors.port import Cursor, Incomplete, ItemGone, Refused, SourceDown, TooBig


@pytest.fixture
async def wiki() -> AsyncIterator[ConfluenceServer]:
    """Sixty pages in DEV, one post, and a public page; 25 come at a time."""
    async with serving(ConfluenceServer()) as server:
        for n in range(60):
            server.add(f"Page {n}", f"<p>Text {n}.</p>")
        server.add("News", type="blogpost")
        server.add("Welcome", space="PUB")
        yield server


def source(server: ConfluenceServer, token: str = "t0ken", **changed: Any) -> Confluence:
    client = changed.pop("client", None) or Patience().client(
        server, server.home, setting="sources.wiki.token", credentials=bearer(SecretStr(token))
    )
    return Confluence("wiki", client, clock=lambda: server.now, **changed)


async def test_all_pages_and_posts_come_and_are_listed(wiki: ConfluenceServer) -> None:
    known = Known(source(wiki))
    await known.sync(listing=True)
    assert len(known.documents) == 62
    one = known.told.changed["1000"]
    assert (one.title, one.kind, one.metadata["space"]) == ("Page 0", "page", "DEV")
    assert one.url == f"{wiki.home}/pages/viewpage.action?pageId=1000"
    assert one.modified == wiki.now
    assert known.told.changed["1060"].kind == "post"
    assert not (await known.sync(listing=True)).change


async def test_spaces_can_be_chosen(wiki: ConfluenceServer) -> None:
    assert await listed(source(wiki, spaces=("PUB",))) == ["1061"]


async def test_an_hour_later_only_what_was_edited_is_told(wiki: ConfluenceServer) -> None:
    for zone in (-12, 0, 3, 14):
        wiki.zone = timezone(timedelta(hours=zone))
        known = Known(source(wiki))
        await known.sync()
        wiki.now += timedelta(hours=20)
        wiki.edit(wiki.documents["1007"], "<p>New.</p>")
        wiki.now += timedelta(hours=1)
        new = wiki.add("Brand new")
        wiki.forget()
        found = await known.sync()
        assert (found.add, found.change) == ((new.id,), ("1007",))
        assert {one.path for one in wiki.asked} == {"/wiki/rest/api/content/search"}
        del wiki.documents[new.id]


async def test_moves_labels_and_minor_edits_are_seen_within_a_day(wiki: ConfluenceServer) -> None:
    known = Known(source(wiki))
    await known.sync()
    wiki.now += timedelta(hours=20)
    await known.sync()
    wiki.documents["1001"].parents = ["Archive"]
    wiki.documents["1002"].labels = ["obsolete"]
    wiki.documents["1003"].title = "Renamed"
    wiki.documents["1004"].space = "OPS"
    wiki.edit(wiki.documents["1005"], "<p>Fixed a comma.</p>", minor=True)
    assert not (await known.sync()).change
    wiki.now += timedelta(hours=5)
    assert set((await known.sync()).change) == {"1001", "1002", "1003", "1004", "1005"}
    one = known.told.changed["1002"]
    assert one.metadata["labels"] == ["obsolete"]


async def test_what_lies_in_the_trash_goes_with_the_next_listing(wiki: ConfluenceServer) -> None:
    known = Known(source(wiki))
    await known.sync()
    wiki.documents["1009"].trashed = True
    assert not (await known.sync()).delete
    assert (await known.sync(listing=True)).delete == ("1009",)
    with pytest.raises(ItemGone):
        await known.source.fetch("1009")


async def test_an_expired_token_takes_nothing_away(wiki: ConfluenceServer) -> None:
    known = Known(source(wiki))
    await known.sync()
    wiki.expired = True
    with pytest.raises(Refused, match=r"sources\.wiki\.token"):
        await known.sync(listing=True)
    with pytest.raises(Refused):
        await listed(known.source)
    assert len(known.documents) == 62
    wrong = Known(source(wiki, token="wr0ng-token"))
    with pytest.raises(Refused, match=r"sources\.wiki\.token") as refused:
        await wrong.sync()
    assert "wr0ng" not in str(refused.value)


async def test_a_name_and_a_password_do_as_well(wiki: ConfluenceServer) -> None:
    client = Patience().client(wiki, wiki.home, credentials=basic("ann", SecretStr("t0ken")))
    assert len(await listed(source(wiki, client=client))) == 62


async def test_a_listing_cut_in_the_middle_is_no_listing(wiki: ConfluenceServer) -> None:
    known = Known(source(wiki))
    await known.sync()
    for reply in (Reply("x" * 99, cut=True), Reply("", 500), Reply({"message": "sorry"})):
        wiki.after[wiki.served + 4] = lambda reply=reply: wiki.told.update(  # type: ignore[misc]
            {"/wiki/rest/api/content": [reply]}
        )
        wiki.stay.add("/wiki/rest/api/content")
        with pytest.raises(SourceDown):
            await known.sync(listing=True)
        wiki.told.clear()
    assert len(known.documents) == 62


async def test_a_page_deleted_while_pages_are_listed_hides_no_other(wiki: ConfluenceServer) -> None:
    known = Known(source(wiki))
    await known.sync()
    wiki.after[wiki.served + 1] = lambda: setattr(wiki.documents["1003"], "trashed", True)
    assert set(await listed(known.source)) == known.documents.keys() - {"1003"}


async def test_a_wiki_that_never_stands_still_gives_no_listing(wiki: ConfluenceServer) -> None:
    for n in range(20):
        wiki.after[n * 2 + 1] = lambda n=n: setattr(wiki.documents[f"{1_000 + n}"], "trashed", True)  # type: ignore[misc]
    with pytest.raises(Incomplete, match="being changed"):
        await listed(source(wiki))


async def test_a_sync_that_broke_off_goes_on_where_it_was(wiki: ConfluenceServer) -> None:
    half = source(wiki)
    first: list[str] = []
    cursor = None
    async for change in half.changes(None):
        if isinstance(change, Cursor):
            cursor = change.value
            break
        first.append(change.id)
    wiki.forget()
    known = Known(source(wiki), documents=dict.fromkeys(first, "?"), cursor=cursor)
    found = await known.sync()
    assert set(found.add) == wiki.documents.keys() - set(first)
    assert wiki.asked[0].query["start"] == "25"
    assert known.cursor is not None
    assert known.cursor.keys() == {"since", "swept"}


async def test_a_busy_server_gives_the_same(wiki: ConfluenceServer) -> None:
    wiki.busy = 60
    patience = Patience()
    client = patience.client(wiki, wiki.home, credentials=bearer(SecretStr("t0ken")), tries=30)
    known = Known(source(wiki, client=client))
    await known.sync(listing=True)
    assert len(known.documents) == 62
    assert max(patience.waited) >= 1


async def test_a_page_is_read_as_html(wiki: ConfluenceServer) -> None:
    page = wiki.add("Deploy & run", '<p>First&nbsp;<strong>this</strong>.</p><ac:emoticon ac:name="tick" />')
    page.labels = ["howto"]
    fetched = await source(wiki).fetch(page.id)
    assert isinstance(fetched.data, bytes)
    said = fetched.data.decode()
    assert "<h1>Deploy &amp; run</h1><p>First\N{NO-BREAK SPACE}<strong>this</strong>.</p>" in said
    assert (fetched.media_type, fetched.metadata["labels"]) == ("text/html", ["howto"])


async def test_attachments_come_when_wanted(wiki: ConfluenceServer) -> None:
    pdf = wiki.add("plan.pdf", type="attachment", container="1000", content=b"%PDF-1.7 plan")
    assert pdf.id not in await listed(source(wiki))
    known = Known(source(wiki, attachments=True, max_bytes=2_000))
    await known.sync(listing=True)
    assert known.told.changed[pdf.id].metadata["of"] == "1000"
    fetched = await known.source.fetch(pdf.id)
    assert (fetched.data, fetched.media_type) == (b"%PDF-1.7 plan", "application/pdf")
    pdf.content *= 1_000
    with pytest.raises(TooBig):
        await known.source.fetch(pdf.id)


@pytest.mark.parametrize(
    "said", [{"results": [{}]}, {"results": [{"id": 1, "version": "x"}]}, {"results": {}}, [1], "x"]
)
async def test_an_answer_of_another_shape_is_no_bug_of_ours(wiki: ConfluenceServer, said: Any) -> None:
    wiki.told["/wiki/rest/api/content"] = [Reply(said)]
    with pytest.raises(SourceDown):
        await Known(source(wiki)).sync()


async def test_an_id_that_is_none_is_not_asked_for(wiki: ConfluenceServer) -> None:
    for id in ("../../admin", "1?x", "", "att"):  # noqa: A001
        with pytest.raises(ItemGone):
            await source(wiki).fetch(id)
    assert not wiki.asked
    assert "Text 1." in await text(source(wiki), "1001")

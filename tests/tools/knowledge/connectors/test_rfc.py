"""RFCs come with what replaced them, and again when that changes."""

import pytest
from tests.fakes.rest_server import Patience, Reply, serving
from tests.fakes.rfc_server import RfcServer
from tests.tools.knowledge.connectors.gathering import Known, listed, text

from artel.tools.knowledge.connectors.port import Incomplete, ItemGone, SourceDown
from artel.tools.knowledge.connectors.rfc import Rfcs


def server() -> RfcServer:
    return RfcServer(
        rfcs={791: {"obsoletes": [760]}, 760: {"obsoleted-by": [791]}, 2549: {"updates": [1149]}}
    )


async def test_relations_are_metadata() -> None:
    async with serving(server()) as editor:
        known = Known(Rfcs("rfc", Patience().client(editor)))
        await known.sync(listing=True)
        assert sorted(known.documents) == ["rfc2549", "rfc760", "rfc791"]
        one = known.told.changed["rfc791"]
        assert (one.title, one.url, one.kind) == ("RFC 791: Protocol 791", f"{editor.url}/rfc/rfc791", "rfc")
        assert one.metadata["obsoletes"] == ["rfc760"]
        assert one.metadata["status"] == "internet standard"
        assert str(one.modified) == "1981-09-01 00:00:00+00:00"
        assert await text(known.source, "rfc791") == "RFC 791\n\nText.\n"


async def test_an_index_that_has_not_changed_is_not_sent_again() -> None:
    async with serving(server()) as editor:
        known = Known(Rfcs("rfc", Patience().client(editor)))
        await known.sync()
        await known.sync()
        assert not known.told.changed
        assert "if-none-match" in editor.asked[-1].headers


async def test_only_what_the_index_says_otherwise_is_told() -> None:
    async with serving(server()) as editor:
        known = Known(Rfcs("rfc", Patience().client(editor)))
        await known.sync()
        editor.rfcs[2549]["updated-by"] = [6214]
        editor.rfcs[6214] = {"updates": [2549]}
        found = await known.sync()
        assert (found.add, found.change) == (("rfc6214",), ("rfc2549",))


async def test_numbers_can_be_chosen_and_added() -> None:
    async with serving(server()) as editor:
        client = Patience().client(editor)
        known = Known(Rfcs("rfc", client, numbers=[791]))
        await known.sync(listing=True)
        known.source = Rfcs("rfc", client, numbers=[791, 760])
        assert (await known.sync(listing=True)).add == ("rfc760",)
        known.source = Rfcs("rfc", client, numbers=[760])
        assert (await known.sync(listing=True)).delete == ("rfc791",)


async def test_an_index_that_is_none_takes_nothing_away() -> None:
    async with serving(server()) as editor:
        known = Known(Rfcs("rfc", Patience().client(editor)))
        await known.sync()
        for reply in (Reply("<html><p>Sorry"), Reply("<rfc-index/>"), Reply("", 404), Reply("<a>", cut=True)):
            editor.told["/rfc-index.xml"] = [reply] * 5
            with pytest.raises(SourceDown):
                await listed(known.source)
        editor.told["/rfc-index.xml"] = [Reply(editor.index()[:-20])]
        with pytest.raises(Incomplete):
            await listed(known.source)


async def test_ids_that_are_none_are_not_asked_for() -> None:
    async with serving(server()) as editor:
        source = Rfcs("rfc", Patience().client(editor))
        for id in ("791", "rfc../x", "rfc0", "std5"):  # noqa: A001
            with pytest.raises(ItemGone):
                await source.fetch(id)
        assert not editor.asked
        with pytest.raises(ItemGone):
            await source.fetch("rfc14")

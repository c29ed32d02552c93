"""A site is walked as its owner allows, and what it does not show us is not taken for gone."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.fakes.rest_server import Patience, Reply, serving
from tests.fakes.website import Website
from tests.tools.knowledge.connectors.gathering import Known, listed, text

from artel.tools.knowledge.connectors import robots, sitemaps
from artel.tools.knowledge.connectors.elements import NotXml
from artel.tools.knowledge.connectors.port import Incomplete, ItemGone, Refused, SourceDown, TooBig
from artel.tools.knowledge.connectors.web import Web
from artel.tools.web.addresses import Guard


@pytest.fixture
async def site() -> AsyncIterator[Website]:
    """Start → a, b; a → c → d."""
    async with serving(Website()) as opened:
        opened.page("/", "/a", "/b", "/b#part", "mailto:x@example.org", "https://elsewhere.example/")
        opened.page("/a", "/c", text="About a.")
        opened.page("/b", "/", text="About b.")
        opened.page("/c", "d", text="About c.")
        opened.page("/d", text="About d.")
        yield opened


def web(site: Website, **changed: Any) -> Web:
    client = changed.pop("client", None) or Patience().client(site)
    return Web("docs", client, **{"starts": (site.url,), **changed})


def ids(site: Website, *paths: str) -> set[str]:
    return {f"{site.url}{path}" for path in paths}


async def test_pages_are_found_by_links_as_deep_as_allowed(site: Website) -> None:
    known = Known(web(site))
    await known.sync(listing=True)
    assert known.documents.keys() == ids(site, "/", "/a", "/b", "/c")
    one = known.told.changed[f"{site.url}/a"]
    assert (one.title, one.kind, one.url) == ("/a", "page", f"{site.url}/a")
    assert set(await listed(web(site, depth=0))) == ids(site, "/")
    assert set(await listed(web(site, depth=9, within="/c"))) == set()


async def test_a_page_is_not_asked_for_twice_to_be_read(site: Website) -> None:
    known = Known(web(site))
    await known.sync()
    site.forget()
    assert "About a." in await text(known.source, f"{site.url}/a")
    assert not site.asked
    assert "About a." in await text(known.source, f"{site.url}/a")
    assert site.paths() == ["/a"]


async def test_a_second_walk_is_sent_nothing_that_is_as_it_was(site: Website) -> None:
    known = Known(web(site))
    await known.sync()
    site.page("/b", "/", text="Something new.")
    site.forget()
    found = await known.sync()
    assert (found.add, found.change) == ((), (f"{site.url}/b",))
    assert set(known.told.changed) == ids(site, "/b")
    assert sum("if-none-match" in one.headers for one in site.asked) == 4


async def test_markup_that_changes_each_time_is_no_change(site: Website) -> None:
    site.etags = False
    known = Known(web(site))
    await known.sync()
    for path, page in site.pages.items():
        assert isinstance(page, str)
        site.pages[path] = page.replace("<p>", '<script nonce="7f3">var x = "7f3"</script><p class="x7f3">')
    await known.sync()
    assert not known.told.changed


async def test_a_page_that_was_removed_is_gone(site: Website) -> None:
    known = Known(web(site))
    await known.sync()
    del site.pages["/b"]
    assert (await known.sync()).delete == (f"{site.url}/b",)
    site.page("/a", text="No link to c any more.")
    assert (await known.sync()).delete == (f"{site.url}/c",)
    assert set(await listed(known.source)) == known.documents.keys()


async def test_links_of_an_unchanged_page_are_still_followed(site: Website) -> None:
    known = Known(web(site, depth=3))
    await known.sync()
    site.page("/d", text="New words.")
    assert (await known.sync()).change == (f"{site.url}/d",)


async def test_a_page_that_fails_takes_nothing_away(site: Website) -> None:
    known = Known(web(site))
    await known.sync()
    for reply in (Reply("", 500), Reply("", 403), Reply("x" * 50, cut=True)):
        site.told["/a"] = [reply]
        site.stay.add("/a")
        found = await known.sync()
        assert (found.delete, len(known.documents)) == ((), 4)
        with pytest.raises(Incomplete, match="not every page"):
            await known.sync(listing=True)
    site.told.clear()
    await known.sync(listing=True)
    assert len(known.documents) == 4
    assert not known.told.changed


async def test_a_start_page_that_lost_all_its_links_takes_nothing_away(site: Website) -> None:
    site.page("/", *(f"/p{n}" for n in range(30)))
    for n in range(30):
        site.page(f"/p{n}", text=f"Page {n}")
    known = Known(web(site))
    await known.sync()
    assert len(known.documents) == 31
    site.page("/", title="Under maintenance")
    del site.pages["/p7"]
    found = await known.sync()
    assert found.delete == (f"{site.url}/p7",)
    assert (await known.sync(listing=True)).refused
    assert len(known.documents) == 30


async def test_a_site_with_more_pages_than_allowed_says_so(site: Website) -> None:
    source = web(site, most=2)
    with pytest.raises(Incomplete, match="more than 2 pages"):
        await listed(source)
    known = Known(source)
    assert len((await known.sync()).add) == 2


async def test_what_robots_may_not_see_is_not_asked_for(site: Website) -> None:
    site.pages["/robots.txt"] = "User-agent: *\nDisallow: /a\nCrawl-delay: 2\n"
    patience = Patience()
    known = Known(web(site, client=patience.client(site)))
    await known.sync()
    assert known.documents.keys() == ids(site, "/", "/b")
    assert "/a" not in site.paths()
    assert patience.waited == [2.0]
    assert len(await listed(web(site, heed_robots=False))) == 4


async def test_robots_txt_that_fails_allows_nothing(site: Website) -> None:
    site.told["/robots.txt"] = [Reply("", 503)]
    site.stay.add("/robots.txt")
    with pytest.raises(SourceDown):
        await Known(web(site)).sync()
    assert not site.paths()


def test_of_the_rules_of_robots_the_longest_wins_and_the_own_group() -> None:
    said = """
        User-agent: other
        User-agent: artel
        Disallow: /x # comment
        Allow: /x/y$
        User-agent: *
        Disallow: /
        Sitemap: https://docs.example/map.xml
    """
    rules = robots.parse(said, "artel-knowledge")
    assert [rules.allows(path) for path in ("/", "/x", "/x/y", "/x/yz")] == [True, False, True, False]
    assert not robots.parse(said, "else").allows("/a")
    assert rules.sitemaps == ("https://docs.example/map.xml",)
    assert robots.parse("Disallow: /", "artel").allows("/")


def test_a_pattern_of_stars_is_matched_in_no_time() -> None:
    rules = robots.parse(f"User-agent: *\nDisallow: {'*a' * 200}$\n", "artel")
    assert rules.allows(f"/{'a' * 5_000}b")


async def test_two_addresses_of_one_page_are_one_document(site: Website) -> None:
    site.page("/", "/a?utm_source=mail", "/a#top", "/copy", "/old")
    site.page("/copy", "/c", head='<link rel="canonical" href="/a">')
    site.pages["/old"] = Reply("", 301, {"Location": "/a"})
    known = Known(web(site, depth=1))
    await known.sync()
    assert known.documents.keys() == ids(site, "/", "/a")
    await known.sync()
    assert not known.told.changed
    assert set(await listed(known.source)) == ids(site, "/", "/a")


async def test_pages_that_do_not_want_to_be_kept_are_not(site: Website) -> None:
    known = Known(web(site))
    await known.sync()
    site.page("/a", "/c", head='<meta name="robots" content="noindex">')
    site.pages["/b"] = Reply("<p>b", headers={"X-Robots-Tag": "noindex"})
    assert set((await known.sync()).delete) == ids(site, "/a", "/b")
    assert f"{site.url}/c" in known.documents


async def test_redirects_to_elsewhere_are_not_followed(site: Website) -> None:
    async with serving(Website(pages={"/x": "<p>foreign"})) as other:
        site.pages["/a"] = Reply("", 302, {"Location": f"{other.url}/x"})
        known = Known(web(site))
        await known.sync(listing=True)
        assert known.documents.keys() == ids(site, "/", "/b")
        assert not other.asked


async def test_only_readable_types_are_documents_and_large_ones_are_told(site: Website) -> None:
    site.page("/", "/film", "/paper", "/long")
    site.pages["/film"] = Reply(b"\0" * 99, headers={"Content-Type": "video/mp4"})
    site.pages["/paper"] = Reply(b"%PDF-1.7", headers={"Content-Type": "application/pdf"})
    site.pages["/long"] = "<p>" + "x" * 5_000
    known = Known(web(site, max_bytes=4_000))
    await known.sync(listing=True)
    assert known.documents.keys() == ids(site, "/", "/paper", "/long")
    with pytest.raises(TooBig):
        await known.source.fetch(f"{site.url}/long")
    assert (await known.source.fetch(f"{site.url}/paper")).media_type == "application/pdf"


async def test_sitemaps_lead_to_pages_and_to_sitemaps(site: Website) -> None:
    def xml(kind: str, inner: str, *urls: str) -> str:
        listed = "".join(f"<{inner}><loc>{url}</loc><lastmod>2024-05-01</lastmod></{inner}>" for url in urls)
        return f'<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</{kind}>'

    site.pages["/map.xml"] = xml("sitemapindex", "sitemap", f"{site.url}/1.xml", f"{site.url}/2.xml.gz")
    site.pages["/1.xml"] = xml("urlset", "url", f"{site.url}/a", "https://elsewhere.example/")
    site.pages["/2.xml.gz"] = Reply(gzip.compress(xml("urlset", "url", f"{site.url}/d").encode()))
    source = web(site, starts=(), sitemaps=(f"{site.url}/map.xml",), depth=0)
    known = Known(source)
    await known.sync(listing=True)
    assert known.documents.keys() == ids(site, "/a", "/d")
    assert str(known.told.changed[f"{site.url}/a"].modified) == "2024-05-01 00:00:00+00:00"
    site.pages["/2.xml.gz"] = Reply(gzip.compress(b"<urlset>" + b" " * 9_000)[:20])
    with pytest.raises(SourceDown, match="sitemap"):
        await known.sync(listing=True)
    assert len(known.documents) == 2


def test_sitemaps_that_would_grow_are_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
    for data in (bomb.encode(), bomb.encode("utf-16"), gzip.compress(b" " * 60_000_000), b"<a>" * 900):
        with pytest.raises(NotXml):
            sitemaps.read(data)


async def test_a_site_that_is_busy_is_read_all_the_same(site: Website) -> None:
    site.busy, site.seed = 30, 7
    site.__post_init__()
    patience = Patience()
    known = Known(web(site, client=patience.client(site, tries=9)))
    await known.sync(listing=True)
    assert len(known.documents) == 4
    assert patience.waited


async def test_addresses_of_others_cannot_be_fetched(site: Website) -> None:
    source = web(site)
    for url in ("http://127.0.0.1:1/", "file:///etc/passwd", "https://elsewhere.example/", ""):
        with pytest.raises(Refused):
            await source.fetch(url)
    with pytest.raises(ItemGone):
        await source.fetch(f"{site.url}/nothing")
    with pytest.raises(Refused, match="this very machine"):
        await Known(web(site, client=Patience().client(site, guard=Guard()))).sync()

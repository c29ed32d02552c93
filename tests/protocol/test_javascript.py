"""The JavaScript clients, both generations: every case by its name."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from .javascript import ALL, Suite

pytestmark = [pytest.mark.journey, pytest.mark.needs("node"), pytest.mark.xdist_group("protocol")]

CASES = [pytest.param(suite, case, id=f"{suite.sdk}-{case}") for suite in ALL for case in suite.cases()]


@pytest.fixture(scope="session")
def run(url: str, js: Path) -> Callable[[Suite], dict[str, str]]:
    """Run a suite, once."""
    assert js.is_dir()
    return cache(lambda suite: suite.run(url))


@pytest.mark.parametrize(("suite", "case"), CASES)
def test_a_javascript_client_gets_what_it_asks_for(
    suite: Suite, case: str, run: Callable[[Suite], dict[str, str]]
) -> None:
    told = run(suite)
    assert case in told, f"it did not run: {told.get('', sorted(told))}"
    assert not told[case], told[case]

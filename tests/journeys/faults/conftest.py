"""Every fault is told in one line, `fault | lost | doubled | recovery s`, and all again at the end."""

import sys
from collections.abc import AsyncIterator, Iterator, Sized
from pathlib import Path
from typing import Protocol

import pytest
from tests.journeys.faults.crew import Crew, open_crew
from tests.journeys.fleet import LEASE_S

MOST_S = LEASE_S + 2
TOLD = "fault"
HEAD = f"{'fault':<72} | lost | doubled | recovery s"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies here: seconds are counted, so `make faults` runs it alone, one after the other."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("fault")


class Tally(Protocol):
    """Tells what came of a fault, and fails unless nothing was lost or doubled and all went on in time."""

    def __call__(self, fault: str, *, lost: Sized | int, doubled: Sized | int, recovery_s: float) -> None: ...


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Return how a test says what came of its fault."""

    def tell(fault: str, *, lost: Sized | int, doubled: Sized | int, recovery_s: float) -> None:
        missed, twice = (n if isinstance(n, int) else len(n) for n in (lost, doubled))
        line = f"{fault:<72} | {missed:>4} | {twice:>7} | {recovery_s:>10.2f}"
        request.node.user_properties.append((TOLD, line))
        sys.stdout.write(f"\n{line}\n")
        assert not missed, f"lost: {lost}"
        assert not twice, f"doubled: {doubled}"
        assert recovery_s <= MOST_S, f"it took {recovery_s:.2f} s, and may take {MOST_S:g}"

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the table of all faults."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    told = [line for report in reports for name, line in report.user_properties if name == TOLD]
    if told:
        terminalreporter.write_sep("=", "faults")
        terminalreporter.write_line(HEAD)
        for line in dict.fromkeys(map(str, told)):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def opened_crew(postgres: str, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A crew that the tests of a session share."""
    with open_crew(postgres, dsn, tmp_path_factory.mktemp("crew")) as crew:
        yield crew


@pytest.fixture
async def crew(opened_crew: Crew) -> AsyncIterator[Crew]:
    """A crew of which everybody is up."""
    await opened_crew.complete()
    yield opened_crew
    await opened_crew.complete()
    await opened_crew.close_clients()


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """An empty file in which graphs leave marks."""
    path = tmp_path / "marks"
    path.touch()
    return path

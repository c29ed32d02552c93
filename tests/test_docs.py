"""The docs say what is there: everything by its name, and no link leads nowhere."""

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from tests.protocol.javascript import CLASSIC, STREAMING

from artel.server.engine.translate import ALWAYS, ON_DEMAND

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs/reference"
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
SPOKEN = re.compile(r'"((?:approval|run)\.(?:asked|decided|ended))"')


def _generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES: dict[str, str] = _generate().pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_code_is_as_the_code_is(name: str) -> None:
    """A setting, command, error, tool or route that changed: run `make docs` and commit the page."""
    assert (REFERENCE / name).read_text() == PAGES[name]


def test_every_event_is_explained() -> None:
    """A client that meets an event it cannot look up has to read our code."""
    page = (REFERENCE / "events.md").read_text()
    own = {
        name for file in (ROOT / "server/engine").glob("*.py") for name in SPOKEN.findall(file.read_text())
    }
    assert own == {"approval.asked", "approval.decided", "run.ended"}
    wanted = {"metadata", "error", "events", *ALWAYS, *ON_DEMAND, *own}
    assert not {name for name in wanted if f"`{name}`" not in page}


def _documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.md"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [Path(name) for name in listed.decode().split("\0") if name and not name.startswith("prompts/")]


@pytest.mark.parametrize("document", _documents(), ids=str)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = LINK.findall((ROOT / document).read_text())
    assert not [link for link in links if not (ROOT / document.parent / link).exists()]


COMPATIBILITY = (REFERENCE / "compatibility.md").read_text()
PROOF = re.compile(r"`([\w/]+\.py)::(\w+)`")


def test_every_route_of_the_wire_has_a_row_and_every_row_a_route() -> None:
    """A route that is not in the table was never proved; a row without one promises what is not there."""
    served = set(re.findall(r"^\| `(\w+ /[^`]*)`", PAGES["wire.md"], re.MULTILINE))
    told = set(re.findall(r"`((?:GET|PUT|POST|PATCH|DELETE) /[^`?]*)`", COMPATIBILITY))
    product = {route for route in served if " /api/v1" in route}
    assert told - {"GET /docs", "GET /openapi.json"} == served - product


@pytest.mark.parametrize(("file", "name"), PROOF.findall(COMPATIBILITY))
def test_a_row_of_the_table_names_a_test_that_is_there(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / "tests" / file).read_text(), re.MULTILINE)


def test_the_score_of_a_client_counts_its_cases() -> None:
    python, remote, react = map(_count, ("test_python.py", "test_remote_graph.py", "test_react.py"))
    newer, older = (len(suite.cases()) for suite in CLASSIC)
    counted = [python, remote, newer, len(STREAMING.cases()), older, react, 2 * react]
    told = re.findall(r"^\| .+ \| [\d.]+ \| (\d+) \|", COMPATIBILITY, re.MULTILINE)
    assert [int(one) for one in told] == counted


def _count(file: str) -> int:
    source = (ROOT / "tests/protocol" / file).read_text()
    return len(re.findall(r"^(?:async )?def test_", source, re.MULTILINE))

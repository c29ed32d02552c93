"""The docs say what is there: everything by its name, and no link leads nowhere."""

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

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

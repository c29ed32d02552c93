"""An agent hears what its edit brought in, and its edit is made whatever a language server does."""

from pathlib import Path

import pytest
import tests.fakes
from tests.fakes.driver import call, calls
from tests.graphs.conftest import Start

from artel.tools.lsp.servers import LanguageServers
from artel.tools.lsp.settings import LanguageServerSettings
from artel.tools.policy import Policy, Rule
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.sandbox.settings import SandboxSettings

pytestmark = pytest.mark.needs("bwrap")

FAKES = Path(next(iter(tests.fakes.__path__))).resolve()
FREE = Policy(rules=(Rule(id="free", effect="allow", action="*"),))
WRITE = call("write_file", file_path="a.py", content="bad = x\n")


@pytest.mark.parametrize(("mode", "told"), [("push", "\n- a.py:1: bad = x (fake)"), ("dies", "+bad = x")])
async def test_the_answer_to_an_edit_ends_with_what_it_brought_in(
    start: Start, folder: Path, mode: str, told: str
) -> None:
    command = ("python3", str(FAKES / "language_server.py"), mode)
    servers = LanguageServers(
        LanguageServerSettings(servers={"python": command}, wait_s=20),
        Sandbox(SandboxSettings(readable=(FAKES,))),
    )
    run = await start("coder", calls(WRITE), "done", policy=FREE, language_servers=servers).say("go")
    assert run.told[0].startswith("Created a.py")
    assert run.told[0].removesuffix("\n").endswith(told)
    assert (folder / "a.py").read_text() == "bad = x\n"
    await servers.aclose()

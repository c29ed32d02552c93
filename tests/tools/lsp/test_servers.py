"""After an edit the model is told what it brought in, by a server that may be as bad as it likes."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import tests.fakes
from tests.fakes.processes import children

from artel.tools.lsp import server
from artel.tools.lsp.servers import LanguageServers
from artel.tools.lsp.settings import LanguageServerSettings
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.workspace import changeset, moving
from artel.tools.workspace.change import Change, digest
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.write import plan

pytestmark = pytest.mark.needs("bwrap")

FAKES = Path(next(iter(tests.fakes.__path__))).resolve()
NEW = "New diagnostics, unless more edits follow:\n"


class Editor:
    """Writes files of a workspace as agents do, and returns what is said of it."""

    def __init__(self, root: Path, servers: LanguageServers) -> None:
        self.root = root
        self.servers = servers

    async def __call__(self, **files: str | None) -> str:
        """Make files what they are given as, `_` for a dot, none for nothing; all in one change."""
        return await self.made(*(self._planned(name.replace("_", "."), to) for name, to in files.items()))

    async def made(self, *changes: Change) -> str:
        planned = ChangeSet(changes)
        changeset.apply(self.root, planned)
        return await self.servers.after(self.root, planned)

    def alive(self) -> list[int]:
        """The servers that run below this process."""
        return [pid for pid, words in children() if words[1:2] == [str(FAKES / "language_server.py")]]

    async def gone(self) -> bool:
        """Wait until none of them runs."""
        for _ in range(200):
            if not self.alive():
                return True
            await asyncio.sleep(0.05)
        return False

    def _planned(self, name: str, text: str | None) -> Change:
        if text is None:
            return moving.delete(self.root, name)
        return plan(self.root, name, text, seen={name: _sha(self.root / name)})


def _sha(path: Path) -> str:
    return (digest(path.read_bytes()) if path.exists() else None) or ""


Edit: TypeAlias = Callable[..., Editor]


@pytest.fixture
async def edit(root: Path) -> AsyncIterator[Edit]:
    """Makes an editor with a server in the mode that a test wants."""
    async with AsyncExitStack() as made:

        def one(mode: str, *, sandbox: dict[str, Any] | None = None, **settings: Any) -> Editor:
            command = ("python3", str(FAKES / "language_server.py"), mode)
            settings = {"wait_s": 20, **settings}
            given = LanguageServerSettings(servers={"python": command, "json": command}, **settings)
            servers = LanguageServers(given, Sandbox(SandboxSettings(readable=(FAKES,), **(sandbox or {}))))
            made.push_async_callback(servers.aclose)
            return Editor(root, servers)

        yield one


@pytest.mark.parametrize("mode", ["push", "pull", "twice", "asks", "strange"])
async def test_what_an_edit_brings_in_is_told_and_what_was_there_is_not(edit: Edit, mode: str) -> None:
    write = edit(mode)
    assert await write(a_py="fine\n") == ""
    assert await write(a_py="fine\nbad one\nhint\n") == f"{NEW}- a.py:2: bad one (fake)"
    assert await write(a_py="more\nfine\nbad one\nhint\nmeh\n") == f"{NEW}- a.py:5: meh (fake)"
    assert await write(a_py="bad one\n") == ""
    assert len(write.alive()) == 1


async def test_a_file_that_somebody_else_changed_is_seen_as_it_was_before_the_edit(
    edit: Edit, root: Path
) -> None:
    write = edit("push")
    assert await write(a_py="fine\n") == ""
    (root / "a.py").write_text("bad of theirs\nfine\n")
    assert await write(a_py="bad of theirs\nfine\nbad of ours\n") == f"{NEW}- a.py:3: bad of ours (fake)"


async def test_a_change_of_several_files_is_told_together_and_ten_of_it(edit: Edit) -> None:
    write = edit("push")
    told = await write(a_py="bad a\n", b_json="bad b\n", c_md="bad c\n")
    assert told == f"{NEW}- a.py:1: bad a (fake)\n- b.json:1: bad b (fake)"
    told = await write(a_py="".join(f"bad {n}\n" for n in range(12)), b_json=None)
    assert told.splitlines()[-2:] == ["- a.py:10: bad 9 (fake)", "- and 2 more"]
    assert len(write.alive()) == 1


async def test_a_moved_file_brings_in_nothing(edit: Edit, root: Path) -> None:
    write = edit("push")
    await write(a_py="bad\n")
    assert await write.made(*moving.move(root, "a.py", "b.py")) == ""


async def test_who_is_late_is_not_waited_for_and_in_the_end_switched_off(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_LATE", 1)
    write = edit("late", wait_s=1)
    began = time.monotonic()
    assert await write(a_py="bad\n") == ""
    assert time.monotonic() - began < 3
    told = [await write(a_py=f"bad {n}\n") for n in range(10)]
    assert [one for one in told if one] == [
        "[no more diagnostics by python3: it ended twice (it was late 1 times in a row); tell the user]"
    ]


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("dies", "it ended"),
        ("garbage", "no header ends within 4096 bytes"),
        ("huge", "a message of 99999999999 bytes is over the limit of 4194304"),
    ],
)
async def test_one_that_ends_is_started_once_more_and_then_left_alone(
    edit: Edit, mode: str, why: str
) -> None:
    write = edit(mode)
    told = [await write(a_py=f"bad {n}\n") for n in range(3)]
    assert told == ["", f"[no more diagnostics by python3: it ended twice ({why}); tell the user]", ""]
    assert await write.gone()


async def test_one_that_was_started_again_goes_on(edit: Edit, root: Path) -> None:
    write = edit("dies")
    assert await write(a_py="fine\n") == ""
    (root / "alive").touch()
    assert await write(a_py="bad\n") == f"{NEW}- a.py:1: bad (fake)"


async def test_one_that_is_not_there_is_switched_off_with_a_word(edit: Edit) -> None:
    write = edit("push", sandbox={"env": {"PATH": "/usr/sbin"}})
    assert await write(a_py="bad 1\n") == ""
    assert "no more diagnostics by python3" in await write(a_py="bad 2\n")


@pytest.mark.parametrize("mode", ["deaf", "refuses"])
async def test_one_that_does_not_say_is_not_heard(edit: Edit, mode: str) -> None:
    write = edit(mode, wait_s=0.5)
    assert [await write(a_py=f"bad {n}\n") for n in range(2)] == ["", ""]


async def test_it_writes_nothing_and_reaches_nothing(edit: Edit, root: Path) -> None:
    write = edit("boxed", sandbox={"hosts": ("index.example",)})
    assert await write(a_py="fine\n") == f"{NEW}- a.py:1: bad: it reached [] (fake)"
    assert os.listdir(root) == ["a.py"]  # noqa: PTH208 - names only


async def test_one_that_takes_too_much_is_ended(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WATCH_S", 0.05)
    write = edit("push", sandbox={"disk_free_mb": 10**9})
    await write(a_py="fine\n")
    assert await write.gone()


async def test_it_ends_when_nobody_needs_it_and_begins_anew(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "WATCH_S", 0.05)
    write = edit("push", idle_s=0.3)
    for n in range(3):
        assert await write(a_py=f"bad {n}\n") == f"{NEW}- a.py:1: bad {n} (fake)"
        assert await write.gone()


async def test_where_none_is_named_or_commands_are_off_nothing_is_begun(edit: Edit) -> None:
    write = edit("push", sandbox={"mode": "off"})
    assert await write(a_py="bad\n") == ""
    write = edit("push")
    assert await write(a_md="bad\n") == ""
    assert write.alive() == []


async def test_all_end_with_the_process_that_has_them(edit: Edit) -> None:
    write = edit("push")
    await write(a_py="fine\n")
    await write.servers.aclose()
    assert write.alive() == []


def test_a_language_that_nobody_knows_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="'pyton' is no language; there are bash, c, "):
        LanguageServerSettings(servers={"pyton": ("ruff", "server")})
    with pytest.raises(ValueError, match="at least 1 item"):
        LanguageServerSettings(servers={"python": ()})

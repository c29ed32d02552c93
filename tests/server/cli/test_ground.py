"""What every process stands on."""

import asyncio
from pathlib import Path

import pytest

from artel.server.cli.ground import open_ground
from artel.server.settings import load_settings
from artel.tools.registry import TOOLS
from artel.tools.tool import Work


@pytest.mark.needs("bwrap")
async def test_commands_are_boxed_as_the_settings_say_and_end_with_the_process(
    fresh_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, root = tmp_path / "work" / "data", tmp_path / "work"
    data.mkdir(parents=True)
    monkeypatch.setenv("ARTEL_SANDBOX__ENV", '{"COLOUR": "blue"}')
    monkeypatch.setenv("ARTEL_WORKSPACE_ROOTS", str(root))
    monkeypatch.setenv("ARTEL_MODEL", "offline")
    execute = TOOLS["execute"]
    assert execute.act
    async with open_ground(load_settings(data=data), fresh_dsn) as ground:
        work = Work(root, "thread", "call", sandbox=ground.engine.handles.sandbox)
        said = await execute.act(work, execute.parse({"command": "echo $COLOUR; ls -A data"}))
        assert said.text.splitlines()[1:] == ["blue", "ls: cannot open directory 'data': Permission denied"]
        args = {"command": "while sleep 0.05; do echo >> log; done", "background": True}
        await execute.act(work, execute.parse(args))
        assert (root / "log").stat().st_size
    size = (root / "log").stat().st_size
    await asyncio.sleep(0.3)
    assert (root / "log").stat().st_size == size

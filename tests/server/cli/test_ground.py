"""What every process stands on."""

import asyncio
from pathlib import Path

import pytest

from artel.server.cli.ground import open_ground
from artel.server.settings import load_settings
from artel.tools.policies import PolicyWrong
from artel.tools.policy import DEFAULT
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


async def test_the_policy_of_a_file_holds_and_one_with_a_slip_stops_the_start(
    tmp_path: Path, fresh_dsn: str
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("rules: [{id: all, effect: allow}]\n")
    settings = load_settings(data=tmp_path / "data", policy=file)
    async with open_ground(settings, fresh_dsn) as ground:
        assert [rule.id for rule in ground.engine.handles.policy.rules] == ["all"]
        assert ground.engine.handles.policy.floor == DEFAULT.floor
    file.write_text("rules: [{id: all, effect: alow}]\n")
    with pytest.raises(PolicyWrong, match=r"policy\.yaml: rules\[0\]\.effect \(rule 'all'\)"):
        async with open_ground(settings, fresh_dsn):
            pass

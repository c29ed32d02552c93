"""A command through the gate: asked about, run once, ended with the run that wanted it."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.driver import Driver, call, calls
from tests.fakes.site import answered, site
from tests.graphs.conftest import Start
from tests.graphs.test_effects import Dies

from artel.graphs.workbench import NOT_RUN
from artel.tools.policy import DEFAULT, Policy, Rule
from artel.tools.sandbox.network.network import Network
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.web.addresses import Guard

pytestmark = pytest.mark.needs("bwrap")

YES = {"type": "approve"}
FREE = Policy(rules=(Rule(id="free", effect="allow", action="*"),))
COUNT = call("execute", command="echo ran >> log; wc -l < log", description="count")


async def test_a_command_waits_for_a_yes_and_runs_once(start: Start, folder: Path) -> None:
    run = await start("coder", calls(COUNT), "done").say("go")
    (asked,) = run.open
    assert asked.value["description"] == "Run echo ran >> log; wc -l < log"
    artel = asked.value["artel"]
    assert (artel["risk"], artel["reason"]) == ("execute", "changes a file")
    assert (artel["command"], artel["workdir"]) == (COUNT["args"]["command"], ".")
    assert not (folder / "log").exists()
    await run.answer(YES)
    assert (folder / "log").read_text() == "ran\n"
    assert re.fullmatch(r"\[exit code 0 after \d\.\d s\]\n1\n", run.told[0])
    assert run.said == "done"


async def test_a_rejected_command_does_not_run(start: Start, folder: Path) -> None:
    run = await (await start("coder", calls(COUNT), "I stop").say("go")).answer({"type": "reject"})
    assert run.told[0].startswith(NOT_RUN)
    assert not (folder / "log").exists()


async def test_older_clients_show_the_command_to_its_end(start: Start, folder: Path) -> None:
    long = call("execute", command=f"echo {'x' * 400} > log; echo the end")
    run = start("coder", calls(long), "done")
    run.context = {"approvals": "batched"}
    (asked,) = (await run.say("go")).open
    assert asked.value["action_requests"][0]["description"].endswith("xxx > log; echo the end")
    await run.answer({"decisions": [YES]})
    assert run.told[0].endswith("]\nthe end\n")
    assert (folder / "log").exists()


async def test_a_person_may_change_the_command(start: Start, folder: Path) -> None:
    run = await start("coder", calls(COUNT), "done").say("go")
    edited = {"name": "execute", "args": {"command": "echo mine > log", "workdir": "."}}
    await run.answer({"type": "edit", "edited_action": edited})
    assert (folder / "log").read_text() == "mine\n"
    assert run.told[0].startswith("The user changed this call before it ran")


async def test_a_command_whose_end_nobody_saw_is_not_run_again(start: Start, folder: Path) -> None:
    run = start("coder", calls(COUNT), "done", policy=FREE, effects=Dies("after"))
    with pytest.raises(ConnectionError):
        await run.say("go")
    await run.go(None)
    assert (folder / "log").read_text() == "ran\n"
    assert run.told[0].startswith("The outcome is unknown: the work stopped while execute was at it")


async def test_a_cancelled_run_ends_its_command_and_says_later_that_nobody_knows(
    start: Start, folder: Path
) -> None:
    slow = call("execute", command="echo ran >> log; (setsid sleep 2; echo late >> log) & wait")
    run = start("coder", calls(slow), "done", policy=FREE)
    going = asyncio.create_task(run.say("go"))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if (folder / "log").exists():
            break
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    await asyncio.sleep(2.2)
    assert (folder / "log").read_text() == "ran\n"
    await run.go(None)
    assert run.told[0].startswith("The outcome is unknown")
    assert (folder / "log").read_text() == "ran\n"


async def test_a_job_goes_on_between_the_turns_of_its_thread_only(start: Start) -> None:
    sandbox = Sandbox()
    job = call("execute", command="echo up; sleep 30", background=True)
    run = start(
        "coder", calls(job), "started", calls(call("read_output")), "seen", policy=FREE, sandbox=sandbox
    )
    await run.say("start it")
    await run.say("is it there?")
    assert "runs in the background" in run.told[0]
    assert "running for" in run.told[1]
    other = start("coder", calls(call("read_output")), "nothing", policy=FREE, sandbox=sandbox)
    await other.say("what runs?")
    assert other.told == ["This thread has no jobs."]
    await sandbox.aclose()


@pytest.mark.parametrize("mode", ["off", "bubblewrap"])
async def test_where_nothing_can_be_boxed_the_model_is_told_and_the_run_goes_on(
    start: Start, folder: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    sandbox = Sandbox(SandboxSettings.model_validate({"mode": mode}))
    run: Driver = await start("coder", calls(COUNT), "so be it", policy=FREE, sandbox=sandbox).say("go")
    assert run.told[0].startswith("Commands are off" if mode == "off" else "Commands need bubblewrap")
    assert run.said == "so be it"
    assert not (folder / "log").exists()


async def test_the_person_asked_is_told_where_a_command_may_carry_something(start: Start) -> None:
    settings = SandboxSettings(hosts=("index.example", "*.files.example:443"))
    run = await start("coder", calls(COUNT), "done", sandbox=Sandbox(settings)).say("go")
    (asked,) = run.open
    assert asked.value["description"].endswith("wc -l < log (network: index.example, *.files.example:443)")
    assert asked.value["artel"]["hosts"] == ["index.example", "*.files.example:443"]


async def test_a_yes_to_a_command_is_none_to_hosts_that_were_opened_since(start: Start, folder: Path) -> None:
    run = await start("coder", calls(COUNT), "done").say("go")
    online = Sandbox(SandboxSettings(hosts=("index.example",)))
    run.handles = replace(run.handles, sandbox=online)
    await run.answer(YES)
    assert run.told[0].startswith(f"{NOT_RUN} the user was not told that it may reach index.example.")
    assert not (folder / "log").exists()


async def test_a_command_that_reached_a_host_makes_the_next_one_ask(start: Start) -> None:
    async with site(a=answered("hello")) as opened:
        network = Network(Guard(loopback=True, resolve=opened.resolve))
        settings = SandboxSettings(hosts=(f"site.example:{opened.port}",))
        get = f"import urllib.request as u; print(u.urlopen('{opened.url('/a')}').read().decode())"
        first = call("execute", command=f'python3 -c "{get}"')
        free = Policy(floor=DEFAULT.floor, rules=FREE.rules)
        sandbox = Sandbox(settings, network=network)
        run = start("coder", calls(first), calls(COUNT), "done", policy=free, sandbox=sandbox)
        await run.say("go")
        assert run.told[0].endswith("]\nhello\n")
        (asked,) = run.open
        assert asked.value["artel"]["reason"].startswith("the agent has read text from outside")
        await sandbox.aclose()

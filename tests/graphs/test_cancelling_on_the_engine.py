"""An agent stops within two seconds, whatever it is doing when somebody says stop."""

import asyncio
import time
from typing import Any

import pytest
from tests.fakes.driver import call, calls
from tests.fakes.waiting import eventually
from tests.graphs.test_steering_on_the_engine import Serve, asked, serve

from artel.graphs import assembly
from artel.graphs.models.scripted import scripted
from artel.server.engine import dispatch
from artel.storage.runs import Run
from artel.tools.policy import Policy, Rule

__all__ = ["serve"]

SOON_S = 2.0
FIX = {"messages": [{"role": "user", "content": "Fix the bug in notes.txt"}]}
HANGS = {"text": "never said", "delay_s": 60}
FREE = Policy(rules=(Rule(id="free", effect="allow", action="*"),))


async def stopped(driver: Any, run: Run) -> float:
    begun = time.monotonic()
    await dispatch.cancel(driver.engine, run.thread_id, run.run_id, wait=True)
    took = time.monotonic() - begun
    assert (await driver.row(run)).status == "interrupted"
    return took


@pytest.mark.parametrize("agent", ["coder", "orchestrator"])
async def test_while_its_model_does_not_answer(serve: Serve, agent: str) -> None:
    model = scripted(HANGS)
    driver = await serve(model)
    run = await driver.start(agent, input=FIX)
    await asked(model, 1)
    assert await stopped(driver, run) < SOON_S


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize("agent", ["coder", "orchestrator"])
async def test_while_a_command_runs(serve: Serve, agent: str, folder: Any) -> None:
    command = "touch begun; sleep 60"
    driver = await serve(scripted(calls(call("execute", command=command))), policy=FREE)
    run = await driver.start(agent, input=FIX)
    await eventually((folder / "begun").exists)
    assert await stopped(driver, run) < SOON_S


async def test_while_what_a_model_is_told_is_worked_out(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def hangs(moment: assembly.Moment) -> str:
        del moment
        reached.set()
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr(assembly, "PARTS", (hangs,))
    driver = await serve(scripted("never"))
    run = await driver.start("coder", input=FIX)
    await asyncio.wait_for(reached.wait(), 10)
    assert await stopped(driver, run) < SOON_S

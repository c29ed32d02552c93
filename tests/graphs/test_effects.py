"""A call that was let through is made once, whatever stopped in between."""

from pathlib import Path

import pytest
from tests.fakes.driver import Driver, calls, edit
from tests.graphs.conftest import Start

from artel.graphs.ledgers import EffectCall, LocalEffects
from artel.tools.policy import Policy, Rule

FREE = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
TO_BYE = edit("notes.txt", "hello", "bye")


class Dies(LocalEffects):
    """Loses the first result, or dies before the first write."""

    def __init__(self, when: str) -> None:
        super().__init__()
        self.when = when

    async def begin(self, call: EffectCall, intent: object) -> object:  # type: ignore[override]
        begun = await super().begin(call, intent)  # type: ignore[arg-type]
        if self.when == "before":
            self.when = ""
            raise ConnectionError("died before the write")
        return begun

    async def finish(self, call: EffectCall, result: str) -> None:
        if self.when == "after":
            self.when = ""
            raise ConnectionError("died after the write")
        await super().finish(call, result)


async def crashed(start: Start, when: str) -> Driver:
    run = start("coder", calls(TO_BYE), "done", policy=FREE, effects=Dies(when))
    with pytest.raises(ConnectionError):
        await run.say("go")
    return run


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_that_was_cut_short_is_made_exactly_once(start: Start, folder: Path, when: str) -> None:
    run = await crashed(start, when)
    await run.go(None)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert (run.said, len(run.told), len(run.model.asked)) == ("done", 1, 2)


@pytest.mark.parametrize("content", ["hello\nsomebody else\n", "somebody else\n"])
async def test_a_file_that_somebody_changed_after_the_crash_is_left_to_them(
    start: Start, folder: Path, content: str
) -> None:
    run = await crashed(start, "after")
    (folder / "notes.txt").write_text(content)
    await run.go(None)
    assert (folder / "notes.txt").read_text() == content
    assert "The outcome is unknown" in run.told[0]


async def test_a_repeat_of_a_finished_call_returns_its_result_and_touches_nothing(
    start: Start, folder: Path
) -> None:
    class Twice(LocalEffects):
        failed = False

        async def finish(self, call: EffectCall, result: str) -> None:
            await super().finish(call, result)
            if not self.failed:
                self.failed = True
                raise ConnectionError("died before the checkpoint")

    run = start("coder", calls(TO_BYE), "done", policy=FREE, effects=Twice())
    with pytest.raises(ConnectionError):
        await run.say("go")
    (folder / "notes.txt").write_text("hello\nagain\n")
    await run.go(None)
    assert (folder / "notes.txt").read_text() == "hello\nagain\n"
    assert run.told[0].startswith("Changed notes.txt")


async def test_a_repeated_call_id_in_a_later_turn_is_another_call(start: Start, folder: Path) -> None:
    first, second = (
        edit("notes.txt", "hello", "bye", id="call_0"),
        edit("notes.txt", "bye", "hello", id="call_0"),
    )
    run = start("coder", calls(first), calls(second), calls(first), "done", policy=FREE)
    await run.say("go")
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert len(run.told) == 3

"""What a run says of its window, and what holds when a model breaks off."""

from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from tests.fakes.driver import call, calls
from tests.graphs.compaction.threads import is_paired, looks
from tests.graphs.conftest import Start

from artel.graphs.compaction.counting import KEY, tokens
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.scripted import Scripted, ScriptError, scripted

LINE = "2025-01-01 12:00:00 INFO a request was served\n"


class Several(Models):
    """Models in a chain, each with a window."""

    def __init__(self, **models: tuple[Scripted, int]) -> None:
        super().__init__(
            ModelSettings(windows={f"scripted:{name}": size for name, (_, size) in models.items()})
        )
        self.models = {name: model for name, (model, _) in models.items()}

    def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
        links = tuple(
            Link(spec=f"scripted:{name}", build=lambda one=one: one, failures=lambda: (ScriptError,))  # type: ignore[misc]
            for name, one in self.models.items()
        )
        return Chain(links=links, timeout_s=5, silence_s=5)


def long_thread() -> list[Any]:
    messages: list[Any] = [HumanMessage("the first words", id="h0")]
    for at in range(1, 12):
        messages += [HumanMessage(f"step {at}", id=f"h{at}"), *looks(at, "grep", {}, LINE * 90)]
    return messages


async def run(start: Start, models: Models, given: list[Any]) -> Any:
    driver = start("ask")
    driver.handles = replace(driver.handles, models=models)
    return await driver.go({"messages": [*given, HumanMessage("and now?", id="now")]})


async def test_a_model_without_a_window_is_shown_all_and_nothing_is_said_of_it(start: Start) -> None:
    driver = start("ask", "done")
    driver.model = scripted({"text": "done", "match": "now"})
    driver.handles = replace(driver.handles, models=Several())
    driver.handles.models.models = {"x": driver.model}  # type: ignore[attr-defined]
    await driver.go({"messages": [*long_thread(), HumanMessage("and now?")]})
    assert driver.custom == []
    assert KEY not in driver.messages[-1].response_metadata
    assert len(driver.model.asked[0]) == len(long_thread()) + 2


async def test_the_meter_tells_the_parts_once_a_turn_and_when_it_changed_noticeably(start: Start) -> None:
    model = scripted(calls(call("ls")), calls(call("read_file", file_path="notes.txt")), "done", "again")
    driver = start("ask")
    driver.handles = replace(driver.handles, models=Several(x=(model, 16_384)))
    await driver.say("go")
    (told,) = driver.custom
    assert {"type": "context", "window": 16_384, "limit": 12_288, "compacted": False}.items() <= told.items()
    assert told["tokens"] == sum(told["parts"].values())
    assert set(told["parts"]) == {"system", "tools", "history", "last"}
    assert "compacted" not in driver.state.values
    await driver.say("go on")
    assert len(driver.custom) == 2


async def test_a_thread_that_does_not_fit_is_compacted_once_and_the_state_keeps_every_message(
    start: Start,
) -> None:
    model = scripted({"text": "done", "match": "now"}, {"text": "done too", "match": "then"})
    driver = await run(start, Several(x=(model, 16_384)), long_thread())
    assert driver.custom[-1]["compacted"] is True
    kept = driver.state.values["compacted"]
    await driver.say("and then?")
    assert driver.state.values["compacted"] == kept
    first, second = model.asked
    shared = [one.content for one in first if one.name != "artel_context"]
    assert [one.content for one in second[: len(shared)]] == shared
    assert len(driver.messages) == len(long_thread()) + 4
    assert any("step 1" in str(one.content) for one in first)


async def test_the_model_that_follows_one_that_broke_off_is_shown_what_fits_its_own_window(
    start: Start,
) -> None:
    class Breaks(Scripted):
        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            async for chunk in super()._astream(*args, **kwargs):
                if chunk.message.content:
                    yield chunk
            raise ScriptError("the line went dead")

    large = Breaks(replies=scripted({"text": "half a word", "match": "now"}).replies)
    small = scripted({"text": "whole", "match": "now"})
    driver = await run(start, Several(large=(large, 200_000), small=(small, 16_384)), long_thread())
    assert driver.said == "whole"
    assert tokens(large.asked[0]) > 12_288 > tokens(small.asked[0])
    assert is_paired(small.asked[0])
    assert [m.content for m in driver.messages if isinstance(m, AIMessage)][-1] == "whole"
    assert driver.messages[-1].response_metadata[KEY]["model"] == "scripted:small"


@pytest.mark.parametrize(
    "written", [3, {"until": "h1", "chapters": [{}]}, {"marks": {"t1": -5, "t2": 10**12}}]
)
async def test_a_client_that_writes_the_record_itself_breaks_nothing(start: Start, written: Any) -> None:
    model = scripted({"text": "done", "match": "now"})
    driver = start("ask")
    driver.handles = replace(driver.handles, models=Several(x=(model, 16_384)))
    given = {"messages": [*long_thread()[:4], HumanMessage("and now?")], "compacted": written}
    await driver.go(given)
    assert driver.said == "done"
    assert is_paired(model.asked[0])

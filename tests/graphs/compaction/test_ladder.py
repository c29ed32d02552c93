"""What gives way in which order, and what never happens whatever the messages are."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from tests.graphs.compaction.threads import SMALL, changes, groups, is_paired, laid, looks, person, reads

from artel.graphs.compaction.counting import message_tokens, tokens
from artel.graphs.compaction.fitting import fitted
from artel.graphs.compaction.ladder import Measure, after, eased, size, view
from artel.graphs.compaction.pairing import grouped
from artel.graphs.compaction.parts import changed_files, last_failure
from artel.graphs.compaction.record import Compaction, read
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.scripted import ScriptError, scripted
from artel.graphs.models.tally import tallied

LINE = "2025-01-01 12:00:00 INFO a request was served\n"
NOTHING = Compaction()


def model(*replies: Any, spec: str = "scripted:x") -> Chain:
    link = Link(spec=spec, build=lambda: scripted(*replies), failures=lambda: (ScriptError,))
    return Chain(links=(link,), timeout_s=5, silence_s=5)


async def fit(
    messages: list[AnyMessage], room: int, measure: Measure = SMALL, chain: Chain | None = None
) -> Any:
    return await fitted(grouped(messages), NOTHING, measure, room, chain or model())


async def test_what_fits_is_shown_as_it_is() -> None:
    thread = [person("go", 0), *reads(1, "a.py"), AIMessage("done", id="a2")]
    record = await fit(thread, 5_000)
    assert record == NOTHING
    assert laid(thread, record) == thread


async def test_long_results_keep_head_and_tail_and_say_how_to_see_the_rest() -> None:
    long = LINE * 120 + "the end"
    thread = [person("go", 0), *looks(1, "grep", {}, long), *reads(2, "a.py", 60), *reads(3, "b.py", 60)]
    record = eased(grouped(thread), NOTHING, SMALL, 6_000)
    shown = laid(thread, record)[2]
    assert isinstance(shown.content, str)
    assert shown.content.startswith(LINE)
    assert shown.content.endswith("the end")
    assert 'recall(id="call1") shows all' in shown.content
    assert message_tokens(shown) <= 500
    silent = laid(thread, record, Measure(SMALL.limit, recall=False))[2]
    assert "recall" not in silent.content


async def test_looks_at_files_that_changed_or_were_read_again_give_way_to_a_note() -> None:
    thread = [
        person("go", 0),
        *reads(1, "a.py", 30),
        *reads(2, "./b.py", 30),
        *changes(3, "a.py"),
        *reads(4, "b.py", 30),
        *reads(5, "c.py", 30),
        *looks(6, "ls", {}, LINE * 200),
    ]
    record = eased(grouped(thread), NOTHING, Measure(8_000), 6_800)
    assert record.marks == {"t1": "stale", "t2": "stale"}
    shown = {m.id: str(m.content) for m in laid(thread, record)}
    assert shown["t1"].startswith("[a.py as it was then is not shown")
    assert "def work_3" in shown["t4"]


async def test_a_look_at_other_lines_is_not_out_of_date() -> None:
    thread = [
        *reads(1, "a.py", offset=0, limit=40),
        *reads(2, "a.py", offset=40, limit=40),
        *reads(3, "a.py", 5, limit=5),
    ]
    record = eased(
        [*grouped(thread), *groups(looks(4, "ls", {}, LINE * 300))], NOTHING, Measure(8_000), 5_000
    )
    assert "stale" not in record.marks.values()


async def test_old_code_is_folded_to_its_signatures_with_their_lines() -> None:
    thread = [person("go", 0), *reads(1, "a.py", 30), *looks(2, "ls", {}, LINE * 200)]
    record = eased(grouped(thread), NOTHING, Measure(8_000), 4_000)
    assert record.marks == {"t1": "folded"}
    shown = str(laid(thread, record)[2].content)
    assert "     3\tdef work_3(value: int) -> int" in shown
    assert "return value" not in shown
    assert shown.endswith("[signatures only; read_file shows the rest of a.py]")


async def test_old_turns_become_a_chapter_with_the_words_of_the_user_verbatim() -> None:
    """Golden."""
    thread: list[AnyMessage] = [person("Первое: не трогай LICENSE.", 0)]
    for at in range(1, 9):
        thread += [
            person(f"Шаг {at}", at),
            *looks(10 + at, "grep", {}, LINE * 60),
            *changes(30 + at, f"m{at}.py"),
        ]
        thread += [AIMessage(f"Сделан шаг {at}.", id=f"done{at}")]
    record = await fit(thread, 4_000)
    shown = laid(thread, record)
    assert [m.id for m in shown[:3]] == ["h0", f"{record.until}-chapter-0", record.kept[-1]]
    assert shown[0].content == "Первое: не трогай LICENSE."
    words = str(shown[1].content)
    assert "The user said:\n- «Шаг 1»\n- «Шаг 2»" in words
    assert "You answered:\n- Сделан шаг 1." in words
    assert "Files changed: m1.py, m2.py" in words
    assert is_paired(shown)
    assert size(grouped(thread), record, SMALL) <= 4_000


async def test_a_chapter_has_the_words_of_a_model_where_there_is_one_and_none_where_it_fails() -> None:
    thread: list[AnyMessage] = [person("go", 0)]
    for at in range(1, 12):
        thread += [*looks(at, "grep", {}, LINE * 60)]
    with tallied() as calls:
        said = await fit(thread, 3_000, chain=model("Nothing was found in the log.", spec="ollama:x"))
    assert [one.output for one in calls] == [6]  # nobody sees the call, and it counts
    assert said.chapters[0].prose == "Nothing was found in the log."
    silent = await fit(thread, 3_000, chain=model({"error": "away"}, spec="ollama:x"))
    assert silent.chapters[0].prose == ""
    assert silent.chapters[0].tools == said.chapters[0].tools


async def test_chapters_stay_as_they_are_until_they_are_too_many() -> None:
    thread: list[AnyMessage] = [person("go", 0)]
    record = NOTHING
    texts: list[tuple[Any, ...]] = []
    for at in range(1, 400):
        thread += [person(f"and then {at} " + "x " * 40, 1000 + at), *looks(at, "grep", {}, LINE * 20)]
        after_it = await fitted(grouped(thread), record, SMALL, 6_000, model())
        if after_it.chapters != record.chapters:
            texts.append(after_it.chapters)
        record = after_it
    kept = sum(now[: len(then)] == then for then, now in pairwise(texts))
    assert kept > len(texts) / 2
    assert record.chapters[0].unsaid > 100
    assert tokens(laid(thread, record)) <= 6_000
    assert len(record.model_dump_json()) < 12_000


@pytest.mark.parametrize(
    "huge",
    [
        [person("x" * 100_000, 1)],
        [person("Почини отчёт. " * 20_000, 1)],
        [person("a line\n" * 50_000, 1)],
        looks(1, "web_fetch", {}, "y" * 100_000),
        looks(
            1,
            "shot",
            {},
            [{"type": "text", "text": "z " * 50_000}, {"type": "image_url", "image_url": "data:…"}],
        ),
        looks(1, "write_file", {"file_path": "a.py", "content": "n = 1\n" * 30_000}, "written"),
        [AIMessage("so " * 60_000, id="a1")],
    ],
)
async def test_one_huge_message_fits(huge: list[AnyMessage]) -> None:
    thread = [person("the first words", 0), *huge, person("and now?", 2)]
    record = await fit(thread, 6_000)
    shown = laid(thread, record)
    assert tokens(shown) <= 6_000
    assert (shown[0].content, shown[-1].content) == ("the first words", "and now?")
    assert is_paired(shown)


async def test_many_parallel_results_share_what_there_is() -> None:
    calls = [{"name": "grep", "args": {}, "id": f"p{n}", "type": "tool_call"} for n in range(60)]
    results = [ToolMessage(LINE * (1 + 50 * (n % 2)), tool_call_id=f"p{n}", id=f"r{n}") for n in range(60)]
    thread: list[AnyMessage] = [person("go", 0), AIMessage("", tool_calls=calls, id="a"), *results]
    record = await fit(thread, 8_000)
    shown = laid(thread, record)
    assert tokens(shown) <= 8_000
    assert is_paired(shown)
    assert shown[2].content == LINE


async def test_a_room_that_is_too_small_for_the_last_group_makes_a_chapter_of_it() -> None:
    calls = [{"name": "grep", "args": {}, "id": f"p{n}", "type": "tool_call"} for n in range(200)]
    results = [ToolMessage(LINE * 9, tool_call_id=f"p{n}", id=f"r{n}") for n in range(200)]
    said = AIMessage("", tool_calls=calls, id="a")
    thread: list[AnyMessage] = [person("the first words", 0), said, *results]
    record = await fit(thread, 3_072)
    shown = laid(thread, record)
    assert tokens(shown) <= 3_072
    assert [m.type for m in shown] == ["human", "human"] or shown[-1].content == "the first words"


def test_the_files_and_the_last_failure_are_told_of() -> None:
    failing = looks(5, "execute", {"command": "pytest"}, "[exit code 1 after 0.2 s]\nE   assert 1 == 2")
    many = groups(changes(1, "a.py", "11" * 32), changes(2, "b.py"), changes(3, "a.py", "22" * 32), failing)
    assert changed_files(many).splitlines() == [
        "## Files you changed",
        f"- b.py: sha256 {'ab' * 6}",
        f"- a.py: sha256 {'22' * 6}",
    ]
    assert last_failure(many).startswith("## The last call that failed\nexecute:\n[exit code 1")
    passed = looks(6, "execute", {"command": "pytest"}, "[exit code 0 after 0.2 s]\nok")
    assert last_failure([*many, *groups(passed)]) == ""
    assert changed_files([]) == last_failure([]) == ""


@pytest.mark.parametrize(
    "record", [None, 3, "x", [], {"marks": 3}, {"marks": {"a": "b"}}, {"chapters": [{"words": 1}]}]
)
def test_a_record_that_is_none_counts_as_none(record: Any) -> None:
    assert read(record) == NOTHING


def test_a_record_of_another_thread_hides_nothing() -> None:
    thread = [person("go", 0), *reads(1, "a.py")]
    strange = Compaction(marks={"nobody": 3}, until="nowhere", kept=("h9",))
    assert laid(thread, strange) == thread
    assert after(grouped(thread), strange) == 0


TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["Привет, мир! " * 300, "x" * 9_000, LINE * 200, "", "\ud800", "日本 " * 900]),
)
IDS = st.sampled_from(["c0", "c1", "c2", "c3", ""])


@st.composite
def threads(draw: st.DrawFn) -> list[AnyMessage]:
    """Any messages at all: calls without results, results without calls, the same ids again."""
    messages: list[AnyMessage] = []
    for at in range(draw(st.integers(0, 30))):
        kind = draw(st.sampled_from(["human", "ai", "calls", "result", "result", "read"]))
        if kind == "human":
            messages.append(person(draw(TEXTS), at))
        elif kind == "ai":
            messages.append(AIMessage(draw(TEXTS), id=f"a{at}"))
        elif kind == "calls":
            ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
            args = {"content": draw(TEXTS)}
            made = [{"name": "grep", "args": args, "id": one, "type": "tool_call"} for one in ids]
            messages.append(AIMessage(draw(TEXTS), tool_calls=made, id=f"a{at}"))
        elif kind == "read":
            messages += reads(at, draw(st.sampled_from(["a.py", "b.py"])), draw(st.integers(1, 60)))
        else:
            messages.append(ToolMessage(draw(TEXTS), name="grep", tool_call_id=draw(IDS), id=f"t{at}"))
    return messages


@settings(max_examples=60, deadline=None)
@given(
    thread=threads(), more=threads(), room=st.integers(2_000, 8_000), limit=st.sampled_from([4_096, 12_288])
)
async def test_whatever_the_messages_are_it_fits_and_no_call_is_parted_from_its_result(
    thread: list[AnyMessage], more: list[AnyMessage], room: int, limit: int
) -> None:
    measure = Measure(limit)
    room = max(room, limit // 2)
    more = [message.model_copy(update={"id": f"m{message.id}"}) for message in more]
    record = await fit(thread, room, measure)
    again = await fitted(grouped(thread), record, measure, room, model())
    assert again == record == read(record.model_dump(mode="json"))
    for messages in (thread, [*thread, *more]):
        record = await fitted(grouped(messages), record, measure, room, model())
        shown = laid(messages, record, measure)
        assert tokens(shown) <= room
        assert is_paired(shown)
        people = [m.id for m in messages if isinstance(m, HumanMessage)]
        assert {*people[:1], *people[-1:]} <= {m.id for m in shown}
        assert view(grouped(messages), record, None) == [list(group) for group in grouped(messages)]

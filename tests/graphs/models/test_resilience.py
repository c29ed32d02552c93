"""What happens when models fail, are busy, or may not be asked so often."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic
from typing import Any, Protocol

import httpx
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from tests.fakes.openai_server import HANG, openai_server

from artel.graphs.models import Models, ModelSettings, NoModelAnswered, retrying
from artel.graphs.models.fallback import BrokenOff, Chain
from artel.graphs.models.link import KEY
from artel.graphs.models.rates import RateLimit, TooManyAsked
from artel.graphs.models.settings import Rate
from artel.graphs.models.standing import LeftAlone, Standing

QUESTION = [HumanMessage("hello")]
NOWHERE = "http://127.0.0.1:9/v1"
CALLS: list[dict[str, Any]] = [
    {"role": "assistant", "content": "I "},
    {"content": "look"},
    {
        "tool_calls": [
            {"index": 0, "id": "a", "type": "function", "function": {"name": "ls", "arguments": ""}}
        ]
    },
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"path": '}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '"x"}'}}]},
    {
        "tool_calls": [
            {"index": 1, "id": "b", "type": "function", "function": {"name": "ls", "arguments": ""}}
        ]
    },
    {"tool_calls": [{"index": 1, "function": {"arguments": '{"path": "y"}'}}]},
]


@tool
def ls(path: str) -> str:
    """List a folder."""
    return path


class Make(Protocol):
    def __call__(self, url: str, **more: Any) -> Models: ...


@pytest.fixture
async def models(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    monkeypatch.setattr(retrying, "FIRST_S", 0.01)
    made = []

    def make(url: str, **more: Any) -> Models:
        quiet = {
            "ollama_base_url": NOWHERE,
            "vllm_base_url": NOWHERE,
            "model": "openai:tiny",
            "timeout_s": 30,
        }
        made.append(Models(ModelSettings(openai_base_url=url, **{**quiet, **more})))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


async def asked(chain: Chain) -> str:
    return str((await chain.ainvoke(QUESTION)).content).strip()


@pytest.mark.parametrize("place", range(len(CALLS) + 1))
async def test_at_whatever_piece_a_link_fails_the_next_answers_anew_and_calls_stay_whole(
    place: int, models: Make
) -> None:
    broken = {"deltas": CALLS, "breaks_after": place}
    whole = [{"name": "ls", "args": {"path": "z"}, "id": "c"}]
    async with openai_server(broken, broken, broken) as first, openai_server(whole) as second:
        both = models(first.url, vllm_base_url=second.url, fallbacks=["vllm:tiny"], retries=0)
        chain: Any = both.chat("coder").bind_tools([ls])
        if place < 1:  # nothing was said, and nobody hears of it
            reply = await chain.ainvoke(QUESTION)
        else:
            with pytest.raises(BrokenOff) as broken_off:
                await chain.ainvoke(QUESTION)
            assert broken_off.value.rest is not None
            reply = await broken_off.value.rest.ainvoke(QUESTION)
        assert [(call["id"], call["args"]) for call in reply.tool_calls] == [("c", {"path": "z"})]
        assert reply.text == ""
        assert reply.response_metadata[KEY] == "vllm:tiny"


async def test_an_answer_that_lost_only_the_count_of_its_tokens_is_whole(models: Make) -> None:
    body = (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"tiny","choices":'
        b'[{"index":0,"delta":{"content":"all said"},"finish_reason":null}]}\n\n'
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"tiny","choices":'
        b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: {broken\n\n'
    )
    async with openai_server(body) as server:
        assert await asked(models(server.url).chat("coder")) == "all said"


@pytest.mark.parametrize("trouble", [429, 503, 500, b""])
async def test_a_busy_server_is_asked_again(trouble: Any, models: Make) -> None:
    async with openai_server(trouble, trouble, "at last") as server:
        assert await asked(models(server.url).chat("coder")) == "at last"


@pytest.mark.parametrize("trouble", [400, 401, 403, 404, 422])
async def test_a_refusal_is_not_asked_again(trouble: int, models: Make) -> None:
    async with openai_server(trouble, "never") as server:
        with pytest.raises(NoModelAnswered, match=f"told to answer {trouble}"):
            await asked(models(server.url).chat("coder"))


async def test_as_long_is_waited_as_the_server_asks(models: Make) -> None:
    busy = {"status": 429, "headers": {"Retry-After": "0.4"}}
    async with openai_server(busy, "thanks") as server:
        begun = monotonic()
        assert await asked(models(server.url).chat("coder")) == "thanks"
        assert 0.4 <= monotonic() - begun < 30


async def test_who_asks_for_more_than_the_limit_is_left_for_the_next_and_left_alone(models: Make) -> None:
    busy = {"status": 429, "headers": {"Retry-After": "60"}}
    async with openai_server(busy, "never") as first, openai_server("I do", "again") as second:
        both = models(first.url, vllm_base_url=second.url, fallbacks=["vllm:tiny"])
        assert await asked(both.chat("coder")) == "I do"
        assert await asked(both.chat("coder")) == "again"
        assert len(first.asked) == 1
        told = both.told()[0]
        assert (told["model"], told["state"]) == ("openai:tiny", "open")
        assert 0 < told["open_for_s"] <= 60
        assert "asks to be left alone for 60 s" in str(told["last_error"])


def test_a_date_may_say_when_to_come_back() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    for said, wanted in ((then, 20.0), ("7", 7.0), ("-3", 0.0), ("soon", None), ("nan", 0.0)):
        error = RuntimeError()
        error.response = httpx.Response(429, headers={"retry-after": said})  # type: ignore[attr-defined]
        found = retrying.asked_s(error)
        assert found == wanted or (wanted and found and abs(found - wanted) < 2)


def test_pauses_grow_and_differ() -> None:
    pauses = [[retrying.pause_s(ConnectionError(), n) or 0 for _ in range(20)] for n in (1, 2, 3, 9)]
    assert all(len(set(some)) > 1 for some in pauses)
    assert max(pauses[0]) <= 1.0 < max(pauses[2])
    assert max(pauses[3]) <= retrying.LONGEST_S


async def test_a_model_that_fails_in_a_row_is_left_alone_and_tried_by_one_call_later(models: Make) -> None:
    async with openai_server(401, 401, 401, "well again", "and again") as server:
        chosen = models(server.url, breaker_failures=2, breaker_pause_s=0.3)
        for _ in range(2):
            with pytest.raises(NoModelAnswered):
                await asked(chosen.chat("coder"))
        with pytest.raises(NoModelAnswered, match=r"left alone for 0 s more; its last failure: .*401"):
            await asked(chosen.chat("ask"))  # of another agent: the same model
        assert len(server.asked) == 2
        await asyncio.sleep(0.35)
        assert chosen.told()[0]["state"] == "half_open"
        with pytest.raises(NoModelAnswered):
            await asked(chosen.chat("coder"))
        assert chosen.told()[0]["state"] == "open"
        await asyncio.sleep(0.35)
        assert await asked(chosen.chat("coder")) == "well again"
        told = chosen.told()[0]
        assert (told["state"], told["failures"], told["latency"]["answers"]) == ("closed", 0, 1)


async def test_a_wrong_request_is_no_failure_of_the_model(models: Make) -> None:
    async with openai_server(400, 400, "fine") as server:
        chosen = models(server.url, breaker_failures=1)
        for _ in range(2):
            with pytest.raises(NoModelAnswered):
                await asked(chosen.chat("coder"))
        assert await asked(chosen.chat("coder")) == "fine"


def test_one_call_at_a_time_tries_a_model_that_failed() -> None:
    standing = Standing("a:b", ModelSettings(breaker_failures=1, breaker_pause_s=0.01))
    standing.failed("gone", at_fault=True)
    with pytest.raises(LeftAlone), standing.asking():
        pass
    while standing.state == "open":
        pass
    with standing.asking(), pytest.raises(LeftAlone, match="one call tries it"), standing.asking():
        pass
    with standing.asking():  # given back, whatever became of it
        standing.answered(0.1, 0.2)
    assert standing.state == "closed"


async def test_a_cancelled_question_leaves_nothing_behind(models: Make) -> None:
    async with openai_server("hi", HANG, "fine") as server:
        chosen = models(server.url, rates={"openai": {"requests": 60}})
        assert await asked(chosen.chat("coder")) == "hi"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asked(chosen.chat("coder"))
        assert (chosen.told()[0]["state"], chosen.told()[0]["failures"]) == ("closed", 0)
        assert await asked(chosen.chat("coder")) == "fine"


async def test_requests_wait_for_their_turn_and_no_longer_than_they_may() -> None:
    limit = RateLimit(Rate(requests=600))  # ten a second
    limit._requests.take(600)  # type: ignore[union-attr]
    begun = monotonic()
    await asyncio.gather(*(limit.pass_(0, 5) for _ in range(3)))
    assert 0.25 <= monotonic() - begun < 5
    limit._requests.take(600)  # type: ignore[union-attr]
    with pytest.raises(TooManyAsked, match=r"limit of 600 requests a minute is used up for 6\d s more"):
        await limit.pass_(0, 5)


async def test_tokens_are_counted_as_the_model_counts_them(models: Make) -> None:
    used = {"prompt_tokens": 4900, "completion_tokens": 100, "total_tokens": 5000}
    turn = {"deltas": [{"content": "long"}], "usage": used}
    async with openai_server(turn, "no") as first, openai_server("instead") as second:
        rates = {"openai:tiny": {"tokens": 1000, "requests": 100}}
        both = models(
            first.url, vllm_base_url=second.url, fallbacks=["vllm:tiny"], rates=rates, rate_wait_s=0
        )
        assert await asked(both.chat("coder")) == "long"
        told = both.told()[0]
        assert told["rate"] == rates["openai:tiny"]
        assert (told["rate_left"] or {})["tokens"] == 0
        assert await asked(both.chat("coder")) == "instead"
        assert len(first.asked) == 1


async def test_who_waits_and_goes_away_gives_back_what_they_took() -> None:
    limit = RateLimit(Rate(requests=1))
    await limit.pass_(0, 0)
    waiting = asyncio.create_task(limit.pass_(0, 100))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert limit._requests.left > -0.1  # type: ignore[union-attr]

"""The stream transformers of a graph: what they make of a run has a channel of its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import PIIMiddleware
from langgraph.graph import END, START, StateGraph
from langgraph.stream import ProtocolEvent, StreamChannel, StreamTransformer, UpdatesTransformer
from langgraph_sdk import get_client
from tests.fakes.listening import listening
from tests.fakes.served import calling, serving
from tests.fakes.speaking import Answers, Speaker, Stage, State, ask, count, line, speaking, words

from artel.server.catalog import Catalog, Entry

from .conftest import HI, Talk


class Words(StreamTransformer):
    """Counts the words of messages, graph by graph, and tells at the end how many they were."""

    required_stream_modes = ("messages",)

    def init(self) -> dict[str, Any]:
        """Open the channels: one with a name, one without, and something that is none."""
        self.count = 0
        self.words: StreamChannel[Any] = StreamChannel("words")
        self.quiet: StreamChannel[Any] = StreamChannel()
        return {"words": self.words, "quiet": self.quiet, "version": 1}

    def process(self, event: ProtocolEvent) -> bool:
        """Look at what is said."""
        if event["method"] == "messages":
            said, metadata = event["params"]["data"]
            if said["event"] == "content-block-delta":
                self.count += 1
                self.quiet.push(said)
                where = event["params"]["namespace"]
                self.words.push(
                    {"word": said["delta"]["text"], "in": where, "by": metadata["langgraph_node"]}
                )
        return event["method"] != "values"

    def finalize(self) -> None:
        """Tell the sum."""
        self.words.push(self.count)


class Slow(StreamTransformer):
    """Judges states in its own time."""

    def init(self) -> dict[str, Any]:
        """Open the channel."""
        self.judged: StreamChannel[Any] = StreamChannel("judged")
        return {"judged": self.judged}

    async def aprocess(self, event: ProtocolEvent) -> bool:
        """Begin to judge."""
        if event["method"] == "values" and not event["params"]["namespace"]:
            self.schedule(self._judge(event["params"]["data"], event["params"].get("interrupts", ())))
        return True

    async def _judge(self, state: dict[str, Any], interrupts: Any) -> None:
        await asyncio.sleep(0.05)
        self.judged.push({"keys": sorted(state), "waits": [asked.value for asked in interrupts]})


class Discreet(StreamTransformer):
    """Blackens "two" wherever it is, and lets nobody hear what is said inside."""

    before_builtins = True

    def init(self) -> dict[str, Any]:
        """Open nothing."""
        return {}

    def process(self, event: ProtocolEvent) -> bool:
        """Change what is told, not what is."""
        params = event["params"]
        if event["method"] == "messages":
            said, _ = params["data"]
            if "two" in str(said):
                for part in (said.get("delta"), said.get("content")):
                    if part and "text" in part:
                        part["text"] = part["text"].replace("two", "xxx")
            return not params["namespace"]
        if event["method"] == "values":
            params["data"] = {name: _black(value) for name, value in params["data"].items()}
        return True


def _black(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [
        one.model_copy(update={"content": one.content.replace("two", "xxx")})
        if isinstance(getattr(one, "content", None), str)
        else one
        for one in value
    ]


class Wrong(StreamTransformer):
    """Fails at once."""

    def init(self) -> dict[str, Any]:
        """Open nothing."""
        return {}

    def process(self, event: ProtocolEvent) -> bool:
        """Fail."""
        raise ValueError("this transformer is broken")


def _alone(node: Any) -> Any:
    graph = StateGraph(State)
    graph.add_node("talk", node)
    graph.add_edge(START, "talk")
    return graph.compile(transformers=[Discreet])


def graphs(gate: asyncio.Event) -> dict[str, Any]:
    """Return graphs with transformers."""
    inner = line(State, {"talk": speaking(words("deep words"))})
    outer = StateGraph(State)
    outer.add_node("talk", speaking(words("one two three")))
    outer.add_node("sub", inner)
    outer.add_edge(START, "talk")
    outer.add_edge("talk", "sub")
    outer.add_edge("sub", END)
    asks = StateGraph(Answers)
    asks.add_node("ask", ask("ok?"))
    asks.add_node("after", count)
    asks.add_edge(START, "ask")
    asks.add_edge("ask", "after")
    return {
        "words": outer.compile(transformers=[Words, UpdatesTransformer]),
        "judged": asks.compile(transformers=[Slow]),
        "discreet": outer.compile(transformers=[Discreet]),
        "cut off": _alone(speaking(words("one two three four"), gate)),
        "redacts": create_agent(
            Speaker(pieces=words("write to ada@example.org today")),
            middleware=[PIIMiddleware("email", strategy="redact", apply_to_output=True)],
        ),
        "wrong": outer.compile(transformers=[Wrong]),
    }


@pytest.fixture
async def app(fresh_dsn: str, stage: Stage) -> AsyncIterator[Any]:
    catalog = Catalog({name: Entry(None, graph) for name, graph in graphs(stage.gate).items()})
    async with serving(fresh_dsn, catalog=catalog) as served:
        yield served


@pytest.fixture
async def talk(app: Any) -> AsyncIterator[Talk]:
    async with calling(app) as http:
        yield Talk(app, http)


async def test_what_is_pushed_to_a_channel_is_told_before_what_it_was_made_of(talk: Talk) -> None:
    await talk.run("words")
    events = await talk.told(["custom:words", "messages", "values"])
    told = [event["params"] for event in events if event["method"] == "custom"]
    payloads = [params["data"]["payload"] for params in told]
    assert {(*params["namespace"],) for params in told} == {()}
    assert {params["data"]["name"] for params in told} == {"words"}
    assert [said["word"] for said in payloads[:-1]] == ["one", " two", " three", "deep", " words"]
    assert [said["in"][0].partition(":")[0] for said in payloads[3:-1]] == ["sub", "sub"]
    assert payloads[-1] == 5
    first = next(event for event in events if '"one"' in str(event).replace("'", '"'))
    assert first["method"] == "custom"
    assert [event for event in events if event["method"] == "values"], "states are told whatever they say"


async def test_a_question_reaches_transformers_beside_the_state(talk: Talk) -> None:
    await talk.run("judged", input={"n": 1})
    judged = [event["params"]["data"]["payload"] for event in await talk.told(["custom:judged"])]
    assert judged[0] == {"keys": ["answers", "n"], "waits": []}
    assert judged[-1] == {"keys": ["answers", "n"], "waits": [{"question": "ok?"}]}
    thread = (await talk.http.get(f"/threads/{talk.thread}")).json()
    assert thread["status"] == "interrupted"
    (asked,) = (asked for questions in thread["interrupts"].values() for asked in questions)
    await talk.ok("input.respond", interrupt_id=asked["id"], response="yes")
    async with talk.events(["lifecycle"]) as stream:
        await stream.until("completed")


async def test_what_a_transformer_changes_or_holds_back_is_told_so_and_kept_as_it_is(talk: Talk) -> None:
    await talk.run("discreet", input={"messages": [{"role": "user", "content": "one or two?", "id": "h1"}]})
    events = await talk.told(["messages", "values"])
    assert "two" not in json.dumps(events)
    said = [event["params"]["data"] for event in events if event["method"] == "messages"]
    assert [one["event"] for one in said] == [
        "message-start",
        "content-block-start",
        *["content-block-delta"] * 3,
        "content-block-finish",
        "message-finish",
    ]
    assert said[-2]["content"] == {"type": "text", "text": "one xxx three"}
    assert len({one["id"] for one in said}) == 1, "the graph inside was heard"
    state = (await talk.http.get(f"/threads/{talk.thread}/state")).json()
    assert [message["content"] for message in state["values"]["messages"]] == [
        "one or two?",
        "one two three",
        "deep words",
    ]


async def test_a_changed_message_is_taken_back_when_its_run_is_cancelled(talk: Talk) -> None:
    run_id = await talk.start("cut off")
    async with talk.events(["messages", "lifecycle"]) as stream:
        await stream.until(" three")
        await talk.http.post(f"/threads/{talk.thread}/runs/{run_id}/cancel?wait=true")
        await stream.until("interrupted", times=2)
    said = [event["params"]["data"] for event in stream.data]
    error, end = said[-2:]
    assert (error["event"], error["code"], end["event"]) == ("error", "aborted", "interrupted")
    starts = [one["id"] for one in said if one["event"] == "message-start"]
    assert starts == [error["id"]]


async def test_what_langchain_redacts_reaches_no_reader(talk: Talk) -> None:
    await talk.run("redacts", input=HI)
    events = await talk.told(["messages", "values", "tools"])
    said = [event["params"]["data"] for event in events if event["method"] == "messages"]
    assert "ada@" not in json.dumps(events)
    finished = [one["content"]["text"] for one in said if one["event"] == "content-block-finish"]
    assert finished == ["write to [REDACTED_EMAIL] today"]


async def test_a_transformer_that_fails_fails_the_run(talk: Talk) -> None:
    run_id = await talk.run("wrong")
    run = (await talk.http.get(f"/threads/{talk.thread}/runs/{run_id}")).json()
    assert run["status"] == "error"
    assert "this transformer is broken" in str(await talk.told(["lifecycle"]))


async def test_runs_of_the_old_kind_are_not_watched(talk: Talk) -> None:
    await talk.http.post("/threads", json={"thread_id": talk.thread})
    body = {"assistant_id": "wrong", "input": HI, "stream_mode": ["custom", "values"]}
    answer = await talk.http.post(f"/threads/{talk.thread}/runs/wait", json=body)
    assert len(answer.json()["messages"]) == 3


async def test_the_official_client_reads_them_by_name(app: Any) -> None:
    async with (
        listening(app, ws="websockets-sansio") as url,
        get_client(url=url) as client,
        client.threads.stream(assistant_id="words") as thread,
    ):
        await thread.run.start(input=HI)
        said = [told["payload"] async for told in thread.extensions["words"]]
    assert said[-1] == 5

"""The stream transformers of a graph: what they make of a run has a channel of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.stream import ProtocolEvent, StreamChannel, StreamTransformer, UpdatesTransformer
from langgraph_sdk import get_client
from tests.fakes.listening import listening
from tests.fakes.served import calling, serving
from tests.fakes.speaking import Answers, Stage, State, ask, count, line, speaking, words

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


class Wrong(StreamTransformer):
    """Fails at once."""

    def init(self) -> dict[str, Any]:
        """Open nothing."""
        return {}

    def process(self, event: ProtocolEvent) -> bool:
        """Fail."""
        raise ValueError("this transformer is broken")


def graphs() -> dict[str, Any]:
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
        "wrong": outer.compile(transformers=[Wrong]),
    }


@pytest.fixture
async def app(fresh_dsn: str, stage: Stage) -> AsyncIterator[Any]:
    catalog = Catalog({name: Entry(None, graph) for name, graph in graphs().items()})
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
    assert [e for e in events if e["method"] == "values"], "a transformer watches, and holds nothing back"


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

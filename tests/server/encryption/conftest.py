"""A folder with an `encryption`, and somebody who says a secret in every place there is."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import psycopg
import pytest
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.config import get_store, get_stream_writer
from langgraph.graph import START, StateGraph, add_messages
from langgraph.types import interrupt
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.served import calling, graphs, serving
from tests.server.engine.test_webhooks import LOCAL, SOON
from tests.server.protocol.conftest import Wire
from typing_extensions import TypedDict

from artel.server.catalog import Catalog, Entry
from artel.server.engine.addresses import Webhooks
from artel.server.served import Served
from artel.storage.ids import new_id

NEEDLE = "needle-Ünder-glass"
WITHIN = "nder-glass"
BLUE = {"X-Encryption-Context": b64encode(b'{"tenant": "blue"}').decode()}
FROM_THE_START = {"Last-Event-ID": "0"}
MANY = [{"role": "user", "content": f"{NEEDLE} {n} " + "x" * 300, "id": f"m{n}"} for n in range(40)]


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    word: str
    long: str
    n: int
    seen: bool
    answer: Any


async def _work(state: State) -> dict[str, Any]:
    get_stream_writer()({"told": state["word"]})
    store = get_store()
    await store.aput(("memories",), "one", {"text": state["word"], "team": "blue"})
    kept = await store.aget(("memories",), "one")
    assert kept
    said = AIMessage(content=f"heard {kept.value['text']}", id="said")
    return {"messages": [said], "n": 7, "seen": True, "long": state["word"] * 30}


def _ask(state: State) -> dict[str, Any]:
    asked = {"question": state["word"], "artel": {"kind": "question"}}
    return {"answer": interrupt(asked)}


def _permit(state: State) -> dict[str, Any]:
    asked = {"type": "tool_approval", "tool_call_id": "c1", "name": "write", "args": {"text": state["word"]}}
    ours = {"kind": "tool_call", "expires_in_s": state.get("n", 60), "calls": [{"tool_call_id": "c1"}]}
    return {"answer": interrupt(asked | {"artel": ours})}


def _break(state: State) -> dict[str, Any]:
    raise ValueError(state["word"])


async def _nap(state: State) -> dict[str, Any]:
    await asyncio.sleep(0.4)
    return {"n": state.get("n", 0) + 1}


def _graph(**nodes: Any) -> Any:
    graph = StateGraph(State)
    graph.add_sequence(list(nodes.items()))
    graph.add_edge(START, next(iter(nodes)))
    return graph.compile()


class Folder:
    """A folder with an `encryption`, and the wire that serves it."""

    def __init__(self, dsn: str, tmp_path: Path) -> None:
        self.dsn = dsn
        self.folder = tmp_path

    @asynccontextmanager
    async def __call__(self, source: str | None, **engine: Any) -> AsyncIterator[Wire]:
        """Open it; None: without encryption."""
        sections = {}
        if source is not None:
            file = self.folder / f"enc{new_id().hex}.py"  # a module is imported once
            file.write_text(source)
            sections = {"encryption": {"path": f"./{file.name}:encryption"}}
        config = Served(self.folder / "langgraph.json", (), (self.folder,), {}, sections)
        made = graphs() | {
            "works": _graph(work=_work),
            "asks": _graph(ask=_ask),
            "permits": _graph(permit=_permit),
            "breaks": _graph(break_=_break),
            "naps": _graph(nap=_nap, again=_nap, last=_nap),
        }
        catalog = Catalog({name: Entry(None, graph) for name, graph in made.items()}, config)
        hooks = Webhooks(LOCAL, SOON)
        async with (
            serving(self.dsn, catalog=catalog, webhooks=hooks, **engine) as app,
            calling(app) as http,
        ):
            yield Wire(app, http)


@pytest.fixture
def served(fresh_dsn: str, tmp_path: Path) -> Folder:
    return Folder(fresh_dsn, tmp_path)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


def told(dsn: str, query: str) -> list[Any]:
    """Return the first column of a query."""
    with psycopg.connect(dsn) as conn:
        return [row[0] for row in conn.execute(query.encode())]


async def live(wire: Wire, receiver: Receiver) -> dict[str, str]:
    """Do everything that leaves something in the database, and read all of it; return the threads."""
    secret = {"secret": NEEDLE, "team": "blue", "deep": {"er": NEEDLE}}
    configured = {"config": {"configurable": {"x": NEEDLE}}}
    made = await wire.ok(
        "POST", "/assistants", {"graph_id": "tells", "metadata": secret, "context": {"who": NEEDLE}}
    )
    path = f"/assistants/{made['assistant_id']}"
    assert (await wire.ok("PATCH", path, {"metadata": {"more": NEEDLE}}))["metadata"] == secret | {
        "more": NEEDLE
    }
    assert (await wire.ok("GET", path))["context"] == {"who": NEEDLE}
    assert [one["version"] for one in await wire.ok("POST", f"{path}/versions", {})] == [2, 1]
    told = await wire.ok("POST", "/runs/wait", {"assistant_id": made["assistant_id"], "input": {}})
    assert told["out"]["who"] == NEEDLE

    thread = await wire.thread(metadata=secret)
    changed = await wire.ok("PATCH", f"/threads/{thread}", {"metadata": {"added": NEEDLE}})
    assert changed["metadata"] == secret | {"added": NEEDLE}
    order = {
        "assistant_id": "works",
        "input": {"messages": MANY, "word": NEEDLE},
        "metadata": {"m": NEEDLE},
        "webhook": receiver.url(f"/hook?token={NEEDLE}".replace("Ü", "U")),
        "stream_mode": ["values", "updates", "custom", "messages-tuple"],
        "stream_resumable": True,
        "config": {"configurable": {"x": NEEDLE}, "tags": [NEEDLE]},
    }
    values = await wire.ok("POST", f"/threads/{thread}/runs/wait", order)
    assert values["messages"][-1]["content"] == f"heard {NEEDLE}"
    (run,) = await wire.ok("GET", f"/threads/{thread}/runs")
    assert (run["metadata"]["m"], run["kwargs"]["input"]["word"]) == (NEEDLE, NEEDLE)
    replayed = await wire("GET", f"/threads/{thread}/runs/{run['run_id']}/stream", headers=FROM_THE_START)
    assert replayed.text.count(f"heard {NEEDLE}") >= 2
    assert await wire.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join") == values
    (hook,) = await receiver.wait(1)
    assert hook.body["values"]["word"] == NEEDLE
    assert NEEDLE.replace("Ü", "U") in hook.path
    (delivery,) = await wire.ok("GET", "/api/v1/webhooks")
    assert delivery["url"] == order["webhook"]

    again = order | {
        "input": {"messages": [{"role": "user", "content": NEEDLE, "id": "last"}]},
        "webhook": None,
    }
    await wire.ok("POST", f"/threads/{thread}/runs/wait", again)
    state = await wire.ok("GET", f"/threads/{thread}/state")
    assert [one["content"] for one in state["values"]["messages"]][:40] == [one["content"] for one in MANY]
    assert (state["values"]["n"], state["values"]["seen"], state["values"]["long"]) == (7, True, NEEDLE * 30)
    assert state["metadata"]["x"] == NEEDLE
    history = await wire.ok("POST", f"/threads/{thread}/history", {"limit": 50})
    assert [one["values"].get("n") for one in history] == [7, 7, 7, 7, None, None]
    update = {"values": {"word": f"{NEEDLE}!"}}
    await wire.ok("POST", f"/threads/{thread}/state", update)
    assert (await wire.ok("GET", f"/threads/{thread}/state"))["values"]["word"] == f"{NEEDLE}!"
    copied = await wire.ok("POST", f"/threads/{thread}/copy")
    assert copied["values"]["word"] == f"{NEEDLE}!"

    asked = await wire.thread()
    await wire.ok("POST", f"/threads/{asked}/runs/wait", {"assistant_id": "asks", "input": {"word": NEEDLE}})
    (waiting,) = (await wire.ok("GET", f"/threads/{asked}"))["interrupts"].values()
    assert waiting[0]["value"]["question"] == NEEDLE
    (question,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={asked}")
    assert question["value"]["question"] == NEEDLE
    decision = {"decision": {"type": "respond", "message": NEEDLE}}
    started = await wire.ok("POST", f"/api/v1/approvals/{question['approval_id']}", decision)
    answered = await wire.ok("GET", f"/threads/{asked}/runs/{started['run_id']}/join")
    assert NEEDLE in json.dumps(answered["answer"], ensure_ascii=False)
    decided = await wire.ok("GET", f"/api/v1/approvals/{question['approval_id']}")
    assert (decided["status"], decided["decision"]["message"]) == ("approved", NEEDLE)

    open_ = await wire.thread()
    await wire.ok(
        "POST", f"/threads/{open_}/runs/wait", {"assistant_id": "permits", "input": {"word": NEEDLE}}
    )
    (permission,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={open_}")
    assert (permission["args"], permission["tool"]) == ({"text": NEEDLE}, "write")

    broken = await wire.thread()
    await wire("POST", f"/threads/{broken}/runs/wait", {"assistant_id": "breaks", "input": {"word": NEEDLE}})
    assert NEEDLE in (await wire.ok("GET", f"/threads/{broken}"))["error"]["message"]

    cron = {"assistant_id": "works", "schedule": "0 0 1 1 *", "input": {"word": NEEDLE}, "metadata": secret}
    kept = await wire.ok("POST", "/runs/crons", cron | configured)
    (found,) = await wire.ok("POST", "/runs/crons/search", {"metadata": {"team": "blue"}})
    assert found["payload"]["input"] == kept["payload"]["input"] == {"word": NEEDLE}
    assert found["metadata"]["secret"] == NEEDLE

    item = {"namespace": ["a"], "key": "k", "value": secret}
    assert (await wire("PUT", "/store/items", item)).is_success
    assert (await wire.ok("GET", "/store/items?namespace=a&key=k"))["value"] == secret
    (searched,) = (await wire.ok("POST", "/store/items/search", {"namespace_prefix": ["a"]}))["items"]
    assert searched["value"] == secret
    return {"flow": thread, "asked": asked, "assistant": made["assistant_id"]}

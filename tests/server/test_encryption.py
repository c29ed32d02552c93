"""What people say lies in the database encrypted, and is read by those who have the key."""

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
from tests.fakes.ciphers import BLOBS, CONTEXT, KEYS, leaks
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.served import calling, graphs, serving
from tests.fakes.waiting import eventually
from tests.server.engine.test_webhooks import LOCAL, SOON
from tests.server.protocol.conftest import Wire
from typing_extensions import TypedDict

from artel.server import encryption
from artel.server.catalog import Catalog, Entry
from artel.server.engine.addresses import Webhooks
from artel.server.served import ConfigWrong, Served
from artel.storage.ids import new_id
from artel.storage.sealing import NoKey

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


def _told(dsn: str, query: str) -> list[Any]:
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


async def test_nothing_that_was_said_lies_in_clear_in_any_column(served: Folder, receiver: Receiver) -> None:
    async with served(BLOBS + KEYS) as wire:
        await live(wire, receiver)
    assert leaks(served.dsn, WITHIN) == set()


async def test_without_encryption_the_same_would_be_found_in_all_these_columns(
    served: Folder, receiver: Receiver
) -> None:
    async with served(None) as wire:
        await live(wire, receiver)
    assert leaks(served.dsn, WITHIN) == {
        "approvals.args",
        "approvals.decision",
        "approvals.value",
        "assistant_versions.config",
        "assistant_versions.context",
        "assistant_versions.metadata",
        "assistants.config",
        "assistants.context",
        "assistants.metadata",
        "checkpoint_blobs.blob",
        "checkpoint_items.blob",
        "checkpoint_writes.blob",
        "checkpoints.checkpoint",
        "checkpoints.metadata",
        "crons.metadata",
        "crons.payload",
        "run_events.chunk",
        "runs.error",
        "runs.kwargs",
        "runs.metadata",
        "store.value",
        "threads.error",
        "threads.interrupts",
        "threads.metadata",
        "webhook_deliveries.body",
        "webhook_deliveries.url",
    }


async def test_metadata_are_found_by_what_is_left_in_clear_and_refused_by_what_is_not(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS + KEYS) as wire:
        made = await live(wire, receiver)
        threads = await wire.ok(
            "POST", "/threads/search", {"metadata": {"team": "blue", "graph_id": "works"}}
        )
        assert made["flow"] in {one["thread_id"] for one in threads}
        for path in ("/threads/search", "/threads/count", "/assistants/search", "/runs/crons/search"):
            status, sentence = await wire.refused("POST", path, {"metadata": {"secret": NEEDLE}})
            assert (status, sentence.partition(":")[0]) == (400, "metadata.secret cannot be searched"), path
        items = {"namespace_prefix": ["a"], "filter": {"team": "blue"}}
        assert len((await wire.ok("POST", "/store/items/search", items))["items"]) == 1
        status, _ = await wire.refused(
            "POST", "/store/items/search", {"namespace_prefix": ["a"], "filter": {"secret": {"$gt": "a"}}}
        )
        assert status == 400
        wish = {"metadata": {"x": NEEDLE}}
        assert (await wire.refused("POST", f"/threads/{made['flow']}/history", wish))[0] == 400


async def test_states_are_found_by_their_values_though_the_database_cannot_read_them(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS) as wire:
        made = await live(wire, receiver)
        found = await wire.ok("POST", "/threads/search", {"values": {"word": NEEDLE}})
        assert [one["thread_id"] for one in found] == [made["asked"]] or len(found) >= 1
        assert all(one["values"]["word"] == NEEDLE for one in found)
        assert await wire.ok("POST", "/threads/count", {"values": {"word": "else"}}) == 0


async def test_handlers_of_blobs_alone_leave_metadata_in_clear_and_nothing_else(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS) as wire:
        await live(wire, receiver)
        status, sentence = await wire.refused(
            "POST", "/store/items/search", {"namespace_prefix": ["a"], "filter": {"team": "blue"}}
        )
        assert (status, "encrypted whole" in sentence) == (400, True)
    assert {place.partition(".")[2] for place in leaks(served.dsn, WITHIN)} == {"metadata"}


async def test_what_was_there_before_encryption_stays_readable_beside_what_comes(
    served: Folder, receiver: Receiver
) -> None:
    async with served(None) as wire:
        made = await live(wire, receiver)
    async with served(BLOBS + KEYS) as wire:
        state = await wire.ok("GET", f"/threads/{made['flow']}/state")
        assert state["values"]["word"] == f"{NEEDLE}!"
        more = {"assistant_id": "works", "input": {"word": "after"}}
        values = await wire.ok("POST", f"/threads/{made['flow']}/runs/wait", more)
        assert [one["content"] for one in values["messages"]][:40] == [one["content"] for one in MANY]
        thread = await wire.ok("PATCH", f"/threads/{made['flow']}", {"metadata": {"new": NEEDLE}})
        assert (thread["metadata"]["secret"], thread["metadata"]["new"]) == (NEEDLE, NEEDLE)
        assert len(await wire.ok("POST", f"/threads/{made['flow']}/history", {"limit": 100})) > 7
        assert (await wire.ok("GET", "/store/items?namespace=a&key=k"))["value"]["secret"] == NEEDLE


async def test_a_process_without_the_key_does_not_start_on_what_is_sealed(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS) as wire:
        await live(wire, receiver)
    with pytest.raises(NoKey, match=r"`encryption` of a langgraph\.json has sealed"):
        async with served(None):
            pass


async def test_another_key_is_an_error_that_names_the_handler_and_no_other_thread_suffers(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS + KEYS, worker=False) as wire:
        thread = await wire.thread(metadata={"secret": NEEDLE})
        wish = {"assistant_id": "works", "input": {"word": NEEDLE}}
        run = await wire.ok("POST", f"/threads/{thread}/runs", wish)
    other = (BLOBS + KEYS).replace("c2VjcmV0", "b3RoZXJz")
    async with served(other) as wire:
        status, sentence = await wire.refused("GET", f"/threads/{thread}")
        assert (status, "decrypt.json of encryption failed" in sentence) == (500, True)
        assert (await wire.ok("POST", "/runs/wait", wish))["word"] == NEEDLE
        with psycopg.connect(served.dsn, autocommit=True) as conn:
            query = "select status from runs where run_id = %s"

            def status_of() -> Any:
                row = conn.execute(query, (run["run_id"],)).fetchone()
                return row and row[0]

            await eventually(lambda: status_of() == "error")
        status, sentence = await wire.refused("GET", f"/threads/{thread}/runs/{run['run_id']}")
        assert (status, "decrypt.blob of encryption failed" in sentence) == (500, True)


async def test_each_tenant_has_its_own_key_and_reading_needs_no_header(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS + KEYS + CONTEXT) as wire:
        thread = (await wire.ok("POST", "/threads", {"metadata": {"secret": NEEDLE}}, headers=BLUE))[
            "thread_id"
        ]
        wish = {"assistant_id": "works", "input": {"word": NEEDLE}}
        run = await wire.ok("POST", f"/threads/{thread}/runs", wish, headers=BLUE)
        values = await wire.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join")
        assert values["word"] == NEEDLE
        assert (await wire.ok("GET", f"/threads/{thread}"))["metadata"]["secret"] == NEEDLE
        await wire.ok("POST", "/runs/wait", wish)
        odd = {"X-Encryption-Context": "{}"}
        status, sentence = await wire.refused("POST", "/threads", {}, headers=odd)
        assert (status, sentence.startswith("X-Encryption-Context must be")) == (422, True)
    with psycopg.connect(served.dsn) as conn:
        query = "select chunk from run_events where run_id = %s"
        heads = [json.loads(row[0][1:].partition(b"\n")[0]) for row in conn.execute(query, (run["run_id"],))]
        blobs = conn.execute("select blob from checkpoint_blobs where thread_id = %s", (thread,))
        heads += [json.loads(row[0].partition(b"\n")[0]) for row in blobs]
    assert {json.dumps(head[2], sort_keys=True) for head in heads} == {'{"seen": true, "tenant": "blue"}'}


async def test_a_run_that_is_handed_over_goes_on_from_its_sealed_checkpoint(served: Folder) -> None:
    async with served(BLOBS + KEYS, grace_s=0.1) as first:
        thread = await first.thread()
        wish = {"assistant_id": "naps", "input": {"word": NEEDLE, "n": 0}, "durability": "sync"}
        run = await first.ok("POST", f"/threads/{thread}/runs", wish, headers=BLUE)
        await asyncio.sleep(0.6)
    async with served(BLOBS + KEYS) as second:
        values = await second.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join")
        assert (values["n"], values["word"]) == (3, NEEDLE)
        path = f"/threads/{thread}/runs/{run['run_id']}/stream"
        replayed = await second("GET", path, headers=FROM_THE_START)
        assert "event: metadata" in replayed.text
    assert leaks(served.dsn, WITHIN) == set()


async def test_a_sealed_question_is_answered_by_the_clock_for_whom_it_was_asked(served: Folder) -> None:
    async with served(BLOBS + KEYS) as wire:
        thread = (await wire.ok("POST", "/threads", {}, headers=BLUE))["thread_id"]
        wish = {"assistant_id": "permits", "input": {"word": NEEDLE, "n": 0.1}}
        await wire.ok("POST", f"/threads/{thread}/runs/wait", wish, headers=BLUE)
        await eventually(lambda: _told(served.dsn, "select decided_by from approvals") == ["timeout"])
        await eventually(lambda: _told(served.dsn, "select distinct status from runs") == ["success"])
        state = await wire.ok("GET", f"/threads/{thread}/state")
        assert state["values"]["answer"]["timeout"] is True
    contexts = {
        json.dumps(json.loads(chunk[1:].partition(b"\n")[0])[2])
        for chunk in _told(served.dsn, "select chunk from run_events")
    }
    assert contexts == {'{"tenant": "blue"}'}


async def test_a_schedule_makes_sealed_runs_for_whom_it_was_made(served: Folder) -> None:
    async with served(BLOBS + KEYS) as wire:
        cron = {"assistant_id": "naps", "schedule": "* * * * * *", "input": {"word": NEEDLE}}
        made = await wire.ok("POST", "/runs/crons", cron | {"on_run_completed": "keep"}, headers=BLUE)
        await eventually(lambda: "success" in _told(served.dsn, "select status from runs"))
        await wire.ok("DELETE", f"/runs/crons/{made['cron_id']}")
        (run, *_) = _told(served.dsn, "select run_id || '/' || thread_id from runs where status = 'success'")
        run_id, thread = run.split("/")
        found = await wire.ok("GET", f"/threads/{thread}/runs/{run_id}")
        assert found["kwargs"]["input"] == {"word": NEEDLE}
        chunk = _told(served.dsn, f"select chunk from run_events where run_id = '{run_id}'")[0]
        assert json.loads(chunk[1:].partition(b"\n")[0]) == ["run", "events", {"tenant": "blue"}]
    assert leaks(served.dsn, WITHIN) == set()


async def test_a_handler_that_fails_stores_nothing(served: Folder) -> None:
    failing = BLOBS.replace("return key(ctx).encrypt(blob)", "raise ConnectionError('no KMS')")
    async with served(failing) as wire:
        thread = await wire.thread()
        wish = {"assistant_id": "works", "input": {"word": NEEDLE}}
        status, sentence = await wire.refused("POST", f"/threads/{thread}/runs", wish)
        assert (status, sentence) == (
            503,
            "encrypt.blob of encryption failed (run kwargs): ConnectionError: no KMS",
        )
        assert await wire.ok("GET", f"/threads/{thread}/runs") == []


async def test_an_encryptor_of_json_that_does_not_keep_the_keys_is_refused(served: Folder) -> None:
    merging = BLOBS + KEYS.replace("    return data\n", "    return {'all': str(data)}\n", 1)
    async with served(merging) as wire:
        status, sentence = await wire.refused("POST", "/threads", {"metadata": {"secret": NEEDLE}})
        assert (status, "must return the keys it was given, ['secret']" in sentence) == (503, True)


@pytest.mark.parametrize(
    ("section", "source", "sentence"),
    [
        ({}, BLOBS, r"encryption\.path is required"),
        ({"path": "./enc.py"}, BLOBS, r"encryption\.path must be"),
        ({"path": "./none.py:encryption"}, BLOBS, r"encryption\.path: there is no file"),
        ({"path": "./enc.py:other"}, BLOBS, r'encryption\.path: there is no "other"'),
        ({"path": "./enc.py:json"}, BLOBS, r"must be an Encryption, not module"),
        (
            {"path": "./enc.py:encryption"},
            BLOBS.partition("@encryption.encrypt")[0],
            r"no @encryption\.encrypt\.blob",
        ),
        (
            {"path": "./enc.py:encryption"},
            BLOBS.partition("@encryption.decrypt")[0],
            r"has @encryption\.encrypt\.blob, but no @encryption\.decrypt\.blob",
        ),
        (
            {"path": "./enc.py:encryption"},
            BLOBS + KEYS.partition("@encryption.decrypt")[0],
            r"has @encryption\.encrypt\.json, but no @encryption\.decrypt\.json",
        ),
        ({"path": "./enc.py:encryption"}, "raise ValueError('odd')", r"cannot be imported: ValueError: odd"),
    ],
)
def test_an_encryption_that_cannot_work_is_refused_at_the_start(
    tmp_path: Path, section: dict[str, Any], source: str, sentence: str
) -> None:
    (tmp_path / "enc.py").write_text(source)
    config = Served(tmp_path / "langgraph.json", (), (tmp_path,), {}, {"encryption": section})
    with pytest.raises(ConfigWrong, match=rf"langgraph\.json: .*{sentence}"):
        encryption.read(config)

"""What is sealed is opened by whoever has the key, and by nobody else; nothing is half sealed."""

import warnings
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any
from uuid import uuid4

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph_sdk import Encryption
from tests.fakes.ciphers import BLOBS, KEYS, leaks
from typing_extensions import TypedDict

from artel.storage import approval_rates, approvals, deadlines, effects, events, runs, threads
from artel.storage.checkpoints import RunSaver, Saver
from artel.storage.effects import Done, EffectKey, Unknown
from artel.storage.events import Event
from artel.storage.postgres import Database, open_database
from artel.storage.runs import Order, Run
from artel.storage.sealing import CannotSeal, NoKey, agree

conformance = pytest.importorskip("langgraph.checkpoint.conformance")
NEEDLE = "needle-under-glass"


def handlers(source: str = BLOBS + KEYS) -> dict[str, Any]:
    """Return what a file with handlers defines."""
    made: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are in beta
        exec(source, made)
    return made


@pytest.fixture
async def sealed(fresh_dsn: str) -> AsyncIterator[Database]:
    """A database in which everything is sealed."""
    encryption: Encryption = handlers()["encryption"]
    async with open_database(fresh_dsn, sealer=await agree(fresh_dsn, encryption)) as db:
        yield db


class Said(TypedDict):
    log: Annotated[list[str], lambda left, right: [*left, *right]]


class Delta(TypedDict):
    log: Annotated[
        list[str],
        DeltaChannel(
            lambda left, writes: [*left, *(one for write in writes for one in write)], snapshot_frequency=3
        ),
    ]


def graph(saver: Any, schema: Any = Said) -> Any:
    built: Any = StateGraph(schema)
    built.add_node(
        "more", lambda state: {"log": [f"{NEEDLE} {len(state['log'])} {n} {'x' * 99}" for n in range(30)]}
    )
    built.add_edge(START, "more")
    return built.compile(checkpointer=saver)


async def started(db: Database, **kwargs: Any) -> Run:
    worker_id, thread_id = uuid4(), uuid4()
    order = Order(thread_id, uuid4(), "g", kwargs or {"input": NEEDLE})
    async with db.transaction() as conn:
        run = await runs.start_on_new_thread(conn, order, worker_id)
    assert run is not None
    return run


def where(run: Run) -> Any:
    return {"configurable": {"thread_id": str(run.thread_id), "mine": NEEDLE}}


async def test_the_saver_is_what_langgraph_expects_but_for_filters_on_what_is_sealed(
    sealed: Database,
) -> None:
    async def ours() -> AsyncGenerator[Saver, None]:
        yield Saver(sealed)

    registered = conformance.checkpointer_test(name="artel")(ours)
    report = await conformance.validate(registered)
    failures = {name: result.failures for name, result in report.results.items() if not result.passed}
    assert list(failures) == ["list"]
    (refused,) = failures["list"]
    assert refused.startswith("test_list_metadata_custom_keys: metadata.score of states cannot be searched")


async def test_lists_and_deltas_are_rebuilt_from_what_is_sealed(sealed: Database, fresh_dsn: str) -> None:
    run = await started(sealed)
    saver = RunSaver(sealed, run.run_id, 1)
    await graph(saver).ainvoke({"log": [f"{NEEDLE} {n} {'x' * 99}" for n in range(40)]}, where(run))
    for turn in range(4):
        result = await graph(saver, Delta).ainvoke({"log": [f"{turn} {NEEDLE} {'x' * 99}"] * 30}, where(run))
    await saver.flush()
    assert len(result["log"]) == 70 + 4 * 60
    assert (await graph(Saver(sealed), Delta).aget_state(where(run))).values == result
    assert leaks(fresh_dsn, NEEDLE) == set()


async def test_the_name_of_an_item_does_not_tell_what_is_in_it(sealed: Database, db: Database) -> None:
    names: list[set[bytes]] = []
    for one in (db, sealed, sealed):
        run = await started(one)
        await graph(RunSaver(one, run.run_id, 1)).ainvoke({"log": ["one", "two"]}, where(run))
        async with one.connection() as conn:
            query = "select name, shown from checkpoint_items where thread_id = %s and type <> 'artel.chunk'"
            rows = await (await conn.execute(query, (str(run.thread_id),))).fetchall()
        names.append({row["name"] for row in rows})
        assert all(row["shown"] for row in rows) is (one is db)
    assert names[0].isdisjoint(names[1] | names[2])
    assert names[1].isdisjoint(names[2])


async def test_who_runs_on_without_the_key_reads_no_rubbish(sealed: Database, db: Database) -> None:
    run = await started(sealed)
    await graph(RunSaver(sealed, run.run_id, 1)).ainvoke({"log": [NEEDLE]}, where(run))
    async with sealed.connection() as conn:
        await events.append(conn, run.run_id, 1, [Event(1, "values", "", b'"said"')])
    async with db.connection() as conn:
        with pytest.raises(NoKey, match="the events of a run cannot be read"):
            await events.read(conn, run.run_id)
        found = await runs.find(conn, run.run_id)
    assert found is not None
    with pytest.raises(NoKey, match=f"run {run.run_id} cannot be read"):
        found.check()
    with pytest.raises(NoKey, match="a value of a state cannot be read"):
        await graph(Saver(db)).aget_state(where(run))


async def test_effects_are_sealed_and_found_again(sealed: Database, fresh_dsn: str) -> None:
    run = await started(sealed)
    key = EffectKey(run.thread_id, "", "c1", "call", "sha")
    async with sealed.transaction() as conn:
        await effects.begin(conn, key, {"path": NEEDLE}, tool="write")
        assert await effects.begin(conn, key, {"path": "other"}) == Unknown({"path": NEEDLE})
        await effects.finish(conn, key, f"wrote {NEEDLE}")
        assert await effects.begin(conn, key, {"path": "other"}) == Done(f"wrote {NEEDLE}")
    assert leaks(fresh_dsn, NEEDLE) == set()


async def test_what_looks_like_a_mark_is_what_somebody_wrote(sealed: Database) -> None:
    odd = {"artel.sealed": "x", "deep": {"artel.sealed": ["a", "b", {}, "c"]}, "owner": {"artel.sealed": "y"}}
    async with sealed.transaction() as conn:
        made = await threads.create(conn, uuid4(), owner="local", metadata=odd)
        again = await threads.get(conn, made.thread_id, owner="local")
        patched = await threads.patch(conn, made.thread_id, {"more": NEEDLE}, owner="local")
    assert made.metadata == again.metadata == odd
    assert patched.metadata == odd | {"more": NEEDLE}


@pytest.mark.parametrize("fails_at", [1, 2, 3, 5, 8])
async def test_after_a_row_that_could_not_be_sealed_nothing_is_stored(fresh_dsn: str, fails_at: int) -> None:
    counted = BLOBS + (
        "count = 0\nwhole = encryption._blob_encryptor\n"
        "async def counting(ctx, blob):\n"
        "    global count\n"
        "    count += ctx.model == 'checkpoint'\n"
        f"    if count >= {fails_at} and limit: raise ConnectionError('no KMS')\n"
        "    return await whole(ctx, blob)\n"
        "encryption._blob_encryptor = counting\nlimit = True\n"
    )
    made = handlers(counted)
    async with open_database(fresh_dsn, sealer=await agree(fresh_dsn, made["encryption"])) as db:
        run = await started(db)
        saver = RunSaver(db, run.run_id, 1)
        saver.trust()

        async def talk() -> None:
            for turn in range(9):
                await graph(saver).ainvoke({"log": [f"{turn} {'x' * 99}"] * 30}, where(run))

        with pytest.raises(CannotSeal, match="no KMS"):
            await talk()
        with pytest.raises(CannotSeal, match="no KMS"):
            await saver.aget_tuple(where(run))
        made["limit"] = False
        await saver.flush()
        state = await graph(Saver(db)).aget_state(where(run))  # what is there fits together
        assert isinstance(state.values.get("log", []), list)


async def test_what_is_counted_of_a_question_holds_nothing_that_was_said(sealed: Database) -> None:
    run = await started(sealed)
    ours = {
        "kind": "tool_call",
        "agent": "coder",
        "rule": "write",
        "covers": f"fs.write {NEEDLE}/*",
        "on_timeout": "park",
    }
    asked = {"type": "tool_approval", "tool_call_id": "c1", "name": "write_file", "args": {"to": NEEDLE}}
    async with sealed.transaction() as conn:
        (row,) = await approvals.ask(
            conn,
            thread_id=run.thread_id,
            run_id=run.run_id,
            interrupt_id="q1",
            value={**asked, "artel": ours},
            owner="local",
            expires_in_s=-1.0,
        )
        assert await deadlines.park(conn, row.approval_id)
        assert row.calls == [{"tool": "write_file", "rule": "write", "tool_call_id": "c1"}]
        await approvals.decide(conn, row.approval_id, {"type": "approve"}, by="me", owner="local")
        (rate,) = await approval_rates.rates(conn, owner="local", by="rule")
        assert (rate.name, rate.approved) == ("write", 1)
        (stored,) = await (await conn.execute("select a::text as said from approvals a")).fetchall()
        assert NEEDLE not in stored["said"]

"""Experiments over the product's own API: begun, assigned, measured, rolled back, stopped."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes.served import calling, serving
from tests.server.auth.conftest import AUTH, As
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

from artel.server.engine.experimenting import look_at_all
from artel.storage.ids import system_assistant_id

EXPERIMENTS = "/api/v1/experiments"
BEGUN = {"assistant_id": "tells", "name": "who", "variants": [{"name": "other", "context": {"who": "ada"}}]}


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


async def told(wire: Wire, thread: str, **body: Any) -> tuple[str, str | None]:
    """Have a run; whom its context names, and which variant its metadata say it got."""
    answer = await wire.ok(
        "POST", f"/threads/{thread}/runs/wait", {"assistant_id": "tells", "input": {}, **body}
    )
    (run, *_) = await wire.ok("GET", f"/threads/{thread}/runs")
    return answer["out"]["who"], run["metadata"].get("experiment_variant")


async def test_a_thread_gets_one_variant_in_all_its_runs_and_says_which(wire: Wire) -> None:
    begun = await wire.ok("POST", EXPERIMENTS, BEGUN)
    got = {}
    for _ in range(16):
        thread = await wire.thread()
        got[thread] = [await told(wire, thread) for _ in range(2)]
    assert {tuple(each) for each in got.values()} == {
        (("nobody", "control"),) * 2,
        (("ada", "other"),) * 2,
    }
    results = {
        one["variant"]: one
        for one in (await wire.ok("GET", f"{EXPERIMENTS}/{begun['experiment_id']}"))["results"]
    }
    assert sum(one["threads"] for one in results.values()) == 16
    assert results["other"]["reward"] == pytest.approx(0.65)
    assert results["other"]["p_reward"] == pytest.approx(0.5)
    stopped = await wire.ok("POST", f"{EXPERIMENTS}/{begun['experiment_id']}/stop")
    assert stopped["status"] == "stopped"
    assert {await told(wire, thread) for thread in got} == {("nobody", None)}
    kinds = [one["status"] for one in await wire.ok("GET", "/api/v1/audit?kind=experiment")]
    assert kinds == ["stopped", "begun"]


async def test_who_says_it_themselves_is_no_part_of_it_and_nobody_claims_to_be(wire: Wire) -> None:
    await wire.ok("POST", EXPERIMENTS, BEGUN)
    thread = await wire.thread()
    assert await told(wire, thread, context={"who": "bob"}) == ("bob", None)
    assert await told(wire, thread, config={"configurable": {"who": "eve"}}) == ("eve", None)
    claimed = {"experiment_id": str(uuid4()), "experiment_variant": "mine"}
    assert (await told(wire, thread, metadata=claimed, context={"who": "x"}))[1] is None
    assert (await told(wire, thread, metadata=claimed))[1] in ("control", "other")


async def test_a_variant_that_fails_is_rolled_back_by_itself_and_stays_so(wire: Wire) -> None:
    """Every thread of the variant fails: its context is one that the graph cannot take."""
    variants = [{"name": "broken", "context": {"n": "none"}}]
    body = {"assistant_id": "slow", "name": "naps", "variants": variants, "min_threads": 10}
    begun = await wire.ok("POST", EXPERIMENTS, body)
    place = f"{EXPERIMENTS}/{begun['experiment_id']}"
    db = wire.app.state.engine.db
    assert await look_at_all(db) == []
    async with db.connection() as conn:
        for number in range(40):
            variant = "broken" if number % 2 else "control"
            marks = f'{{"experiment_id": "{begun["experiment_id"]}", "experiment_variant": "{variant}"}}'
            thread = await wire.thread()
            ended = """insert into runs (run_id, thread_id, assistant_id, graph_id, status, kwargs, metadata,
                                         ended_at)
                       values (gen_random_uuid(), %s, %s, 'slow', %s, '{}', %s::jsonb, clock_timestamp())"""
            status = "error" if variant == "broken" and number < 35 else "success"
            await conn.execute(ended, (thread, UUID(begun["assistant_id"]), status, marks))
    (rolled,) = await look_at_all(db)
    assert (rolled.status, list(rolled.dropped), rolled.looks) == ("rolled_back", ["broken"], {"broken": 2})
    found = await wire.ok("GET", place)
    why = found["dropped"]["broken"]
    assert (why["measure"], why["threads"]) == ("reward", 20)
    assert why["p"] < why["level"]
    assert await look_at_all(db) == []
    (entry, _) = await wire.ok("GET", "/api/v1/audit?kind=experiment")
    assert (entry["status"], entry["surface"], entry["said"]["measured"]["variant"]) == (
        "rolled back",
        "clock",
        "broken",
    )
    assert (await wire.refused("POST", f"{place}/stop"))[0] == 409
    await wire.ok("POST", EXPERIMENTS, body)


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"assistant_id": "nobody"}, 422, "assistant_id must be"),
        ({"assistant_id": str(uuid4())}, 404, "assistant"),
        ({"variants": []}, 422, "variants"),
        ({"variants": [{"name": "control", "context": {"a": 1}}]}, 422, "the assistant as it is"),
        ({"variants": [{"name": "a/b", "context": {"a": 1}}]}, 422, "nor hold a /"),
        ({"variants": [{"name": "a", "context": {}}]}, 422, "context must say what is different"),
        ({"variants": [{"name": "a", "context": {"a": 1}}] * 2}, 422, "a name of its own"),
        ({"variants": [{"name": "a", "context": {"a": 1}, "weight": 0}]}, 422, "weight"),
        ({"variants": [{"name": "a", "context": {"a": "x\0"}}]}, 422, "NUL"),
        ({"variants": [{"name": "a", "context": {"a": "x" * 100_001}}]}, 422, "at most 100000 bytes"),
        ({"control_weight": 0}, 422, "control_weight must be 1 or more"),
        ({"alpha": 0}, 422, "alpha"),
        ({"min_threads": 2**70}, 422, "min_threads"),
        ({"name": "\0"}, 422, "NUL"),
    ],
)
async def test_what_cannot_be_compared_is_not_begun(
    wire: Wire, change: dict[str, Any], status: int, says: str
) -> None:
    answer = await wire.refused("POST", EXPERIMENTS, {**BEGUN, **change})
    assert answer[0] == status, answer
    assert says in answer[1]
    assert await wire.ok("GET", EXPERIMENTS) == []


async def test_an_assistant_has_one_experiment_at_a_time(wire: Wire) -> None:
    begun = await wire.ok("POST", EXPERIMENTS, BEGUN)
    assert (await wire.refused("POST", EXPERIMENTS, BEGUN))[0] == 409
    assert begun["assistant_id"] == str(system_assistant_id("tells"))
    assert [one["name"] for one in await wire.ok("GET", f"{EXPERIMENTS}?status=running")] == ["who"]
    assert (await wire.refused("GET", f"{EXPERIMENTS}/{uuid4()}"))[0] == 404
    assert (await wire.refused("POST", f"{EXPERIMENTS}/{uuid4()}/stop"))[0] == 404


@pytest.fixture
async def people(folder: Open) -> AsyncIterator[tuple[As, As]]:
    async with folder({"auth.py": AUTH}, auth={"path": "./auth.py:auth"}) as wire:
        yield As(wire, "ada"), As(wire, "bob")


async def test_only_who_may_change_an_assistant_experiments_on_it(people: tuple[As, As]) -> None:
    ada, bob = people
    own = await ada.ok("POST", "/assistants", {"graph_id": "tells"})
    body = {**BEGUN, "assistant_id": own["assistant_id"]}
    assert (await bob.refused("POST", EXPERIMENTS, body))[0] == 404
    begun = await ada.ok("POST", EXPERIMENTS, body)
    place = f"{EXPERIMENTS}/{begun['experiment_id']}"
    assert (await bob.refused("GET", place))[0] == 404
    assert (await bob.refused("POST", f"{place}/stop"))[0] == 404
    assert await bob.ok("GET", EXPERIMENTS) == []
    assert len(await ada.ok("GET", EXPERIMENTS)) == 1
    assert (await bob.refused("POST", EXPERIMENTS, BEGUN))[0] == 404

"""What a run costs on a database that holds a hundred thousand of them, beside one on a fresh database."""

import statistics
from contextlib import ExitStack
from pathlib import Path

import psycopg

from evals.bench.peers.databases import Databases
from evals.bench.peers.gauges import Gauges, cpu_s
from evals.bench.peers.goals import STORED
from evals.bench.peers.load import Bench, Size
from evals.bench.peers.servers import Kind, Server, started
from evals.bench.peers.wire import Client

RUNS = 100_000
BATCH = 20
ROUNDS = 8
IDS = """
create temp table ids as
select gen_random_uuid() as run_id, gen_random_uuid() as thread_id, n
  from generate_series(1, %s) as n
"""
# A real row each, taken as it is: whatever columns there are, it has them filled.
COPY = """
insert into {table} ({columns})
select {columns}
  from (select * from {table} limit 1) as real,
       ids,
       lateral jsonb_populate_record(null::{table}, to_jsonb(real) || {changed}) as made ({all_columns})
"""
COLUMNS = """
select string_agg(quote_ident(attname), ', ' order by attnum) filter (where attgenerated = ''),
       string_agg(quote_ident(attname), ', ' order by attnum)
  from pg_attribute
 where attrelid = %s::regclass and attnum > 0 and not attisdropped
"""
CHANGES = {
    "threads": "jsonb_build_object('thread_id', ids.thread_id)",
    "runs": """jsonb_build_object('run_id', ids.run_id, 'thread_id', ids.thread_id,
                                  'created_at', real.created_at - ids.n * interval '1 s')""",
    "run_events": "jsonb_build_object('run_id', ids.run_id)",
}


def fill(dsn: str, count: int) -> None:
    """Store so many more ended runs, a thread and a chunk of events with each."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(IDS, (count,))
        for table, changed in CHANGES.items():
            row = conn.execute(COLUMNS, (table,)).fetchone()
            assert row
            settable, every = row
            conn.execute(_copy(table, settable, every, changed))
        conn.execute("vacuum analyze")
        conn.execute("checkpoint")


def _copy(table: str, settable: str, every: str, changed: str) -> bytes:
    made = ", ".join(f"made.{name}" for name in settable.split(", "))
    words = {"table": table, "changed": changed, "all_columns": every, "columns": settable}
    return COPY.replace("select {columns}", f"select {made}").format(**words).encode()


async def after_many(
    kind: Kind, databases: Databases, folder: Path, size: Size, runs: int = RUNS
) -> dict[str, float]:
    """Return the ratios of CPU and time of a run: the full database to the fresh one, in turns."""
    names = ("fresh", "full")
    with ExitStack() as stack:
        servers: list[Server] = []
        for name in names:
            (folder / name).mkdir(parents=True)
            dsn, url = databases.make(f"{kind.name}_{name}")
            servers.append(stack.enter_context(started(kind, folder / name, dsn, url)))
        gauges = [
            Gauges(one.process, databases.make(f"{kind.name}_{name}")[0], databases.log)
            for name, one in zip(names, servers, strict=True)
        ]
        for gauge in gauges:
            stack.callback(gauge.close)
        benches = [
            Bench(one, Client(one.port), gauge, size) for one, gauge in zip(servers, gauges, strict=True)
        ]
        for bench in benches:
            for _ in range(BATCH):
                await bench.wait(await bench.thread(), 5)
        fill(databases.make(f"{kind.name}_full")[0], RUNS)
        cpus: list[list[float]] = [[], []]
        times: list[list[float]] = [[], []]
        for turn in range(2 * (ROUNDS + 1)):
            bench = benches[turn % 2]
            before = cpu_s(bench.server.process) + cpu_s(bench.gauges.postmaster)
            took = [
                (await bench.repeated(lambda bench=bench: _run(bench), times=1))[0]  # type: ignore[misc]
                for _ in range(BATCH)
            ]
            spent = cpu_s(bench.server.process) + cpu_s(bench.gauges.postmaster) - before
            if turn >= 2:  # the first of each reads the new statistics
                cpus[turn % 2].append(spent)
                times[turn % 2].append(statistics.median(took))
        for bench in benches:
            bench.client.close()
    return {
        STORED: statistics.median(cpus[1]) / statistics.median(cpus[0]),
        "time of a run after 100k / fresh": statistics.median(times[1]) / statistics.median(times[0]),
    }


async def _run(bench: Bench) -> None:
    await bench.wait(await bench.thread(), 5)

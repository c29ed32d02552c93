"""Holds a process at one statement: Postgres stands still there until the test has killed its sender."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from tests.fakes.waiting import eventually

KEY = 20_640  # of the advisory lock at which statements wait

FUNCTION = """
create or replace function held() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(20640);
    return new;
end $$
"""

TRIGGER = "create trigger held {moment} on {table} for each row when ({condition}) execute function held()"

AT_COMMIT = """
create constraint trigger held after {moment} on {table} deferrable initially deferred
   for each row when ({condition}) execute function held()
"""

WAITING = """
select a.pid, a.application_name from pg_locks l join pg_stat_activity a using (pid)
 where l.locktype = 'advisory' and l.objid = %(key)s and not l.granted
"""

GONE = "select count(*) from pg_stat_activity where pid = any(%(pids)s)"
END = "select pg_terminate_backend(pid) from unnest(%(pids)s::int[]) pid"


@dataclass
class Hold:
    """A statement that waits inside Postgres."""

    conn: psycopg.Connection[tuple[object, ...]]

    def waiting(self) -> list[tuple[int, str]]:
        """Return the sessions that stand there: their process ids in Postgres and their names."""
        found = self.conn.execute(WAITING, {"key": KEY}).fetchall()
        return [(int(str(pid)), str(name)) for pid, name in found]

    async def reached(self, *, within_s: float = 15) -> str:
        """Return the name of the first process that stands there."""
        await eventually(lambda: bool(self.waiting()), within_s=within_s)
        return self.waiting()[0][1]

    def let_go(self, *, committed: bool) -> None:
        """Let what waits be done with nobody there to hear it; or undo it, as a lost connection does."""
        pids = [pid for pid, _ in self.waiting()]
        if not committed:
            self.conn.execute(END, {"pids": pids})
            until = time.monotonic() + 5
            while time.monotonic() < until and self.conn.execute(GONE, {"pids": pids}).fetchone() != (0,):
                time.sleep(0.01)
        self.conn.execute("select pg_advisory_unlock_all()")


@contextmanager
def held(dsn: str, table: str, moment: str, condition: str, *, at_commit: bool = False) -> Iterator[Hold]:
    """Let every `moment` (as "before insert") of a row for which `condition` is true wait in Postgres.

    `at_commit`: when its transaction is committed, as its last act; `moment` is then without its "before".
    """
    names = {"moment": sql.SQL(moment), "table": sql.Identifier(table), "condition": sql.SQL(condition)}
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("select pg_advisory_lock(20640)")
        conn.execute(FUNCTION)
        conn.execute(sql.SQL(AT_COMMIT if at_commit else TRIGGER).format(**names))
        try:
            yield Hold(conn)
        finally:
            conn.execute("select pg_advisory_unlock_all()")
            conn.execute(sql.SQL("drop trigger held on {}").format(names["table"]))

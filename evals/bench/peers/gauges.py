"""What a measure costs: CPU and memory of process trees, transactions, log and size of a database."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

MB = 1024 * 1024
FLUSH_S = 10.5  # idle backends report their transactions after ten seconds


@dataclass(frozen=True)
class Cost:
    """What something has cost so far, or between two looks."""

    server_cpu_s: float
    postgres_cpu_s: float
    transactions: int
    wal: int
    size: int

    def since(self, before: "Cost") -> "Cost":
        """Return what was spent from one look to another."""
        return Cost(
            self.server_cpu_s - before.server_cpu_s,
            self.postgres_cpu_s - before.postgres_cpu_s,
            self.transactions - before.transactions,
            self.wal - before.wal,
            self.size - before.size,
        )


class Gauges:
    """Looks at one server, its database and the database server below it."""

    def __init__(self, server: psutil.Process, dsn: str, log: Path) -> None:
        self.server, self.log = server, log
        self.conn = psycopg.connect(dsn, autocommit=True)
        backend = psutil.Process(self._row("select pg_backend_pid()")[0])
        postmaster = backend.parent()
        assert postmaster
        self.postmaster = postmaster

    def close(self) -> None:
        """Let go of the database."""
        self.conn.close()

    def look(self) -> Cost:
        """Return what everything has cost until now; transactions lag by up to `FLUSH_S`."""
        transactions, wal, size = self._row(
            "select xact_commit + xact_rollback, pg_current_wal_insert_lsn() - '0/0'::pg_lsn,"
            " pg_database_size(datname) from pg_stat_database where datname = current_database()"
        )
        return Cost(cpu_s(self.server), cpu_s(self.postmaster), int(transactions), int(wal), int(size))

    def settle(self) -> None:
        """Wait until all transactions are counted."""
        time.sleep(FLUSH_S)

    def memory(self) -> float:
        """Return the MB that the server's processes have, shared pages by share."""
        return sum(one.memory_full_info().pss for one in tree(self.server)) / MB

    def log_statements(self, on: bool) -> None:
        """Have every statement logged, of all sessions, or not."""
        self.conn.execute(
            "alter system set log_statement = 'all'" if on else "alter system reset log_statement"
        )
        self.conn.execute("select pg_reload_conf()")
        time.sleep(0.3)

    def statements(self) -> int:
        """Return how many statements the log has; ours are not among them."""
        ours = f"[{self._row('select pg_backend_pid()')[0]}]"
        with self.log.open(errors="replace") as lines:
            return sum(1 for line in lines if "LOG:  " in line and _is_statement(line) and ours not in line)

    def _row(self, query: str) -> Any:
        row = self.conn.execute(query).fetchone()
        assert row
        return row


def _is_statement(line: str) -> bool:
    return "LOG:  statement: " in line or "LOG:  execute " in line


def tree(root: psutil.Process) -> list[psutil.Process]:
    """Return a process and all below it."""
    return [root, *root.children(recursive=True)]


def cpu_s(root: psutil.Process) -> float:
    """Return the CPU time of a process and all below it, living and ended."""
    spent = 0.0
    for one in tree(root):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        ended = (times.children_user + times.children_system) if one == root else 0.0
        spent += times.user + times.system + ended
    return spent

"""One database server for all, a database each, so that fsync and settings are the same for everybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from artel.storage import embedded


@dataclass(frozen=True)
class Databases:
    """The embedded Postgres and what it logs."""

    dsn: str
    log: Path

    def make(self, name: str) -> tuple[str, str]:
        """Make a database unless it is there; return its address as words and as a URL."""
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            if not conn.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
                conn.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))
        host = str(conninfo_to_dict(self.dsn)["host"])
        url = f"postgresql://postgres@/{name}?host={quote(host, safe='/')}"
        return make_conninfo(self.dsn, dbname=name), url


@contextmanager
def open_databases(folder: Path) -> Iterator[Databases]:
    """Run a database server in a folder, with fsync on, and stop it in the end."""
    with embedded.start(folder / "postgres") as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            row = conn.execute("show fsync").fetchone()
            assert row == ("on",), "figures without fsync say nothing"
            _lend_extension(conn, folder / "lent")
        yield Databases(dsn, next((folder / "postgres").rglob("postgres.log")))


def _lend_extension(conn: psycopg.Connection[Any], folder: Path) -> None:
    """Aegra wants uuid-ossp, which the embedded Postgres has not, for a function that Postgres has."""
    home = folder / "extension"
    home.mkdir(parents=True)
    (home / "uuid-ossp.control").write_text("default_version = '1.1'\n")
    (home / "uuid-ossp--1.1.sql").write_text(
        "create function uuid_generate_v4() returns uuid language sql as 'select gen_random_uuid()';\n"
    )
    path = psycopg.sql.Literal(f"{folder}:$system")
    conn.execute(psycopg.sql.SQL("alter system set extension_control_path = {}").format(path))
    conn.execute("select pg_reload_conf()")

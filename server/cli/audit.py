"""`artel audit verify | export | cut`: check the audit log, take it along, let old entries go."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path

from artel.server.cli.ground import database, settle
from artel.storage import audit
from artel.storage.chains import Broken, Link, Walk, read_line
from artel.storage.errors import Invalid
from artel.storage.postgres import Connection, connect

BROKEN = 1


def run(arguments: Namespace) -> int:
    """Do what is asked for; 1 when a chain does not hold."""
    if arguments.act == "verify" and arguments.offline:
        if arguments.export is None:
            raise Invalid("--offline checks an export: name it by --export FILE")
        return _tell(_read(arguments.export, partial=arguments.partial))
    settings = settle(arguments)
    with database(settings) as dsn:
        return asyncio.run(_act(dsn, arguments))


async def _act(dsn: str, arguments: Namespace) -> int:
    async with await connect(dsn, prepared=False) as conn:
        known = await audit.owners(conn)
        if arguments.act == "cut":
            return await _cut(conn, arguments)
        owners = [arguments.owner] if arguments.owner is not None else known
        if missing := [owner for owner in owners if owner not in known]:
            raise Invalid(f"nobody called {missing[0]!r} has an audit log; there are {', '.join(known)}")
        if arguments.act == "export":
            return await _export(conn, owners)
        if arguments.export:
            read = _read(arguments.export, partial=arguments.partial)
            return _tell([*read, *[await _compared(conn, way) for way, broken in read if not broken]])
        return _tell([await audit.verify(conn, owner) for owner in owners])


def _read(file: Path, *, partial: bool) -> list[tuple[Walk, Broken | None]]:
    """Walk the chains of an export, each to its end or to the first entry that does not hold."""
    ways: dict[str, tuple[Walk, Broken | None]] = {}
    try:
        with file.open("rb") as lines:
            for link in _links(file, lines):
                way, broken = ways.get(link.owner) or (Walk(link.owner, partial), None)
                ways[link.owner] = way, broken or way.step(link)
    except OSError as refused:
        raise Invalid(f"{file} cannot be read: {refused.strerror}") from refused
    return [(way, broken or way.end({"seq": way.seq, "hash": way.hash})) for way, broken in ways.values()]


def _links(file: Path, lines: Iterable[bytes]) -> Iterable[Link]:
    for number, line in enumerate(lines, 1):
        if (link := read_line(line)) is None:
            raise Invalid(f"{file}, line {number}: this is no entry of an audit log")
        yield link


async def _compared(conn: Connection, way: Walk) -> tuple[Walk, Broken | None]:
    """Look whether the database has the last entry of an export as it was, and holds from there on."""
    checked, broken = await audit.verify(conn, way.owner)
    then = await audit.after(conn, way.seq - 1, owner=way.owner, limit=1)
    if broken is None and then and then[0].seq == way.seq and then[0].hash != way.hash:
        broken = Broken(way.owner, way.seq, "it is not what was exported", way.hash, then[0].hash)
    if broken is None and checked.seq < way.seq:
        broken = Broken(way.owner, way.seq, "it is gone", way.hash, f"an end at entry {checked.seq}")
    return checked, broken


async def _export(conn: Connection, owners: Iterable[str]) -> int:
    for owner in owners:
        async for link in audit.walk(conn, owner):
            sys.stdout.buffer.write(link.line)
    sys.stdout.flush()
    return 0


async def _cut(conn: Connection, asked: Namespace) -> int:
    async with conn.transaction():
        gone = await audit.cut(conn, asked.owner, asked.through, by=asked.by, reason=asked.reason)
    sys.stdout.write(
        f"{asked.owner}: {gone} entries up to {asked.through} are gone, signed off by {asked.by}\n"
    )
    return 0


def _tell(walks: Iterable[tuple[Walk, Broken | None]]) -> int:
    status = 0
    for way, broken in walks:
        if broken:
            status = BROKEN
            sys.stdout.write(f"broken: {broken}\n")
        else:
            sys.stdout.write(f"{way.owner}: holds up to entry {way.seq}, {way.hash}\n")
    return status

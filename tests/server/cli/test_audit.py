"""`artel audit`: the chains are checked, taken along, and cut by whoever signs that off."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from artel.server.__main__ import main
from artel.storage import audit
from artel.storage.ids import new_id
from artel.storage.postgres import connect

Told = Callable[..., tuple[int, str]]


async def _fill(dsn: str, owners: list[str]) -> None:
    async with await connect(dsn) as conn:
        for owner in owners:
            for number in range(3):
                entry = {"id": str(new_id()), "owner": owner, "kind": "call", "n": number}
                await audit.add(conn, [entry])


@pytest.fixture
def told(
    fresh_dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Told:
    """Run `artel audit …` on chains of ada and bob, three entries each; the status and what it said."""
    asyncio.run(_fill(fresh_dsn, ["ada", "bob"]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTEL_STORAGE__POSTGRES", fresh_dsn)

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["audit", *arguments])
        said = capfdbinary.readouterr()
        return status, (said.out + said.err).decode()

    return run


def tamper(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute(statement.encode())


def test_chains_that_hold_say_how_far(told: Told) -> None:
    status, said = told("verify")
    assert status == 0
    assert [line.partition(",")[0] for line in said.splitlines()] == [
        "ada: holds up to entry 3",
        "bob: holds up to entry 3",
    ]
    assert told("verify", "--owner", "bob")[1].startswith("bob: holds")
    status, said = told("verify", "--owner", "eve")
    assert (status, "nobody called 'eve' has an audit log; there are ada, bob" in said) == (1, True)


def test_the_first_broken_link_is_named_with_both_hashes(told: Told, fresh_dsn: str) -> None:
    tamper(fresh_dsn, "update audit set written_at = now() where owner = 'bob' and seq >= 2")
    status, said = told("verify")
    assert status == 1
    good, bad = said.splitlines()
    assert good.startswith("ada: holds")
    assert bad.startswith("broken: bob: entry 2: it was changed: expected ")
    expected, found = bad.partition("expected ")[2].split(", found ")
    assert (len(expected), len(found), expected != found) == (64, 64, True)


def test_an_export_is_checked_with_and_without_the_database(
    told: Told, fresh_dsn: str, tmp_path: Path
) -> None:
    lines = told("export")[1]
    assert [json.loads(line)["seq"] for line in lines.splitlines()] == [1, 2, 3, 1, 2, 3]
    file = tmp_path / "audit.jsonl"
    file.write_text(lines)
    assert told("verify", "--export", str(file), "--offline")[0] == 0
    asyncio.run(_fill(fresh_dsn, ["ada"]))
    status, said = told("verify", "--export", str(file))
    assert (status, "ada: holds up to entry 6" in said) == (0, True)

    second = "select hash from audit where owner = 'bob' and seq = 2"
    tamper(fresh_dsn, f"update audit_heads set seq = 2, hash = ({second}) where owner = 'bob'")
    tamper(fresh_dsn, "delete from audit where owner = 'bob' and seq = 3")
    assert told("verify")[0] == 0
    status, said = told("verify", "--export", str(file))
    assert (status, "broken: bob: entry 3: it is gone" in said) == (1, True)

    file.write_text(lines.replace('"n":1', '"n":7', 1))
    status, said = told("verify", "--export", str(file), "--offline")
    assert (status, "broken: ada: entry 2: it was changed" in said) == (1, True)
    file.write_text("".join(lines.splitlines(keepends=True)[::2]))
    assert told("verify", "--export", str(file), "--offline")[0] == 1
    assert told("verify", "--export", str(file), "--offline", "--partial")[0] == 0
    file.write_text("what?\n")
    assert "line 1: this is no entry of an audit log" in told("verify", "--export", str(file), "--offline")[1]
    assert "name it by --export FILE" in told("verify", "--offline")[1]
    assert "No such file" in told("verify", "--export", "none.jsonl", "--offline")[1]


def test_old_entries_are_cut_by_whoever_signs_that_off(told: Told) -> None:
    signed = ["--owner", "ada", "--by", "root", "--reason", "a year is over"]
    assert told("cut", *signed, "--through", "2") == (
        0,
        "ada: 2 entries up to 2 are gone, signed off by root\n",
    )
    assert told("verify")[0] == 0
    status, said = told("cut", *signed, "--through", "9")
    assert (status, "has no entry 9" in said) == (1, True)
    kept = [json.loads(line) for line in told("export", "--owner", "ada")[1].splitlines()]
    assert [one["seq"] for one in kept] == [3, 4]
    assert kept[-1]["entry"]["cut"]["reason"] == "a year is over"

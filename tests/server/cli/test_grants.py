"""`artel grants`: what need not be asked again is listed, and taken back."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from artel.server.__main__ import main
from artel.storage import audit, grants
from artel.storage.grants import Granted
from artel.storage.postgres import connect

Told = Callable[..., tuple[int, str]]


async def _given(dsn: str) -> list[Granted]:
    async with await connect(dsn) as conn:
        covers = [{"action": "exec", "argv": ["pytest"], "rest": True}]
        same = {"owner": "local", "tool": "execute", "covers": covers}
        made = [
            await grants.add(conn, user_id="local", scope="always", agent="coder", **same),  # type: ignore[arg-type]
            await grants.add(conn, user_id="local", scope="project", workspace="/p", expires_in_s=60, **same),  # type: ignore[arg-type]
            await grants.add(conn, user_id="ada", scope="always", **same),  # type: ignore[arg-type]
        ]
        await conn.commit()
        return made


@pytest.fixture
def given(fresh_dsn: str) -> list[Granted]:
    return asyncio.run(_given(fresh_dsn))


@pytest.fixture
def told(
    fresh_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Told:
    """Run `artel grants …`; the status and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTEL_STORAGE__POSTGRES", fresh_dsn)

    def run(*arguments: str) -> tuple[int, str]:
        status = main(["grants", *arguments])
        said = capfd.readouterr()
        return status, said.out + said.err

    return run


def test_what_stands_is_listed_newest_first(told: Told, given: list[Granted]) -> None:
    always, project, adas = (str(one.grant_id) for one in given)
    status, said = told("list")
    newer, older = said.splitlines()
    assert status == 0
    assert newer.startswith(f"{project}  project /p, until ")
    assert older == f"{always}  always  coder  `pytest`, whatever follows  used 0"
    assert told("list", "--user", "ada")[1].startswith(adas)


def test_one_that_is_taken_back_is_not_listed_and_on_record(
    told: Told, given: list[Granted], fresh_dsn: str
) -> None:
    status, said = told("revoke", str(given[0].grant_id))
    assert (status, said.endswith(": revoked\n")) == (0, True)
    assert str(given[0].grant_id) not in told("list")[1]

    async def entries() -> list[str]:
        async with await connect(fresh_dsn) as conn:
            return [link.body["status"] async for link in audit.walk(conn, "local")]

    assert asyncio.run(entries()) == ["revoked"]


@pytest.mark.parametrize(
    ("grant_id", "says"), [("x", "got 'x'"), ("01a1ffbc-a06a-745f-837f-d78e6826b9a3", "no grant 01a1ffbc")]
)
def test_what_is_no_grant_is_said(told: Told, grant_id: str, says: str) -> None:
    status, said = told("revoke", grant_id)
    assert (status, says in said) == (1, True)

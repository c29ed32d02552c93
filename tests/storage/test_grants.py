"""Grants and policies are rows: everybody has their own, and what they say is sealed like the rest."""

import warnings
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.errors import CheckViolation
from tests.fakes.ciphers import BLOBS, leaks

from artel.storage import grants, policies, threads
from artel.storage.grants import UnknownGrant
from artel.storage.ids import new_id
from artel.storage.policies import NotThatVersion
from artel.storage.postgres import Connection, open_database
from artel.storage.sealing import agree

COVERS = [{"action": "exec", "argv": ["needle"]}]
ME: dict[str, Any] = {"owner": "local", "user_id": "ada"}


async def give(conn: Connection, scope: Any = "always", **more: Any) -> UUID:
    made = await grants.add(conn, scope=scope, tool="execute", covers=COVERS, **{**ME, **more})
    return made.grant_id


async def standing(conn: Connection, **more: Any) -> list[UUID]:
    given = {"thread_id": new_id(), "workspace": "/p", "tools": ["execute"], **ME, **more}
    return [one.grant_id for one in await grants.standing(conn, **given)]


async def test_a_grant_stands_where_its_scope_says(conn: Connection) -> None:
    thread = (await threads.create(conn, new_id(), owner="local")).thread_id
    always = await give(conn, thread_id=thread, workspace="/p")
    project = await give(conn, "project", workspace="/p", thread_id=thread)
    of_thread = await give(conn, "thread", thread_id=thread, workspace="/p")
    assert await standing(conn, thread_id=thread) == [of_thread, project, always]
    assert await standing(conn) == [project, always]
    assert await standing(conn, workspace="/p/sub") == [always]
    assert await standing(conn, tools=["edit_file"]) == []
    assert await standing(conn, user_id="bob") == []
    assert await standing(conn, owner="else") == []


@pytest.mark.parametrize("scope", ["thread", "project"])
async def test_a_scope_without_its_place_is_no_grant(conn: Connection, scope: str) -> None:
    with pytest.raises(CheckViolation):
        await give(conn, scope)


async def test_a_grant_ends_by_the_clock_of_the_database(conn: Connection) -> None:
    made = await grants.add(conn, scope="always", tool="execute", covers=COVERS, expires_in_s=60, **ME)
    assert made.expires_at is not None
    assert timedelta(seconds=59) < made.expires_at - made.created_at < timedelta(seconds=61)
    assert await standing(conn) == [made.grant_id]
    await conn.execute("update grants set expires_at = clock_timestamp()")
    assert await standing(conn) == []


async def test_only_who_gave_a_grant_takes_it_back_and_the_first_time_counts(conn: Connection) -> None:
    made = await give(conn)
    for other in ({"owner": "local", "user_id": "bob"}, {"owner": "else", "user_id": "ada"}):
        with pytest.raises(UnknownGrant):
            await grants.revoke(conn, made, **other)
        await grants.used(conn, [made], **other)
    first = await grants.revoke(conn, made, **ME)
    assert (await grants.revoke(conn, made, **ME)).revoked_at == first.revoked_at
    assert await standing(conn) == []
    await grants.used(conn, [made], **ME)
    (found,) = await grants.search(conn, ended=True, **ME)
    assert (found.used, found.last_used_at is not None) == (1, True)


async def test_the_newest_version_of_a_policy_holds(conn: Connection) -> None:
    assert await policies.newest(conn, **ME) == (0, False, None)
    for number, document in enumerate(({"default": "deny"}, {"default": "ask"}, None), start=1):
        made = await policies.add(conn, document, author="ada", if_version=number - 1, **ME)
        assert made.version == number
        assert await policies.newest(conn, **ME) == (number, document is not None, document)
    with pytest.raises(NotThatVersion, match="is not version 1: version 3 holds"):
        await policies.add(conn, {}, author="ada", if_version=1, **ME)
    assert [one.version for one in await policies.versions(conn, **ME)] == [3, 2, 1]
    assert await policies.versions(conn, owner="local", user_id="bob") == []


async def test_a_version_that_the_reader_knows_is_not_sent_again(conn: Connection) -> None:
    await policies.add(conn, {"default": "deny"}, author="ada", **ME)
    assert await policies.newest(conn, known=1, **ME) == (1, True, None)
    assert await policies.newest(conn, known=0, **ME) == (1, True, {"default": "deny"})


async def test_what_they_say_is_sealed(fresh_dsn: str) -> None:
    made: dict[str, Any] = {}
    with warnings.catch_warnings(action="ignore"):
        exec(BLOBS, made)
    sealer = await agree(fresh_dsn, made["encryption"])
    rules = {"rules": [{"id": "needle", "effect": "ask"}]}
    async with open_database(fresh_dsn, sealer=sealer) as db, db.transaction() as conn:
        await give(conn)
        await policies.add(conn, rules, author="ada", **ME)
        (found,) = await grants.search(conn, **ME)
        assert found.covers == {"calls": COVERS}
        assert await policies.newest(conn, **ME) == (1, True, rules)
    assert leaks(fresh_dsn, "needle") == set()

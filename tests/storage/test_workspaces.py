"""Workspaces belong to who registered them; what a thread got of one goes with either."""

from uuid import UUID

import pytest

from artel.storage import threads, workspaces
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.workspaces import NameTaken, UnknownWorkspace, Whose, Workspace, WorkspaceInUse

ANN, BOB = Whose("local", "ann"), Whose("local", "bob")


async def registered(conn: Connection, whose: Whose = ANN, name: str = "shop") -> Workspace:
    return await workspaces.register(conn, whose, name=name, kind="folder", source="/w", mode="copy")


async def thread(conn: Connection) -> UUID:
    return (await threads.create(conn, new_id(), owner="local")).thread_id


async def test_a_workspace_is_found_by_name_and_by_id_by_its_user_alone(conn: Connection) -> None:
    made = await registered(conn)
    for named in ("shop", made.workspace_id, str(made.workspace_id)):
        assert await workspaces.get(conn, ANN, named) == made
        with pytest.raises(UnknownWorkspace):
            await workspaces.get(conn, BOB, named)
    assert (await registered(conn, BOB)).workspace_id != made.workspace_id
    with pytest.raises(UnknownWorkspace):
        await workspaces.change(conn, BOB, made.workspace_id, name="mine")


async def test_a_name_is_taken_once(conn: Connection) -> None:
    await registered(conn)
    with pytest.raises(NameTaken):
        async with conn.transaction():
            await registered(conn)


async def test_a_thread_gets_one_folder(conn: Connection) -> None:
    one, two = await registered(conn), await registered(conn, name="two")
    thread_id = await thread(conn)
    first = await workspaces.choose(conn, thread_id, one.workspace_id, "/t/1", own=True)
    assert first
    assert (first.state, first.path) == ("preparing", "/t/1")
    assert await workspaces.choose(conn, thread_id, two.workspace_id, "/t/2", own=True) == first
    assert await workspaces.choose(conn, new_id(), one.workspace_id, "/t/3", own=True) is None
    assert await workspaces.of_thread(conn, thread_id, owner="other") is None


async def test_where_a_thread_began_is_written_once(conn: Connection) -> None:
    thread_id = await thread(conn)
    await workspaces.choose(conn, thread_id, (await registered(conn)).workspace_id, "/t/1", own=True)
    await workspaces.note(conn, thread_id, "ready", base_tree="a", base_commit="b", size=3)
    await workspaces.note(conn, thread_id, "ready", base_tree="c", base_commit="d")
    found = await workspaces.of_thread(conn, thread_id, owner="local")
    assert found
    assert (found.base_tree, found.base_commit, found.bytes) == ("a", "b", 3)


async def test_one_in_use_is_forgotten_by_force_only(conn: Connection) -> None:
    made, thread_id = await registered(conn), await thread(conn)
    await workspaces.choose(conn, thread_id, made.workspace_id, "/t/1", own=True)
    assert (await workspaces.get(conn, ANN, "shop")).threads == 1
    with pytest.raises(WorkspaceInUse, match="1 thread"):
        await workspaces.delete(conn, ANN, made.workspace_id, force=False)
    assert await workspaces.wanted(conn, ["/t/1", "/t/2"]) == {"/t/1"}
    await workspaces.delete(conn, ANN, made.workspace_id, force=True)
    assert await workspaces.wanted(conn, ["/t/1"]) == set()

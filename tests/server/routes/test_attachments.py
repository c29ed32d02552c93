"""Files that a person gives to a conversation: they lie where its agents read, and nowhere else."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.driver import BUILDERS, OneModel
from tests.fakes.served import calling, serving

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.server.catalog import Catalog, Entry
from artel.tools.workspaces.settings import WorkspaceSettings

MB = 1 << 20


class Desk:
    """A served coder, a folder to work in, and a thread."""

    def __init__(self, app: Any, http: httpx.AsyncClient, root: Path) -> None:
        self.app, self.http, self.root = app, http, root
        self.thread = str(uuid4())

    async def give(
        self, name: str, content: bytes = b"x", *, thread: str = "", http: Any = None, **query: str
    ) -> Any:
        return await (http or self.http).post(
            f"/api/v1/threads/{thread or self.thread}/attachments",
            params={"name": name, **query},
            content=content,
        )


@pytest.fixture
async def desk(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Desk]:
    root = tmp_path / "roots"
    (root / "shop").mkdir(parents=True)
    catalog = Catalog({"coder": Entry("coder", BUILDERS["coder"]())})
    async with serving(fresh_dsn, catalog=catalog) as app, calling(app) as http:
        app.state.engine.handles = Handles(
            models=OneModel(scripted("hi")),
            roots=(root,),
            default_workspace=root,
            snapshot_home=tmp_path / "data/snapshots",
            thread_home=tmp_path / "data/threads",
            workspaces=WorkspaceSettings(attachment_mb=1),
        )
        made = Desk(app, http, root)
        await http.post("/threads", json={"thread_id": made.thread})
        yield made


async def test_a_file_lies_in_the_folder_of_the_conversation(desk: Desk) -> None:
    told = await desk.give("table.csv", b"a,b\n", workspace=str(desk.root / "shop"))
    path = f".attachments/{desk.thread}/table.csv"
    assert (told.status_code, told.json()) == (
        201,
        {"name": "table.csv", "path": path, "bytes": 4, "sha256": sha256(b"a,b\n").hexdigest()},
    )
    assert (desk.root / "shop" / path).read_bytes() == b"a,b\n"
    assert (desk.root / "shop/.attachments/.gitignore").read_text() == "*\n"


async def test_a_second_file_of_a_name_takes_nobodys_place(desk: Desk) -> None:
    names = [(await desk.give("a.txt", content)).json()["name"] for content in (b"1", b"2", b"1", b"")]
    assert names == ["a.txt", "a-2.txt", "a.txt", "a-3.txt"]
    folder = desk.root / ".attachments" / desk.thread
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == {
        "a.txt": b"1",
        "a-2.txt": b"2",
        "a-3.txt": b"",
    }


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        "..\\..\\evil",
        "..",
        ".git",
        ".GIT/config",
        "a\nb\x7fc",
        'q"><file path="x',
        "\u202egnp.exe",
        "x" * 900 + ".txt",
        "я" * 300,
        " ",
        ".artel-0123456789abcdef.tmp",
    ],
)
async def test_no_name_leads_out_or_hides(desk: Desk, name: str) -> None:
    told = await desk.give(name)
    assert told.status_code == 201, told.text
    (kept,) = (desk.root / ".attachments" / desk.thread).iterdir()
    assert kept.name == told.json()["name"]
    assert not kept.name.startswith(".")
    assert kept.name.isprintable()
    assert not set(kept.name) & set("/\\\"<>' ")
    assert len(kept.name.encode()) <= 120
    outside = [
        one for one in desk.root.parent.rglob("*") if one.is_file() and ".attachments" not in one.parts
    ]
    assert outside == []


async def test_what_is_too_big_is_refused_and_leaves_nothing(desk: Desk) -> None:
    assert (await desk.give("fits", b"x" * MB)).status_code == 201
    told = await desk.give("big", b"x" * (MB + 1))
    assert (told.status_code, told.json()["code"]) == (413, "body_too_large")
    assert [one.name for one in (desk.root / ".attachments" / desk.thread).iterdir()] == ["fits"]


async def test_nobody_puts_files_into_the_conversation_of_another(desk: Desk) -> None:
    policy = OwnOnly()
    ann, bob = called_by(desk.app, "ann", policy), called_by(desk.app, "bob", policy)
    thread = (await ann.post("/threads", json={})).json()["thread_id"]
    assert (await desk.give("a", http=ann, thread=thread)).status_code == 201
    told = await desk.give("a", http=bob, thread=thread)
    assert (told.status_code, told.json()["code"]) == (404, "not_found")


async def test_a_link_in_place_of_the_folder_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (desk.root / ".attachments").symlink_to(outside)
    assert (await desk.give("a")).json()["code"] == "outside_workspace"
    (desk.root / ".attachments").unlink()
    (desk.root / ".attachments").symlink_to(desk.root / "shop")
    assert (await desk.give("a")).json()["code"] == "outside_workspace"
    (desk.root / ".attachments").unlink()
    (desk.root / ".attachments").mkdir()
    (desk.root / ".attachments" / desk.thread).symlink_to(outside)
    assert (await desk.give("a")).json()["code"] == "outside_workspace"
    assert [*outside.iterdir(), *(desk.root / "shop").iterdir()] == []


async def test_a_folder_that_no_agent_may_use_gets_no_file(desk: Desk, tmp_path: Path) -> None:
    told = await desk.give("a", workspace=str(tmp_path))
    assert (told.status_code, told.json()["code"]) == (403, "outside_workspace")
    asked = await desk.http.get("/api/v1/workspaces/folder", params={"path": str(tmp_path)})
    assert asked.json()["code"] == "outside_workspace"
    asked = await desk.http.get("/api/v1/workspaces/folder", params={"path": str(desk.root / "shop/../shop")})
    assert asked.json() == {"path": str(desk.root / "shop")}


async def test_a_copy_that_a_thread_works_in_is_made_for_the_file(desk: Desk) -> None:
    (desk.root / "shop/a.txt").write_text("one\n")
    body = {"name": "store", "source": str(desk.root / "shop"), "mode": "copy"}
    assert (await desk.http.post("/api/v1/workspaces", json=body)).status_code == 201
    told = await desk.give("b.txt", workspace="store")
    assert told.status_code == 201, told.text
    (copied,) = (desk.root.parent / "data/threads").glob("*/*")
    assert (copied / "a.txt").read_text() == "one\n"
    assert (copied / told.json()["path"]).read_bytes() == b"x"
    assert [one.name for one in (desk.root / "shop").iterdir()] == ["a.txt"]

"""A person looks at the files of a thread's folder, changes one, and takes them away."""

import io
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import httpx
import pytest
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.driver import BUILDERS, OneModel, calls, edit
from tests.fakes.served import calling, serving

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.server.catalog import Catalog, Entry
from artel.tools.policy import Policy, Rule
from artel.tools.workspace import browsing

RULES = Policy(
    rules=(
        Rule(id="free", effect="allow", action="fs.*"),
        Rule(id="closed", effect="deny", action="fs.*", path=("closed/**",), reason="not for anybody"),
        Rule(id="fixed", effect="deny", action="fs.write", path=("fixed.txt",), reason="nobody writes it"),
    )
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@dataclass
class Desk:
    """A served coder, and a thread that works in a folder."""

    app: Any
    http: httpx.AsyncClient
    folder: Path
    thread: str = ""

    async def begin(self) -> "Desk":
        made = await self.http.post("/threads", json={"metadata": {"workspace": str(self.folder)}})
        self.thread = made.json()["thread_id"]
        return self

    async def get(self, route: str = "", **query: Any) -> httpx.Response:
        return await self.http.get(f"/api/v1/threads/{self.thread}/files{route}", params=query or None)

    async def seen(self, route: str = "", **query: Any) -> Any:
        told = await self.get(route, **query)
        assert told.status_code == 200, told.text
        return told.json()

    async def put(self, path: str, text: str, known: str | None) -> httpx.Response:
        body = {"path": path, "text": text, "sha256": known}
        return await self.http.put(f"/api/v1/threads/{self.thread}/files/content", json=body)

    async def run(self, *replies: Any) -> None:
        self.app.state.engine.handles = handles(self.folder, *replies)
        asked = {"assistant_id": "coder", "input": {"messages": [{"role": "user", "content": "change it"}]}}
        path = f"/threads/{self.thread}/runs"
        made = await self.http.post(path, json={**asked, "context": {"workspace": str(self.folder)}})
        await self.http.get(f"{path}/{made.json()['run_id']}/join")


def handles(folder: Path, *replies: Any) -> Handles:
    return Handles(
        models=OneModel(scripted(*replies)),
        roots=(folder.parent,),
        default_workspace=folder,
        policy=RULES,
        snapshot_home=folder.parent / "snapshots",
    )


def sha(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.fixture
async def desk(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Desk]:
    folder = tmp_path / "work"
    for name in ("src", "closed", "build", ".git", ".ssh"):
        (folder / name).mkdir(parents=True)
    for name, text in {
        "a.txt": "one\ntwo\n",
        "src/b.py": "b = 1\n",
        "closed/c.txt": "closed\n",
        "fixed.txt": "fixed\n",
        ".env": "KEY=1\n",
        ".git/config": "[core]\n",
        "build/made.txt": "made\n",
    }.items():
        (folder / name).write_text(text)
    (tmp_path / "outside.txt").write_text("outside\n")
    (folder / "away").symlink_to(tmp_path)
    (folder / "out.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "hidden.txt").symlink_to(folder / ".env")
    async with (
        serving(fresh_dsn, catalog=Catalog({"coder": Entry("coder", BUILDERS["coder"]())})) as app,
        calling(app) as http,
    ):
        app.state.engine.handles = handles(folder)
        yield await Desk(app, http, folder).begin()


async def test_a_folder_is_listed_with_what_is_ignored_or_closed(desk: Desk) -> None:
    told = await desk.seen()
    assert (told["workspace"], told["path"], told["truncated"]) == (str(desk.folder), ".", False)
    entries = {one["name"]: one for one in told["entries"]}
    assert [one["name"] for one in told["entries"]][:4] == [".ssh", "build", "closed", "src"]
    assert ".git" not in entries
    assert (entries["build"]["ignored"], entries["src"]["ignored"]) == (True, False)
    assert (entries[".env"]["closed"], entries["a.txt"]["closed"]) == ("secret", "")
    assert (entries["a.txt"]["size"], entries["away"]["kind"]) == (8, "link")
    (closed,) = (await desk.seen(path="closed"))["entries"]
    assert (closed["path"], closed["closed"]) == ("closed/c.txt", "denied")
    page = await desk.seen(limit=2, offset=1)
    assert ([one["name"] for one in page["entries"]], page["total"]) == (["build", "closed"], told["total"])
    assert page["truncated"]


async def test_a_file_is_read_with_its_encoding_and_hash(desk: Desk) -> None:
    told = await desk.seen("/content", path="a.txt")
    assert told == {
        "path": "a.txt",
        "text": "one\ntwo\n",
        "encoding": "utf-8",
        "sha256": sha(desk.folder / "a.txt"),
        "size": 8,
        "editable": True,
    }
    (desk.folder / "old.txt").write_bytes("привет, как дела".encode("cp1251"))
    (desk.folder / "bin").write_bytes(bytes(100))
    assert (await desk.seen("/content", path="old.txt"))["encoding"] == "cp1251"
    assert (await desk.seen("/content", path="bin"))["text"] is None
    assert not (await desk.seen("/content", path="fixed.txt"))["editable"]
    (desk.folder / "big.txt").write_bytes(b"x" * (browsing.MAX_SHOWN + 1))
    big = await desk.get("/content", path="big.txt")
    assert (big.status_code, big.json()["code"]) == (413, "too_much")
    assert "more than 2 MB" in big.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("../outside.txt", 403),
        ("src/../../outside.txt", 403),
        ("/etc/passwd", 403),
        ("away/outside.txt", 403),
        ("out.txt", 403),
        (".git/config", 403),
        (".GIT/config", 403),
        (".git./config", 403),
        ("src/../.git/config", 403),
        (".g\u200bit/config", 403),
        (".env", 403),
        ("hidden.txt", 403),
        (".ssh/id_rsa", 403),
        ("closed/c.txt", 403),
        ("a.txt\0", 422),
        ("a\n.txt", 422),
        ("x" * 4_000, 422),
        ("x" * 9_000, 422),
        ("x/" * 200, 422),
        ("~/x", 422),
        ("nothing.txt", 404),
        ("src", 422),
    ],
)
async def test_no_path_leads_out_or_to_what_is_closed(desk: Desk, path: str, status: int) -> None:
    for route in ("/content", "/picture", "/earlier"):
        told = await desk.get(route, path=path)
        assert told.status_code == status or (route == "/earlier" and told.status_code == 404), told.text
        assert "KEY" not in told.text
        assert "[core]" not in told.text
    if path != "src":
        assert (await desk.get("/download", path=path)).status_code == status
    before = {one: one.read_bytes() for one in desk.folder.parent.rglob("*") if one.is_file()}
    wrote = await desk.put(path, "mine\n", None)
    if status != 404:
        assert wrote.status_code in (403, 422), wrote.text
        kept = [one for one in before if "snapshots" not in one.parts]
        assert {one: one.read_bytes() for one in kept} == {one: before[one] for one in kept}


async def test_folders_outside_are_not_listed(desk: Desk) -> None:
    for path in ("..", "away", "/", ".git", "src/../.git"):
        assert (await desk.get(path=path)).status_code == 403
    assert (await desk.get(path="nothing")).status_code == 404
    assert (await desk.get(path="a.txt")).status_code == 422


async def test_what_is_written_is_a_change_that_can_be_undone(desk: Desk) -> None:
    file = desk.folder / "a.txt"
    was = sha(file)
    wrote = await desk.put("a.txt", "one\nTWO\n", was)
    assert wrote.status_code == 200, wrote.text
    assert (file.read_text(), wrote.json()["sha256"]) == ("one\nTWO\n", sha(file))
    changes = f"/api/v1/threads/{desk.thread}/changes"
    (change,) = (await desk.http.get(changes)).json()
    assert (change["tool"], change["paths"]) == ("edit", [{"path": "a.txt", "kind": "changed"}])
    assert change["change_id"] == wrote.json()["change_id"]
    assert await desk.seen("/changed") == [{"path": "a.txt", "kind": "changed"}]
    earlier = await desk.seen("/earlier", path="a.txt")
    assert earlier == {"path": "a.txt", "there": True, "text": "one\ntwo\n"}
    (noted,) = (await desk.http.get("/api/v1/audit", params={"kind": "edit"})).json()
    assert (noted["thread_id"], noted["said"]["before_sha"]) == (desk.thread, was)
    undone = await desk.http.post(f"/api/v1/threads/{desk.thread}/undo", json={"change": change["change_id"]})
    assert undone.status_code == 200, undone.text
    assert file.read_text() == "one\ntwo\n"
    assert await desk.seen("/changed") == []


async def test_what_somebody_else_changed_is_not_overwritten(desk: Desk) -> None:
    file = desk.folder / "a.txt"
    known = sha(file)
    file.write_text("theirs\n")
    told = await desk.put("a.txt", "mine\n", known)
    assert told.status_code == 409
    assert (told.json()["code"], told.json()["sha256"], told.json()["expected"]) == (
        "file_changed",
        sha(file),
        known,
    )
    assert "somebody else" in told.json()["detail"]
    assert file.read_text() == "theirs\n"
    assert (await desk.put("a.txt", "mine\n", None)).status_code == 409
    assert (await desk.put("a.txt", "mine\n", sha(file))).status_code == 200
    file.unlink()
    gone = await desk.put("a.txt", "again\n", known)
    assert (gone.status_code, file.exists()) == (409, False)
    assert gone.json()["sha256"] is None
    assert (await desk.http.get(f"/api/v1/threads/{desk.thread}/changes")).json()[1:] == []


async def test_a_new_file_is_made_with_its_folders_and_the_same_text_changes_nothing(desk: Desk) -> None:
    made = await desk.put("new/deep/c.txt", "c\n", None)
    assert made.status_code == 200, made.text
    again = await desk.put("new/deep/c.txt", "c\n", made.json()["sha256"])
    assert (again.status_code, again.json()["change_id"]) == (200, None)
    assert await desk.seen("/changed") == [{"path": "new/deep/c.txt", "kind": "added"}]


async def test_windows_line_ends_and_old_encodings_stay_and_odd_text_is_refused(desk: Desk) -> None:
    file = desk.folder / "dos.txt"
    file.write_bytes(b"one\r\ntwo\r\n")
    same = await desk.put("dos.txt", "one\ntwo\n", sha(file))
    assert (same.status_code, same.json()["change_id"]) == (200, None)
    assert (await desk.put("dos.txt", "one\n2\n", sha(file))).status_code == 200
    assert file.read_bytes() == b"one\r\n2\r\n"
    file.write_bytes("привет, как дела".encode("cp1251"))
    refused = await desk.put("dos.txt", "привет ☃", sha(file))
    assert (refused.status_code, "cp1251" in refused.json()["detail"]) == (422, True)
    assert (await desk.put("fixed.txt", "x\n", sha(desk.folder / "fixed.txt"))).status_code == 403
    (desk.folder / "bin").write_bytes(bytes(9))
    assert (await desk.put("bin", "x\n", sha(desk.folder / "bin"))).status_code == 422
    ignored = await desk.put("build/made.txt", "mine\n", sha(desk.folder / "build/made.txt"))
    assert "cannot be undone" in ignored.json()["problems"][0]


async def test_a_file_is_shown_as_it_was_before_an_agents_change(desk: Desk) -> None:
    await desk.run(calls(edit("a.txt", "one", "ONE")), calls(edit("a.txt", "two", "TWO")), "done")
    assert (desk.folder / "a.txt").read_text() == "ONE\nTWO\n"
    second, _ = (await desk.http.get(f"/api/v1/threads/{desk.thread}/changes")).json()
    assert (await desk.seen("/earlier", path="a.txt"))["text"] == "one\ntwo\n"
    at = await desk.seen("/earlier", path="a.txt", change=second["change_id"])
    assert at["text"] == "ONE\ntwo\n"
    then = await desk.seen("/earlier", path="a.txt", checkpoint=second["checkpoint_id"])
    assert then["text"] == "ONE\ntwo\n"
    assert not (await desk.seen("/earlier", path="nothing.txt"))["there"]
    assert (await desk.get("/earlier", path="a.txt", change=str(uuid4()))).status_code == 404
    assert (await desk.get("/earlier", path=".env")).status_code == 403


async def test_nothing_is_written_while_a_run_is_on(desk: Desk) -> None:
    busy = await desk.http.post(
        f"/threads/{desk.thread}/runs",
        json={"assistant_id": "coder", "input": {"messages": []}, "after_seconds": 600},
    )
    assert busy.is_success
    told = await desk.put("a.txt", "mine\n", sha(desk.folder / "a.txt"))
    assert (told.status_code, told.json()["code"]) == (409, "thread_busy")


async def test_files_are_found_by_words_of_their_paths(desk: Desk) -> None:
    assert await desk.seen("/find", words="SRC b") == {"paths": ["src/b.py"], "note": ""}
    assert (await desk.seen("/find", words="made"))["paths"] == []
    one = await desk.seen("/find", words="t", limit=1)
    assert (len(one["paths"]), one["note"]) == (1, "only the first 1 are shown")


async def test_a_folder_comes_as_a_zip_without_secrets_and_a_file_as_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await desk.get("/download")
    assert told.headers["content-type"] == "application/zip"
    with ZipFile(io.BytesIO(told.content)) as archive:
        assert sorted(archive.namelist()) == ["LEFT-OUT.txt", "a.txt", "fixed.txt", "src/b.py"]
        assert b"closed/c.txt" in archive.read("LEFT-OUT.txt")
    (desk.folder / "src/имя 1.html").write_text("<script>")
    one = await desk.get("/download", path="src/имя 1.html")
    assert one.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D0%B8")
    assert one.headers["content-type"] == "application/octet-stream"
    assert one.headers["x-content-type-options"] == "nosniff"
    monkeypatch.setattr(browsing, "MAX_ARCHIVED_FILES", 1)
    large = await desk.get("/download")
    assert (large.status_code, large.json()["code"]) == (413, "too_much")


async def test_pictures_are_told_by_their_content_and_may_do_nothing(desk: Desk) -> None:
    (desk.folder / "p.png").write_bytes(PNG)
    (desk.folder / "lie.png").write_text("<html><script>alert(1)</script></html>")
    (desk.folder / "v.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>')
    png = await desk.get("/picture", path="p.png")
    assert (png.headers["content-type"], png.content) == ("image/png", PNG)
    assert "sandbox" in png.headers["content-security-policy"]
    assert (await desk.get("/picture", path="lie.png")).status_code == 422
    svg = await desk.get("/picture", path="v.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.headers["content-disposition"].startswith("attachment")
    assert "script-src" not in svg.headers["content-security-policy"]


async def test_files_of_others_threads_are_not_there(desk: Desk) -> None:
    ann, bob = called_by(desk.app, "ann", OwnOnly()), called_by(desk.app, "bob", OwnOnly())
    async with ann, bob:
        mine = await Desk(desk.app, ann, desk.folder).begin()
        assert (await mine.get()).status_code == 200
        theirs = Desk(desk.app, bob, desk.folder, mine.thread)
        for route in ("", "/find?words=a", "/changed", "/content?path=a.txt", "/earlier?path=a.txt"):
            assert (await theirs.get(route)).status_code == 404
        for route in ("/picture?path=a.txt", "/download?path=a.txt", "/download"):
            assert (await theirs.get(route)).status_code == 404
        assert (await theirs.put("a.txt", "x", sha(desk.folder / "a.txt"))).status_code == 404


async def test_a_folder_out_of_bounds_or_not_there_yet_is_refused(desk: Desk) -> None:
    for asked, status in ((os.sep, 403), (str(desk.folder / ".git"), 403), ("shop", 409)):
        made = await desk.http.post("/threads", json={"metadata": {"workspace": asked}})
        told = await Desk(desk.app, desk.http, desk.folder, made.json()["thread_id"]).get()
        assert told.status_code == status, told.text

"""The documents of a repository are the files of a commit; between two commits only what differs is told."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.tools.conftest import git as run_git
from tests.tools.knowledge.connectors.gathering import Known, listed, text

from artel.tools.git.settings import GitSettings
from artel.tools.knowledge.connectors.port import ItemGone, Refused, SourceDown, TooBig
from artel.tools.knowledge.connectors.repository import GitRepository


@dataclass
class Work:
    """Somebody's clone, and the bare repository that it pushes to."""

    folder: Path
    remote: Path
    mirror: Path

    def git(self, *args: str) -> str:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "protocol.file.allow=always")
        ran = run_git(self.folder, *who, *args)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout.decode().strip()

    def write(self, path: str, content: str | bytes = "some text\n") -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def push(self, *args: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", "Work", "--allow-empty")
        self.git("push", "-q", *args, "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def source(self, **changed: object) -> GitRepository:
        about = {
            "name": "code",
            "at": str(self.remote),
            "mirror": self.mirror,
            "roots": (self.remote.parent,),
        }
        return GitRepository(**{**about, **changed})  # type: ignore[arg-type]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    folder, remote = tmp_path / "work", tmp_path / "remote.git"
    folder.mkdir()
    made = Work(folder.resolve(), remote.resolve(), tmp_path / "mirror")
    made.git("init", "-q", "-b", "main")
    made.git("init", "-q", "--bare", "-b", "main", str(remote))
    made.git("remote", "add", "origin", str(remote))
    made.write("a.md", "# A\n")
    made.write("src/x.py", "x = 1\n" * 20)
    made.write("Русский.md", "текст\n")
    made.push()
    return made


async def test_all_files_come_first_and_then_nothing(work: Work) -> None:
    known = Known(work.source(page="https://git.example/blob/main/{path}"))
    assert set((await known.sync()).add) == {"a.md", "src/x.py", "Русский.md"}
    one = known.told.changed["src/x.py"]
    assert (one.kind, one.url) == ("code", "https://git.example/blob/main/src/x.py")
    assert one.modified is not None
    assert await text(known.source, "Русский.md") == "текст\n"
    await known.sync()
    assert not known.told.changed


async def test_only_what_differs_is_told(work: Work) -> None:
    known = Known(work.source())
    await known.sync()
    work.write("a.md", "# B\n")
    work.write("new.md")
    (work.folder / "Русский.md").unlink()
    commit = work.push()
    found = await known.sync()
    assert (found.add, found.change, found.delete) == (("new.md",), ("a.md",), ("Русский.md",))
    assert known.told.changed["a.md"].metadata["commit"] == commit
    assert known.documents.keys() == set(await listed(known.source))


async def test_a_renamed_file_says_what_it_was(work: Work) -> None:
    known = Known(work.source())
    await known.sync()
    before = known.documents["src/x.py"]
    work.git("mv", "src/x.py", "src/y.py")
    work.push()
    found = await known.sync()
    assert (found.add, found.delete) == (("src/y.py",), ("src/x.py",))
    one = known.told.changed["src/y.py"]
    assert (one.version, one.metadata["renamed_from"]) == (before, "src/x.py")


async def test_two_files_that_change_places_both_stay(work: Work) -> None:
    work.write("b.md", "b\n" * 50)
    work.write("c.md", "c\n" * 50)
    work.push()
    known = Known(work.source())
    await known.sync()
    work.git("mv", "b.md", "t")
    work.git("mv", "c.md", "b.md")
    work.git("mv", "t", "c.md")
    work.push()
    found = await known.sync()
    assert (set(found.change), found.delete) == ({"b.md", "c.md"}, ())
    assert await text(known.source, "b.md") == "c\n" * 50


async def test_history_that_was_rewritten_is_compared_all_the_same(work: Work) -> None:
    known = Known(work.source())
    await known.sync()
    work.git("checkout", "-q", "--orphan", "other")
    work.git("rm", "-rqf", ".")
    work.write("a.md", "# A\n")
    work.write("only.md")
    work.push("--force")
    found = await known.sync()
    assert (found.add, found.change, set(found.delete)) == (("only.md",), (), {"src/x.py", "Русский.md"})


async def test_a_cursor_of_a_commit_that_is_nowhere_lists_all(work: Work) -> None:
    known = Known(work.source(), cursor={"commit": "0" * 39 + "1"})
    assert len((await known.sync()).add) == 3
    known.cursor = {"commit": "--output=x"}
    assert not (await known.sync()).change
    assert len(known.told.changed) == 3


async def test_what_is_no_document_is_neither_told_nor_listed(work: Work) -> None:
    work.write("logo.bin2", b"\0\1\2")
    work.write("made_pb2.py")
    work.write("head.go", "// Code generated by protoc. DO NOT EDIT.\n")
    work.write("key.pem", "secret")
    work.write("pointer.txt", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    (work.folder / "link.md").symlink_to("a.md")
    work.push()
    known = Known(work.source())
    await known.sync()
    assert sorted(known.documents) == ["a.md", "src/x.py", "Русский.md"] == await listed(known.source)
    for path in ("key.pem", "link.md", "../a.md", "src", ""):
        with pytest.raises(ItemGone):
            await known.source.fetch(path)


async def test_a_document_that_becomes_none_is_gone(work: Work) -> None:
    known = Known(work.source())
    await known.sync()
    work.write("a.md", b"\0\1")
    (work.folder / "src/x.py").unlink()
    (work.folder / "src/x.py").symlink_to("../a.md")
    work.push()
    assert set((await known.sync()).delete) == {"a.md", "src/x.py"}


async def test_a_branch_and_a_folder_can_be_chosen(work: Work) -> None:
    work.git("checkout", "-q", "-b", "next")
    work.write("src/z.py")
    work.git("add", "-A")
    work.git("commit", "-qm", "Next")
    work.git("push", "-q", "origin", "next")
    assert await listed(work.source(ref="next", within="src")) == ["src/x.py", "src/z.py"]
    assert await listed(work.source(within="src")) == ["src/x.py"]


async def test_a_work_tree_is_read_as_it_was_committed(work: Work) -> None:
    work.write("not-committed.md")
    source = work.source(at=str(work.folder))
    assert await listed(source) == ["a.md", "src/x.py", "Русский.md"]
    assert await text(source, "a.md") == "# A\n"
    assert not work.mirror.exists()


async def test_a_large_file_is_told_and_not_read(work: Work) -> None:
    work.write("large.txt", "x\n" * 500)
    work.push()
    known = Known(work.source(max_bytes=500))
    await known.sync()
    assert "large.txt" in known.documents
    with pytest.raises(TooBig, match="1,000 bytes"):
        await known.source.fetch("large.txt")


async def test_a_mirror_that_is_too_large_is_not_kept(work: Work) -> None:
    with pytest.raises(TooBig):
        await Known(work.source(max_mirror=100)).sync()


async def test_a_remote_that_went_takes_nothing_away(work: Work) -> None:
    known = Known(work.source())
    await known.sync()
    work.remote.rename(work.remote.with_name("away"))
    with pytest.raises((SourceDown, Refused)):
        await known.sync(listing=True)
    assert len(known.documents) == 3


@pytest.mark.parametrize(
    "at", ["ext::sh -c touch% sprung", "https://ann:secret@git.example/x", "http://git.example/x", "-x"]
)
async def test_addresses_that_git_may_not_go_to_are_refused(work: Work, at: str) -> None:
    with pytest.raises(Refused) as refused:
        await Known(work.source(at=at)).sync()
    assert "secret@" not in str(refused.value)


async def test_folders_outside_the_roots_are_refused(work: Work, tmp_path: Path) -> None:
    for at in (work.remote, work.folder):
        with pytest.raises(Refused):
            await Known(work.source(at=str(at), roots=(tmp_path / "elsewhere",))).sync()


async def test_a_hostile_repository_runs_nothing(work: Work, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    program = tmp_path / "trap.sh"
    program.write_text(f"#!/bin/sh\ntouch '{sprung}'\ncat\n")
    program.chmod(0o755)
    work.write(".gitattributes", "*.md diff=trap filter=trap\n")
    work.push()
    for key in ("diff.trap.textconv", "diff.trap.command", "filter.trap.smudge", "core.fsmonitor"):
        work.git("config", key, str(program))
    with suppress(Refused, SourceDown):
        await Known(work.source(at=str(work.folder))).sync()
    assert not sprung.exists()


async def test_three_thousand_files_come_in_pieces(work: Work) -> None:
    for n in range(3_000):
        work.write(f"many/{n % 50}/{n}.txt", f"text {n}\n")
    work.push()
    known = Known(work.source(settings=GitSettings()))
    assert len((await known.sync()).add) == 3_003
    assert await text(known.source, "many/7/57.txt") == "text 57\n"

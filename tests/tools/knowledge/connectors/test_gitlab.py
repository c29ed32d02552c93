"""Files, wikis and issues of GitLab follow what people do there, whatever we are shown today."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from tests.fakes.gitlab_server import GitLabServer, Lab
from tests.fakes.rest_server import Patience, Reply, serving
from tests.tools.knowledge.connectors.gathering import Known, listed, text

from artel.tools.knowledge.connectors.gitlab import GitLab, private_token
from artel.tools.knowledge.connectors.port import Cursor, ItemGone, Refused, SourceDown


@pytest.fixture
async def server() -> AsyncIterator[GitLabServer]:
    async with serving(GitLabServer()) as opened:
        yield opened


@pytest.fixture
def lab(server: GitLabServer) -> Lab:
    """Fifty-one files, two pages of a wiki, forty-five issues; twenty come at a time."""
    made = server.lab(README="Read me.", **{f"src__m{n}.py": f"x = {n}\n" for n in range(50)})
    made.wiki = {"home": "Welcome.", "how/to-deploy": "Press it."}
    for n in range(45):
        server.issue(made, f"Issue {n}")
    return made


def source(server: GitLabServer, token: str = "glpat-1", **changed: Any) -> GitLab:
    client = changed.pop("client", None) or Patience().client(
        server, setting="sources.lab.token", credentials=private_token(SecretStr(token))
    )
    return GitLab("lab", client, **{"projects": ("team/code",), **changed})


async def test_all_documents_come_and_are_listed(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server))
    await known.sync(listing=True)
    assert len(known.documents) == 51 + 2 + 45
    file = known.told.changed["7/files/src/m3.py"]
    assert (file.kind, file.url) == ("code", "https://lab.example/team/code/-/blob/main/src/m3.py")
    assert known.told.changed["7/wikis/how/to-deploy"].kind == "wiki"
    assert known.told.changed["7/issues/45"].metadata["labels"] == ["bug"]
    server.forget()
    found = await known.sync(listing=True)
    assert (found.add, found.change, found.delete) == ((), (), ())
    assert not [path for path in server.paths() if "compare" in path]


async def test_of_a_few_changed_files_the_tree_is_not_listed(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server, parts=("files",)))
    await known.sync()
    lab.commit(README="New.", src__m1="x", src__m3=None, **{"src__m2.py": None, "new.md": "New."})
    server.forget()
    found = await known.sync()
    assert set(found.add) == {"7/files/src/m1", "7/files/new.md"}
    assert (found.change, found.delete) == (("7/files/README",), ("7/files/src/m2.py",))
    assert not [path for path in server.paths() if path.endswith("/tree")]
    assert known.documents.keys() == set(await listed(known.source))


async def test_history_that_was_rewritten_is_listed_anew(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server, parts=("files",)))
    await known.sync()
    lab.commits.clear()
    lab.head = ""
    lab.commit(README="Read me.", only="1", **{f"src__m{n}.py": f"x = {n}\n" for n in range(40)})
    found = await known.sync(listing=True)
    assert (found.add, found.change, len(found.delete)) == (("7/files/only",), (), 10)


async def test_many_changed_files_are_listed_by_the_tree(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server, parts=("files",)))
    await known.sync()
    lab.commit(**{f"new{n}.md": "x" for n in range(150)})
    server.forget()
    assert len((await known.sync()).add) == 150
    assert not [one for one in server.asked if one.method == "HEAD"]


async def test_what_is_no_document_is_not_told(server: GitLabServer) -> None:
    lab = server.lab(
        **{"a.md": "A", ".env": "x", "logo.png": "x", "node_modules__x.js": "x", "docs__b.md": "B"}
    )
    assert await listed(source(server)) == ["7/files/a.md", "7/files/docs/b.md"]
    assert await listed(source(server, within="docs")) == ["7/files/docs/b.md"]
    with pytest.raises(Refused):
        await source(server).fetch("7/files/.env")
    assert lab.head


async def test_pages_of_a_wiki_that_changed_or_went(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server, parts=("wikis",)))
    await known.sync()
    lab.wiki["home"] = "Other."
    del lab.wiki["how/to-deploy"]
    found = await known.sync()
    assert (found.change, found.delete) == (("7/wikis/home",), ("7/wikis/how/to-deploy",))
    fetched = await known.source.fetch("7/wikis/home")
    assert (fetched.data, fetched.name, fetched.media_type) == (b"Other.", "home.md", "text/markdown")


async def test_only_issues_that_were_updated_are_asked_for(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server, parts=("issues",)))
    await known.sync()
    server.now += timedelta(hours=1)
    server.touch(lab.issues[3])
    server.forget()
    assert (await known.sync()).change == ("7/issues/3",)
    assert sum(path.endswith("/issues") for path in server.paths()) == 3
    del lab.issues[9]
    assert (await known.sync(listing=True)).delete == ("7/issues/9",)


async def test_an_issue_updated_while_issues_are_listed_hides_no_other(
    server: GitLabServer, lab: Lab
) -> None:
    server.after[2] = lambda: server.touch(lab.issues[1])
    known = Known(source(server, parts=("issues",)))
    await known.sync()
    assert len(known.documents) == 45


async def test_an_issue_deleted_while_issues_are_listed_hides_no_other(
    server: GitLabServer, lab: Lab
) -> None:
    known = Known(source(server, parts=("issues",)))
    await known.sync()
    server.after[server.served + 2] = lambda: lab.issues.__delitem__(2)
    assert set(await listed(known.source)) == known.documents.keys()


async def test_many_issues_of_one_moment_all_come(server: GitLabServer, lab: Lab) -> None:
    for one in lab.issues.values():
        one.updated_at = one.created_at = server.now
    known = Known(source(server, parts=("issues",)))
    await known.sync(listing=True)
    assert len(known.documents) == 45


async def test_confidential_issues_are_no_documents(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server, parts=("issues",)))
    await known.sync()
    lab.issues[5].confidential = True
    server.touch(lab.issues[5])
    assert (await known.sync(listing=True)).delete == ("7/issues/5",)
    with pytest.raises(ItemGone):
        await known.source.fetch("7/issues/5")


async def test_an_issue_is_read_with_what_people_said(server: GitLabServer, lab: Lab) -> None:
    about = {"author": {"name": "Ann"}, "created_at": "2026-05-02T10:00:00Z"}
    lab.issues[1].notes = [{"body": f"Comment {n}.", "system": n == 3, **about} for n in range(30)]
    said = await text(source(server), "7/issues/1")
    assert said.startswith("# Issue 0\n\nWhat is wrong.\n\n## Ann, 2026-05-02\n\nComment 0.")
    assert "Comment 29." in said
    assert "Comment 3." not in said


async def test_projects_of_a_group_are_found(server: GitLabServer) -> None:
    for n in range(30):
        server.lab(f"team/p{n}", **{"a.md": f"{n}"})
    server.lab("other/p", **{"a.md": "x"})
    empty = server.lab("team/empty")
    known = Known(source(server, projects=(), groups=("team",)))
    await known.sync(listing=True)
    assert len(known.documents) == 30
    assert not empty.head


async def test_a_wiki_that_is_off_is_not_asked_for(server: GitLabServer, lab: Lab) -> None:
    lab.wiki_on = False
    await listed(source(server))
    assert not [path for path in server.paths() if "wikis" in path]


async def test_a_token_that_expired_takes_nothing_away(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server))
    await known.sync()
    server.token = "glpat-2"
    with pytest.raises(Refused, match=r"sources\.lab\.token") as refused:
        await known.sync(listing=True)
    assert "glpat" not in str(refused.value)
    assert len(known.documents) == 98


async def test_a_project_that_is_hidden_takes_nothing_away(server: GitLabServer, lab: Lab) -> None:
    known = Known(source(server))
    await known.sync()
    server.hidden.add(7)
    with pytest.raises(Refused, match="shows no project team/code"):
        await known.sync(listing=True)
    with pytest.raises(Refused):
        await listed(known.source)
    assert len(known.documents) == 98


async def test_a_project_that_fails_holds_up_no_other(server: GitLabServer, lab: Lab) -> None:
    server.lab("team/second", **{"a.md": "A"})
    server.told["/api/v4/projects/7/repository/tree"] = [Reply("x" * 50, cut=True)]
    server.stay.add("/api/v4/projects/7/repository/tree")
    known = Known(source(server, projects=("team/code", "team/second")))
    with pytest.raises(SourceDown):
        await known.sync()
    assert set(known.documents) == {"8/files/a.md"}
    server.told.clear()
    await known.sync(listing=True)
    assert len(known.documents) == 99


async def test_a_sync_that_broke_off_asks_no_second_time_for_what_was_saved(
    server: GitLabServer, lab: Lab
) -> None:
    cursor = None
    async for change in source(server).changes(None):
        if isinstance(change, Cursor):
            cursor = change.value
            break
    known = Known(source(server), cursor=cursor)
    server.forget()
    await known.sync()
    assert not [path for path in server.paths() if path.endswith("/tree")]
    assert len(known.documents) == 47


async def test_links_of_a_server_behind_a_proxy_lead_to_the_address_that_is_set(
    server: GitLabServer, lab: Lab
) -> None:
    server.outside = "http://gitlab.internal:8080/lab"
    assert len(await listed(source(server))) == 98


async def test_a_busy_server_gives_the_same(server: GitLabServer, lab: Lab) -> None:
    server.busy = 60
    patience = Patience()
    client = patience.client(server, credentials=private_token(SecretStr("glpat-1")), tries=30)
    known = Known(source(server, client=client))
    await known.sync(listing=True)
    assert len(known.documents) == 98
    assert max(patience.waited) >= 1


@pytest.mark.parametrize("said", [[{"iid": None}], [{"iid": 1}], ["x"], {"message": "?"}, [[]]])
async def test_an_answer_of_another_shape_is_no_bug_of_ours(
    server: GitLabServer, lab: Lab, said: Any
) -> None:
    server.told["/api/v4/projects/7/issues"] = [Reply(said)] * 2
    with pytest.raises(SourceDown):
        await listed(source(server, parts=("issues",)))
    server.told["/api/v4/projects/team/code"] = [Reply({"id": "x"})]
    with pytest.raises(SourceDown):
        await listed(source(server, parts=("issues",)))


async def test_ids_that_are_none_are_not_asked_for(server: GitLabServer, lab: Lab) -> None:
    for id in ("", "7", "7/files/", "x/files/a", "7/users/1", "7/issues/../1", "7/issues/1/notes"):  # noqa: A001
        with pytest.raises(ItemGone):
            await source(server).fetch(id)
    assert not server.asked
    with pytest.raises(ItemGone):
        await source(server).fetch("7/files/../../issues")

"""Work is published as it was checked and shown, once, and nothing of the user's own is touched."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.fakes.gates import FORBIDDEN
from tests.fakes.git_host import git_host
from tests.graphs.workflows.conftest import FIVE, NO, YES, Publisher

from artel.graphs.approval import validate
from artel.graphs.workflows import publish
from artel.graphs.workflows.publication import branch_of
from artel.storage.errors import Invalid
from artel.tools.git import publishing
from artel.tools.git.settings import GitSettings
from artel.tools.policy import Policy, Rule

PULL = "refs/artel/pulls/1"


def index(publisher: Publisher) -> str:
    return publisher.git("ls-files", "--stage") + publisher.git("status", "--porcelain")


async def test_red_then_green_then_yes_then_a_branch_a_commit_and_a_request_and_again_nothing_twice(
    publisher: Publisher,
) -> None:
    before = index(publisher)
    publisher.write("b.py", f"{FORBIDDEN} = 1\n")
    await publisher.publish()
    assert (publisher.open, publisher.result["status"]) == ((), "red")
    assert "b.py:1" in publisher.said
    assert publisher.values["report"]["passed"] is False
    assert (publisher.branches, publisher.sent) == (["refs/heads/main"], ["refs/heads/main"])

    publisher.write("b.py", "bye = 1\n")
    await publisher.publish()
    shown, branch = publisher.shown, branch_of("local", publisher.thread)
    assert (shown["risk"], shown["branch"], shown["base"]) == ("network", branch, "main")
    assert shown["address"] == str(publisher.bare)
    assert tuple(shown["paths"]) == FIVE == publisher.gate.asked[-1]
    assert shown["diff"].count("+bye = 1") == 5
    assert "words" in shown["gate"]
    assert ".env" in shown["left_out"][0]
    assert publisher.branches == ["refs/heads/main"]

    await publisher.answer(YES)
    assert publisher.result["status"] == "published"
    commit = publisher.git("rev-parse", branch)
    assert publisher.git("rev-parse", f"{commit}^{{tree}}") == shown["before"]
    assert publisher.git("log", "-1", "--format=%s|%b", commit).startswith("Five files|They say bye.")
    assert publisher.git("log", "-1", "--format=%(trailers:key=Artel-Agent,valueonly)", commit) == "publish"
    assert publisher.git("rev-parse", branch, at=publisher.bare) == commit
    record = json.loads(publisher.git("cat-file", "-p", PULL, at=publisher.bare))
    assert (record["title"], record["head"], record["base"]) == ("Five files", branch, "main")
    assert (index(publisher), publisher.git("symbolic-ref", "HEAD")) == (before, "refs/heads/main")

    await publisher.publish()
    await publisher.answer(YES)
    assert publisher.result["commit"] == commit
    assert publisher.sent == [PULL, "refs/heads/main", f"refs/heads/{branch}"]
    assert publisher.git("rev-parse", branch) == commit


async def test_a_repair_goes_on_the_same_branch_and_into_the_open_request(publisher: Publisher) -> None:
    await publisher.publish()
    await publisher.answer(YES)
    first = publisher.result["commit"]
    publisher.write("a.py", "repaired = 1\n")
    await publisher.publish(title="A repair")
    await publisher.answer(YES)
    branch = publisher.result["branch"]
    assert publisher.git("log", "--format=%s", branch).splitlines() == ["A repair", "Five files", "First"]
    assert publisher.git("rev-parse", f"{branch}^") == first
    assert publisher.git("show", f"{branch}:a.py", at=publisher.bare) == "repaired = 1"
    assert [ref for ref in publisher.sent if "pulls" in ref] == [PULL]


async def test_what_the_user_committed_meanwhile_is_joined(publisher: Publisher) -> None:
    await publisher.publish()
    await publisher.answer(YES)
    first = publisher.result["commit"]
    publisher.git("commit", "-qam", "Mine")
    mine = publisher.git("rev-parse", "HEAD")
    publisher.write("a.py", "more = 1\n")
    await publisher.publish()
    assert publisher.shown["commits"] == [f"{mine[:7]} Mine"]
    await publisher.answer(YES)
    parents = publisher.git("log", "-1", "--format=%P", publisher.result["branch"]).split()
    assert parents == [first, mine]


async def test_what_is_committed_already_needs_no_commit(publisher: Publisher) -> None:
    publisher.git("add", "new.py")
    publisher.git("commit", "-qam", "All of it")
    await publisher.publish()
    await publisher.answer(YES)
    assert publisher.result["commit"] == publisher.git("rev-parse", "main")
    assert publisher.git("rev-parse", publisher.result["branch"], at=publisher.bare) == publisher.git(
        "rev-parse", "main"
    )


Crash = Callable[..., Awaitable[Any]]


def after(what: Crash) -> Crash:
    async def dies(*args: Any, **more: Any) -> Any:
        await what(*args, **more)
        raise ConnectionError("the process died here")

    return dies


async def before(*_: Any, **__: Any) -> Any:
    raise ConnectionError("the process died here")


async def published(publisher: Publisher) -> None:
    await publisher.publish()
    await publisher.answer(YES)


POINTS = [
    ("drafted", "prepare"),
    ("commit", "commit"),
    ("push", "push"),
    ("request", "request"),
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("step", "node"), POINTS)
async def test_a_crash_around_any_effect_makes_each_once(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, step: str, node: str, moment: str
) -> None:
    real = getattr(publishing, step)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, step, before if moment == "before" else after(real))
        with pytest.raises(ConnectionError):
            await published(publisher)
    assert publisher.state.next == (node,)
    await publisher.go(None)
    if publisher.open:
        await publisher.answer(YES)
    assert publisher.result["status"] == "published"
    assert publisher.git("rev-list", "--count", publisher.result["branch"]) == "2"
    assert [ref for ref in publisher.sent if "pulls" in ref] == [PULL]
    assert (
        publisher.git("rev-parse", publisher.result["branch"], at=publisher.bare)
        == publisher.result["commit"]
    )


GIT_CALLS = ("read-tree", "write-tree", "commit-tree", "update-ref", "push", "hash-object")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("command", GIT_CALLS)
async def test_a_crash_around_any_git_command_after_the_yes_publishes_once(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, command: str, moment: str
) -> None:
    from artel.tools.git.repository import Repository  # noqa: PLC0415 - the class that is bent here

    real = Repository.git

    async def dies(self: Repository, *args: str, **more: Any) -> Any:
        hit = command in args
        if hit and moment == "before":
            raise ConnectionError("the process died here")
        ran = await real(self, *args, **more)
        if hit:
            raise ConnectionError("the process died here")
        return ran

    await publisher.publish()
    with monkeypatch.context() as patch:
        patch.setattr(Repository, "git", dies)
        with pytest.raises(ConnectionError):
            await publisher.answer(YES)
    assert publisher.open == ()
    await publisher.go(None)
    assert publisher.result["status"] == "published"
    assert publisher.git("rev-list", "--count", publisher.result["branch"]) == "2"
    assert [ref for ref in publisher.sent if "pulls" in ref] == [PULL]


async def test_files_that_change_after_the_commit_and_before_the_repeat_are_no_part_of_it(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publisher.publish()
    tree = publisher.shown["before"]
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "commit", after(publishing.commit))
        with pytest.raises(ConnectionError):
            await publisher.answer(YES)
    publisher.write("a.py", "later = 1\n")
    await publisher.go(None)
    assert publisher.result["status"] == "published"
    assert publisher.git("rev-parse", f"{publisher.result['branch']}^{{tree}}", at=publisher.bare) == tree


async def test_what_changed_since_it_was_shown_is_checked_and_asked_about_anew(publisher: Publisher) -> None:
    await publisher.publish()
    publisher.write("a.py", "other = 1\n")
    await publisher.answer(YES)
    assert "+other = 1" in publisher.shown["diff"]
    assert (len(publisher.gate.asked), publisher.branches) == (2, ["refs/heads/main"])
    publisher.write("a.py", f"{FORBIDDEN} = 1\n")
    await publisher.answer(YES)
    assert (publisher.result["status"], publisher.branches) == ("red", ["refs/heads/main"])


async def test_files_that_change_while_they_are_checked_are_not_published(publisher: Publisher) -> None:
    publisher.gate.meanwhile = lambda: publisher.write("a.py", FORBIDDEN)  # type: ignore[method-assign]
    await publisher.publish()
    assert publisher.open == ()
    assert "changed while they were checked" in publisher.said


async def test_other_words_are_taken_and_other_files_are_asked_about_anew(publisher: Publisher) -> None:
    def edited(**args: Any) -> dict[str, Any]:
        return {"type": "edit", "edited_action": {"name": "publish", "args": args}}

    await publisher.publish()
    await publisher.answer(edited(title="Two files", paths=["a.py", "b.py"]))
    assert tuple(publisher.shown["paths"]) == ("a.py", "b.py")
    assert publisher.branches == ["refs/heads/main"]
    await publisher.answer(edited(title="Both", description="é", paths=["a.py", "b.py"], draft=True))
    branch = publisher.result["branch"]
    assert publisher.git("diff", "--name-only", "main", branch).splitlines() == ["a.py", "b.py"]
    assert publisher.git("log", "-1", "--format=%s", branch) == "Both"
    assert json.loads(publisher.git("cat-file", "-p", PULL, at=publisher.bare))["draft"] is True


async def test_an_answer_with_arguments_that_publishing_does_not_take_is_refused(
    publisher: Publisher,
) -> None:
    await publisher.publish()
    (question,) = publisher.open
    for args in ({"title": ""}, {"title": "x", "force": True}, {"title": 1}, {}):
        wrong = {"type": "edit", "edited_action": {"name": "publish", "args": args}}
        with pytest.raises(Invalid, match=r"edited_action\.args"):
            validate(question.value, wrong)
    with pytest.raises(Invalid, match="no hunks"):
        validate(question.value, {**YES, "hunks": ["x"]})


@pytest.mark.parametrize("repaired", ["on disk", "in the index", "hidden"])
async def test_what_goes_along_as_committed_is_not_judged_by_a_repair_that_does_not(
    publisher: Publisher, repaired: str
) -> None:
    publisher.write("a.py", f"{FORBIDDEN} = 1\n")
    publisher.git("commit", "-qm", "Mine", "a.py")
    publisher.write("a.py", "fine = 1\n")
    if repaired == "in the index":
        publisher.git("add", "a.py")
    if repaired == "hidden":
        publisher.git("update-index", "--assume-unchanged", "a.py")
    await publisher.publish(paths=["b.py"])
    assert (publisher.open, publisher.result["status"]) == ((), "failed")
    assert "a.py would go along as you committed it" in publisher.said


async def test_what_was_committed_and_taken_back_since_is_no_part_of_it(publisher: Publisher) -> None:
    publisher.git("commit", "-qm", "Mine", "a.py")
    publisher.write("a.py", "hello = 1\n")
    await publisher.publish()
    assert "a.py" not in publisher.shown["paths"]
    await publisher.answer(YES)
    assert publisher.git("show", f"{publisher.result['branch']}:a.py", at=publisher.bare) == "hello = 1"


async def test_a_no_publishes_nothing(publisher: Publisher) -> None:
    await publisher.publish()
    await publisher.answer({**NO, "message": "not yet"})
    assert (publisher.result["status"], publisher.said) == ("rejected", "Not published: you said no: not yet")
    assert (publisher.branches, publisher.sent) == (["refs/heads/main"], ["refs/heads/main"])


async def test_a_remote_that_leads_elsewhere_after_the_yes_gets_nothing(publisher: Publisher) -> None:
    evil = publisher.bare.parent / "evil.git"
    publisher.git("clone", "-q", "--bare", str(publisher.bare), str(evil))
    await publisher.publish()
    publisher.git("remote", "set-url", "origin", str(evil))
    await publisher.answer(YES)
    assert publisher.result["status"] == "failed"
    assert f"leads to {evil} now, and the user was shown {publisher.bare}" in publisher.said
    assert publisher.git("for-each-ref", "--format=%(refname)", at=evil) == "refs/heads/main"
    assert publisher.branches == ["refs/heads/main"]


async def test_it_may_lead_elsewhere_between_the_commit_and_the_push_and_then_nothing_is_sent(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = publisher.bare.parent / "evil.git"
    publisher.git("clone", "-q", "--bare", str(publisher.bare), str(evil))
    await publisher.publish()
    real = publishing.commit

    async def committed(*args: Any) -> str:
        made = await real(*args)
        await asyncio.to_thread(publisher.git, "remote", "set-url", "--push", "origin", str(evil))
        return made

    monkeypatch.setattr(publishing, "commit", committed)
    await publisher.answer(YES)
    assert "The commit is made" in publisher.said
    assert publisher.git("for-each-ref", "--format=%(refname)", at=evil) == "refs/heads/main"


async def test_a_branch_with_foreign_commits_at_the_remote_is_not_overwritten(publisher: Publisher) -> None:
    branch = branch_of("local", publisher.thread)
    publisher.git("push", "-q", "origin", f"main:refs/heads/{branch}")
    theirs = publisher.bare.parent / "theirs"
    publisher.git("clone", "-q", "-b", branch, str(publisher.bare), str(theirs))
    publisher.git("commit", "-q", "--allow-empty", "-m", "Theirs", at=theirs)
    publisher.git("push", "-q", at=theirs)
    await publisher.publish()
    await publisher.answer(YES)
    assert publisher.result["status"] == "failed"
    assert "has commits that are missing here, and nothing is ever overwritten" in publisher.said
    assert publisher.git("log", "-1", "--format=%s", branch, at=publisher.bare) == "Theirs"
    assert not any("pulls" in ref for ref in publisher.sent)


async def test_a_branch_with_foreign_commits_here_is_not_built_upon(publisher: Publisher) -> None:
    branch = branch_of("local", publisher.thread)
    foreign = publisher.git("commit-tree", "-m", "Foreign", "-p", "main", "main^{tree}")
    publisher.git("update-ref", f"refs/heads/{branch}", foreign)
    await publisher.publish()
    assert "was not made by publishing" in publisher.said


async def test_a_branch_that_only_stands_for_another_moves_that_one_nowhere(publisher: Publisher) -> None:
    branch = branch_of("local", publisher.thread)
    publisher.git("symbolic-ref", f"refs/heads/{branch}", "refs/heads/main")
    await publisher.publish()
    await publisher.answer(YES)
    assert publisher.result["status"] == "published"
    assert publisher.git("rev-list", "--count", "main") == "1"
    assert publisher.git("rev-list", "--count", branch) == "2"


async def test_a_branch_that_is_checked_out_is_left_alone(publisher: Publisher) -> None:
    await publisher.publish()
    await publisher.answer(YES)
    publisher.git("stash", "-q", "-u")
    publisher.git("switch", "-q", publisher.result["branch"])
    publisher.write("a.py", "more = 1\n")
    await publisher.publish()
    assert "is checked out in" in publisher.said
    assert publisher.git("rev-list", "--count", "HEAD") == "2"


async def test_a_detached_head_is_published_and_stays_detached(publisher: Publisher) -> None:
    publisher.git("checkout", "-q", "--detach")
    await publisher.publish()
    await publisher.answer(YES)
    assert publisher.result["status"] == "published"
    assert publisher.git("rev-parse", "--abbrev-ref", "HEAD") == "HEAD"


async def test_two_users_and_two_threads_have_branches_of_their_own(publisher: Publisher) -> None:
    assert branch_of("Ann", "t").startswith("user/ann/feature-")
    assert len({branch_of(*each) for each in (("Ann", "t"), ("ann", "t"), ("ann", "u"), ("../x", "t"))}) == 4
    publisher.user = "../Bob\n--x"
    await publisher.publish()
    assert publisher.shown["branch"].startswith("user/bob-x/feature-")


WORLDS: dict[str, tuple[Callable[[Publisher], Any], dict[str, Any], str]] = {
    "no remote": (lambda p: p.git("remote", "remove", "origin"), {}, "origin has 0 addresses"),
    "no change": (
        lambda p: (p.git("add", "-A"), p.git("stash", "-q")),
        {},
        "nothing to publish: the files are as in main",
    ),
    "no repository": (lambda p: (p.folder / ".git").rename(p.folder / "git"), {}, "is no git repository"),
    "a merge": (lambda p: (p.folder / ".git/MERGE_HEAD").write_text("x"), {}, "a merge is under way"),
    "no base": (lambda p: None, {"base": "nowhere"}, "has no branch nowhere"),
    "an option": (lambda p: None, {"base": "--upload-pack=x"}, "is no name"),
    "a bad remote": (lambda p: None, {"remote": "--x"}, "is no name of a remote"),
    "a path outside": (lambda p: None, {"paths": ["../x"]}, "leads out of the workspace"),
    "a path without a change": (lambda p: None, {"paths": ["nothing.py"]}, "has no change to commit"),
    "no paths": (lambda p: None, {"paths": []}, "nothing to publish"),
    "no title": (lambda p: None, {"title": " "}, "a title of 1 to 255"),
    "a title of numbers": (lambda p: None, {"title": 7}, "publish: title"),
    "half a character": (lambda p: None, {"title": "\ud800"}, "a title of 1 to 255"),
    "lfs": (
        lambda p: p.write(".gitattributes", "*.py filter=lfs\n"),
        {},
        "goes through the filter lfs",
    ),
    "a foreign history": (
        lambda p: p.git(
            "push", "-qf", "origin", f"{p.git('commit-tree', '-m', 'x', 'main^{tree}')}:refs/heads/other"
        ),
        {"base": "other"},
        "no past in common",
    ),
}


@pytest.mark.parametrize("name", WORLDS)
async def test_what_cannot_be_published_is_said_and_nobody_is_asked(publisher: Publisher, name: str) -> None:
    change, asked, said = WORLDS[name]
    change(publisher)
    await publisher.publish(**asked)
    assert (publisher.open, publisher.result["status"]) == ((), "failed")
    assert said in publisher.said
    assert not any("feature" in ref for ref in publisher.sent)


async def test_names_that_are_no_text_are_published_and_shown_written_out(publisher: Publisher) -> None:
    names = [b"caf\xe9.py", "дом \n.py".encode(), b"-x.py", b":(glob)*.py"]
    for name in names:
        (publisher.folder / os.fsdecode(name)).write_text("x = 1\n")
    await publisher.publish()
    assert r"caf\udce9.py" in publisher.shown["paths"]
    json.dumps(publisher.shown).encode()
    await publisher.answer(YES)
    listed = publisher.git("ls-tree", "-z", "--name-only", publisher.result["branch"], at=publisher.bare)
    assert set(map(os.fsdecode, names)) < set(listed.split("\0"))


async def test_what_stands_in_the_place_of_something_else_is_published_as_it_is_now(
    publisher: Publisher,
) -> None:
    (publisher.folder / "a.py").unlink()
    (publisher.folder / "a.py").mkdir()
    publisher.write("a.py/inner.py", "x = 1\n")
    publisher.git("rm", "-q", "--cached", "b.py")
    (publisher.folder / "c.py").unlink()
    (publisher.folder / "c.py").symlink_to("/etc/passwd")
    (publisher.folder / "d.py").chmod(0o755)
    publisher.write("gone.py", "x\n")
    publisher.git("add", "gone.py")
    (publisher.folder / "gone.py").unlink()
    await publisher.publish()
    await publisher.answer(YES)
    tree = publisher.git("ls-tree", "-r", publisher.result["branch"], at=publisher.bare).splitlines()
    assert [line.split("\t")[1] for line in tree] == ["a.py/inner.py", "b.py", "c.py", "d.py", "new.py"]
    assert [line.split(" ")[0] for line in tree] == ["100644", "100644", "120000", "100755", "100644"]
    assert publisher.git("show", f"{publisher.result['branch']}:b.py") == "bye = 1"


async def test_a_token_that_may_not_is_told_with_its_setting(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sent(*_: Any) -> bool:
        return True

    monkeypatch.setattr(publishing, "send", sent)
    async with git_host(403) as host:
        publisher.git("fetch", "-q", "origin")
        publisher.git("remote", "set-url", "origin", f"{host.url}/ann/project.git")
        settings = {"github_url": host.url, "github_token": SecretStr("t0ken"), "timeout_s": 5}
        publisher.with_handles(git=GitSettings.model_validate(settings))
        await publisher.publish()
        await publisher.answer(YES)
    assert "refuses the token of ARTEL_GIT__GITHUB_TOKEN (403)" in publisher.said


async def test_a_secret_goes_only_where_it_is_named(publisher: Publisher) -> None:
    await publisher.publish(paths=["a.py", ".env"])
    assert ".env" in publisher.shown["paths"]
    assert "PASSWORD" in publisher.shown["diff"]


async def test_a_policy_that_denies_is_not_asked_around(publisher: Publisher) -> None:
    never = Policy(rules=(Rule(id="never", effect="deny", action="git.push", reason="not from here"),))
    publisher.with_handles(policy=never)
    await publisher.publish()
    assert (publisher.open, publisher.result["status"]) == ((), "refused")
    assert "not from here" in publisher.said
    assert publisher.outcomes == [("verdict", "", "refused")]


async def test_a_policy_that_denies_after_the_yes_stops_what_is_left(publisher: Publisher) -> None:
    await publisher.publish()
    never = Policy(rules=(Rule(id="never", effect="deny", action="git.push", reason="not from here"),))
    publisher.with_handles(policy=never)
    await publisher.answer(YES)
    assert (publisher.result["status"], publisher.branches) == ("refused", ["refs/heads/main"])


async def test_publishing_always_asks_also_where_the_policy_lets_agents_push(publisher: Publisher) -> None:
    publisher.with_handles(policy=Policy(rules=(Rule(id="free", effect="allow", action="git.*"),)))
    await publisher.publish()
    assert len(publisher.open) == 1


async def test_the_question_and_each_effect_are_in_the_audit_log(publisher: Publisher) -> None:
    await publisher.publish()
    await publisher.answer(YES)
    assert publisher.outcomes == [
        ("verdict", "", "asked"),
        *(
            (kind, effect, status)
            for effect in ("commit", "push", "request")
            for kind, status in (
                ("intent", ""),
                ("result", "ok"),
            )
        ),
    ]
    assert {one.call.tool for one in publisher.audit.entries} == {"publish"}
    assert str(publisher.bare) in publisher.audit.entries[-1].summary


@pytest.mark.parametrize("kind", ["github", "gitlab"])
async def test_a_request_at_a_host_that_was_away_is_opened_once_when_it_is_back(
    publisher: Publisher, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sent(*_: Any) -> bool:
        return True

    monkeypatch.setattr(publishing, "send", sent)  # the fake serves no git
    async with git_host(500) as host:
        publisher.git("fetch", "-q", "origin")
        publisher.git("remote", "set-head", "origin", "main")
        publisher.git("remote", "set-url", "origin", f"{host.url}/ann/project.git")
        settings = {f"{kind}_url": host.url, f"{kind}_token": SecretStr("t0ken"), "timeout_s": 5}
        publisher.with_handles(git=GitSettings.model_validate(settings))
        await publisher.publish(draft=True)
        assert publisher.shown["address"] == f"{host.url}/ann/project.git"
        await publisher.answer(YES)
        assert "answered 500" in publisher.said
        assert "The commit is made; to publish again goes on from there." in publisher.said
        for _ in range(2):
            await publisher.publish(draft=True)
            await publisher.answer(YES)
            assert publisher.result["request"] == f"{host.url}/request/1"
        assert len(host.opened) == 1
        assert publisher.git("rev-list", "--count", publisher.result["branch"]) == "2"
        body = next(each.body for each in host.asked if each.method == "POST")
        assert body.get("draft") is True or body["title"] == "Draft: Five files"


async def test_a_network_that_is_away_is_said_and_the_commit_stays_for_the_next_try(
    publisher: Publisher,
) -> None:
    async with git_host() as host:
        gone = host.url
    publisher.git("fetch", "-q", "origin")
    publisher.git("remote", "set-head", "origin", "main")
    publisher.git("remote", "set-url", "origin", f"{gone}/ann/project.git")
    publisher.with_handles(git=GitSettings.model_validate({"github_url": gone, "timeout_s": 5}))
    await publisher.publish()
    await publisher.answer(YES)
    assert (publisher.result["status"], "commit" in publisher.result) == ("failed", True)
    assert "Not pushed" in publisher.said


async def test_a_base_of_which_nothing_is_known_here_is_not_guessed(publisher: Publisher) -> None:
    publisher.git("remote", "set-url", "origin", "https://github.com/ann/project.git")
    await publisher.publish()
    assert "git fetch origin main" in publisher.said


async def test_a_folder_outside_the_roots_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    publisher.handles = replace(publisher.handles, roots=(tmp_path / "remote.git",))
    await publisher.publish()
    assert "is not below an allowed workspace root" in publisher.said


def test_what_a_client_may_give_does_not_name_what_was_checked() -> None:
    given = publish.graph.get_input_jsonschema()["properties"]
    assert not {"promise", "report", "publication"} & set(given)
    assert "messages" in given

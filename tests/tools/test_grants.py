"""A grant turns a question into a yes, for what it covers and for nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artel.tools.grants import Covers, Grant, is_liftable, judge_granted, liftable, said
from artel.tools.policy import DEFAULT, Call, Policy, Rule, When, judge, judge_all
from artel.tools.shell.calls import calls_of

PLAIN = Call(tool="execute", action="exec")
ASK = Policy()


def granting(*covers: Covers, tool: str = "execute", agent: str = "", id: str = "g1") -> Grant:  # noqa: A002
    return Grant(grant_id=id, scope="always", tool=tool, covers=covers, agent=agent)


def command(line: str, *, rest: bool = False) -> Covers:
    (call,) = calls_of(line, ".", PLAIN)
    return Covers(action="exec", argv=call.argv, also=tuple(form.argv for form in call.also), rest=rest)


def verdict(line: str, *grants: Grant, policy: Policy = DEFAULT, tainted: bool = False) -> tuple[str, str]:
    calls = calls_of(line, ".", PLAIN.model_copy(update={"tainted": tainted}))
    told = judge_granted(policy, "coder", calls, grants)
    return told.effect, told.rule


PYTEST = granting(command("pytest", rest=True))


@pytest.mark.parametrize(
    "line",
    ["pytest", "pytest -q tests", "pytest -q && pwd", "cd a && pytest", "pytest -k 'a b' | head -n 5"],
)
def test_what_begins_so_is_not_asked_about_again(line: str) -> None:
    assert verdict(line) != ("allow", "grant:g1")
    assert verdict(line, PYTEST) == ("allow", "grant:g1")


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("pytest && ruff check", "ask"),
        ("pytest > out.txt", "ask"),
        ("pytest *.py", "ask"),
        ("pytest $x", "ask"),
        ("FOO=1 pytest", "ask"),
        ("eval pytest", "ask"),
        ("$x pytest", "ask"),
        ("xargs pytest", "ask"),
        ("timeout 5 pytest", "ask"),
        ("sh -c 'pytest -q'", "ask"),
        ("./pytest", "ask"),
        ("/usr/bin/pytest", "ask"),
        ("python -m pytest", "ask"),
        ("pytestx", "ask"),
        ("sudo pytest", "deny"),
        ("pytest; sudo ls", "deny"),
        ("pytest $(sudo ls)", "deny"),
    ],
)
def test_a_line_is_let_through_only_when_each_command_of_it_is_covered(line: str, effect: str) -> None:
    assert verdict(line, PYTEST)[0] == effect


def test_a_command_is_granted_word_for_word_with_what_runs_it() -> None:
    grant = granting(command("timeout 60 pytest -q"))
    assert verdict("timeout 60 pytest -q", grant)[0] == "allow"
    for line in ("pytest -q", "timeout 61 pytest -q", "timeout 60 pytest -q x", "timeout 60 pytest"):
        assert verdict(line, grant)[0] == "ask", line


def test_words_that_look_like_patterns_are_words() -> None:
    grant = granting(Covers(action="exec", argv=("pytest", "**")))
    assert verdict("pytest '**'", grant)[0] == "allow"
    assert verdict("pytest -q", grant)[0] == "ask"


def test_several_grants_may_cover_a_line_together_and_all_are_named() -> None:
    ruff = granting(command("ruff check"), id="g0")
    assert verdict("pytest && ruff check && pwd", PYTEST, ruff) == ("allow", "grant:g0,g1")


def test_what_text_from_outside_may_have_asked_for_is_asked_about() -> None:
    assert verdict("pytest", PYTEST, tainted=True) == ("ask", "tainted-exec")


def write(path: str, tool: str = "edit_file") -> Call:
    return Call(tool=tool, action="fs.write", path=path)


@pytest.mark.parametrize(
    ("covers", "path", "effect"),
    [
        (Covers(action="fs.write", path="src/a.py"), "src/a.py", "allow"),
        (Covers(action="fs.write", path="src/a.py"), "src/b.py", "ask"),
        (Covers(action="fs.write", path="src/**"), "src/a.py", "ask"),
        (Covers(action="fs.write", path="src", rest=True), "src/x/a.py", "allow"),
        (Covers(action="fs.write", path="src", rest=True), "srcs/a.py", "ask"),
        (Covers(action="fs.write", path="src", rest=True), "src/.env", "ask"),
        (Covers(action="fs.write", path="src", rest=True), "src/.ssh/config", "ask"),
        (Covers(action="fs.write", path=".", rest=True), "a.py", "allow"),
        (Covers(action="fs.write", path=".", rest=True), ".git/config", "deny"),
        (Covers(action="fs.write", path=".env"), ".env", "allow"),
        (Covers(action="fs.read", path="src", rest=True), "src/a.py", "ask"),
        (Covers(action="fs.write", argv=("src/a.py",)), "src/a.py", "ask"),
    ],
)
def test_a_folder_is_granted_with_what_lies_below_but_for_secrets(
    covers: Covers, path: str, effect: str
) -> None:
    grant = granting(covers, tool="edit_file")
    assert judge_granted(DEFAULT, "coder", [write(path)], [grant]).effect == effect
    assert judge_granted(DEFAULT, "coder", [write(path, "delete_file")], [grant]).effect != "allow"


def test_a_host_is_granted_with_all_its_pages() -> None:
    grant = granting(Covers(action="net.fetch", path="docs.example", rest=True), tool="web_fetch")
    for path, effect in (
        ("docs.example", "allow"),
        ("docs.example/a/b", "allow"),
        ("docs.example.evil/a", "ask"),
        ("docs.example:8080/a", "ask"),
    ):
        call = Call(tool="web_fetch", action="net.fetch", path=path)
        assert judge_granted(DEFAULT, "coder", [call], [grant]).effect == effect, path


def test_a_grant_is_for_the_calls_of_one_agent_or_of_any() -> None:
    covers = Covers(action="fs.write", path="a.py")
    of_ask, of_all = (granting(covers, tool="edit_file", agent=agent) for agent in ("ask", ""))
    assert judge_granted(DEFAULT, "coder", [write("a.py")], [of_ask]).effect == "ask"
    assert judge_granted(DEFAULT, "coder", [write("a.py")], [of_all]).effect == "allow"


def test_of_a_command_that_nobody_knows_nothing_can_be_granted() -> None:
    grant = granting(Covers(action="exec"))
    assert verdict("# nothing", grant)[0] == "ask"
    assert verdict("FOO=1", grant)[0] == "ask"


@pytest.mark.parametrize(
    ("tool", "covers", "told"),
    [
        ("execute", [command("timeout 60 pytest -q")], "exactly `timeout 60 pytest -q`"),
        ("execute", [command("pytest 'a b'", rest=True)], "`pytest 'a b'`, whatever follows"),
        ("edit_file", [Covers(action="fs.write", path="a\u202eb")], "edit_file: a\\u202eb"),
        (
            "edit_file",
            [Covers(action="fs.write", path="src", rest=True)],
            "edit_file: any file below src, but secrets",
        ),
        (
            "web_fetch",
            [Covers(action="net.fetch", path="x.example", rest=True)],
            "web_fetch: anything at x.example",
        ),
        ("git_merge", [Covers(action="git.write")], "git_merge, whatever its arguments"),
    ],
)
def test_what_is_covered_can_be_said_in_a_line(tool: str, covers: Sequence[Covers], told: str) -> None:
    assert said(tool, covers) == told


# whatever the policy, the calls and the grants

WORDS = st.sampled_from(("pytest", "rm", "sudo", "env", "-q", "$x", "a.py"))
ARGVS = st.lists(WORDS, max_size=3).map(tuple)
PATHS = st.sampled_from(("", "a.py", "src/a.py", "src/.env", ".git/config", "x.example/a"))
ACTIONS = st.sampled_from(("exec", "fs.write", "fs.read", "net.fetch", "git.push"))
EFFECTS = st.sampled_from(("allow", "ask", "deny"))
RULES = st.builds(
    Rule,
    id=st.sampled_from(("a", "b", "c")),
    effect=EFFECTS,
    action=st.sampled_from(("*", "exec", "fs.*", "net.*")),
    argv=st.one_of(st.just(()), ARGVS.map(lambda words: (*words, "**"))),
    path=st.one_of(st.just(()), st.just(("src/**",))),
    when=st.one_of(st.none(), st.just(When(tainted=True))),
)
POLICIES = st.builds(
    Policy, default=EFFECTS, floor=st.lists(RULES, max_size=2), rules=st.lists(RULES, max_size=4)
)
CALLS = st.builds(
    Call,
    tool=st.just("t"),
    action=ACTIONS,
    argv=ARGVS,
    path=PATHS,
    tainted=st.booleans(),
    unknown=st.booleans(),
    unsure=st.sampled_from(((), (0,), (1,))),
)
COVERS = st.builds(
    Covers,
    action=ACTIONS,
    argv=ARGVS,
    path=st.one_of(PATHS, st.sampled_from((".", "src"))),
    rest=st.booleans(),
)
GRANTS = st.builds(
    Grant,
    grant_id=st.sampled_from(("g1", "g2", "g3")),
    scope=st.just("always"),
    tool=st.just("t"),
    covers=st.lists(COVERS, max_size=3).map(tuple),
    agent=st.sampled_from(("", "coder", "ask")),
    expires_at=st.sampled_from((None, datetime(2050, 1, 1, tzinfo=UTC))),
)


@settings(max_examples=300, deadline=None)
@given(POLICIES, st.lists(CALLS, min_size=1, max_size=4), st.lists(GRANTS, max_size=4), st.randoms())
def test_the_order_of_rules_calls_and_grants_means_nothing(
    policy: Policy, calls: list[Call], grants: list[Grant], chance: object
) -> None:
    def shuffled(things: Sequence[object]) -> tuple[object, ...]:
        mixed = list(things)
        chance.shuffle(mixed)  # type: ignore[attr-defined]
        return tuple(mixed)

    told = judge_granted(policy, "coder", calls, grants)
    mixed = policy.model_copy(update={"rules": shuffled(policy.rules), "floor": shuffled(policy.floor)})
    assert judge_granted(mixed, "coder", shuffled(calls), shuffled(grants)) == told  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(POLICIES, st.lists(CALLS, min_size=1, max_size=4), st.lists(GRANTS, max_size=4))
def test_no_grant_lifts_the_floor_taint_a_no_or_what_nobody_knows(
    policy: Policy, calls: list[Call], grants: list[Grant]
) -> None:
    before = judge_all(policy, "coder", calls)
    after = judge_granted(policy, "coder", calls, grants)
    singly = [(call, judge(policy, "coder", call)) for call in calls]
    fixed = [
        call
        for call, one in singly
        if one.effect == "deny" or (one.effect == "ask" and (one.floor or call.unknown or call.unsure))
    ]
    if fixed or before.effect != "ask":
        assert after.effect == before.effect
    if after.effect == "allow" and before.effect == "ask":
        asked = [(call, one) for call, one in singly if one.effect == "ask"]
        assert all(is_liftable(*each) for each in asked)
        assert liftable(policy, "coder", calls) == [call for call, _ in asked]
        assert after.rule.startswith("grant:")


@settings(max_examples=200, deadline=None)
@given(POLICIES, CALLS)
def test_without_grants_a_verdict_is_what_it_was(policy: Policy, call: Call) -> None:
    assert judge_granted(policy, "coder", [call], []) == judge(policy, "coder", call)

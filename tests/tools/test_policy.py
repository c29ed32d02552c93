"""Policy is data; the order of its rules means nothing."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from artel.tools.policy import DEFAULT, Call, Effect, Policy, Rule, When, judge, judge_all


def call(action: str, path: str = "src/a.py", user: str = "local", *, tainted: bool = False) -> Call:
    return Call(tool="t", action=action, path=path, user=user, tainted=tainted)


@pytest.mark.parametrize(
    ("action", "path", "effect", "rule"),
    [
        ("fs.read", "src/a.py", "allow", "read"),
        ("fs.list", ".", "allow", "look"),
        ("fs.search", ".", "allow", "search"),
        ("fs.read", ".github/ci.yml", "allow", "read"),
        ("fs.read", ".env", "ask", "secrets"),
        ("fs.read", ".ENV.production", "ask", "secrets"),
        ("fs.read", "deploy/server.PEM", "ask", "secrets"),
        ("fs.read", "home/.ssh/config", "ask", "secrets"),
        ("fs.read", "src/environment.py", "allow", "read"),
        ("fs.search", "deploy/.env", "ask", "secret-search"),
        ("fs.write", "src/a.py", "ask", "write"),
        ("fs.write", ".env", "ask", "write"),
        ("fs.read", ".git/config", "deny", "git"),
        ("fs.write", "sub/.git/hooks/x", "deny", "git"),
        ("fs.read", ".git", "deny", "git"),
        ("exec", "", "ask", "default"),
        ("job.kill", "", "allow", "jobs"),
        ("unheard", "", "ask", "default"),
        ("net.fetch", "docs.example/a", "ask", "net"),
    ],
)
def test_reads_are_free_secrets_and_writes_ask_and_git_is_denied(
    action: str, path: str, effect: Effect, rule: str
) -> None:
    verdict = judge(DEFAULT, "coder", call(action, path))
    assert (verdict.effect, verdict.rule) == (effect, rule)
    assert verdict.reason


def test_rules_can_be_about_agents_and_users() -> None:
    policy = Policy(
        rules=(
            Rule(id="a", effect="allow", action="fs.write", agents=("coder",)),
            Rule(id="b", effect="deny", action="fs.*", users=("guest",)),
            Rule.model_validate(
                {
                    "id": "c",
                    "effect": "deny",
                    "action": "fs.write",
                    "agents": ["architect"],
                    "except": ["**/*.md"],
                }
            ),
        )
    )
    assert judge(policy, "coder", call("fs.write")).effect == "allow"
    assert judge(policy, "coder", call("fs.write", user="guest")).rule == "b"
    assert judge(policy, "architect", call("fs.write")).effect == "deny"
    assert judge(policy, "architect", call("fs.write", "docs/a.md")).effect == "ask"
    assert judge(policy, "ask", call("fs.write")).rule == "default"


def test_what_configures_artel_in_a_project_is_asked_about_even_where_writing_is_allowed() -> None:
    free = DEFAULT.model_copy(update={"rules": (Rule(id="w", effect="allow", action="fs.write"),)})
    for path in (".artel/gate.toml", "web/.Artel/gate.toml", ".artel"):
        verdict = judge(free, "coder", call("fs.write", path=path))
        assert (verdict.effect, verdict.rule, verdict.floor) == ("ask", "artel-config", True)
    assert judge(free, "coder", call("fs.write", path="docs/.artel.md")).effect == "allow"


def test_no_verdict_falls_below_the_floor_and_none_is_lowered_to_it() -> None:
    floor = (Rule(id="f", effect="ask", action="fs.write"),)
    allow = Rule(id="a", effect="allow", action="fs.write")
    ask, deny = (allow.model_copy(update={"id": each, "effect": each}) for each in ("ask", "deny"))
    verdict = judge(Policy(floor=floor, rules=(allow,), default="allow"), "coder", call("fs.write"))
    assert (verdict.rule, verdict.effect, verdict.floor) == ("f", "ask", True)
    equal = judge(Policy(floor=floor, rules=(allow, ask)), "coder", call("fs.write"))
    assert (equal.rule, equal.floor) == ("f", True)
    for policy in (Policy(floor=floor, rules=(allow, deny)), Policy(floor=floor, default="deny")):
        verdict = judge(policy, "coder", call("fs.write"))
        assert (verdict.effect, verdict.floor) == ("deny", False)


FREE = DEFAULT.model_copy(update={"rules": (Rule(id="free", effect="allow"),), "default": "allow"})


@pytest.mark.parametrize("action", ["exec", "exec.background", "net.fetch", "net.search", "git.push"])
def test_text_from_outside_makes_what_it_could_abuse_ask_whatever_is_allowed(action: str) -> None:
    assert judge(FREE, "coder", call(action)).effect == "allow"
    verdict = judge(FREE, "coder", call(action, tainted=True))
    assert (verdict.effect, verdict.rule.startswith("tainted-"), verdict.floor) == ("ask", True, True)
    assert "text from outside" in verdict.reason
    shut = FREE.model_copy(update={"rules": (*FREE.rules, Rule(id="shut", effect="deny"))})
    assert judge(shut, "coder", call(action, tainted=True)).effect == "deny"


@pytest.mark.parametrize("path", ["AGENTS.md", "src/deep/agents.md", "CLAUDE.md"])
def test_text_from_outside_is_not_handed_on_to_later_agents_unasked(path: str) -> None:
    assert judge(FREE, "coder", call("fs.write", path)).effect == "allow"
    verdict = judge(FREE, "coder", call("fs.write", path, tainted=True))
    assert (verdict.effect, verdict.rule, verdict.floor) == ("ask", "tainted-conventions", True)


@pytest.mark.parametrize("action", ["fs.read", "fs.write", "git.commit"])
def test_text_from_outside_changes_nothing_else(action: str) -> None:
    assert judge(FREE, "coder", call(action, tainted=True)) == judge(FREE, "coder", call(action))


def test_a_rule_can_be_about_taint_or_its_absence() -> None:
    clean = Rule(id="clean", effect="allow", action="exec", when=When(tainted=False))
    assert judge(Policy(rules=(clean,)), "coder", call("exec")).rule == "clean"
    assert judge(Policy(rules=(clean,)), "coder", call("exec", tainted=True)).rule == "default"


def test_one_tainted_part_of_a_call_taints_the_verdict_on_all() -> None:
    verdict = judge_all(FREE, "coder", [call("fs.read", tainted=True), call("exec", tainted=True)])
    assert (verdict.effect, verdict.floor) == ("ask", True)


RULES = st.builds(
    Rule,
    id=st.sampled_from("abcdef"),
    effect=st.sampled_from(["allow", "ask", "deny"]),
    action=st.sampled_from(["*", "fs.*", "fs.read", "fs.write", "exec"]),
    path=st.lists(st.sampled_from(["**", "*.py", "src/**", ".env*"]), max_size=2).map(tuple),
    agents=st.lists(st.sampled_from(["coder", "ask"]), max_size=1).map(tuple),
    when=st.sampled_from([None, When(tainted=True), When(tainted=False)]),
)


CALLS = st.builds(
    call,
    st.sampled_from(["fs.read", "fs.write", "exec"]),
    st.sampled_from(["src/a.py", ".env"]),
    tainted=st.booleans(),
)


@given(rules=st.lists(RULES, max_size=6), floor=st.lists(RULES, max_size=3), asked=CALLS, data=st.data())
def test_no_order_changes_a_verdict_and_no_rule_softens_one(
    rules: list[Rule], floor: list[Rule], asked: Call, data: st.DataObject
) -> None:
    policy = Policy(floor=tuple(floor), rules=tuple(rules))
    verdict = judge(policy, "coder", asked)
    shuffled = Policy(
        floor=tuple(data.draw(st.permutations(floor))), rules=tuple(data.draw(st.permutations(rules)))
    )
    assert judge(shuffled, "coder", asked) == verdict
    strength = ["allow", "ask", "deny"].index
    extra = data.draw(RULES)
    grown = policy.model_copy(update={"floor": (*floor, extra)})
    assert strength(judge(grown, "coder", asked).effect) >= strength(verdict.effect)
    if verdict.rule != "default":
        more = policy.model_copy(update={"rules": (*rules, extra)})
        assert strength(judge(more, "coder", asked).effect) >= strength(verdict.effect)


@pytest.mark.parametrize("bad", [{"effect": "maybe"}, {"id": ""}, {"pth": ["x"]}, {"when": {"taint": True}}])
def test_a_policy_with_a_slip_is_refused_and_not_ignored(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate({"id": "a", "effect": "deny", **bad})


def test_a_policy_is_plain_data() -> None:
    assert Policy.model_validate(DEFAULT.model_dump(mode="json", by_alias=True)) == DEFAULT


def waiting(policy: Policy) -> tuple[int | None, str | None, tuple[str, ...]]:
    verdict = judge(policy, "coder", Call(tool="write_file", action="fs.write", path="db/a.sql"))
    return verdict.timeout_s, verdict.on_timeout, verdict.escalate_to


def test_of_rules_that_ask_the_shortest_time_and_the_strictest_end_count_in_any_order() -> None:
    park = Rule(id="a", effect="ask", action="fs.write", timeout_s=60, on_timeout="park")
    up = Rule(
        id="b", effect="ask", path=("db/**",), timeout_s=90, on_timeout="escalate", escalate_to=("eve",)
    )
    more = Rule(id="c", effect="ask", on_timeout="escalate", escalate_to=("bob",))
    quiet = Rule(id="d", effect="ask", action="fs.*")
    other = Rule(id="e", effect="ask", action="exec", timeout_s=1, on_timeout="reject")
    for rules in permutations((park, up, more, quiet, other)):
        assert waiting(Policy(rules=rules)) == (60, "escalate", ("bob", "eve"))
    assert waiting(Policy(rules=(park, quiet))) == (60, "park", ())
    no = Rule(id="f", effect="ask", on_timeout="reject")
    assert waiting(Policy(rules=(up,), floor=(no,))) == (90, "reject", ())
    assert waiting(Policy(rules=(quiet,))) == (None, None, ())


def test_of_all_that_a_call_amounts_to_the_shortest_time_counts() -> None:
    rules = (
        Rule(id="a", effect="ask", path=("a",), timeout_s=60, on_timeout="park"),
        Rule(id="b", effect="ask", path=("b",), timeout_s=9, on_timeout="park"),
        Rule(id="c", effect="allow", path=("c",)),
    )
    calls = [Call(tool="x", action="fs.write", path=path) for path in "abc"]
    verdict = judge_all(Policy(rules=rules), "coder", calls)
    assert (verdict.effect, verdict.timeout_s, verdict.on_timeout) == ("ask", 9, "park")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"effect": "allow", "timeout_s": 5}, "effect ask"),
        ({"effect": "deny", "on_timeout": "park"}, "effect ask"),
        ({"effect": "ask", "on_timeout": "escalate"}, "go together"),
        ({"effect": "ask", "escalate_to": ["bob"]}, "go together"),
        ({"effect": "ask", "timeout_s": 0}, "greater than or equal to 1"),
        ({"effect": "ask", "timeout_s": 604_801}, "less than or equal to 604800"),
        ({"effect": "ask", "on_timeout": "escalate", "escalate_to": ["a\0"]}, "escalate_to"),
        ({"effect": "ask", "on_timeout": "approve"}, "on_timeout"),
    ],
)
def test_a_rule_whose_time_makes_no_sense_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Rule.model_validate({"id": "x", **wrong})

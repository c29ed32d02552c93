"""Policy is data; the order of its rules means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from artel.tools.policy import DEFAULT, Call, Effect, Policy, Rule, judge


def call(action: str, path: str = "src/a.py", user: str = "local") -> Call:
    return Call(tool="t", action=action, path=path, user=user)


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
        ("exec", "", "ask", "exec"),
        ("job.kill", "", "allow", "jobs"),
        ("unheard", "", "ask", "default"),
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


def test_the_floor_wins_over_every_rule() -> None:
    policy = Policy(
        floor=(Rule(id="f", effect="ask", action="fs.write"),),
        rules=(
            Rule(id="r", effect="deny", action="fs.write"),
            Rule(id="s", effect="allow", action="fs.write"),
        ),
    )
    assert judge(policy, "coder", call("fs.write")).rule == "f"


RULES = st.builds(
    Rule,
    id=st.sampled_from("abcdef"),
    effect=st.sampled_from(["allow", "ask", "deny"]),
    action=st.sampled_from(["*", "fs.*", "fs.read", "fs.write"]),
    path=st.lists(st.sampled_from(["**", "*.py", "src/**", ".env*"]), max_size=2).map(tuple),
    agents=st.lists(st.sampled_from(["coder", "ask"]), max_size=1).map(tuple),
)


@given(rules=st.lists(RULES, max_size=6), data=st.data())
def test_no_order_changes_a_verdict_and_no_rule_softens_one(rules: list[Rule], data: st.DataObject) -> None:
    asked = call(
        data.draw(st.sampled_from(["fs.read", "fs.write"])), data.draw(st.sampled_from(["src/a.py", ".env"]))
    )
    verdict = judge(Policy(rules=tuple(rules)), "coder", asked)
    shuffled = data.draw(st.permutations(rules))
    assert judge(Policy(rules=tuple(shuffled)), "coder", asked) == verdict
    strength = ["allow", "ask", "deny"].index
    if verdict.rule != "default":
        more = Policy(rules=(*rules, data.draw(RULES)))
        assert strength(judge(more, "coder", asked).effect) >= strength(verdict.effect)


@pytest.mark.parametrize("bad", [{"effect": "maybe"}, {"id": ""}, {"pth": ["x"]}])
def test_a_policy_with_a_slip_is_refused_and_not_ignored(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate({"id": "a", "effect": "deny", **bad})


def test_a_policy_is_plain_data() -> None:
    assert Policy.model_validate(DEFAULT.model_dump(mode="json", by_alias=True)) == DEFAULT

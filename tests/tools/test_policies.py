"""A server's policy comes from a file; a mistake names file and key; its floor comes on top of ours."""

from pathlib import Path

import pytest

from artel.tools.policies import PolicyWrong, over, read
from artel.tools.policy import DEFAULT, Call, Policy, Rule, judge

YAML = """
default: deny
floor:
  - {id: house, effect: deny, action: net.*}
rules:
  - id: tests
    effect: allow
    action: exec
    argv: [pytest, "**"]
"""


def written(folder: Path, text: str, name: str = "policy.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_a_file_takes_the_place_of_the_rules_and_never_of_the_floor(tmp_path: Path) -> None:
    policy = read(written(tmp_path, YAML))
    assert [rule.id for rule in policy.floor] == [*(rule.id for rule in DEFAULT.floor), "house"]
    assert [rule.id for rule in policy.rules] == ["tests"]
    assert judge(policy, "coder", Call(tool="t", action="fs.read", path="a")).effect == "deny"
    assert judge(policy, "coder", Call(tool="t", action="exec", argv=("pytest",))).effect == "allow"


def test_json_is_read_too(tmp_path: Path) -> None:
    assert read(written(tmp_path, '{"default": "allow"}', "p.json")).default == "allow"


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("rules: [{id: x, effect: maybe}]", "p.yaml", "p.yaml: rules[0].effect (rule 'x'): Input should be"),
        ("rule: []", "p.yml", "rule: Extra inputs are not permitted"),
        ("rules: [", "p.yaml", "p.yaml: while parsing"),
        ("{", "p.json", "p.json: Expecting property name"),
        ("- a", "p.yaml", "p.yaml: it: Input should be"),
        ("", "p.yaml", "p.yaml: it: Input should be"),
        ("rules: [{id: unknown, effect: ask}]", "p.yaml", "rule 'unknown' needs another id"),
        ("!!python/object/apply:os.system [true]", "p.yaml", "p.yaml: could not determine a constructor"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(tmp_path: Path, text: str, name: str, says: str) -> None:
    with pytest.raises(PolicyWrong) as wrong:
        read(written(tmp_path, text, name))
    assert says in str(wrong.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyWrong, match=r"no\.yaml cannot be read: No such file"):
        read(tmp_path / "no.yaml")
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyWrong, match=r"odd\.yaml: "):
        read(tmp_path / "odd.yaml")


def test_one_s_own_policy_never_softens_the_floor_of_the_server() -> None:
    floor = (Rule(id="house", effect="ask", action="exec"),)
    server = Policy(floor=floor, rules=(Rule(id="shut", effect="deny", action="fs.*"),))
    own = Policy(default="allow", floor=(Rule(id="mine", effect="deny", action="net.*"),))
    held = over(server, own)
    assert (held.default, held.rules, [rule.id for rule in held.floor]) == ("allow", (), ["house", "mine"])
    assert over(server, None) is server

"""Case files: what they hold, and that a wrong or hostile one is refused with the file and the key."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # without stubs
from evals import configurations
from evals.cases import CaseWrong, load, parse
from evals.versions import version

from artel import prompts
from artel.graphs.models import ModelSettings
from artel.graphs.roles import built_in
from artel.graphs.routing import is_russian

FOLDER = Path(__file__).parents[2] / "evals"
SOUND: dict[str, Any] = {"request": "hi", "script": ["hi"], "checks": {"says": ["hi"]}}


def written(home: Path, said: Any, *, agent: str = "ask", name: str = "one") -> Path:
    file = home / agent / "cases" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(said if isinstance(said, str) else yaml.safe_dump(said, allow_unicode=True))
    return file


def test_a_case_is_named_by_where_it_lies(tmp_path: Path) -> None:
    case = parse(written(tmp_path, SOUND, agent="coder", name="greets"))
    assert (case.id, list(case.turns), case.floor) == ("coder/greets", ["hi"], 1.0)


@pytest.mark.parametrize(
    "path",
    [
        "../out.txt",
        "/etc/passwd",
        "a/../../b",
        "./a",
        "a//b",
        "",
        "a\\..\\b",
        "C:/x",
        ".git/config",
        "sub/.GIT/hooks/x",
        ".artel/x",
        "a\0b",
        "a\nb",
        "x" * 500,
    ],
)
@pytest.mark.parametrize("key", ["files", "checks.files", "checks.absent", "checks.changed_only"])
def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path: Path, path: str, key: str) -> None:
    checks: dict[str, Any] = {"says": ["hi"]}
    said: dict[str, Any] = {**SOUND, "checks": checks}
    place, _, name = key.rpartition(".")
    value: Any = {path: "x"} if name == "files" else [path]
    (checks if place else said)[name] = value
    file = written(tmp_path, said)
    with pytest.raises(CaseWrong, match=rf"{file}.*: {key}") as refused:
        parse(file)
    assert "workspace" in str(refused.value) or "leave it out" in str(refused.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"requst": "x"}, "requst"),
        ({"request": ""}, "request"),
        ({"floor": 2}, "floor"),
        ({"models": ["gpt"]}, "models.0"),
        ({"script": []}, "has no script"),
        ({"checks": {}}, "checks nothing"),
        ({"checks": {"sayz": ["x"]}}, "checks.sayz"),
        ({"checks": {"points_to": ["a.py"]}}, "is no place"),
        ({"checks": {"points_to": ["../a.py:3"]}}, "checks.points_to"),
        ({"wrong": [{"how": "x", "script": ["y"], "fails": []}]}, "wrong.0.fails"),
        ({"wrong": [{"how": "x", "fails": ["it says"]}], "models": ["real"]}, "nobody plays it"),
        ({"agent": "coder"}, "agent: leave it out"),
        ({"limit_s": 1e9}, "limit_s"),
        ({"files": {"a": "x", "a/b": "y"}}, "cannot be a file and the folder"),
        ({"files": {f"f{n}": "" for n in range(501)}}, "at most 500"),
    ],
)
def test_a_wrong_case_names_its_file_and_key(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    file = written(tmp_path, {**SOUND, **change})
    with pytest.raises(CaseWrong) as refused:
        parse(file)
    assert str(file) in str(refused.value)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n", "keys and values"),
        ("a: [", "no YAML"),
        ("", "keys and values"),
        ("a: &x [1]\nb: [*x, *x]\n", "alias"),
        ("!!python/object/apply:os.system ['true']", "no YAML"),
        ("[" * 20_000, "nested more than"),
        ("x: '" + "a" * 1_000_001 + "'", "at most"),
    ],
)
def test_what_is_no_case_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(CaseWrong, match=told):
        parse(file)


def test_cases_are_chosen_by_agent_or_name_and_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    for agent, name in (("ask", "a"), ("ask", "b"), ("coder", "c")):
        written(tmp_path, SOUND, agent=agent, name=name)
    assert [case.id for case in load(tmp_path)] == ["ask/a", "ask/b", "coder/c"]
    assert [case.id for case in load(tmp_path, ["ask/b", "coder"])] == ["ask/b", "coder/c"]
    with pytest.raises(CaseWrong, match="there are cases of ask, coder"):
        load(tmp_path, ["nobody"])


@pytest.mark.parametrize("agent", [*built_in(), "orchestrator"])
def test_each_agent_has_cases_in_two_languages_and_one_that_it_can_fail(agent: str) -> None:
    ours = [case for case in load(FOLDER, [agent]) if "scripted" in case.models]
    assert len(ours) >= 3
    assert {is_russian(case.turns[0]) for case in ours} == {False, True}
    assert any(case.wrong for case in ours)
    assert any("real" in case.models for case in ours)


def test_some_need_no_model() -> None:
    assert sum("offline" in case.models for case in load(FOLDER)) >= 3


def test_a_changed_prompt_has_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(Path(__file__).parents[2] / "prompts", tmp_path / "prompts")
    monkeypatch.setattr(prompts, "files", lambda _: tmp_path / "prompts")
    before = {agent: version(agent) for agent in (*built_in(), "orchestrator")}
    assert len(set(before.values())) == len(before)
    file = tmp_path / "prompts/reviewer/role.md"
    file.write_text(file.read_text() + "Be kind.\n")
    after = {agent: version(agent) for agent in before}
    assert {agent for agent in before if before[agent] != after[agent]} == {"reviewer", "orchestrator"}
    (tmp_path / "prompts/tools/kill.md").write_text("Kill it.\n")
    assert version("coder") != after["coder"]
    assert version("ask") == after["ask"]  # it has no such tool
    (tmp_path / "prompts/shared/language.md").write_text("Answer in verse.\n")
    assert version("ask") != after["ask"]


def test_configurations_are_named_and_distinct(tmp_path: Path) -> None:
    small, large = configurations.named(["small=openai:a", "openai:b"])
    assert (small.name, small.model, small.kind) == ("small", "openai:a", "real")
    assert (large.name, large.model) == ("openai:b", "openai:b")
    with pytest.raises(CaseWrong, match="two configurations"):
        configurations.named(["openai:a", "openai:a"])
    file = tmp_path / "two.yaml"
    file.write_text("- {name: a, model: openai:x, prices: {'openai:x': {input: -1, output: 2}}}\n")
    with pytest.raises(CaseWrong, match=r"two\.yaml: 0\.prices\.openai:x\.input"):
        configurations.read(file)
    file.write_text("- {name: a, model: openai:x, prices: {'openai:x': {input: 1, output: 2}}}\n")
    (one,) = configurations.read(file)
    assert one.prices["openai:x"].output == 2


def test_the_model_of_the_settings_is_a_configuration() -> None:
    assert configurations.configured(ModelSettings(model="vllm:small")).kind == "real"
    for model in ("", "offline", "scripted:x.json"):
        with pytest.raises(CaseWrong, match="name no real model"):
            configurations.configured(ModelSettings(model=model))

"""The history: added at the end, whole lines only; and what falls below it."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from evals.history import FILE, Marked, Result, accept, commit, read, record
from evals.judgement import fallen
from evals.report import page
from evals.table import share, table, troubles

ROOT = Path(__file__).parents[2]


def result(run: str = "r1", score: float = 1.0, floor: float = 0.5, **more: object) -> Result:
    said: dict[str, object] = {
        "run": run,
        "at": "2026-01-02T03:04:05+00:00",
        "commit": "abc",
        "configuration": "small",
        "model": "openai:x",
        "case": "ask/one",
        "score": score,
        "floor": floor,
        "marks": [Marked(name="it ends", passed=True)],
        "calls": 1,
        "tokens_in": 10,
        "tokens_out": 5,
        "usd": None,
        "seconds": 0.5,
    }
    return Result.model_validate({**said, **more})


def _add(home: Path, run: str) -> None:
    record(home, [result(run, case=f"ask/{n}", model="x" * 3000) for n in range(20)])


def test_two_processes_that_add_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_add, [tmp_path] * 12, [f"r{n}" for n in range(12)]))
    history = read(tmp_path)
    assert (len(history.results), history.unreadable) == (240, 0)
    runs = [one.run for one in history.results]
    assert [run for at, run in enumerate(runs) if at % 20 == 0] == history.runs  # each run in one piece


def test_a_line_that_was_torn_is_skipped_and_spoils_none_after_it(tmp_path: Path) -> None:
    record(tmp_path, [result("r1")])
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes() + b'{"run": "r2", "sc')
    record(tmp_path, [result("r3")])
    history = read(tmp_path)
    assert (history.runs, history.unreadable) == (["r1", "r3"], 1)


@pytest.mark.parametrize("line", [b"\xff\xfe", b"null", b"[]", b'{"accepted": 7}', b"[" * 100_000, b"{}"])
def test_a_line_of_another_kind_is_counted(tmp_path: Path, line: bytes) -> None:
    (tmp_path / FILE).write_bytes(line + b"\n")
    assert read(tmp_path).unreadable == 1


def test_no_history_is_an_empty_one(tmp_path: Path) -> None:
    assert read(tmp_path / "none").runs == []
    assert "No run yet" in page(read(tmp_path))


def test_a_run_falls_below_its_floor_or_below_the_accepted_one(tmp_path: Path) -> None:
    record(tmp_path, [result("r1", 0.9)])
    record(tmp_path, [result("r2", 0.95)])
    accept(tmp_path, "r1")
    history = read(tmp_path)
    accepted = history.of(history.accepted)
    assert fallen([result("r3", 0.9)], accepted) == []
    (fall,) = fallen([result("r3", 0.8)], accepted)
    assert "90% in the accepted run r1" in fall.why
    (fall,) = fallen([result("r3", 0.4)], accepted)
    assert "below its floor of 50%" in fall.why
    assert fallen([result("r3", 0.8, configuration="large")], accepted) == []
    with pytest.raises(KeyError):
        accept(tmp_path, "r9")


def test_the_table_stands_side_by_side() -> None:
    some = [result(), result(score=0.5, configuration="large", usd=0.25), result(case="coder/two")]
    lines = table(some).splitlines()
    assert lines[0].split() == ["case", "small", "large"]
    assert lines[1].split() == ["ask/one", "100%", "50%"]
    assert lines[2].split() == ["coder/two", "100%", "-"]
    assert "?" in table(some)
    assert "0.2500" in table(some)


def test_a_models_words_do_not_steer_the_terminal() -> None:
    bad = result(marks=[Marked(name="it says", passed=False, said="\x1b[2Jgone\r\n")])
    assert "\x1b" not in troubles([bad], [])
    assert "FAILED  small  ask/one: it says" in troubles([bad], [])


def test_the_page_asks_no_other_host_and_escapes_what_models_said(tmp_path: Path) -> None:
    evil = "<script src=https://evil.example/x></script>"
    bad = [Marked(name=evil, passed=False, said=evil), Marked(name="b", passed=None, said="no box")]
    record(tmp_path, [result("r1", 0.2), result("r1", configuration="large", tokens_in=5000)])
    record(tmp_path, [result("r2", 0.4, marks=bad, case='ask/<b>"'), result("r2", configuration="large")])
    accept(tmp_path, "r1")
    said = page(read(tmp_path))
    assert "<script" not in said
    assert "default-src 'none'" in said
    assert "http://" not in said
    assert said.count("https://") == said.count("https://evil.example/x&gt;")
    assert said.count("<polyline") == 4  # two configurations, two figures: nobody knows what it cost
    assert "Accepted: run r1" in said
    assert "not judged" in said


def test_the_page_sets_versions_of_prompts_and_what_they_cost_beside_each_other(tmp_path: Path) -> None:
    record(tmp_path, [result("r1", 0.5, prompt="aaaaaaaaaa", usd=0.02, cached=5)])
    record(tmp_path, [result("r2", 0.75, prompt="bbbbbbbbbb", usd=0.01, at="2026-02-03T00:00:00+00:00")])
    said = page(read(tmp_path))
    rows = [row for row in said.split("<tr>") if "aaaaaaaaaa" in row or "bbbbbbbbbb" in row]
    first, second = (row for row in rows if "<td>small</td>" in row)
    assert "2026-01-02</td><td>50.0%</td><td>15</td><td>0.0200" in first
    assert "2026-02-03</td><td>75.0%</td><td>15</td><td>0.0100" in second
    assert "USD a case" in said
    assert "small, 2026-02-03 abc: 0.0100" in said
    assert "prompt bbbbbbbbbb" in said
    assert "Input found in a cache</td><td>0%" in said
    assert share(read(tmp_path).results[:1]) == "50%"


def test_a_line_of_a_time_without_versions_is_read(tmp_path: Path) -> None:
    record(tmp_path, [result()])
    file = tmp_path / FILE
    file.write_text(file.read_text().replace(', "cached": 0, "prompt": ""', ""))
    assert "prompt" not in file.read_text()
    assert read(tmp_path).results[0].prompt == ""
    assert "<h2>Prompts" not in page(read(tmp_path))


def test_a_run_knows_its_commit(tmp_path: Path) -> None:
    assert len(commit(ROOT).rstrip("+")) == 10
    assert commit(tmp_path) == ""

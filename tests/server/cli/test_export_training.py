"""`artel export-training`: what its files hold is tested in `learning`."""

import json
from pathlib import Path

import pytest

from artel.server.__main__ import main


def test_an_export_of_nobody_s_conversations_is_whole_and_empty(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARTEL_STORAGE__POSTGRES", dsn)
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    assert main(["export-training", "--out", str(out), "--since", "2026-01-01T00:00:00Z"]) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest == json.loads((out / "manifest.json").read_text())
    assert (manifest["counts"]["sft"], (out / "sft.jsonl").read_bytes()) == (0, b"")
    assert main(["export-training", "--out", str(out)]) == 1
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"), [("soon", "must be a moment"), ("2026-01-01", "must say its zone")]
)
def test_a_moment_that_is_none_is_refused(
    given: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export-training", "--out", str(tmp_path / "out"), "--until", given]) == 1
    assert says in capsys.readouterr().err

import subprocess
import sys
from pathlib import Path

import pytest

from artel.server.__main__ import main, parser


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from artel.server.__main__ import main\n"
        "try: main(['--help'])\n"
        "finally: assert not {'langgraph', 'psycopg', 'fastapi', 'pydantic'} & set(sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(command in shown for command in ("serve", "worker", "migrate", "chat", "run"))


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out[:6]) == (0, "artel ")


@pytest.mark.parametrize(
    "arguments", [["serve", "--concurrency", "0"], ["serve", "--port", "x"], ["fly"], []]
)
def test_a_wrong_flag_is_said_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: artel" in capsys.readouterr().err


def test_flags_are_what_they_say() -> None:
    asked = parser().parse_args(["serve", "--config", "x.json", "--port", "1", "--data", "d", "--no-worker"])
    assert (asked.config, asked.port, asked.data, asked.no_worker) == (Path("x.json"), 1, Path("d"), True)


@pytest.mark.parametrize(
    ("arguments", "env", "sentence"),
    [
        (["migrate", "--data", "/dev/null/x"], {}, "the data folder /dev/null/x cannot be used"),
        (["migrate"], {"ARTEL_STORAGE__POSTGRES": "nonsense"}, "not a Postgres connection string"),
        (["migrate"], {"ARTEL_STORAGE__POSTGRES": "host=/nowhere"}, "cannot be reached"),
        (["serve", "--config", "missing.json"], {}, "there is no configuration missing.json"),
        (["serve", "--host", "0.0.0.0"], {}, "there are no accounts yet"),
        (["serve"], {"PORT": "x"}, "PORT cannot be 'x'"),
    ],
)
def test_what_the_caller_can_mend_is_said_in_one_sentence(
    arguments: list[str],
    env: dict[str, str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("artel: ")
    assert sentence in said
    assert said.count("\n") == 1

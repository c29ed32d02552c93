"""What we read in a line is what bash runs: bash itself is asked, with no program that it could find."""

import os
import shlex
import subprocess
from pathlib import Path
from string import ascii_lowercase

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from artel.tools.shell.reading import commands

pytestmark = pytest.mark.needs("bash")

# Every name leads to this function, which writes down its name; no builtin is left but these.
HANDLER = """
command_not_found_handle() { printf '%s\\x1f' "$@" $'\\x1e' >&9; }
enable -n $(compgen -b | grep -vx -e enable -e eval -e printf -e builtin)
PATH=/nonexistent
eval "$LINE"
"""


def ran(line: str, folder: Path) -> list[tuple[str, ...]]:
    """Return the commands that bash came to."""
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as told:
        subprocess.run(
            ["bash", "--norc", "-c", f"exec 9>&{writes}; ulimit -t 2; {HANDLER}"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LINE": line, "LC_ALL": "C.UTF-8"},
            pass_fds=[writes],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
        os.close(writes)
        calls = told.read().decode().split("\x1f\x1e\x1f")[:-1]
    return [tuple(call.split("\x1f")) for call in calls]


WORDS = st.sampled_from(
    ["a", "'a b'", '"a b"', "a\\ b", "a'b'\"c\"", "$'a\\x41'", "x=b", "-x", "\\a", "1", "!", "a#b", "#", "é"]
)
NAMES = st.sampled_from(["a", "b", "c'd'", "\\e", 'f"g"', "'h'\\i", "time a"])
AFTER = st.sampled_from(
    ["", "", "", ">z", " > z", " 2>&1", " <z", " >z a", " #c", "\\\n", " \\\n b", "&-c2>&1"]
)
SPACE = st.sampled_from([" ", " ", "  ", "\t", " \\\n", "\\\n ", "", "\u00a0"])
JOINT = st.sampled_from([";", "; ", "\n", " && ", "||", " | ", " & ", "|&", " ", "!", "'", '"', "\\", "`"])
COMMAND = st.builds(
    lambda name, words, after: name + "".join(space + word for space, word in words) + after,
    NAMES,
    st.lists(st.tuples(SPACE, WORDS), max_size=3),
    AFTER,
)
LINES = st.recursive(
    COMMAND,
    lambda inner: st.one_of(
        st.tuples(inner, JOINT, inner).map("".join),
        st.tuples(
            st.sampled_from(
                [
                    *("{ %s; }", "{%s;}", "( %s )", "! %s", "!%s", "a $(%s)", 'a "$(%s)"', "a `%s`"),
                    *("if %s; then a; fi", "if a; then %s; else b; fi", "for x in a b; do %s; done"),
                    *(
                        "case a in a) %s;; esac",
                        "case b in (a) a;; *) %s ;; esac",
                        "{ %s\n} >z",
                        "time -p %s",
                    ),
                ]
            ),
            inner,
        ).map(lambda both: both[0].replace("%s", both[1])),
    ),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=LINES)
def test_bash_runs_nothing_that_was_not_read(line: str, tmp_path: Path) -> None:
    read = commands(line)
    if read.doubts or any(each.unsure for each in read.commands) or "()" in line:
        return
    known = {form for each in read.commands for form in (each.argv, *(other.argv for other in each.also))}
    assert [call for call in ran(line, tmp_path) if call not in known] == []


FOR_DASH = st.sampled_from(
    [" &>z ", "&>>z ", " |& ", " 10>z ", " >&z ", " {x}>z ", "; x+=y ", " <<< ", " & ", "\n"]
)


NOTE = '#!/bin/dash\necho "${0##*/}" >> "$LOG"\n'


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a program of each short name, which writes down its name."""
    folder = tmp_path_factory.mktemp("programs")
    for name in (*ascii_lowercase, "hi", "x+=y"):
        (folder / name).write_text(NOTE)
        (folder / name).chmod(0o755)
    return folder


def ran_by_dash(line: str, folder: Path, programs: Path) -> list[str]:
    """Return the names of the programs that dash ran."""
    log = folder / "ran.log"
    log.write_bytes(b"")
    subprocess.run(
        ["/bin/dash", "-c", f"ulimit -t 2; PATH={programs}; eval {shlex.quote(line)}; wait"],
        cwd=folder,
        env={"LC_ALL": "C.UTF-8", "LOG": str(log)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    return sorted(log.read_text().split())


@pytest.mark.needs("dash")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(LINES, min_size=1, max_size=3), joint=FOR_DASH)
@example(parts=["a", "b"], joint=" &>z ")
@example(parts=["a", "b"], joint="; x+=y ")
def test_another_shell_runs_nothing_that_was_not_read_as_bash(
    parts: list[str], joint: str, tmp_path: Path, programs: Path
) -> None:
    """`sh -c 'echo a &>/dev/null rm x'` was taken for an echo; dash runs `rm x`."""
    line = joint.join(parts)
    read = commands(f"sh -c {shlex.quote(line)}")
    if read.doubts or any(each.unsure for each in read.commands) or "()" in line:
        return
    forms = [form for each in read.commands for form in (each.argv, *(other.argv for other in each.also))]
    known = {form[0] for form in forms if form}
    assert set(ran_by_dash(line, tmp_path, programs)) <= known


@pytest.mark.needs("dash")
def test_dash_is_really_asked(tmp_path: Path, programs: Path) -> None:
    assert ran_by_dash("a b &>z c && d; x+=y", tmp_path, programs) == ["a", "c", "d", "x+=y"]


def test_bash_is_really_asked(tmp_path: Path) -> None:
    assert ran("a 'b c' && d; e | f", tmp_path)[:1] == [("a", "b c")]
    assert ("rm", "x") in ran("g=1; \\rm x", tmp_path)

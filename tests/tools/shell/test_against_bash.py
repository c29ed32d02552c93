"""What we read in a line is what bash runs: bash itself is asked, with no program that it could find."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artel.tools.shell.reading import commands

pytestmark = pytest.mark.needs("bash")

# Every name leads to this function, which writes down what it was called with; no builtin is left but these.
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


def test_bash_is_really_asked(tmp_path: Path) -> None:
    assert ran("a 'b c' && d; e | f", tmp_path)[:1] == [("a", "b c")]
    assert ("rm", "x") in ran("g=1; \\rm x", tmp_path)

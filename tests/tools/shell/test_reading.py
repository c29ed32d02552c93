"""A line of shell is read as what it would run; what cannot be read is doubted, never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.shell import words
from artel.tools.shell.reading import MAX_COMMANDS, Parsed, commands
from artel.tools.shell.simple import MAX_BYTES


def run(line: str) -> list[tuple[str, ...]]:
    """Return what a line runs, none of it doubted."""
    parsed = commands(line)
    assert not parsed.doubts, parsed
    return [each.argv for each in parsed.commands if each.argv]


@pytest.mark.parametrize(
    ("line", "argvs"),
    [
        ("ls", ["ls"]),
        ("a x | b |& c", ["a x", "b", "c"]),
        ("a && b || c; d & e", ["a", "b", "c", "d", "e"]),
        ("a\nb\n\nc", ["a", "b", "c"]),
        ("(a; b) && { c; }", ["a", "b", "c"]),
        ("! a", ["a"]),
        ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]),
        ("while a; do b; done; until c; do d; done", ["a", "b", "c", "d"]),
        ("for x in 1 2; do a; done", ["a"]),
        ("case 1 in 1|2) a;; *) b;; esac", ["a", "b"]),
        ("a # b; c", ["a"]),
        ("# a\nb", ["b"]),
        ("a \\\n  x", ["a x"]),
        ("x=1 a", ["a"]),
        ("CI=1 NO_COLOR=1 a", ["a"]),
        ("export CI=1; x=2; set -euo pipefail; a", ["a"]),
        ("a >out x 2>&1", ["a x"]),
        (">out a x", ["a x"]),
        ("", []),
        ("  \n", []),
    ],
)
def test_every_simple_command_of_a_line_is_found(line: str, argvs: list[str]) -> None:
    assert run(line) == [tuple(each.split()) for each in argvs]


@pytest.mark.parametrize("line", ["a $(b x)", 'a "$(b x)"', "a `b x`", 'a "${y}" <(b x)', "z=$(b x) a"])
def test_what_is_substituted_runs_too(line: str) -> None:
    assert ("b", "x") in run(line)


@pytest.mark.parametrize(
    "word",
    [
        *(
            "git",
            "g''it",
            "'git'",
            '"git"',
            "\\git",
            "g\\it",
            "g\"i\"'t'",
            "$'git'",
            "$'g\\x69t'",
            "$'\\147it'",
        )
    ],
)
def test_quotes_and_backslashes_hide_no_name(word: str) -> None:
    assert run(f"{word} push") == [("git", "push")]


@pytest.mark.parametrize(
    ("line", "argv", "unsure"),
    [
        ("a $x", ("a", "$x"), (1,)),
        ('a "$x" b', ("a", '"$x"', "b"), (1,)),
        ("a *.py", ("a", "*.py"), (1,)),
        ("a '*.py'", ("a", "*.py"), ()),
        ("a \\*", ("a", "*"), ()),
        ("a {b,c}", ("a", "{b,c}"), (1,)),
        ("a ~/x", ("a", "~/x"), (1,)),
        ("a b=~/x", ("a", "b=~/x"), (1,)),
        ("a b'c'=~/x", ("a", "b'c'=~/x"), (1,)),
        ("a b~", ("a", "b~"), ()),
        ("a '~/x'", ("a", "~/x"), ()),
        ("a {}", ("a", "{}"), ()),
        ("a [ab]", ("a", "[ab]"), (1,)),
        ("a x$(b)", ("a", "x$(b)"), (1,)),
    ],
)
def test_words_that_the_running_shell_makes_are_marked(
    line: str, argv: tuple[str, ...], unsure: tuple[int, ...]
) -> None:
    found = next(each for each in commands(line).commands if each.argv[0] == "a")
    assert (found.argv, found.unsure, found.doubt) == (argv, unsure, "")


WRAPPED = [
    "env {}",
    "env -i {}",
    "env -u X CI=1 {}",
    "timeout 5 {}",
    "timeout -k 1 --signal=KILL 5s {}",
    "nice {}",
    "nice -n 10 {}",
    "nice -5 {}",
    "nohup {}",
    "time {}",
    "time -p {}",
    "stdbuf -oL -e 0 {}",
    "setsid -w {}",
    "command {}",
    "command -p {}",
    "builtin {}",
    "exec {}",
    "exec -a name {}",
    "busybox {}",
    "ionice -c3 {}",
    "/usr/bin/env {}",
    "/usr/bin/timeout 5 nice env {}",
    "\\env {}",
    "e''nv {}",
    "sh -c '{}'",
    "bash -c '{}'",
    "/bin/bash -euo pipefail -c '{}'",
    "bash -lc '{}'",
    "dash -c '{}' name arg",
    "env sh -c 'nohup {}'",
    "({})",
    "{{ {}; }}",
    "true && {}",
    "false || {}",
    "true | {}",
    "{} &",
    "! {}",
    "if true; then {}; fi",
    "while {}; do true; done",
    "for x in 1 2; do {}; done",
    "case 1 in 1) {};; esac",
    "echo $({})",
    'echo "$({})"',
    "echo `{}`",
    "cat <({})",
    "x=$({})",
    "export CI=$({})",
    "{} > out",
    "> out {}",
]


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_what_a_wrapper_runs_is_what_counts(wrapped: str) -> None:
    assert ("rm", "-rf", "x") in run(wrapped.format("rm -rf x"))


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("ls | xargs rm -f", ("rm", "-f", "…")),
        ("ls | xargs -0 -n1 -P 4 rm", ("rm", "…")),
        ("ls | xargs -I{} rm {} x", ("rm", "{}", "x", "…")),
        ("ls | xargs -I % rm a%", ("rm", "a%", "…")),
        ("ls | xargs", ("echo", "…")),
        ("find . -name '*.o' -exec rm {} \\;", ("rm", "{}")),
        ("find . -execdir rm -f {} +", ("rm", "-f", "{}")),
        ("find . -ok rm {} ';'", ("rm", "{}")),
        ("find . -exec env x + {} \\; -exec rm {} +", ("rm", "{}")),
        ("find . -type f -delete", ("rm", "…")),
        ("find . -exec true {} \\; -exec rm {} \\;", ("rm", "{}")),
    ],
)
def test_words_from_elsewhere_are_marked(line: str, argv: tuple[str, ...]) -> None:
    found = next(each for each in commands(line).commands if each.argv == argv)
    assert found.unsure
    assert not found.doubt


def test_git_is_seen_without_what_stands_before_its_subcommand() -> None:
    """claude-code #88857: `git -C` was no `git push` to its rules."""
    assert run("git -C sub --no-pager push origin") == [("git", "push", "origin")]
    for doubted in (
        "git -C /etc push",
        "git -C ../x push",
        "git -c core.pager=x push",
        "git --exec-path=x push",
        "git --git-dir x push",
        "git --git-dir=x push",
        "git -p push",
        "git $x push",
        "git --config-env=a=b push",
    ):
        assert commands(doubted).doubts, doubted
    for named in ("git -C /etc push", "git -c alias.x=y push", "git --git-dir=x push"):
        assert commands(named).commands[0].argv == ("git", "push")


def test_a_program_of_the_workspace_is_not_the_one_of_its_name() -> None:
    assert [each.argv for each in commands("/usr/bin/git push").commands] == [("git", "push")]
    (own,) = commands("./git push").commands
    assert own.argv == ("./git", "push")
    assert [form.argv for form in own.also] == [("git", "push")]
    (own,) = commands("./env rm x").commands
    assert own.argv == ("./env", "rm", "x")


def test_sudo_is_never_seen_through_to_be_allowed() -> None:
    (command,) = commands("sudo -u me rm -rf x").commands
    assert command.argv[0] == "sudo"
    assert ("rm", "-rf", "x") in [form.argv for form in command.also]


@pytest.mark.parametrize(
    "line",
    [
        "$x",
        "$(echo rm) x",
        "`echo rm` x",
        "r$x y",
        "*",
        "/bin/r?",
        "{rm,x}",
        "~/x",
        "eval ls",
        "eval 'ls'",
        "source x",
        ". x",
        "trap ls EXIT",
        "alias ls=rm",
        "f() { ls; }",
        "function f { ls; }",
        "ls() { rm x; }; ls",
        "enable -n ls",
        "hash -p /x ls",
        "shopt -s expand_aliases",
        "set -a",
        "set -- rm",
        "declare -n x=y",
        "let x=1",
        "read x",
        "printf -v PATH x",
        "unset x",
        "coproc ls",
        "PATH=. ls",
        "LD_PRELOAD=./x.so ls",
        "GIT_SSH_COMMAND=x git push",
        "PATH=.; ls",
        "export PATH=.",
        "builtin export PATH=.",
        "export -n CI",
        "env PATH=. ls",
        "env LD_PRELOAD=x ls",
        "env -S 'rm x'",
        "env -C / ls",
        "for PATH in .; do ls; done",
        "a[1]=2 ls",
        "x=(1 2)",
        "cat <<EOF\nx\nEOF",
        "cat <<'EOF'\nx\nEOF",
        "cat <<< x",
        "echo $((1))",
        "echo ${x:-y}",
        "echo ${!x}",
        "echo ${x@P}",
        "((x))",
        "[[ -f x ]]",
        "[ -f x ]",
        "echo $[1]",
        'echo $"x"',
        "timeout $t ls",
        "timeout --unknown 5 ls",
        "nice $x ls",
        "xargs -a x ls",
        "xargs -I{} sh -c 'rm {}'",
        "xargs -i ls",
        "time -o x ls",
        "sh -c $x",
        'sh -c "$x"',
        "sh",
        "ls | sh",
        "bash -s",
        "bash -i -c ls",
        "bash -c -i ls",
        "bash --rcfile x -c ls",
        "zsh -c ls",
        "sh -c \"echo \\$'x'\"",
        "sh -c 'ls",
        "sh -c 'ls ('",
        "find $x",
        "find . *",
        "find . -exec sh -c 'rm {}' \\;",
        "find . -exec",
        "find . -exec rm {}",
        "find . -exec echo + rm",
        "ls |",
        "ls && ",
        "(ls",
        "ls )",
        "'ls",
        '"ls',
        "`ls",
        "if ls",
        "ls <> x",
        "ls <& -c",
        "ls -c2>&1&-c2>&1",
        "ls \\ x",
        "l\\\ns",
        "a\\\n#b; rm x",
        "!'a'",
        "echo $'a\\'; rm x; echo \\''",
        "{}",
        "ls\r",
        "ls\x00",
        "ls \ud800",
        "echo `echo \\`rm\\``",
    ],
)
def test_what_nobody_can_know_is_doubted(line: str) -> None:
    assert commands(line).doubts


def test_what_is_in_a_doubted_line_is_still_seen() -> None:
    for line in ("eval 'rm x'", "f() { rm x; }", "cat <<E\n$(rm x)\nE", "rm x; (", "echo $(($(rm x)))"):
        assert ("rm", "x") in [each.argv for each in commands(line).commands], line


def opened(line: str) -> list[tuple[str, str]]:
    return [(each.target.text, each.how) for command in commands(line).commands for each in command.redirects]


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("a > x", [("x", "write")]),
        ("a >> 'x y'", [("x y", "append")]),
        ("a < x > y", [("x", "read"), ("y", "write")]),
        ("a &> x", [("x", "write")]),
        ("a >| x", [("x", "write")]),
        ("a >& x", [("x", "write")]),
        ("a 2> x 2>&1 1>&2 >&- 3<&0", [("x", "write")]),
        ("(a; b) > x", [("x", "write")]),
        ("if a; then b; fi > x", [("x", "write")]),
        ("> x", [("x", "write")]),
        ("a $(< x)", [("x", "read")]),
        ("sh -c 'a > x'", [("x", "write")]),
        ("find . -fprint x", [("x", "write")]),
        ("find . -files0-from x", [("x", "read")]),
    ],
)
def test_the_files_that_a_line_opens_are_found(line: str, files: list[tuple[str, str]]) -> None:
    assert opened(line) == files


def test_lines_without_end_are_doubted_soon() -> None:
    for line in (
        "a" * (MAX_BYTES + 1),
        "a;" * (MAX_COMMANDS + 1),
        "(" * 8_000,
        "$(" * 5_000,
        "{ " * 5_000 + "a" + ";}" * 5_000,
        "env " * 4_000 + "a",
        "find -exec " * 1_400 + "a",
        "find " + "-exec find . " * 1_000,
        "sudo " * 3_000,
        "a|" * 8_000,
        "a()" * 5_000,
        "if a; then " * 1_300,
        " " * 16_000 + "\\",
    ):
        assert commands(line).doubts, line[:20]
    assert commands("a;" * MAX_COMMANDS) == Parsed(commands("a").commands * MAX_COMMANDS)


@given(st.text("ab1-./=:~#{}*?[]\\$ \t\n\u00a0é'\"`;&|<>()", max_size=12))
def test_an_ordinary_word_is_read_as_letter_by_letter(raw: str) -> None:
    assert words._bare(raw) == words._signed(raw)

"""A line of shell is judged by every command in it and every file that it opens."""

from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.tools.shell.test_reading import WRAPPED

from artel.tools.policy import DEFAULT, Call, Effect, Policy, Rule, Verdict, judge, judge_all
from artel.tools.shell.calls import calls_of
from artel.tools.shell.reading import commands
from artel.tools.tool import Arguments, Risk, Tool, ToolRefused
from artel.tools.verdicts import REFUSED

PLAIN = Call(tool="execute", action="exec")
PYTEST = Rule(id="pytest", effect="allow", action="exec", argv=("pytest", "**"))


class Line(Arguments):
    """Arguments of a tool that runs lines."""

    command: str
    workdir: str = "."


SHELL = Tool(
    name="execute",
    risk=Risk.EXECUTE,
    action="exec",
    arguments=Line,
    sums_up=lambda args: args.command,
    limits={},
    paths_of=lambda args: (args.workdir,),
    amounts_to=lambda args, plain: calls_of(args.command, args.workdir, plain),
)


def allowing(*argvs: str, floor: Sequence[Rule] = (), more: Sequence[Rule] = ()) -> Policy:
    """Return a policy that allows these commands, and files."""
    rules = [Rule(id=argv, effect="allow", action="exec", argv=tuple(argv.split())) for argv in argvs]
    return Policy(floor=tuple(floor), rules=(*rules, Rule(id="files", effect="allow", action="fs.*"), *more))


def denying(argv: str, effect: Effect = "deny") -> Rule:
    return Rule(id=f"not {argv}", effect=effect, action="exec", argv=tuple(argv.split()))


def verdict(line: str, policy: Policy = DEFAULT, workdir: str = ".") -> Verdict:
    return judge_all(policy, "coder", calls_of(line, workdir, PLAIN))


@pytest.mark.parametrize(
    ("line", "effect", "rule"),
    [
        ("pwd", "allow", "harmless-pwd"),
        ("ls -la src", "allow", "harmless-ls"),
        ("cat a.py | head -n 5", "allow", "harmless-cat"),
        ("cd src && ls", "allow", "harmless-cd"),
        ("echo done", "allow", "harmless-echo"),
        ("echo $HOME", "allow", "harmless-echo"),
        ("cat .env", "ask", "secrets"),
        ("cat /etc/passwd", "ask", "unknown"),
        ("cat ../x", "ask", "unknown"),
        ("cat -- -x/../../x", "ask", "unknown"),
        ("cat *", "ask", "unknown"),
        ("cat $x", "ask", "unknown"),
        ("cd .. && ls", "ask", "unknown"),
        ("cd && ls", "ask", "unknown"),
        ("cd src/../.. && cat x", "ask", "unknown"),
        ("echo x > a.txt", "ask", "write"),
        ("echo x > $y", "ask", "write"),
        ("cat < .env", "ask", "secrets"),
        ("cat < $x", "ask", "unknown"),
        ("echo x > /dev/null 2>&1", "allow", "harmless-echo"),
        ("git status", "ask", "default"),
        ("rm x", "ask", "default"),
        ("./ls", "ask", "default"),
        ("", "ask", "default"),
        ("sudo ls", "deny", "never-sudo"),
        ("echo x | sudo tee y", "deny", "never-sudo"),
        ("env sudo ls", "deny", "never-sudo"),
        ("sh -c 'sudo ls'", "deny", "never-sudo"),
        ("sh -c 'echo a &>/dev/null rm x'", "ask", "unknown"),
        ("bash -c 'echo a &>/dev/null'", "allow", "harmless-echo"),
        ("/usr/bin/sudo ls", "deny", "never-sudo"),
        ("./SUDO ls", "deny", "never-sudo"),
        ("echo $(sudo ls", "deny", "never-sudo"),
        ("eval 'sudo ls'", "deny", "never-sudo"),
        ("mkfs.ext4 /dev/sda", "deny", "never-mkfs*"),
        ("dd if=x of=/dev/sda bs=1M", "deny", "never-dd"),
        ("dd if=x of=y", "ask", "default"),
        ("ls; reboot", "deny", "never-reboot"),
        ("echo x > .git/hooks/pre-commit", "deny", "git"),
    ],
)
def test_what_the_default_policy_says(line: str, effect: Effect, rule: str) -> None:
    found = verdict(line)
    assert (found.effect, found.rule) == (effect, rule)
    assert found.reason


@pytest.mark.parametrize("wrapped", WRAPPED)
def test_a_wrapper_neither_frees_nor_forbids(wrapped: str) -> None:
    """claude-code #92542: rules spoke of the wrapper and not of what it ran."""
    shell = ("true", "false", "echo **", "cat **", "pytest **")
    policy = allowing(*shell, "rm **", more=[denying("rm -rf **")])
    assert verdict(wrapped.format("rm -rf x"), policy).effect == "deny"
    assert verdict(wrapped.format("pytest -q"), policy).effect != "deny"
    assert verdict(wrapped.format("pip install x"), allowing(*shell)).effect == "ask"
    if "<(" not in wrapped:  # what cat would read is no file
        assert verdict(wrapped.format("pytest -q"), policy).effect == "allow"


def test_a_rule_may_speak_against_the_wrapper_itself() -> None:
    policy = allowing("ls **", more=[denying("env **"), denying("git -C **", "ask")])
    assert verdict("env ls", policy).effect == "deny"
    assert verdict("timeout 5 env ls", policy).effect == "deny"
    policy = allowing("git **", more=[denying("git -C **", "ask")])
    assert (verdict("git push", policy).effect, verdict("git -C x push", policy).effect) == ("allow", "ask")


def test_deny_wins_whatever_the_order() -> None:
    """opencode #11218: the last rule that fitted won."""
    rules = allowing("git **", more=[denying("git push **")]).rules
    for order in (rules, rules[::-1]):
        assert verdict("git push", Policy(rules=order)).effect == "deny"
        assert verdict("git log", Policy(rules=order)).effect == "allow"


def test_a_word_that_the_shell_makes_gets_past_no_rule() -> None:
    policy = allowing("rm **", "pytest tests/*", "pytest -q", more=[denying("rm -rf **")])
    for line in ("rm $x", "rm *", "rm {-rf,x}", "ls | xargs rm", "find . -exec rm {} +"):
        assert verdict(line, policy).effect != "allow", line
    for line in ("pytest *", "pytest tests/*", "pytest $x"):
        assert verdict(line, policy).effect == "ask", line
    assert verdict("rm -f x", policy).effect == "allow"
    assert verdict("pytest tests/a.py", policy).effect == "allow"
    assert verdict("pytest $x tests/*", allowing("pytest **")).effect == "allow"


def test_what_is_unknown_is_asked_even_where_everything_is_allowed() -> None:
    everything = Policy(default="allow", rules=(Rule(id="all", effect="allow"),))
    assert verdict("rm -rf x", everything).effect == "allow"
    for line in ("eval ls", "$x", "ls (", "PATH=. ls", "cat <<E\nE", "cat $x", "ls > $x"):
        assert verdict(line, everything).rule == "unknown", line
    assert verdict("eval ls", Policy(default="deny")).effect == "deny"


def paths(line: str, workdir: str = ".") -> list[str]:
    return [f"{call.action} {call.path}" for call in calls_of(line, workdir, PLAIN) if call.path]


def test_paths_are_what_the_line_means_by_them() -> None:
    assert paths("echo > x", "src") == ["fs.write src/x"]
    assert paths("echo >> /abs/x < y", "src") == ["fs.write /abs/x", "fs.read src/y"]
    assert paths("echo > a; cd sub; echo > b") == ["fs.write ./a", "fs.write ./b", "fs.write sub/b"]
    assert paths("head -n 3 a b", "src")[1:] == ["fs.read src/a", "fs.read src/b"]
    assert paths("ls", "src") == ["fs.list src/."]


@pytest.mark.parametrize(
    "line",
    [
        "cd $x; echo > a",
        "cd ..; echo > a",
        "cd -; echo > a",
        "pushd sub; echo > a",
        "cd -P sub; echo > a",
        "for x in 1 2; do cd sub; echo > a; done",
        "cd a;cd b;cd c;cd d;cd e; echo > a",
    ],
)
def test_a_file_in_a_folder_that_nobody_knows_is_unknown(line: str) -> None:
    assert any(call.unknown and call.action == "fs.write" for call in calls_of(line, ".", PLAIN))


def test_the_tool_judges_where_a_path_really_leads(root: Path) -> None:
    (root / "src").mkdir()
    (root / ".env").write_text("KEY=1")
    (root / "src" / "notes").symlink_to("../.env")
    (root / "out").symlink_to("..")

    def effect(line: str, workdir: str = ".") -> str:
        calls = SHELL.calls({"command": line, "workdir": workdir}, root)
        return judge_all(DEFAULT, "coder", calls).rule

    assert effect("cat notes", "src") == "secrets"
    assert effect(f"cat < {root}/src/notes") == "secrets"
    for line in ("echo > ../x", "echo > out/x", "echo > /etc/x", "cat out/secret.txt", "echo > .git/x"):
        with pytest.raises(ToolRefused):
            SHELL.calls({"command": line}, root)
    for line in ("pwd", "echo > x"):
        with pytest.raises(ToolRefused):
            SHELL.calls({"command": line, "workdir": "out"}, root)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("echo x > /tmp/out.txt", "harmless-echo"),
        ("echo x >> /tmp/a/../out.txt", REFUSED),
        ("echo x > /tmp/../etc/x", REFUSED),
        ("echo x > /tmp", REFUSED),
        ("echo x > /tmpx/y", REFUSED),
        ("echo x > //tmp/y", REFUSED),
        ("echo x > /var/tmp/y", REFUSED),
        ("cd sub; echo x > ../tmp/y", REFUSED),
        ("echo x > $TMPDIR/y", "write"),
        ("echo x > /tmp/$y", "write"),
        ("echo x > /tmp/*", "write"),
        ("rm x > /tmp/y", "default"),
        ("cat < /tmp/y", "harmless-cat"),
        ("echo x > /tmp/y; tail -n 3 /tmp/y", "harmless-echo"),
        ("cat /tmp/y .env", "secrets"),
        ("cat /tmp/*", "unknown"),
        ("cat /tmp/../etc/passwd", "unknown"),
        ("cd /tmp/y && ls", "unknown"),
        ("cd $x; echo > /tmp/y", "unknown"),
        ("echo x > to-tmp/y", REFUSED),
        ("sudo ls > /tmp/y", "never-sudo"),
    ],
)
def test_the_tmp_of_a_box_is_the_commands_own(root: Path, line: str, rule: str) -> None:
    (root / "sub").mkdir()
    (root / "to-tmp").symlink_to("/tmp")
    try:
        found = judge_all(DEFAULT, "coder", SHELL.calls({"command": line}, root)).rule
    except ToolRefused:
        found = REFUSED
    assert found == rule


def test_a_workspace_below_tmp_is_no_scratch_folder_and_without_a_box_there_is_none(tmp_path: Path) -> None:
    home = Path(mkdtemp(dir="/tmp")).resolve()
    try:
        (home / ".env").write_text("KEY=1")
        (home / "out").symlink_to("/tmp")
        for line, rule in ((f"echo x > {home}/a", "write"), (f"cat < {home}/.//.env", "secrets")):
            assert judge_all(DEFAULT, "coder", SHELL.calls({"command": line}, home)).rule == rule
        with pytest.raises(ToolRefused):
            SHELL.calls({"command": f"echo x > {home}/out/a"}, home)
        with pytest.raises(ToolRefused):
            SHELL.calls({"command": "echo x > /tmp/artel-a"}, home, boxed=False)
    finally:
        rmtree(home)


def quoted(word: str, style: str) -> str:
    match style:
        case "single":
            return "'" + word.replace("'", "'\\''") + "'"
        case "double":
            return '"' + "".join(f"\\{sign}" if sign in '$`"\\' else sign for sign in word) + '"'
        case "ansi":
            return "$'" + "".join(f"\\x{ord(sign):02x}" for sign in word) + "'"
    return "".join(f"\\{sign}" for sign in word)


STYLES = st.sampled_from(["single", "double", "ansi", "backslash"])
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=4), data=st.data())
def test_however_words_are_quoted_they_are_the_same_words(words: list[str], data: st.DataObject) -> None:
    argv = ("run", *words)
    parts = []
    for word in argv:
        cut = data.draw(st.integers(0, len(word)))
        pieces = [piece for piece in (word[:cut], word[cut:]) if piece]
        parts.append("".join(quoted(piece, data.draw(STYLES)) for piece in pieces))
    (command,) = commands(" ".join(parts)).commands
    assert (command.argv, command.unsure, command.doubt) == (argv, (), "")


COMPOUND = [each for each in WRAPPED if "'" not in each]


@settings(max_examples=60, deadline=None)
@given(
    inner=st.sampled_from(["rm x", "git push", "./pytest", "pytest; rm x", "> y rm x"]),
    around=st.lists(st.sampled_from(COMPOUND), max_size=5),
    shell=st.booleans(),
)
def test_no_wrapping_makes_a_command_allowed(inner: str, around: list[str], shell: bool) -> None:
    policy = allowing(*("true", "false", "echo **", "cat **", "pytest **"))
    line = inner
    for each in around:
        line = each.format(line)
    if shell:
        line = f"sh -c {quoted(line, 'single')}"
    assert verdict(line, policy).effect != "allow"


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text("ab $'\"\\`\n;&|()<>{}#!*~=-", max_size=40)))
@example("\ud800")
@example("\x00")
def test_no_text_fails_and_none_is_allowed_that_names_nothing_allowed(text: str) -> None:
    assert verdict(text, Policy(rules=(PYTEST,))).effect != "allow"
    assert verdict(text, Policy(default="deny")).effect == "deny"


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_fail(raw: bytes) -> None:
    for text in (raw.decode("latin-1"), raw.decode("utf-8", "surrogateescape")):
        assert verdict(text, Policy(rules=(PYTEST,))).effect != "allow"


@settings(max_examples=60, deadline=None)
@given(
    line=st.sampled_from(
        ["git push", "git -C x push -f", "env git $x", "git *", "sudo git push", "a; git x"]
    ),
    data=st.data(),
)
def test_no_order_of_rules_about_commands_changes_a_verdict(line: str, data: st.DataObject) -> None:
    pattern = st.lists(
        st.sampled_from(["git", "push", "**", "*", "-C", "sudo", "p*"]), min_size=1, max_size=3
    )
    rule = st.builds(
        Rule,
        id=st.sampled_from("abcd"),
        effect=st.sampled_from(["allow", "ask", "deny"]),
        argv=pattern.map(tuple),
    )
    rules = data.draw(st.lists(rule, max_size=5))
    floor = data.draw(st.lists(rule, max_size=2))
    policy = Policy(floor=tuple(floor), rules=tuple(rules))
    other = Policy(
        floor=tuple(data.draw(st.permutations(floor))), rules=tuple(data.draw(st.permutations(rules)))
    )
    assert verdict(line, policy) == verdict(line, other)


CORPUS = [
    *("ls", "git push -f", "sudo rm x", "./git x", "/usr/bin/git y", "GIT push", "a; b && c | d", "$x y"),
    *("env CI=1 timeout 5 git -C sub push", "sh -c 'git push; rm x'", "find . -exec rm {} +", "xargs rm"),
    *("rm *", "g* push", "echo > a; cat < .env", "eval git push", "cd x; rm a", "doas -u x git push", ""),
    *("git", "{git,rm} x", "sudo $x", "echo a > /tmp/x", "[ a ]", "busybox rm x", "time git push"),
]
HEADS = st.sampled_from(["git", "g*", "rm", "[gr]*", "**", "*", "sudo", "env", "./git", "?s", "find", "["])
RULE = st.builds(
    Rule,
    id=st.sampled_from("abcdef"),
    effect=st.sampled_from(["allow", "ask", "deny"]),
    action=st.sampled_from(["*", "exec", "fs.*", "fs.write"]),
    argv=st.one_of(
        st.just(()),
        st.tuples(HEADS),
        st.tuples(HEADS, st.sampled_from(["push", "**", "x", "*"])),
        st.tuples(HEADS, st.sampled_from(["push", "-f"]), st.just("**")),
    ),
)


@settings(max_examples=150, deadline=None)
@given(rules=st.lists(RULE, max_size=8), floor=st.lists(RULE, max_size=3), line=st.sampled_from(CORPUS))
def test_looking_only_at_rules_about_the_command_changes_no_verdict(
    rules: list[Rule], floor: list[Rule], line: str
) -> None:
    for policy in (Policy(rules=tuple(rules), floor=tuple(floor)), DEFAULT):
        fast = [judge(policy, "coder", call) for call in calls_of(line, ".", PLAIN)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("artel.tools.policy._about", lambda rules, _call: rules)
            assert [judge(policy, "coder", call) for call in calls_of(line, ".", PLAIN)] == fast


def test_rules_are_told_apart_though_one_takes_the_place_of_another_in_memory() -> None:
    for number in range(600):
        policy = Policy(rules=(Rule(id=str(number), effect="deny", argv=(f"x{number}",)),))
        assert verdict(f"x{number}", policy).rule == str(number)
        del policy

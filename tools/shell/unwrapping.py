"""What programs that run other programs would run: `env`, `timeout`, `sh -c`, `find -exec`, `git -C` …"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from artel.tools.shell.patterns import Spelled
from artel.tools.shell.simple import HARMLESS, RESERVED, Redirect, Simple, simple_commands
from artel.tools.shell.words import PLACEHOLDER, Word

MAX_DEPTH = 8  # programs in each other
MAX_FORMS = 50  # ways to see what sudo would run

FOLDERS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin")
SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "ash")
ELEVATING = ("sudo", "doas")
# Builtins that change what later words mean, or run text as a command.
UNREADABLE = (
    *("eval", "source", ".", "trap", "alias", "unalias", "enable", "hash", "shopt", "complete", "compgen"),
    *("bind", "coproc", "mapfile", "readarray", "read", "let", "declare", "typeset", "export", "readonly"),
    *("local", "getopts", "fc", "history", "unset"),
)
SETS = re.compile(r"-[euxo]{1,4}|pipefail")
# What other shells take for something else: to dash `a &>z b` is two commands, and `x+=./y` the name of one.
BASH_ONLY = re.compile(r"\$['\"]|&>|\|&|\+=|[<>]\(|<<<|\[\[|\(\(|\d\d[<>]|\}[<>]|[<>]&(?![\d-])")

Words = tuple[Word, ...]


class Command(NamedTuple):
    """A command that a line would run, or the files that it would open."""

    argv: tuple[str, ...] = ()
    unsure: tuple[int, ...] = ()
    "Which words the running shell makes: expansions, and patterns for names of files."
    also: tuple[Spelled, ...] = ()
    "The other ways to see it: with its path, inside of what runs it."
    doubt: str = ""
    "Why nobody can say what it does; empty: it is known."
    redirects: tuple[Redirect, ...] = ()
    repeated: bool = False
    "Whether it stands in a loop."


class Wrapper(NamedTuple):
    """How a program names the one that it runs."""

    alone: str = ""
    "Its options without a value."
    valued: str = ""
    "Its options with one."
    skips: int = 0
    "Its own arguments before the command."
    assigns: bool = False


WRAPPERS: Mapping[str, Wrapper] = {
    "env": Wrapper("-i - -0 -v --ignore-environment", "-u --unset", assigns=True),
    "timeout": Wrapper(
        "-f -p -v --foreground --preserve-status --verbose", "-k -s --kill-after --signal", skips=1
    ),
    "nice": Wrapper("", "-n --adjustment"),
    "nohup": Wrapper(),
    "time": Wrapper("-p -v --verbose --portability"),
    "stdbuf": Wrapper("", "-i -o -e --input --output --error"),
    "setsid": Wrapper("-c -f -w --ctty --fork --wait"),
    "xargs": Wrapper(
        "-0 -r -t -x -p --null --no-run-if-empty --verbose --exit",
        "-n -P -I -L -d -s -E --max-args --max-procs --max-lines --delimiter --max-chars",
    ),
    "command": Wrapper("-p"),
    "builtin": Wrapper(),
    "exec": Wrapper("-c -l", "-a"),
    "busybox": Wrapper(),
    "ionice": Wrapper("-t", "-c -n --class --classdata"),
    "sudo": Wrapper("-n -E -H -S -k -b -i -s", "-u -g -C -D -h -p -r -t -T -U", assigns=True),
    "doas": Wrapper("-n -s", "-u -C", assigns=True),
}
GIT_VALUED = ("-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--super-prefix")
GIT = Wrapper(
    "--no-pager -P --no-optional-locks --literal-pathspecs --no-replace-objects --no-advice",
    " ".join(("-C", *GIT_VALUED)),
)
RUNS = ("-exec", "-execdir", "-ok", "-okdir")
OPENS = ("-fprint", "-fprint0", "-fprintf", "-fls", "-files0-from")


def unwrapped(one: Simple) -> Iterator[Command]:
    """Yield the commands that a simple command amounts to, then what it opens."""
    return _amounts(one, (), "", 0)


def _amounts(one: Simple, also: tuple[Spelled, ...], doubt: str, depth: int) -> Iterator[Command]:
    doubt = doubt or one.doubt
    for each in _run(one.words, also, doubt, depth) if one.words else ():
        yield each._replace(repeated=each.repeated or one.repeated)
    if one.redirects or (doubt and not one.words):
        yield Command(doubt=doubt, redirects=one.redirects, repeated=one.repeated)


def _run(words: Words, also: tuple[Spelled, ...], doubt: str, depth: int) -> Iterator[Command]:
    first = words[0]
    doubt = doubt or next((each.doubt for each in words if each.doubt), "")
    if first.kind != "plain":
        yield _command(words, also, doubt or f"{first.text[:40]!r} is worked out by the running shell")
        return
    words, also = _named(words, also)
    name = words[0].text
    if name in RESERVED:
        yield _command(words, also, doubt or f"{name!r} where a command is expected")
    elif depth > MAX_DEPTH:
        yield _command(words, also, f"more than {MAX_DEPTH} programs in each other")
    elif name in SHELLS:
        yield from _shell(words, also, doubt, depth)
    elif name in UNREADABLE:
        yield from _unreadable(words, also, doubt or f"{name} is not looked into", depth)
    elif name == "set":
        if not all(each.kind == "plain" and SETS.fullmatch(each.text) for each in words[1:]):
            yield _command(words, also, doubt or "set changes how the shell reads on")
    elif name in ELEVATING:
        inside = list(islice(_wrapped(words, (), doubt, depth), MAX_FORMS))
        forms = [form for each in inside for form in (Spelled(each.argv, each.unsure), *each.also)]
        doubt = doubt or next((each.doubt for each in inside if each.doubt), "")
        yield _command(words, (*also, *forms), doubt)
    elif name == "command" and len(words) > 1 and words[1].text in ("-v", "-V"):
        yield _command(words, also, doubt)
    elif name in WRAPPERS:
        yield from _wrapped(words, also, doubt, depth)
    elif name == "git":
        yield _git(words, also, doubt)
    elif name == "find":
        yield from _find(words, also, doubt, depth)
    elif name == "printf" and len(words) > 1 and (words[1].text[:2] == "-v" or words[1].may_be_an_option):
        yield _command(words, also, doubt or "printf may set a variable")
    else:
        yield _command(words, also, doubt)


def _named(words: Words, also: tuple[Spelled, ...]) -> tuple[Words, tuple[Spelled, ...]]:
    """Return the words with the plain name of a program of the system; other names are seen also as that.

    A program in the workspace that is called `git` is not git: it has to be allowed by its path.
    """
    text = words[0].text
    folder, slash, name = text.rpartition("/")
    short = (Word(name), *words[1:])
    if slash and folder in FOLDERS:
        words, also = short, (*also, _spelled(words))
    elif slash and name:
        also = (*also, _spelled(short))
    if name != name.lower():  # the same program where the file system ignores case
        also = (*also, _spelled((Word(name.lower()), *words[1:])))
    return words, also


def _wrapped(words: Words, also: tuple[Spelled, ...], doubt: str, depth: int) -> Iterator[Command]:
    name = words[0].text
    wrapper = WRAPPERS[name]
    at, why = _past_options(words, wrapper)
    for each in words[at : at + wrapper.skips]:
        why = why or ("" if each.kind == "plain" else f"{each.text[:40]!r} before the command")
    at += wrapper.skips
    while wrapper.assigns and at < len(words) and "=" in words[at].text:
        if not HARMLESS.fullmatch(words[at].text.partition("=")[0]):
            why = why or f"the variable {words[at].text[:40]} may change what a program runs"
        at += 1
    doubt = doubt or why
    rest = words[at:]
    if name == "xargs":
        rest = _with_input(words[:at], rest)
    if not rest:
        yield _command(words, also, doubt)
        return
    yield from _run(rest, (*also, _spelled(words)), doubt, depth + 1)


def _with_input(options: Words, rest: Words) -> Words:
    """Return what xargs runs: what it reads stands at the end, or wherever the placeholder does."""
    texts = [each.text for each in options]
    place = next((text[2:] or texts[at + 1 : at + 2][0] for at, text in _placed(texts)), None)
    if place:
        rest = tuple(each._replace(kind="made") if place in each.text else each for each in rest)
    return (*(rest or (Word("echo"),)), Word("…", "made"))


def _placed(texts: Sequence[str]) -> list[tuple[int, str]]:
    return [
        (at, text) for at, text in enumerate(texts) if text.startswith("-I") and (text[2:] or texts[at + 1 :])
    ]


def _past_options(words: Words, wrapper: Wrapper) -> tuple[int, str]:
    """Return where the options of a program end, and why that is not sure."""
    alone, valued = wrapper.alone.split(), wrapper.valued.split()
    at, why = 1, ""
    while at < len(words):
        each = words[at]
        if each.kind == "made" or each.may_be_an_option:
            return at, why or f"{each.text[:40]!r} before the command"
        text = each.text
        if text == "--":
            return at + 1, why
        if not text.startswith("-") or (text == "-" and "-" not in alone):
            return at, why
        if text in valued:
            at += 2
        else:
            known = (
                text in alone
                or text.partition("=")[0] in valued
                or text[:2] in valued
                or re.fullmatch(r"-\d+", text)
                or (text[1:2] != "-" and all(f"-{letter}" in alone for letter in text[1:]))
            )
            why = why or ("" if known else f"the option {text[:40]} of {words[0].text}")
            at += 1
    return at, why


def _shell(words: Words, also: tuple[Spelled, ...], doubt: str, depth: int) -> Iterator[Command]:
    name, reads, at, why = words[0].text, False, 1, ""
    while at < len(words) and not why:
        each = words[at]
        if each.kind != "plain":
            why = f"{each.text[:40]!r} before the command"
        elif re.fullmatch(r"[-+][ceuxvlo]+", each.text):
            reads = reads or (each.text[0] == "-" and "c" in each.text)
            at += 2 if "o" in each.text else 1
        elif each.text in ("--norc", "--noprofile", "--posix", "--login"):
            at += 1
        else:
            break
    rest = words[at:]
    if reads and rest and rest[0].text[:1] in ("-", "+"):
        why = why or f"the option {rest[0].text[:40]} of {name}"
    if not reads:
        script = rest and not rest[0].text.startswith("-")
        why = why or ("" if script else f"{name} with text from its input")
        yield _command(words, also, doubt or why)
    elif why or not rest or rest[0].kind != "plain":
        yield _command(words, also, doubt or why or f"{name} -c with text that the running shell makes")
    else:
        if name == "zsh" or (name != "bash" and BASH_ONLY.search(rest[0].text)):
            why = f"{name} reads otherwise than bash"
        yield from _text(rest[0].text, (*also, _spelled(words)), doubt or why, depth)


def _unreadable(words: Words, also: tuple[Spelled, ...], doubt: str, depth: int) -> Iterator[Command]:
    yield _command(words, also, doubt)
    if words[0].text == "eval":
        line = " ".join(each.text for each in words[1:])
        yield from _text(line, (*also, _spelled(words)), doubt, depth)


def _text(line: str, also: tuple[Spelled, ...], doubt: str, depth: int) -> Iterator[Command]:
    for one in simple_commands(line):
        yield from _amounts(one, also, doubt, depth + 1)


def _git(words: Words, also: tuple[Spelled, ...], doubt: str) -> Command:
    """Return a git command without what stands before its subcommand."""
    at, why = _past_options(words, GIT)
    for place, each in enumerate(words[1:at], 1):
        if each.text.startswith(GIT_VALUED) or each.text in ("-p", "--paginate"):
            why = why or f"the option {each.text[:40]} of git may run a program"
        elif words[place - 1].text == "-C" and not _is_below(each):
            why = why or f"git in {each.text[:40]}"
    if at == 1 or at >= len(words):
        return _command(words, also, doubt or why)
    return _command((words[0], *words[at:]), (*also, _spelled(words)), doubt or why)


def _is_below(folder: Word) -> bool:
    return folder.kind == "plain" and folder.text[:1] not in ("", "/") and ".." not in folder.text.split("/")


def _find(words: Words, also: tuple[Spelled, ...], doubt: str, depth: int) -> Iterator[Command]:
    for each in words[1:]:
        if each.may_be_an_option:
            doubt = doubt or f"{each.text[:40]!r} may become an action of find"
    opens = [
        Redirect(words[at + 1], "read" if each.text == "-files0-from" else "write")
        for at, each in enumerate(words[:-1])
        if each.text in OPENS
    ]
    yield _command(words, also, doubt)._replace(redirects=tuple(opens))
    at = 1
    while at < len(words):
        text, at = words[at].text, at + 1
        if text == "-delete":
            yield from _run((Word("rm"), Word("…", "made")), (*also, _spelled(words)), doubt, depth + 1)
        elif text in RUNS:
            end = _end_of_action(words, at)
            if end in (at, len(words)):
                yield Command(doubt=doubt or f"find with {text} that has no command, or no end")
            else:
                yield from _run(_with_found(words[at:end]), (*also, _spelled(words)), doubt, depth + 1)
            at = end + 1


def _end_of_action(words: Words, at: int) -> int:
    ends = (
        place
        for place in range(at, len(words))
        if words[place].text == ";" or (words[place].text == "+" and words[place - 1].text == PLACEHOLDER)
    )
    return next(ends, len(words))


def _with_found(words: Words) -> Words:
    return tuple(each._replace(kind="made") if PLACEHOLDER in each.text else each for each in words)


def _command(words: Words, also: tuple[Spelled, ...], doubt: str) -> Command:
    argv, unsure = _spelled(words)
    others = tuple(dict.fromkeys(form for form in also if form != (argv, unsure)))
    return Command(argv, unsure, others, doubt)


def _spelled(words: Words) -> Spelled:
    unsure = tuple(at for at, each in enumerate(words) if each.kind != "plain")
    return Spelled(tuple(each.text for each in words), unsure)

"""A line of shell as the calls that the policy judges: its commands, and the files that it opens."""

from collections.abc import Iterator, Sequence
from posixpath import join, normpath

from artel.tools.policy import Call
from artel.tools.shell.reading import commands
from artel.tools.shell.simple import How
from artel.tools.shell.unwrapping import Command
from artel.tools.shell.words import Word

ACTIONS: dict[How, str] = {"read": "fs.read", "write": "fs.write", "append": "fs.write"}
# What they open is judged as if a tool of ours did; none of their options writes, runs or names a file.
LOOKING = {"cat": "fs.read", "head": "fs.read", "tail": "fs.read", "ls": "fs.list"}
NO_FILES = frozenset(("/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "-"))
MAX_FOLDERS = 8
SCRATCH = "/tmp/"  # noqa: S108 - in the box; `Tool.calls` knows whether there is one

Folders = tuple[str, ...]
NOWHERE: Folders = ()  # it may be anywhere


def calls_of(line: str, workdir: str, plain: Call) -> list[Call]:
    """Return the calls that a line of bash amounts to, at least one; all of them must be allowed.

    `workdir` is where it begins, from the workspace. Paths are as the line means them, in any folder that
    its `cd`s may have led to; where they really lead is for `Tool.calls` to find.
    """
    folders: Folders = (workdir or ".",)
    found: list[Call] = []
    for command in commands(line).commands:
        if command.argv:
            found += _run(command, folders, plain)
        for target, how in command.redirects:
            found += _opened(target, ACTIONS[how], folders, plain)
        if command.doubt and not command.argv:
            found.append(_unknown(plain, command.doubt))
        if command.argv[:1] in (("cd",), ("pushd",), ("popd",)):
            folders = _changed(command, folders)
    return list(dict.fromkeys(found)) or [plain]


def _run(command: Command, folders: Folders, plain: Call) -> Iterator[Call]:
    doubt = command.doubt
    looks = LOOKING.get(command.argv[0])
    named = _named(command) if looks else []
    if looks and named is None:
        doubt = doubt or f"{command.argv[0]} of files that the running shell names"
    for path in named or ([] if looks != "fs.list" else ["."]):
        if not _is_scratch(path) and (not folders or any(_leads_out(folder, path) for folder in folders)):
            doubt = doubt or f"{path[:80]} may be outside of the workspace"
        elif looks:
            yield from (_at(plain, looks, folder, path) for folder in folders or ("/",))
    if command.argv[0] == "cd" and not _goes_below(command, folders):
        doubt = doubt or f"{' '.join(command.argv)[:80]} may lead out of the workspace"
    seen = {"argv": command.argv, "unsure": command.unsure, "also": command.also}
    yield plain.model_copy(update={**seen, "unknown": bool(doubt), "doubt": doubt})


def _named(command: Command) -> list[str] | None:
    """Return what may be paths among the arguments of a command; None: the running shell names some."""
    if command.unsure:
        return None
    words = command.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    return [*(each for each in words[:end] if each and not each.startswith("-")), *words[end + 1 :]]


def _opened(target: Word, action: str, folders: Folders, plain: Call) -> Iterator[Call]:
    if target.text in NO_FILES and target.kind == "plain":
        return
    absolute = target.text.startswith("/")
    if target.kind != "plain" or target.doubt or not (folders or absolute):
        why = target.doubt or f"{target.text[:80]!r} may be any file"
        yield _unknown(plain, why, action)
    else:
        yield from (_at(plain, action, folder, target.text) for folder in folders or ("/",))


def _changed(command: Command, folders: Folders) -> Folders:
    """Return where a line may be after a change of folder: it may have failed, or not been reached."""
    if command.argv[0] != "cd" or command.repeated or not _goes_below(command, folders):
        return NOWHERE
    told = [each for each in command.argv[1:] if each != "--"]
    more = tuple(dict.fromkeys((*folders, *(normpath(join(folder, told[0])) for folder in folders))))
    return more if len(more) <= MAX_FOLDERS else NOWHERE


def _goes_below(command: Command, folders: Folders) -> bool:
    told = [each for each in command.argv[1:] if each != "--"]
    plainly = len(told) == 1 and not command.unsure and not told[0].startswith("-") and told[0]
    return bool(plainly and folders) and not any(_leads_out(folder, told[0]) for folder in folders)


def _leads_out(folder: str, path: str) -> bool:
    if path.startswith("/"):
        return True
    climbs: Sequence[str] = normpath(join(folder, path)).split("/")
    return ".." in path.split("/") and (folder.startswith("/") or ".." in climbs)


def _at(plain: Call, action: str, folder: str, path: str) -> Call:
    # not made shorter: `link/..` is not the folder that holds the link
    path = join(folder, path)
    action = action.replace("fs.", "tmp.") if _is_scratch(path) else action
    return plain.model_copy(update={"action": action, "path": path})


def _is_scratch(path: str) -> bool:
    return path.startswith(SCRATCH) and ".." not in path.split("/")


def _unknown(plain: Call, doubt: str, action: str = "") -> Call:
    return plain.model_copy(
        update={"action": action or plain.action, "unknown": True, "doubt": doubt, "argv": ()}
    )

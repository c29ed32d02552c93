"""What a call is an instance of: the short words under which answers to calls like it are counted."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from artel.tools.policy import Call

MOST = 3  # kinds of calls in one call
LONGEST = 200  # characters


def covered(calls: Iterable[Call]) -> str:
    """Return what calls of this kind have in common: action and folder, or the command and its first word.

    Empty where that cannot be said: a command that nobody knows before it runs, or too many in one.

    >>> covered([Call(tool="edit_file", action="fs.write", path="src/a.py")])
    'fs.write src/*'
    >>> covered([Call(tool="execute", action="exec", argv=("git", "fetch", "origin"))])
    'exec git fetch **'
    """
    found = []
    for call in calls:
        if call.unknown or call.unsure:
            return ""
        found.append(_words(call))
    kinds = sorted(set(found))
    said = ", ".join(kinds)
    return said if len(kinds) <= MOST and len(said) <= LONGEST else ""


def _words(call: Call) -> str:
    if call.argv:
        program, *rest = call.argv
        second = rest[0] if rest and rest[0].isidentifier() else ""
        return " ".join(word for word in (call.action, program, second, "**" if rest else "") if word)
    if not call.path:
        return call.action
    folder = PurePosixPath(call.path).parent.as_posix()
    return f"{call.action} {'*' if folder == '.' else f'{folder}/*'}"

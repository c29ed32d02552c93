"""What a line of bash would run: each command by itself, whatever it is wrapped in."""

from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from artel.tools.shell.simple import simple_commands
from artel.tools.shell.unwrapping import Command, unwrapped

MAX_COMMANDS = 200


class Parsed(NamedTuple):
    """A line as the commands that it would run, in the order in which they are written."""

    commands: tuple[Command, ...]

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why nobody can say what all of it does; none: it is known."""
        return tuple(dict.fromkeys(each.doubt for each in self.commands if each.doubt))


@lru_cache(maxsize=64)  # a call is judged when it is made, when it is let through, and after an edit
def commands(line: str) -> Parsed:
    """Return what a line would run. It runs nothing, and never fails: what it cannot read it doubts.

    >>> [each.argv for each in commands("env CI=1 timeout 5 git -C sub push && sh -c 'ls | wc'").commands]
    [('git', 'push'), ('ls',), ('wc',)]
    """
    amounting = (command for one in simple_commands(line) for command in unwrapped(one))
    found = list(islice(amounting, MAX_COMMANDS + 1))
    if len(found) > MAX_COMMANDS:
        found[MAX_COMMANDS:] = [Command(doubt=f"more than {MAX_COMMANDS} commands")]
    return Parsed(tuple(found))

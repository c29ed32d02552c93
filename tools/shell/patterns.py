"""Patterns for commands: one for the name, one for each argument, `**` for any further ones."""

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple


class Fit(IntEnum):
    """Whether a command is what patterns speak of."""

    NO = 0
    MAYBE = 1
    YES = 2


class Spelled(NamedTuple):
    """A command as one could write it."""

    argv: tuple[str, ...]
    unsure: tuple[int, ...] = ()
    "Places in it of words that the running shell makes: expansions, and patterns for names of files."


def taken(patterns: Sequence[str], argv: Sequence[str], unsure: Sequence[int]) -> Fit:
    """Return whether a command is what the patterns speak of.

    X
    """
    if not argv or (0 not in unsure and not _begins(patterns[0], argv[0])):
        return Fit.NO
    if len(patterns) == 2 and patterns[1] == "**" and 0 not in unsure:
        return Fit.YES  # as most rules are; it need not go through a thousand words
    reached = {0: Fit.YES}  # how surely so many patterns have taken all words before this one
    for at, word in enumerate(argv):
        after: dict[int, Fit] = {}
        for place, sure in _past_rests(patterns, reached).items():
            rest = place < len(patterns) and patterns[place] == "**"
            takes = {place: sure} if rest else {}
            if at in unsure:
                takes = dict.fromkeys(range(place, len(patterns) + 1), Fit.MAYBE) | takes
            elif place < len(patterns) and not rest and _argument(patterns[place])(word):
                takes = {place + 1: sure}
            for there, how in takes.items():
                after[there] = max(how, after.get(there, Fit.NO))
        reached = after
        if not reached:
            return Fit.NO
    return _past_rests(patterns, reached).get(len(patterns), Fit.NO)


def _begins(pattern: str, name: str) -> bool:
    """Most rules are about another command: this spares them the rest."""
    return pattern in (name, "**") or bool(_argument(pattern)(name))


def _past_rests(patterns: Sequence[str], reached: dict[int, Fit]) -> dict[int, Fit]:
    found = dict(reached)
    for place, pattern in enumerate(patterns):
        if pattern == "**" and place in found:
            found[place + 1] = max(found[place], found.get(place + 1, Fit.NO))
    return found


@lru_cache(maxsize=1_024)
def _argument(pattern: str) -> Callable[[str], object]:
    return re.compile(translate(pattern)).match

"""What a sync has to do: pure, so that every rule of it can be tried without a source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from artel.tools.knowledge.connectors.port import Change, Changed, Gone

LOSS = 0.5  # of the known documents; more at once is an accident until a person says otherwise
FLOOR = 20  # documents: of fewer, half is soon gone


@dataclass(frozen=True, slots=True)
class Told:
    """What a source said of its documents, the last word on each."""

    changed: Mapping[str, Changed]
    gone: frozenset[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be done; ids in the order in which they were told or are known."""

    add: tuple[str, ...]
    change: tuple[str, ...]
    delete: tuple[str, ...]
    kept: tuple[str, ...] = ()
    "What the listing lacks and is not deleted, because of `refused`."
    refused: str = ""
    "Why nothing is deleted that the listing lacks; for the report."


def fold(changes: Iterable[Change]) -> Told:
    """Return the last word on each document; cursors are passed over.

    >>> from artel.tools.knowledge.connectors.port import Gone
    >>> sorted(fold([Gone("a"), Gone("b"), Changed("a", "2", "", "", None, "text")]).gone)
    ['b']
    """
    changed: dict[str, Changed] = {}
    gone: set[str] = set()
    for one in changes:
        match one:
            case Changed():
                changed[one.id] = one
                gone.discard(one.id)
            case Gone():
                gone.add(one.id)
                changed.pop(one.id, None)
    return Told(changed, frozenset(gone))


def difference(
    known: Mapping[str, str],
    told: Told,
    listed: Iterable[str] | None = None,
    *,
    loss: float = LOSS,
    floor: int = FLOOR,
) -> Difference:
    """Return what to add, change and delete, given {id: version} of what is known.

    `listed` is a whole listing; without one nothing is deleted but what the source called gone. A document
    that is listed and neither known nor told was missed once, and is added.

    >>> difference({"a": "1", "b": "1"}, fold([]), ["b", "c"])
    Difference(add=('c',), change=(), delete=('a',), kept=(), refused='')
    """
    add = [one for one in told.changed if one not in known]
    change = [one for one, now in told.changed.items() if known.get(one, now.version) != now.version]
    gone = [one for one in known if one in told.gone]
    if listed is None:
        return Difference(tuple(add), tuple(change), tuple(gone))
    there = dict.fromkeys(listed)
    spoken_of = told.changed.keys() | told.gone
    add += [one for one in there if one not in known and one not in spoken_of]
    missing = [one for one in known if one not in there and one not in spoken_of]
    if why := refusal(len(known), len(missing), len(there), loss=loss, floor=floor):
        return Difference(tuple(add), tuple(change), tuple(gone), tuple(missing), why)
    return Difference(tuple(add), tuple(change), (*gone, *missing))


def refusal(known: int, missing: int, listed: int, *, loss: float = LOSS, floor: int = FLOOR) -> str:
    """Return why so many documents may not be deleted at once; nothing if they may.

    An empty listing deletes nothing, nor does one that lacks more than the share `loss` of `floor` documents
    or more.

    >>> refusal(10, 9, 1), refusal(20, 10, 10)
    ('', '')
    >>> refusal(20, 11, 9)
    'the listing lacks 11 of 20 documents, more than 50%: none is deleted'
    >>> refusal(3, 3, 0)
    'the listing is empty, and 3 documents are known: none is deleted'
    """
    if not missing:
        return ""
    if not listed:
        return f"the listing is empty, and {known} documents are known: none is deleted"
    if known >= floor and missing > loss * known:
        return f"the listing lacks {missing} of {known} documents, more than {loss:.0%}: none is deleted"
    return ""

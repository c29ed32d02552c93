"""A folder of code in a few lines: its most used definitions, as they stand, within a budget of tokens."""

from collections.abc import Collection, Mapping

from artel.tools.knowledge.chunking.ruler import tokens
from artel.tools.knowledge.code.ranking import Ranked, ranked
from artel.tools.knowledge.code.tags import Definition, Tags

BUDGET = 1_024  # tokens
LEFT_OUT = "⋮"


def repo_map(
    tags: Mapping[str, Tags],
    *,
    budget: int = BUDGET,
    focus: Collection[str] = (),
    identifiers: Collection[str] = (),
    imports: Mapping[str, frozenset[str]] | None = None,
) -> str:
    """Return files with their most used definitions, the most used file first, in at most `budget` tokens.

    `tags`: of each file, by path; whoever calls keeps them by the hash of the text. `focus`: files someone
    works on, which count for more and are not shown themselves; `identifiers`: names in the question;
    `imports`: of the graph, which tells names of one spelling apart. Each line has its number; what stands
    between is left out and marked. Empty if not even one definition fits.

    Raises:
        ValueError: `budget` is not positive.
    """
    if budget < 1:
        raise ValueError(f"budget must be 1 or more, got {budget}")
    found = ranked(tags, focus=focus, identifiers=identifiers, imports=imports)
    order = [one for one in found if one[0] not in focus]
    fits, beyond = 0, min(len(order), budget) + 1  # a definition has more than one token
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        if tokens(_shown(tags, order[:middle])) <= budget:
            fits = middle
        else:
            beyond = middle
    return _shown(tags, order[:fits])


def _shown(tags: Mapping[str, Tags], chosen: list[Ranked]) -> str:
    lines = dict[str, dict[int, str]]()
    for path, definition, _ in chosen:
        shown = lines.setdefault(path, {})
        for one in (*_around(tags[path], definition), definition):
            shown[one.line] = one.signature
    return "\n".join(line for path, shown in lines.items() for line in _file(path, shown))


def _file(path: str, shown: dict[int, str]) -> list[str]:
    made, before = [f"{path}:"], 0
    for line, signature in sorted(shown.items()):
        if line > before + 1:
            made.append(LEFT_OUT)
        made.append(f"{line:5} {signature}")
        before = line
    return [*made, ""]


def _around(tags: Tags, inner: Definition) -> list[Definition]:
    return [one for one in tags.definitions if one.line < inner.line and inner.end_line <= one.end_line]

"""Results as text: a row a case, a column a configuration."""

from collections.abc import Sequence

from evals.history import Result
from evals.judgement import Fall


def table(results: Sequence[Result]) -> str:
    """Return scores side by side, with what each configuration used in all."""
    columns = list(dict.fromkeys(one.configuration for one in results))
    cases = sorted({one.case for one in results})
    by_key = {one.key: one for one in results}
    width = max([len(case) for case in cases] + [12])
    widths = [max(len(column), 8) for column in columns]

    def row(head: str, cells: Sequence[str]) -> str:
        return "  ".join([head.ljust(width), *(c.rjust(w) for c, w in zip(cells, widths, strict=True))])

    lines = [row("case", columns)]
    for case in cases:
        found = [by_key.get((column, case)) for column in columns]
        lines.append(row(case, [f"{one.score:.0%}" if one else "-" for one in found]))
    of = [[one for one in results if one.configuration == column] for column in columns]
    lines += [
        row("mean score", [f"{sum(o.score for o in many) / len(many):.1%}" for many in of]),
        row("cases", [str(len(many)) for many in of]),
        row("calls of tools", [str(sum(o.calls for o in many)) for many in of]),
        row("tokens in", [str(sum(o.tokens_in for o in many)) for many in of]),
        row("cached", [share(many) for many in of]),
        row("tokens out", [str(sum(o.tokens_out for o in many)) for many in of]),
        row("USD", [cost(many) for many in of]),
        row("seconds", [f"{sum(o.seconds for o in many):.1f}" for many in of]),
    ]
    return "\n".join(lines)


def cost(results: Sequence[Result]) -> str:
    """Return what results cost in all; `?` where a price is unknown."""
    known = [one.usd for one in results if one.usd is not None]
    return f"{sum(known):.4f}" if len(known) == len(results) else "?"


def share(results: Sequence[Result]) -> str:
    """Return the share of the input that providers had in their caches."""
    given = sum(one.tokens_in for one in results)
    return f"{sum(one.cached for one in results) / given:.0%}" if given else "-"


def troubles(results: Sequence[Result], falls: Sequence[Fall]) -> str:
    """Return which checks did not hold, which were not judged, and which cases fell; empty if none."""
    lines = []
    for one in results:
        for mark in one.marks:
            if mark.passed is not True:
                what = "not judged" if mark.passed is None else "FAILED"
                lines.append(f"{what}  {one.configuration}  {one.case}: {mark.name}: {_line(mark.said)}")
    lines += [f"FELL  {fall.result.configuration}  {fall.result.case}: {fall.why}" for fall in falls]
    return "\n".join(lines)


def _line(text: str) -> str:
    """A model's words on one line, without what would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]

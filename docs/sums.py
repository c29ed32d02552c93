"""Work out the sums of docs/explanation/scaling.md from its table of costs: `make docs`.

Each line of its code is a sum; the comment behind it is what came of it, for each of the days it speaks of.
"""

import re
from collections.abc import Mapping
from math import ceil
from pathlib import Path

PAGE = Path(__file__).parent / "explanation/scaling.md"
COST = re.compile(r"^\| `(\w+)` \| ([\d.]+) \|", re.MULTILINE)
BLOCK = re.compile(r"(?<=```python\n).*?(?=```)", re.DOTALL)
SUM = re.compile(r"^(\w+) = (.+?)(?:  # .*)?$")
DAYS = "threads_a_day"
ALLOWED = {"ceil": ceil, "max": max}


def main() -> None:
    """Write the sums anew."""
    PAGE.write_text(rewritten(PAGE.read_text()))


def rewritten(page: str) -> str:
    """Return a page with the results of its sums behind them.

    >>> rewritten("| `a` | 2 | |\\n```python\\nb = a * 3  # 7\\n```")
    '| `a` | 2 | |\\n```python\\nb = a * 3  # 6\\n```'
    """
    known: dict[str, tuple[float, ...]] = {name: (float(value),) for name, value in COST.findall(page)}

    def block(found: re.Match[str]) -> str:
        return "".join(f"{_worked_out(line, known)}\n" for line in found[0].splitlines())

    return BLOCK.sub(block, page)


def _worked_out(line: str, known: dict[str, tuple[float, ...]]) -> str:
    found = SUM.match(line)
    if not found:
        return line
    name, expression = found[1], found[2].rstrip()
    if name == DAYS:
        known[name] = tuple(float(part) for part in expression.split(","))
        return line
    used = {word: known[word] for word in re.findall(r"\b[a-z]\w*", expression) if word not in ALLOWED}
    many = max(map(len, used.values()), default=1)
    results = tuple(
        _value(expression, {word: at[min(place, len(at) - 1)] for word, at in used.items()})
        for place in range(many)
    )
    known[name] = results
    return f"{name} = {expression}  # {' · '.join(map(shown, results))}"


def _value(expression: str, values: Mapping[str, float]) -> float:
    return float(eval(expression, {"__builtins__": ALLOWED}, dict(values)))  # noqa: S307 - our own words


def shown(value: float) -> str:
    """Write a figure as one reads it: three digits, thousands apart.

    >>> [shown(value) for value in (0.01234, 39.3, 394.44, 123456.0)]
    ['0.0123', '39.3', '394', '123,000']
    """
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:.15g}"


if __name__ == "__main__":
    main()

"""How long it takes to judge a line of shell, as the first time and as one seen before.

    python evals/bench/policy.py

Judged by the default policy and fifty rules more. Figures of one run are to be compared with each other.
"""

import statistics
import time

from artel.tools.policy import DEFAULT, Call, Policy, Rule, judge_all
from artel.tools.shell.calls import calls_of
from artel.tools.shell.reading import commands

ROUNDS = 400
PLAIN = Call(tool="execute", action="exec")
LINES = {
    "one command": "pytest -q tests/test_{n}.py",
    "wrapped four times": "env CI=1 timeout {n} nice nohup pytest -q tests",
    "a shell in a shell": "bash -euo pipefail -c 'cd src && pytest -q -k test_{n}'",
    "ten commands": " && ".join(f"step{each} --number {{n}} > out{each}.txt" for each in range(10)),
    "find and xargs": "find . -name '*_{n}.py' -exec rm {{}} \\; && git ls-files | xargs grep {n}",
    "1 KB of echo": "echo " + "word-{n} " * 120,
}


def main() -> None:
    """Print a table: what a line amounts to, its median and p95 when new, its median when judged before."""
    more = (
        Rule(id=f"r{each}", effect="allow", action="exec", argv=(f"tool{each}", "run", "**"))
        for each in range(50)
    )
    policy = Policy(floor=DEFAULT.floor, rules=(*DEFAULT.rules, *more))
    _judge(policy, "warm")
    print(f"{'':24}{'calls':>6}{'new, median ms':>16}{'a call':>9}{'p95 ms':>9}{'again, median ms':>18}")
    for name, pattern in LINES.items():
        fresh = [_took(policy, pattern.format(n=each)) for each in range(ROUNDS)]
        again = [_took(policy, pattern.format(n=ROUNDS - 1)) for _ in range(ROUNDS)]
        size, median = len(calls_of(pattern.format(n=0), ".", PLAIN)), statistics.median(fresh)
        p95 = statistics.quantiles(fresh, n=20)[-1]
        print(
            f"{name:24}{size:6}{median:16.3f}{median / size:9.3f}{p95:9.3f}{statistics.median(again):18.3f}"
        )
    commands.cache_clear()


def _took(policy: Policy, line: str) -> float:
    began = time.perf_counter()
    _judge(policy, line)
    return (time.perf_counter() - began) * 1000


def _judge(policy: Policy, line: str) -> None:
    judge_all(policy, "coder", calls_of(line, ".", PLAIN))


if __name__ == "__main__":
    main()

"""Run every benchmark, one after the other: `make bench`; or those that are named.

python -m evals.bench [NAME …]
python -m evals.bench peers --quick
"""

import runpy
import sys
from pathlib import Path

from evals.bench.peers import run

ORDER = (
    "serving",
    "engine",
    "turns",
    "read_tools",
    "calls",
    "overhead",
    "context",
    "policy",
    "sandbox",
    "snapshots",
    "routing",
    "embedding",
    "vectors",
    "lexical",
    "chunking",
    "knowledge",
    "formats",
    "page",
    "peers",
)


def main() -> None:
    """Print one table a benchmark; what follows `peers` is for it alone."""
    names, peers = sys.argv[1:] or list(ORDER), []
    if "peers" in names:
        at = names.index("peers")
        names, peers = names[: at + 1], names[at + 1 :]
    if unknown := set(names) - set(ORDER):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(ORDER)}")
    sys.argv = sys.argv[:1]
    for name in names:
        print(f"\n## {name}\n", flush=True)
        if name == "peers":
            run.main(peers)
        else:
            runpy.run_path(str(Path(__file__).with_name(f"{name}.py")), run_name="__main__")


if __name__ == "__main__":
    main()

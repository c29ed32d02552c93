"""Run every benchmark, one after the other: `make bench`."""

import runpy
from pathlib import Path

ORDER = ("serving", "engine", "turns", "read_tools")


def main() -> None:
    """Print one table a benchmark."""
    for name in ORDER:
        print(f"\n## {name}\n")
        runpy.run_path(str(Path(__file__).with_name(f"{name}.py")), run_name="__main__")


if __name__ == "__main__":
    main()

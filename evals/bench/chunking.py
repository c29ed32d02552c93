"""How fast texts are cut, and a folder of 2,000 files is mapped.

    python evals/bench/chunking.py

CPU-seconds of one thread. Prose is made up, Python is its own standard library. Figures of one run are to be
compared with each other, not with those of another machine.
"""

import ast
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from artel.tools.knowledge.chunking import chunks
from artel.tools.knowledge.code.imports import graph
from artel.tools.knowledge.code.repo_map import repo_map
from artel.tools.knowledge.code.statistics import statistics
from artel.tools.knowledge.code.tags import tags

FILES = 2_000
MB = 1_000_000
ROUNDS = 2
ENGLISH = "The pump of line {n} is checked every morning, e.g. by Dr. Smith, before the shift starts. "
RUSSIAN = "Насос линии {n} проверяют каждое утро, т. е. до начала смены, и записывают давление в журнал. "


def main() -> None:
    """Print megabytes (of characters) a CPU-second, and CPU-seconds of what is done once a folder."""
    python = _library()
    code = sum(map(len, python.values()))
    print(f"{'':40}{'MB':>8}{'CPU s':>8}{'MB / CPU s':>12}")
    for name, sentence in (("English prose", ENGLISH), ("Russian prose", RUSSIAN)):
        text = prose(sentence)
        _row(name, len(text), partial(chunks, text, path="a.md"))
    _row("Python", code, lambda: [chunks(text, path=path) for path, text in python.items()])
    folder = {f"package{at % 40}/module{at}.py": module(at) for at in range(FILES)}
    size = sum(map(len, folder.values()))
    made = {path: tags(text, path) for path, text in folder.items()}
    _row(f"tags of {FILES} files", size, lambda: [tags(text, path) for path, text in folder.items()])
    _row(f"imports of {FILES} files", size, lambda: graph(folder))
    imports = graph(folder).imports
    _row(f"map of {FILES} files, 1,024 tokens", size, lambda: repo_map(made, imports=imports))
    _row(f"statistics of {FILES} files", size, lambda: statistics(folder, {}))


def prose(sentence: str) -> str:
    """Return about 2 MB of Markdown."""
    parts = []
    for at in range(400):
        body = "\n\n".join("".join(sentence.format(n=at * 50 + n) for n in range(5)) for _ in range(10))
        parts.append(f"## Part {at}\n\n{body}\n\n- one\n- two\n\n")
    return "".join(parts)


def module(at: int) -> str:
    """Return a module that uses three others."""
    used = [(at * 7 + step * 13) % FILES for step in range(1, 4)]
    lines = [f"from package{n % 40}.module{n} import work_{n}, Holder{n}" for n in used]
    lines += [f"\n\nclass Holder{at}:"]
    for n in range(8):
        lines.append(f"\n    def method_{n}(self, value: int) -> Holder{used[n % 3]}:")
        lines += [f"        value += work_{used[n % 3]}(value + {step})" for step in range(6)]
        lines.append(f"        return Holder{used[n % 3]}(value)")
    lines += [f"\n\ndef work_{at}(value: int) -> int:", f"    return Holder{at}().method_1(value)\n"]
    return "\n".join(lines)


def _library() -> dict[str, str]:
    texts, size = dict[str, str](), 0
    for file in sorted(Path(ast.__file__).parent.glob("*.py")):
        texts[file.name] = file.read_text(encoding="utf-8")
        size += len(texts[file.name])
        if size > 3 * MB:
            break
    return texts


def _row(name: str, size: int, work: Callable[[], object]) -> None:
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    best = min(took)
    print(f"{name:40}{size / MB:8.2f}{best:8.2f}{size / MB / best:12.2f}", flush=True)


if __name__ == "__main__":
    main()

"""How many texts the default embedder turns into vectors in a second of CPU, and what a question costs.

    python evals/bench/embedding.py

Over pieces of about 250 tokens of this repository's own pages, in one thread, by the best of some rounds:
others who use the machine make CPU seconds slower too. Issue 7 asks for 40 texts a CPU-second in 8 bits, and
about 2 ms for a question. Figures of one run are to be compared with each other.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from artel.storage.knowledge.embedders.conversion import Precision
from artel.storage.knowledge.embedders.minilm import described, open_minilm
from artel.storage.knowledge.embedders.onnx import OnnxEmbedder
from artel.storage.knowledge.embedders.reading import Reader

PAGES = Path(__file__).resolve().parents[2]
TEXTS, TOKENS, ROUNDS = 32, 250, 6
QUESTIONS = [
    "How do I cancel a run that waits for an approval?",
    "where are checkpoints pruned",
    "def resume(conn, id, decision)",
    "what happens to a thread when its worker is killed",
]


def pieces() -> list[str]:
    """Return texts of about TOKENS tokens each, from the pages of this repository."""
    reader = Reader(described())
    words = " ".join(page.read_text() for page in sorted(PAGES.glob("*.md"))).split()
    found, piece = [], list[str]()
    for at in range(0, len(words), 10):
        piece += words[at : at + 10]
        if len(reader.tokens(" ".join(piece))) >= TOKENS:
            found.append(" ".join(piece))
            piece = []
        if len(found) == TEXTS:
            break
    return found


async def main() -> None:
    """Print a table: texts a CPU-second, ms of CPU and of the clock a question, size of the file."""
    texts = pieces()
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'':8}{'texts/CPU s':>13}{'question, CPU ms':>18}{'clock ms':>10}{'file MB':>9}")
        precisions: tuple[Precision, ...] = ("int8", "fp32")
        opened = [(name, open_minilm(Path(folder), precision=name)) for name in precisions]
        for _, embedder in opened:
            await embedder.embed(texts[:4])
        best = {name: [1e9, 1e9, 1e9] for name, _ in opened}
        for _ in range(ROUNDS):  # in turns, so that a busy minute is everybody's
            for name, embedder in opened:
                best[name] = [
                    min(pair) for pair in zip(best[name], await _round(embedder, texts), strict=True)
                ]
        for name, embedder in opened:
            size = await asyncio.to_thread(_megabytes, Path(folder), name)
            whole, cpu, clock = best[name]
            print(f"{name:8}{len(texts) / whole:13.1f}{cpu * 1000:18.2f}{clock * 1000:10.2f}{size:9.1f}")
            await embedder.close()


def _megabytes(folder: Path, precision: Precision) -> float:
    return sum(file.stat().st_size for file in folder.glob(f"*.{precision}.onnx")) / 1e6


async def _round(embedder: OnnxEmbedder, texts: list[str]) -> list[float]:
    """Seconds: of CPU for all texts, of CPU and of the clock for a question."""
    began = time.process_time()
    await embedder.embed(texts)
    whole = time.process_time() - began
    began, clock = time.process_time(), time.perf_counter()
    for question in QUESTIONS:
        await embedder.embed([question], query=True)
    number = len(QUESTIONS)
    return [whole, (time.process_time() - began) / number, (time.perf_counter() - clock) / number]


if __name__ == "__main__":
    asyncio.run(main())

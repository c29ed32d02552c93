"""What is off on this machine, and how to turn it on; said at the start and on the page."""

from pathlib import Path

from artel.graphs.models import Models
from artel.tools.workspace.ripgrep import find_ripgrep

PAGE = Path(__file__).parent / "static/index.html"


def missing(models: Models) -> list[str]:
    """Return one sentence for each thing that is off; none when all is there."""
    sentences: list[str] = []
    if models.describe()["offline"]:
        sentences.append(
            "No language model was found, so fixed rules answer: set ARTEL_MODEL or a key, or start Ollama."
        )
    if not find_ripgrep():
        sentences.append("ripgrep is not installed, so searching large folders is slower: install ripgrep.")
    if not PAGE.exists():
        sentences.append("The page is not built, so only the API answers: run make run in a checkout.")
    return sentences

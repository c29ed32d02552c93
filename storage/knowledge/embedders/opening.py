"""Which embedder a server has: from plain values to something that embeds."""

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from artel.storage.errors import Invalid
from artel.storage.knowledge.embedders import local, openai
from artel.storage.knowledge.embedders.bert import read
from artel.storage.knowledge.embedders.conversion import Precision
from artel.storage.knowledge.hits import Embedder

Kind = Literal["minilm", "onnx", "openai", "local", "none"]
LANGUAGE = re.compile(r"[a-z]{2}|code")


class OpenEmbedder(Embedder, Protocol):
    """An embedder that holds threads or connections."""

    async def close(self) -> None:
        """Let go of them; nothing can be embedded afterwards."""


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """An embedder, as settings name it."""

    kind: Kind = "minilm"
    """MiniLM, a folder with a model of BERT's kind, a server, sentence-transformers, or no vectors."""
    model: str = ""
    """A folder (onnx, local), the name on the hub (local) or at the server (openai)."""
    languages: frozenset[str] = frozenset()
    """ISO 639-1 codes, `code` for programs: what the model understands. MiniLM has its own."""
    url: str = ""
    """Of the server, such as https://embeddings.example/v1."""
    api_key: str = field(default="", repr=False)
    revision: str = ""
    """Commit of a model by name (local)."""
    query_prefix: str | None = None
    """Goes before questions; None: what the model's own files say."""
    passage_prefix: str | None = None
    """Goes before what is searched; None: what the model's own files say."""
    precision: Precision = "int8"
    """Of minilm and onnx."""
    threads: int = 1
    """Of the CPU, at most, for documents; one more answers questions."""
    device: str = ""
    """For local: cpu, cuda, mps; empty: a GPU if there is one."""
    max_chars: int = 8_000
    """For openai: longer texts are cut."""


async def opened(choice: EmbedderChoice, *, models: Path) -> OpenEmbedder | None:
    """Open the embedder of a choice; None for "none". A server is asked once how long its vectors are.

    `models` is the folder for converted models, made if it is not there.

    Raises:
        Invalid: a value is missing or wrong, or a package is not installed.
        UnusableModel: the model's files are missing or broken, or of a kind that we do not compute.
        EmbedderUnavailable: the server does not answer.
        EmbedderRefused: the server refused, or answered with no vectors.
    """
    _check(choice)
    match choice.kind:
        case "none":
            return None
        case "minilm":
            return await asyncio.to_thread(_minilm, choice, models)
        case "onnx":
            return await asyncio.to_thread(_from_folder, choice, models)
        case "local":
            return await asyncio.to_thread(_local, choice)
        case "openai":
            return await _server(choice)


def _check(choice: EmbedderChoice) -> None:
    if choice.threads < 1:
        raise Invalid(f"threads must be 1 or more, got {choice.threads}")
    if choice.kind in ("minilm", "none"):
        return
    if not choice.model:
        raise Invalid(f"an embedder of kind {choice.kind} needs a model")
    if choice.kind == "openai" and not re.match("https?://.", choice.url):
        raise Invalid(
            f"an embedder of kind openai needs a url that begins with http(s)://, got {choice.url!r}"
        )
    if not choice.languages:
        raise Invalid(
            f"name the languages that {choice.model} understands: on others its vote would be noise"
        )
    if wrong := sorted(one for one in choice.languages if not LANGUAGE.fullmatch(one)):
        raise Invalid(f"languages are ISO 639-1 codes of two letters, or code; got {', '.join(wrong)}")


# ONNX Runtime takes half a second to import: here it does so in a thread, and only where it is wanted.


def _minilm(choice: EmbedderChoice, models: Path) -> OpenEmbedder:
    from artel.storage.knowledge.embedders.minilm import open_minilm  # noqa: PLC0415

    return open_minilm(models, precision=choice.precision, threads=choice.threads)


def _from_folder(choice: EmbedderChoice, models: Path) -> OpenEmbedder:
    from artel.storage.knowledge.embedders import onnx  # noqa: PLC0415

    folder = Path(choice.model)
    return onnx.load(
        read(folder, query_prefix=choice.query_prefix, passage_prefix=choice.passage_prefix),
        models,
        label=re.sub(r"[^\w.-]+", "-", folder.resolve().name) or "model",
        languages=choice.languages,
        precision=choice.precision,
        threads=choice.threads,
    )


def _local(choice: EmbedderChoice) -> OpenEmbedder:
    return local.load(
        local.LocalModel(
            model=choice.model,
            languages=choice.languages,
            revision=choice.revision,
            query_prefix=choice.query_prefix,
            passage_prefix=choice.passage_prefix,
            device=choice.device,
            threads=choice.threads,
        )
    )


async def _server(choice: EmbedderChoice) -> OpenEmbedder:
    endpoint = openai.Endpoint(
        url=choice.url,
        model=choice.model,
        api_key=choice.api_key,
        languages=choice.languages,
        query_prefix=choice.query_prefix or "",
        passage_prefix=choice.passage_prefix or "",
        max_chars=choice.max_chars,
    )
    embedder = await asyncio.to_thread(openai.OpenAIEmbedder, endpoint)
    try:
        await embedder.embed(["how long is a vector?"])
    except BaseException:
        await embedder.close()
        raise
    return embedder

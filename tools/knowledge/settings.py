"""How knowledge is searched; filled from the environment by the server, plain values here."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

MOST_RESULTS = 50  # documents of an answer
LONGEST_QUERY = 2_000  # characters
THRESHOLD = 0.7  # of the confidence, below which a search asks back (A2)


class KnowledgeSettings(BaseModel):
    """How knowledge is searched. Nothing set: all in the data folder, English and code by MiniLM."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vectors: Literal["edge", "pgvector", "qdrant"] = Field(
        "edge",
        description="Where vectors are searched: `edge` in the data folder, `pgvector` in PostgreSQL, "
        "`qdrant` at ARTEL_KNOWLEDGE__QDRANT_URL.",
    )
    qdrant_url: str = Field("", description="The Qdrant server, as http://host:6333.")
    qdrant_key: SecretStr = Field(SecretStr(""), description="Its API key.")
    embedder: Literal["minilm", "onnx", "openai", "local", "none"] = Field(
        "minilm",
        description="What makes vectors: `minilm` (English and code), `onnx` a folder with a model of BERT's "
        "kind, `local` sentence-transformers, `openai` any server with /v1/embeddings, `none` words alone.",
    )
    model: str = Field("", description="A folder or a name, for all embedders but `minilm`.")
    languages: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="ISO 639-1 codes that the model understands, comma-separated; `code` for programs."
    )
    url: str = Field("", description="Of the server of embeddings, as http://host/v1.")
    api_key: SecretStr = Field(SecretStr(""), description="Its key.")
    revision: str = Field("", description="Commit of a model by name.")
    threads: int = Field(1, ge=1, le=64, description="Of the processor, at most, for making vectors.")
    threshold: float = Field(THRESHOLD, ge=0, le=1, description="Below this confidence a search asks back.")

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

"""A folder with a model of BERT's kind, as sentence-transformers and transformers write it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from artel.storage.errors import Invalid

Pooling = Literal["mean", "cls", "max"]

WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
POSITION_OFFSETS = {"bert": 0, "roberta": 1, "xlm-roberta": 1, "camembert": 1}
"""The kinds we can read; those of RoBERTa count positions from the number of the padding token plus this."""
ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
POOLINGS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}
STEPS = {"Transformer", "Pooling", "Normalize"}
"""Steps of sentence-transformers that we compute; rows have length 1 with or without the last."""


class UnusableModel(Invalid):
    """A folder holds no model that we can turn into an embedder; the message names what is wrong."""

    code = "unusable_model"


@dataclass(frozen=True, slots=True)
class Bert:
    """A model as its folder describes it."""

    folder: Path
    layers: int
    hidden: int
    heads: int
    epsilon: float
    activation: str
    first_position: int
    """Which row of the positions belongs to the first token."""
    max_tokens: int
    """Longest input, with the marks at both ends."""
    pad_id: int
    pooling: Pooling
    query_prefix: str
    passage_prefix: str

    def digest(self, version: int) -> str:
        """Name what decides every vector, the converter's `version` too, in 16 characters."""
        total = hashlib.sha256(repr((version, self._decides())).encode())
        for name in (TOKENIZER, WEIGHTS):
            with (self.folder / name).open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        return total.hexdigest()[:16]

    def _decides(self) -> tuple[object, ...]:
        return (
            *(self.layers, self.hidden, self.heads, self.epsilon, self.activation, self.first_position),
            *(self.max_tokens, self.pad_id, self.pooling, self.query_prefix, self.passage_prefix),
        )


def read(folder: Path, *, query_prefix: str | None = None, passage_prefix: str | None = None) -> Bert:
    """Read what a folder says of its model; the prefixes given go before those of its files.

    Raises:
        UnusableModel: a file is missing or broken, or the model is of a kind that we do not compute.
    """
    for name in (CONFIG, TOKENIZER, WEIGHTS):
        if not (folder / name).is_file():
            raise UnusableModel(_missing(folder, name))
    config = _json(folder / CONFIG)
    kind = config.get("model_type")
    if kind not in POSITION_OFFSETS:
        raise UnusableModel(f"{folder}: model_type is {kind!r}, known are {', '.join(POSITION_OFFSETS)}")
    if (positions := config.get("position_embedding_type", "absolute")) != "absolute":
        raise UnusableModel(f"{folder}: position_embedding_type is {positions!r}, known is 'absolute'")
    if (act := config.get("hidden_act", "gelu")) not in ACTIVATIONS:
        raise UnusableModel(f"{folder}: hidden_act is {act!r}, known are {', '.join(ACTIVATIONS)}")
    hidden, heads = _number(folder, config, "hidden_size"), _number(folder, config, "num_attention_heads")
    if hidden % heads:
        raise UnusableModel(f"{folder}: hidden_size {hidden} is no multiple of num_attention_heads {heads}")
    pad_id = int(config.get("pad_token_id") or 0)
    first = pad_id + POSITION_OFFSETS[kind] if kind != "bert" else 0
    prompts = _prompts(folder)
    return Bert(
        folder=folder,
        layers=_number(folder, config, "num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        activation=ACTIVATIONS[act],
        first_position=first,
        max_tokens=_max_tokens(folder, _number(folder, config, "max_position_embeddings") - first),
        pad_id=pad_id,
        pooling=_pooling(folder),
        query_prefix=prompts["query"] if query_prefix is None else query_prefix,
        passage_prefix=prompts["passage"] if passage_prefix is None else passage_prefix,
    )


def _missing(folder: Path, name: str) -> str:
    if not folder.is_dir():
        return f"{folder} is no folder"
    if name == WEIGHTS and (folder / f"{WEIGHTS}.index.json").is_file():
        return f"{folder}: the weights are in several parts; one {WEIGHTS} is needed"
    if name == WEIGHTS and (folder / "pytorch_model.bin").is_file():
        return f"{folder}: pytorch_model.bin is a pickle, which could run code; {WEIGHTS} is needed"
    return f"{folder}: {name} is missing"


def _json(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise UnusableModel(f"{file} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise UnusableModel(f"{file} holds no object")
    return cast("dict[str, Any]", found)


def _optional(file: Path) -> Mapping[str, Any]:
    return _json(file) if file.is_file() else {}


def _number(folder: Path, config: Mapping[str, Any], name: str) -> int:
    if not isinstance(value := config.get(name), int) or value < 1:
        raise UnusableModel(f"{folder / CONFIG}: {name} must be a number above 0, got {value!r}")
    return value


def _max_tokens(folder: Path, most: int) -> int:
    """What the model was tuned for, else what its tokenizer says, never more than it has positions."""
    for name, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
    ):
        if isinstance(value := _optional(folder / name).get(key), int) and value > 0:
            return min(value, most)
    return most


def _pooling(folder: Path) -> Pooling:
    """Mean, unless sentence-transformers' files say otherwise."""
    modules = folder / "modules.json"
    if not modules.is_file():
        return "mean"
    try:
        steps = [
            (step["type"].rpartition(".")[2], step["path"]) for step in json.loads(modules.read_text("utf-8"))
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableModel(f"{modules} is no list of modules") from error
    if unknown := [kind for kind, _ in steps if kind not in STEPS]:
        raise UnusableModel(
            f"{modules}: step {unknown[0]!r} is unknown, known are {', '.join(sorted(STEPS))}"
        )
    for kind, path in steps:
        if kind == "Pooling":
            settings = _json(folder / path / CONFIG)
            chosen = [
                name for name, value in settings.items() if name.startswith("pooling_mode_") and value is True
            ]
            if len(chosen) == 1 and chosen[0] in POOLINGS:
                return POOLINGS[chosen[0]]
            raise UnusableModel(
                f"{folder / path / CONFIG}: pooling is {' + '.join(chosen) or 'none'}, "
                f"known is one of {', '.join(POOLINGS)}"
            )
    return "mean"


def _prompts(folder: Path) -> dict[str, str]:
    settings = _optional(folder / "config_sentence_transformers.json")
    prompts = settings.get("prompts")
    prompts = prompts if isinstance(prompts, dict) else {}
    usual = str(prompts.get(settings.get("default_prompt_name")) or "")
    named = [prompts.get(name) for name in ("passage", "document")]
    return {
        "query": str(prompts.get("query") or usual),
        "passage": next((str(one) for one in named if one), usual),
    }

"""A folder with a very small model of BERT's kind, and the same computation in plain numpy."""

import json
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

Array = NDArray[np.float32]
WORDS = (
    *("the", "a", "cat", "dog", "sat", "runs", "on", "under", "mat", "tree", "query", "passage"),
    *(":", "def", "return", "x", "über", "кот", "бежит", ".", ","),
)
SHAPE = {"layers": 2, "hidden": 16, "heads": 4, "wide": 32, "positions": 24}


def write(
    folder: Path, *, kind: str = "bert", pooling: str = "mean", act: str = "gelu", **config: Any
) -> Path:
    """Write config.json, model.safetensors, tokenizer.json and the files of sentence-transformers."""
    pad = 0 if kind == "bert" else 1
    (folder / "1_Pooling").mkdir(parents=True)
    _json(
        folder / "config.json",
        model_type=kind,
        hidden_act=act,
        hidden_size=SHAPE["hidden"],
        num_attention_heads=SHAPE["heads"],
        num_hidden_layers=SHAPE["layers"],
        max_position_embeddings=SHAPE["positions"],
        layer_norm_eps=1e-12,
        pad_token_id=pad,
        **config,
    )
    steps = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    listed = [
        {"idx": n, "path": path, "type": f"sentence_transformers.models.{step}"}
        for n, (step, path) in enumerate(steps)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    names = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}
    modes = {f"pooling_mode_{name}": one == pooling for one, name in names.items()}
    _json(folder / "1_Pooling" / "config.json", word_embedding_dimension=SHAPE["hidden"], **modes)
    _json(folder / "sentence_bert_config.json", max_seq_length=16)
    save_file(weights("" if kind == "bert" else "roberta."), folder / "model.safetensors")
    _tokens(pad).save(str(folder / "tokenizer.json"))
    return folder


def weights(prefix: str = "") -> dict[str, Array]:
    """Random weights, the same each time."""
    random = np.random.default_rng(7)
    hidden, wide = SHAPE["hidden"], SHAPE["wide"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS) + 4, hidden),
        "embeddings.position_embeddings.weight": (SHAPE["positions"], hidden),
        "embeddings.token_type_embeddings.weight": (2, hidden),
        **_norm("embeddings.LayerNorm"),
    }
    for layer in range(SHAPE["layers"]):
        at = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _dense(f"{at}.attention.{part}", hidden, hidden)
        shapes |= _norm(f"{at}.attention.output.LayerNorm") | _norm(f"{at}.output.LayerNorm")
        shapes |= _dense(f"{at}.intermediate.dense", wide, hidden) | _dense(
            f"{at}.output.dense", hidden, wide
        )
    return {
        prefix + name: (random.standard_normal(shape) * 0.5 + ("LayerNorm.weight" in name)).astype(np.float32)
        for name, shape in shapes.items()
    }


def forward(
    found: dict[str, Array], ids: list[int], *, layers: int, heads: int, first: int = 0, **how: str
) -> Array:
    """Compute the vector of one text, with no batch, no padding and no graph."""
    prefix = next(iter(found)).partition("embeddings.")[0]
    w = {name.removeprefix(prefix): np.asarray(value, np.float64) for name, value in found.items()}
    places = w["embeddings.position_embeddings.weight"][first : first + len(ids)]
    states = (
        w["embeddings.word_embeddings.weight"][ids] + places + w["embeddings.token_type_embeddings.weight"][0]
    )
    states = _normed(w, "embeddings.LayerNorm", states)
    size = states.shape[1] // heads
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        q, k, v = (_out(w, f"{at}.attention.self.{part}", states) for part in ("query", "key", "value"))
        seen = np.empty_like(states)
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = q[:, part] @ k[:, part].T / np.sqrt(size)
            scores = np.exp(scores - scores.max(1, keepdims=True))
            seen[:, part] = scores / scores.sum(1, keepdims=True) @ v[:, part]
        seen = _out(w, f"{at}.attention.output.dense", seen)
        states = _normed(w, f"{at}.attention.output.LayerNorm", states + seen)
        wide = _active(_out(w, f"{at}.intermediate.dense", states), how.get("act", "gelu"))
        states = _normed(w, f"{at}.output.LayerNorm", states + _out(w, f"{at}.output.dense", wide))
    match how.get("pooling", "mean"):
        case "cls":
            pooled = states[0]
        case "max":
            pooled = states.max(0)
        case _:
            pooled = states.mean(0)
    return np.asarray(pooled / np.linalg.norm(pooled), np.float32)


def _json(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(values))


def _norm(name: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (SHAPE["hidden"],), f"{name}.bias": (SHAPE["hidden"],)}


def _dense(name: str, out: int, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, width), f"{name}.bias": (out,)}


def _tokens(pad: int) -> Tokenizer:
    marks = ["[PAD]", "[UNK]"] if pad == 0 else ["[UNK]", "[PAD]"]
    known = {word: number for number, word in enumerate([*marks, "[CLS]", "[SEP]", *WORDS])}
    made = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # As many folders have it: what the file says of padding and length is not what the model reads.
    made.enable_padding(length=8, pad_id=pad, pad_token="[PAD]")
    made.enable_truncation(4)
    return made


def _out(w: dict[str, Any], name: str, states: Any) -> Any:
    return states @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _normed(w: dict[str, Any], name: str, states: Any) -> Any:
    middle = states - states.mean(1, keepdims=True)
    return (
        middle / np.sqrt((middle**2).mean(1, keepdims=True) + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]
    )


def _active(states: Any, act: str) -> Any:
    match act:
        case "relu":
            return np.maximum(states, 0)
        case "gelu_new":
            return states / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (states + 0.044715 * states**3)))
    return states / 2 * (1 + np.vectorize(erf)(states / np.sqrt(2)))

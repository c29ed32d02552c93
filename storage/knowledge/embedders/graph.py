"""The computation of BERT as an ONNX graph: ids and mask in, a vector of length 1 a text out."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper

from artel.storage.knowledge.embedders.bert import Bert, UnusableModel

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Weights = Mapping[str, NDArray[np.float32]]
OPSET, IR = 20, 10  # 20 brought Gelu; 10 is the newest that onnxruntime 1.18 reads


class _Graph:
    """Nodes and constants as they come; every method returns the name of what it computes."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def ints(self, *values: int) -> str:
        return self.constant(f"ints{','.join(map(str, values))}", np.array(values, np.int64))

    def float(self, value: float) -> str:
        return self.constant(f"float{value!r}", np.array(value, np.float32))

    def __call__(self, op: str, *inputs: str, **settings: Any) -> str:
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=output, **settings))
        return output


def build(bert: Bert, weights: Weights) -> "ModelProto":
    """Build the graph: `ids` and `mask` (int64, texts x tokens) in, `vectors` (float32, texts x hidden) out.

    Raises:
        UnusableModel: a weight is missing or has another shape than the configuration says.
    """
    graph = _Graph()
    take = _taker(bert, weights)
    states = _embeddings(graph, bert, take)
    mask = graph("Cast", "mask", to=TensorProto.FLOAT)
    lengths = graph("Cast", graph("ReduceSum", "mask", graph.ints(1), keepdims=0), to=TensorProto.INT32)
    for layer in range(bert.layers):
        states = _layer(graph, bert, take, f"encoder.layer.{layer}", states, lengths)
    pooled = _pooled(graph, bert, states, mask)
    length = graph("Clip", graph("ReduceL2", pooled, graph.ints(1), keepdims=1), graph.float(1e-12))
    graph.nodes.append(helper.make_node("Div", [pooled, length], ["vectors"], name="vectors"))
    shape = ["texts", "tokens"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "bert",
            [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("ids", "mask")],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", bert.hidden])],
            list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        ir_version=IR,
        producer_name="artel",
    )
    # Else the quantiser warns that shapes are unknown, through the root logger, to which it adds a handler.
    helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    checker.check_model(model)
    return model


Take = Callable[..., NDArray[np.float32]]


def _taker(bert: Bert, weights: Weights) -> Take:
    """Find weights by the name they have in BERT, whatever the model's class put before it."""
    word = "embeddings.word_embeddings.weight"
    prefixes = [name.removesuffix(word) for name in weights if name.endswith(word)]
    if len(prefixes) != 1:
        raise UnusableModel(f"{bert.folder}: the weights hold {len(prefixes)} tensors named …{word}, not one")

    def take(name: str, *shape: int | None) -> NDArray[np.float32]:
        found = weights.get(prefixes[0] + name)
        if found is None:
            raise UnusableModel(f"{bert.folder}: the weights lack {prefixes[0] + name}")
        if found.ndim != len(shape) or any(
            want not in (None, got) for want, got in zip(shape, found.shape, strict=True)
        ):
            raise UnusableModel(
                f"{bert.folder}: {prefixes[0] + name} has the shape {found.shape}, not {shape}"
            )
        return found

    return take


def _embeddings(graph: _Graph, bert: Bert, take: Take) -> str:
    words = take("embeddings.word_embeddings.weight", None, bert.hidden)
    positions = take("embeddings.position_embeddings.weight", None, bert.hidden)
    kinds = take("embeddings.token_type_embeddings.weight", None, bert.hidden)
    # One text an input: its type is always the first, and is added to the positions once.
    rows = positions[bert.first_position : bert.first_position + bert.max_tokens] + kinds[0]
    tokens = graph("Slice", graph("Shape", "ids"), graph.ints(1), graph.ints(2))
    places = graph("Slice", graph.constant("positions", rows), graph.ints(0), tokens, graph.ints(0))
    found = graph("Gather", graph.constant("words", words), "ids", axis=0)
    return _norm(graph, bert, take, "embeddings.LayerNorm", graph("Add", found, places))


def _norm(graph: _Graph, bert: Bert, take: Take, name: str, states: str) -> str:
    scale = graph.constant(f"{name}.weight", take(f"{name}.weight", bert.hidden))
    bias = graph.constant(f"{name}.bias", take(f"{name}.bias", bert.hidden))
    return graph("LayerNormalization", states, scale, bias, axis=-1, epsilon=bert.epsilon)


def _dense(graph: _Graph, take: Take, name: str, states: str, width: int | None, out: int | None) -> str:
    weight = graph.constant(f"{name}.weight", take(f"{name}.weight", out, width).T)
    return graph(
        "Add", graph("MatMul", states, weight), graph.constant(f"{name}.bias", take(f"{name}.bias", out))
    )


def _layer(graph: _Graph, bert: Bert, take: Take, name: str, states: str, lengths: str) -> str:
    seen = _attention(graph, bert, take, f"{name}.attention.self", states, lengths)
    seen = _dense(graph, take, f"{name}.attention.output.dense", seen, bert.hidden, bert.hidden)
    states = _norm(graph, bert, take, f"{name}.attention.output.LayerNorm", graph("Add", seen, states))
    wide = _activated(
        graph, bert, _dense(graph, take, f"{name}.intermediate.dense", states, bert.hidden, None)
    )
    narrow = _dense(graph, take, f"{name}.output.dense", wide, None, bert.hidden)
    return _norm(graph, bert, take, f"{name}.output.LayerNorm", graph("Add", narrow, states))


def _activated(graph: _Graph, bert: Bert, states: str) -> str:
    if bert.activation == "relu":
        return graph("Relu", states)
    return graph("Gelu", states, approximate="tanh" if bert.activation == "gelu_tanh" else "none")


def _attention(graph: _Graph, bert: Bert, take: Take, name: str, states: str, lengths: str) -> str:
    """Queries, keys and values in one product, and the heads without copies between.

    Source: onnxruntime's own operators, com.microsoft.Attention; a tenth faster than its parts.
    """
    parts = [f"{name}.{part}" for part in ("query", "key", "value")]
    weight = np.concatenate([take(f"{part}.weight", bert.hidden, bert.hidden) for part in parts]).T
    bias = np.concatenate([take(f"{part}.bias", bert.hidden) for part in parts])
    inputs = (states, graph.constant(f"{name}.weight", weight), graph.constant(f"{name}.bias", bias), lengths)
    return graph("Attention", *inputs, domain="com.microsoft", num_heads=bert.heads)


def _pooled(graph: _Graph, bert: Bert, states: str, mask: str) -> str:
    if bert.pooling == "cls":
        return graph("Gather", states, graph.constant("first", np.array(0, np.int64)), axis=1)
    wide = graph("Unsqueeze", mask, graph.ints(2))
    if bert.pooling == "max":
        low = graph("Mul", graph("Sub", graph.float(1.0), wide), graph.float(-1e9))
        return graph("ReduceMax", graph("Add", states, low), graph.ints(1), keepdims=0)
    total = graph("ReduceSum", graph("Mul", states, wide), graph.ints(1), keepdims=0)
    return graph(
        "Div", total, graph("Clip", graph("ReduceSum", mask, graph.ints(1), keepdims=1), graph.float(1e-9))
    )

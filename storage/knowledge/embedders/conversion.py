"""From a folder with safetensors to one ONNX file in 8 bits, made once and used by all processes."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from safetensors import SafetensorError, safe_open

from artel.storage.knowledge.embedders import runtime
from artel.storage.knowledge.embedders.bert import WEIGHTS, Bert, UnusableModel

if TYPE_CHECKING:
    from onnx import ModelProto

    from artel.storage.knowledge.embedders.graph import Weights

Precision = Literal["int8", "fp32"]

VERSION = 1  # raise it when the vectors of the same weights change
MOST_BYTES = 2_000_000_000  # in 32 bits; protobuf ends at 2 GiB
ABANDONED_S = 3600  # a half-written file this old belongs to a process that is gone


def converted(bert: Bert, models: Path, label: str, precision: Precision = "int8") -> Path:
    """Return the ONNX file of a model in the folder `models`, after making it if it is not there yet.

    It is named by a hash of all that decides its vectors. Two processes at once both make it, and the later
    one puts the same in its place. Making takes seconds, and three times the memory of the weights.

    Raises:
        UnusableModel: the weights are broken or do not fit the model's configuration.
    """
    file = models / f"{label}-{bert.digest(VERSION)}.{precision}.onnx"
    if not file.is_file():
        make(bert, file, precision)
    return file


def make(bert: Bert, file: Path, precision: Precision) -> None:
    """Write the ONNX file, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    _sweep(file.parent)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.{time.monotonic_ns()}.unfinished")
    try:
        _WRITERS[precision](graph_of(bert), unfinished)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def graph_of(bert: Bert) -> "ModelProto":
    """Build the graph of a model from its weights, in 32 bits.

    Raises:
        UnusableModel: the weights are broken or do not fit the model's configuration.
    """
    # ONNX and its quantiser take half a second to import, and are needed once in a data folder's life.
    from artel.storage.knowledge.embedders.graph import build  # noqa: PLC0415

    weights = weights_of(bert)
    if (size := sum(tensor.nbytes for tensor in weights.values())) > MOST_BYTES:
        raise UnusableModel(
            f"{bert.folder}: {size / 1e9:.1f} GB of weights, and an ONNX file holds {MOST_BYTES / 1e9:.1f}; "
            "the extra artel[local] runs it"
        )
    return build(bert, weights)


def weights_of(bert: Bert) -> "Weights":
    """Read all weights as 32-bit floats.

    Raises:
        UnusableModel: the file is broken, or holds numbers that are no 16- or 32-bit floats.
    """
    file = bert.folder / WEIGHTS
    try:
        with safe_open(file, "numpy") as tensors:
            names = [name for name in tensors.keys() if not name.endswith("position_ids")]  # noqa: SIM118 - no dict
            kinds = {tensors.get_slice(name).get_dtype() for name in names}
            if unknown := kinds - {"F32", "F16"}:
                raise UnusableModel(
                    f"{file}: weights of type {', '.join(sorted(unknown))}; known are F32 and F16"
                )
            return {name: tensors.get_tensor(name).astype(np.float32) for name in names}
    except SafetensorError as error:
        raise UnusableModel(f"{file} is broken: {error}") from error


def _whole(model: "ModelProto", file: Path) -> None:
    file.write_bytes(model.SerializeToString())


def _quantised(model: "ModelProto", file: Path) -> None:
    # One scale a column of a weight; activations are scaled as they come; the sums between stay in 32 bits.
    from onnx import TensorProto  # noqa: PLC0415

    assert runtime.TELEMETRY_IS_OFF  # before anything of the library is loaded
    from onnxruntime.quantization import (  # type: ignore[import-untyped]  # noqa: PLC0415
        QuantType,
        quantize_dynamic,
    )

    quantize_dynamic(
        model,
        file,
        op_types_to_quantize=["MatMul", "Attention", "Gather"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
    )


_WRITERS: dict[Precision, Callable[["ModelProto", Path], None]] = {"fp32": _whole, "int8": _quantised}


def _sweep(folder: Path) -> None:
    for left in folder.glob(".*.unfinished"):
        try:
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                left.unlink()
        except FileNotFoundError:
            continue  # whoever wrote it has finished, or swept too

"""ONNX Runtime with its telemetry off: the one module that imports it.

The wheels for Linux (seen in 1.31) carry a client that writes a device id and a queue of events into
~/.cache/Microsoft at import, and has the address of a collector to send it to (A19: no data leaves the machine).
The variable is read by the library itself, once, so it is set before the import; `putenv` sets it for C code
and child processes, and leaves `os.environ` to the settings.
"""

import os
from pathlib import Path

os.putenv("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidProtobuf, NoSuchFile

onnxruntime.disable_telemetry_events()
TELEMETRY_IS_OFF = True

UNREADABLE = (Fail, InvalidProtobuf, NoSuchFile)
"""What opening a file raises that is no whole model."""


def session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Open a model for calls from many threads, each of which is computed by the thread that calls.

    Parallel calls use cores better than parallel sums in one call: no thread waits for the slowest.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
    )

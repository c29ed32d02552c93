"""ONNX Runtime with its telemetry off: the one module that imports it.

The wheels for Linux (seen in 1.31) carry a client that writes a device id and a queue of events into
~/.cache/Microsoft at import, and has the address of a collector (A19: nothing leaves the machine).
The variable is read by the library itself, once, so it is set before the import; `putenv` sets it for C code
and child processes, and leaves `os.environ` to the settings.
"""

import os
import platform
from pathlib import Path

os.putenv("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime  # type: ignore[import-untyped]  # without stubs
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidProtobuf, NoSuchFile  # type: ignore[import-untyped]

onnxruntime.disable_telemetry_events()
TELEMETRY_IS_OFF = True

UNREADABLE = (Fail, InvalidProtobuf, NoSuchFile)
"""What opening a file raises that is no whole model."""


def overflows(cpu: Path = Path("/proc/cpuinfo")) -> bool:
    """Say whether sums in 8 bits overflow unseen here: on x86 without VNNI, from before 2019 or so.

    Such machines take a slower, right way; where a CPU does not say what it has, right goes before fast.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        return "vnni" not in cpu.read_text()
    except OSError:
        return True


def session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Open a model for calls from many threads, each of which is computed by the thread that calls.

    Parallel calls use cores better than parallel sums in one call: no thread waits for the slowest.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    if overflows():
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model),
        options,
        providers=["CPUExecutionProvider"],
        # Sum and norm in one kernel cost a fifth of all time (1.31), and half of that in two.
        disabled_optimizers=["SkipLayerNormFusion"],
    )

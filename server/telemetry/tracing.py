"""Traces of runs, where somebody set where to: the door to OpenTelemetry, which only they have to install."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from importlib import import_module
from typing import Any, Protocol

from langchain_core.callbacks import BaseCallbackHandler

from artel.server.telemetry.settings import TelemetrySettings
from artel.storage.errors import Invalid
from artel.storage.runs import Run


class Traced(Protocol):
    """One attempt of a run, as its trace has it."""

    handler: BaseCallbackHandler
    trace_id: str

    def came_to(self, outcome: str, error: dict[str, str] | None = None) -> None:
        """Note what came of the attempt."""


class Tracing(Protocol):
    """Makes traces of runs."""

    def run(self, run: Run, *, waited_s: float) -> AbstractContextManager[Traced]:
        """Trace one attempt of a run while the context lasts."""


@asynccontextmanager
async def open_tracing(settings: TelemetrySettings) -> AsyncIterator[Tracing | None]:
    """Send traces of runs to the collector that is set, until the context is left; None where none is.

    Raises:
        Invalid: a collector is set, and the package that speaks to it is not installed.
    """
    if not settings.otlp_endpoint:
        yield None
        return
    exporting = _otel().Exporting(settings)
    try:
        yield exporting
    finally:
        await exporting.aclose()


def _otel() -> Any:
    try:
        return import_module("artel.server.telemetry.otel")
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("opentelemetry"):
            raise
        raise Invalid(
            "a collector is set (OTEL_EXPORTER_OTLP_ENDPOINT or ARTEL_TELEMETRY__OTLP_ENDPOINT), but "
            "OpenTelemetry is not installed: pip install 'artel[otel]', or unset it"
        ) from missing

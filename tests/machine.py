"""What the machine did while a test ran: where it stood still, a failure says nothing of the code."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

BEAT_S = 0.1
LATE_S = 1.0  # that a thread waits for its turn on a machine that does not run
TAKEN = 0.1  # of the processors' time, by the host
WAITED = 0.2  # of the time, everybody for the disk


@dataclass(frozen=True, slots=True)
class Reading:
    """The machine's own counters; zeros where it has none."""

    at: float
    ticks: int
    stolen: int
    waited_us: int

    @classmethod
    def now(cls) -> Self:
        """Read them."""
        ticks = [int(word) for word in _line(Path("/proc/stat")).split()[1:]]
        waited = _line(Path("/proc/pressure/io"), "full").rpartition("=")[2]
        return cls(time.monotonic(), sum(ticks), ticks[7] if len(ticks) > 7 else 0, int(waited or 0))


class Machine:
    """Watches from a thread; one test at a time."""

    def __init__(self) -> None:
        self._begun = Reading.now()
        self._late_s = 0.0
        self._watch: threading.Thread | None = None

    def begin(self) -> None:
        """Forget what was before."""
        if self._watch is None:
            self._watch = threading.Thread(target=self._beat, name="machine", daemon=True)
            self._watch.start()
        self._begun, self._late_s = Reading.now(), 0.0

    def stood_still(self) -> bool:
        """Say whether it did since the beginning."""
        now = Reading.now()
        ticks, passed_s = now.ticks - self._begun.ticks, now.at - self._begun.at
        return (
            self._late_s >= LATE_S
            or now.stolen - self._begun.stolen > TAKEN * max(ticks, 1)
            or (now.waited_us - self._begun.waited_us) / 1e6 > WAITED * max(passed_s, 1)
        )

    def _beat(self) -> None:
        while True:
            slept = time.monotonic()
            time.sleep(BEAT_S)
            self._late_s = max(self._late_s, time.monotonic() - slept - BEAT_S)


def _line(file: Path, start: str = "") -> str:
    try:
        return next(line for line in file.read_text().splitlines() if line.startswith(start))
    except (OSError, StopIteration):
        return ""

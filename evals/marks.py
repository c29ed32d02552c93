"""A mark: one check of a case, and whether it holds."""

from dataclasses import dataclass

SHOWN = 200  # characters of what was found instead


@dataclass(frozen=True, slots=True)
class Mark:
    """One check, and whether it holds; None: it could not be judged on this machine."""

    name: str
    passed: bool | None
    said: str = ""
    "What was found instead."


@dataclass(frozen=True, slots=True)
class Score:
    """The marks of a case under a configuration."""

    marks: tuple[Mark, ...]

    @property
    def value(self) -> float:
        """The share of the checks that hold, of those that could be judged; 0 to 1."""
        judged = [mark for mark in self.marks if mark.passed is not None]
        return sum(bool(mark.passed) for mark in judged) / len(judged) if judged else 0.0

    @property
    def failed(self) -> list[str]:
        """The names of the checks that do not hold."""
        return [mark.name for mark in self.marks if mark.passed is False]

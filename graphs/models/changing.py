"""Settings of models that may change while a process runs: a file beside what it was started with."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from artel.graphs.models.settings import ModelMisconfigured, ModelSettings

MAX_BYTES = 256_000
NOT_IN_FILES = ("openai_api_key", "anthropic_api_key", "mistral_api_key", "file")

Seen = tuple[int, int]  # when a file was changed, and its size


class Changing:
    """What a process was started with, under what a YAML file says now.

    A file that cannot be read is told of, and what held before goes on.
    """

    def __init__(self, given: ModelSettings) -> None:
        self.problem: str | None = None
        self._given = self._held = given
        self._seen: Seen | None = None

    @property
    def settings(self) -> ModelSettings:
        """What holds now: the same object until the file changes. Looks at the file system."""
        if self._given.file is not None:
            self._look(self._given.file.expanduser())
        return self._held

    def _look(self, file: Path) -> None:
        try:
            found = file.stat()
            seen = (found.st_mtime_ns, found.st_size)
            if seen == self._seen:
                return
            self._seen = seen
            self._held = over(self._given, self._read(file))
            self.problem = None
        except (OSError, ModelMisconfigured) as error:
            self.problem = f"{file}: {error}"

    def _read(self, file: Path) -> Mapping[str, Any]:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise ModelMisconfigured(f"it has more than {MAX_BYTES} bytes")
        yaml = import_module("yaml")  # few have such a file
        try:
            said = yaml.safe_load(text)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ModelMisconfigured(f"it is no YAML: {error}") from error
        if not isinstance(said, dict | None):
            raise ModelMisconfigured("it must be keys and values, like `model: openai:gpt-5`")
        return said or {}


def over(given: ModelSettings, said: Mapping[str, Any]) -> ModelSettings:
    """Return settings with what a file says instead.

    Raises:
        ModelMisconfigured: it says what no file may, or a value cannot be used.
    """
    if kept := next((name for name in NOT_IN_FILES if name in said), None):
        raise ModelMisconfigured(f"{kept} belongs into the environment, not into a file")
    try:
        return ModelSettings.model_validate({**given.model_dump(), **said})
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise ModelMisconfigured(f"{path}: {first['msg']}") from wrong

"""Looking at processes that come and go."""

import os
from pathlib import Path
from typing import Any

import pytest

from artel.tools.sandbox import watch


def test_a_process_that_ends_while_it_is_looked_at_leaves_no_folder_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ended(_: Path, *__: Any) -> str:
        raise ProcessLookupError

    monkeypatch.setattr(Path, "read_text", ended)
    assert list(watch.below(os.getpid())) == []

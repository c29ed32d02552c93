"""Output as it comes: of any size, any bytes, any disk."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tools.sandbox.conftest import Commands

from artel.tools.sandbox.output import IN_MEMORY, TAIL, Output, legible, without_half


@pytest.mark.needs("bwrap")
async def test_both_streams_come_in_the_order_they_were_written(run: Commands) -> None:
    said = await run("for n in 1 2 3; do echo out $n; echo err $n >&2; done")
    assert said.partition("]\n")[2] == "".join(f"out {n}\nerr {n}\n" for n in (1, 2, 3))


@pytest.mark.needs("bwrap")
async def test_bytes_that_are_no_text_are_shown_as_such(run: Commands) -> None:
    said = await run(r"printf 'a\0b\377c\033[31md\r\nй'")
    assert said.endswith("]\na\ufffdb\ufffdc\ufffd[31md\nй")


@pytest.mark.needs("bwrap")
async def test_silence_is_said(run: Commands) -> None:
    assert (await run("true")).endswith("]\n(no output)")


@given(st.lists(st.binary(max_size=40_000), max_size=8), st.integers(0, 3))
def test_what_was_kept_is_what_came(chunks: list[bytes], limit: int) -> None:
    output, whole = Output(None, limit * IN_MEMORY), b"".join(chunks)
    for chunk in chunks:
        output.add(chunk)
    kept = min(len(whole), limit * IN_MEMORY)
    assert (output.total, output.kept) == (len(whole), kept)
    assert output.read(0, kept) == (0, whole[:kept]) or not kept
    begin, tail = output.read(max(kept, len(whole) - 100), 200)
    assert whole[begin:] == tail
    output.close()
    assert output.read(0, 10) == (max(len(whole) - min(TAIL, len(whole)), 0), whole[-TAIL:][:10])


def test_where_nothing_can_be_stored_the_end_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    output = Output(tmp_path / "spill", 1_000_000)
    for n in range(100):
        output.add(f"{n:02}".encode() * 5_000)
    assert output.kept == 60_000
    assert output.read(0, 4) == (0, b"0000")
    assert output.read(500_000, 10_000) == (1_000_000 - TAIL, b"99" * (TAIL // 2))


@given(st.text(), st.integers(0, 12))
def test_no_page_ends_inside_a_character(text: str, at: int) -> None:
    data = text.encode()
    page = without_half(data[:at])
    assert page.decode() == text[: len(page.decode())]
    assert len(data[:at]) - len(page) < 4


@given(st.binary())
def test_text_for_a_model_steers_no_terminal(data: bytes) -> None:
    text = legible(data)
    assert not {char for char in text if char < " " and char not in "\n\t"} | ({"\x7f", "\x9b"} & set(text))

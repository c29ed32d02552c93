"""The examples of the page of the WebSocket run as they stand there."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

PAGE = Path(__file__).parents[3] / "docs/reference/websocket.md"


def example(language: str, url: str) -> str:
    """Return the page's example in a language, for the server of a test."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    named = code.replace("ws://127.0.0.1:8123/api/v1/ws", url)
    assert named != code
    return str(named).replace('"Say hello"', '"Say hello", "assistant": "talk"')


async def said(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    out, wrong = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, wrong.decode()) == (0, "")
    return out.decode()


async def test_the_example_in_python_prints_what_is_said(app: FastAPI, url: str) -> None:
    assert await said(sys.executable, "-c", example("python", url)) == "one two three"


@pytest.mark.needs("node")
async def test_the_example_in_javascript_prints_what_is_said(app: FastAPI, url: str) -> None:
    code = example("js", url)
    options = ("--experimental-websocket", "--experimental-global-customevent", "--no-warnings")
    assert (await said("node", *options, "-e", code)).split() == ["one", "two", "three"]

"""Providers: ours, one in another folder, named endpoints, files of weights; changed while running."""

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from tests.fakes.openai_server import openai_server

from artel.graphs.models import ModelMisconfigured, Models, ModelSettings, NoModelAnswered, mistral

QUESTION = [HumanMessage("hello")]
PLUGIN = """
from langchain_core.language_models import FakeListChatModel

def build(name, settings):
    return FakeListChatModel(responses=[f"I am {name}"])

def detect(settings):
    return None

def failures():
    return ()
"""


@tool
def ls(path: str) -> str:
    """List a folder."""
    return path


async def asked(models: Models, agent: str = "coder") -> str:
    return str((await models.chat(agent).ainvoke(QUESTION)).content).strip()


async def test_a_new_provider_is_one_file_and_one_setting(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    models = Models(ModelSettings(model="mine:small", plugins=tmp_path))
    assert models.names() == ["mine:small"]
    assert await asked(models) == "I am small"


@pytest.mark.parametrize(
    ("text", "problem"),
    [("1 / 0", "cannot be loaded: ZeroDivisionError"), ("x = 1", "no model provider 'mine'")],
)
def test_a_file_that_is_no_provider_says_so(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(ModelMisconfigured, match=problem):
        Models(ModelSettings(model="mine:x", plugins=tmp_path)).chat("coder")


async def test_named_endpoints_are_providers(tmp_path: Path) -> None:
    async with openai_server("from the proxy") as proxy, openai_server("from the other") as other:
        endpoints = {"litellm": {"url": proxy.url, "key": "sk-hidden"}, "lab": {"url": other.url}}
        settings = ModelSettings.model_validate({"model": "litellm:big", "endpoints": endpoints})
        models = Models(settings.model_copy(update={"per_agent": {"ask": "lab"}}))
        assert await asked(models) == "from the proxy"
        assert await asked(models, "ask") == "from the other"
        assert models.chat("coder").links[0].tool_calls == "auto"
        await models.aclose()
    assert "sk-hidden" not in repr(settings)
    assert "sk-hidden" in settings.keys


async def test_mistral_is_asked_by_its_endpoint_where_its_package_is_missing() -> None:
    turn = {"deltas": [{"content": "bonjour"}]}
    async with openai_server(turn) as server:
        models = Models(ModelSettings(model="mistral", mistral_api_key="k", mistral_base_url=server.url))
        reply = await models.chat("coder").ainvoke(QUESTION)
        await models.aclose()
    assert (reply.text, server.asked[0]["model"]) == ("bonjour", "mistral-medium-latest")
    assert "stream_options" not in server.asked[0]
    assert reply.usage_metadata is not None  # counted unasked
    with pytest.raises(NoModelAnswered, match="mistral needs MISTRAL_API_KEY"):
        await asked(Models(ModelSettings(model="mistral:x")))
    assert Models(ModelSettings(mistral_api_key="k")).spec() == "mistral:mistral-medium-latest"


def test_mistrals_own_package_is_used_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    package = ModuleType("langchain_mistralai")
    package.ChatMistralAI = lambda **given: made.update(given)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "langchain_mistralai", package)
    for module in ("mistral", "loading"):
        monkeypatch.setattr(f"artel.graphs.models.{module}.find_spec", lambda name: name)
    mistral.build("small", ModelSettings(mistral_api_key="k"))
    assert (made["model"], made["api_key"]) == ("small", "k")


class Llama:
    """In place of llama.cpp: the seam only, no model computes here."""

    says = ('<tool_call>{"name": "ls",', ' "arguments": {"path": "x"}}', "</tool_call>")
    made: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, **given: Any) -> None:
        self.made.append(given)

    def create_chat_completion(self, **given: Any) -> Any:
        self.asked.append(given)
        for said in self.says:
            yield {"choices": [{"delta": {"content": said}, "finish_reason": None}]}
        yield {"choices": [{"delta": {}, "finish_reason": "stop"}]}


async def test_a_file_of_weights_is_loaded_once_and_told_of_tools_in_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModuleType("llama_cpp")
    package.Llama = Llama  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "llama_cpp", package)
    monkeypatch.setattr("artel.graphs.models.loading.find_spec", lambda name: name)
    (tmp_path / "tiny.gguf").touch()
    models = Models(ModelSettings(model=f"gguf:{tmp_path}/tiny.gguf", gguf_context=2048))
    chain: Any = models.chat("coder").bind_tools([ls])
    for _ in range(2):
        reply = await chain.ainvoke(QUESTION)
        assert [(call["name"], call["args"]) for call in reply.tool_calls] == [("ls", {"path": "x"})]
    assert [one["n_ctx"] for one in Llama.made] == [2048]
    assert '"name": "ls"' in Llama.asked[0]["messages"][0]["content"]
    assert Llama.asked[0]["messages"][-1] == {"role": "user", "content": "hello"}


async def test_what_is_missing_for_a_file_of_weights_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "artel.graphs.models.loading.find_spec", lambda name: None if name == "llama_cpp" else name
    )
    with pytest.raises(NoModelAnswered, match=r"pip install 'artel\[local-gguf\]'"):
        await asked(Models(ModelSettings(model="gguf:/x.gguf")))
    package = ModuleType("llama_cpp")
    package.Llama = Llama  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "llama_cpp", package)
    monkeypatch.setattr("artel.graphs.models.loading.find_spec", lambda name: name)
    with pytest.raises(NoModelAnswered, match=r"there is none at '/nowhere\.gguf'"):
        await asked(Models(ModelSettings(model="gguf:/nowhere.gguf")))


def test_a_step_may_have_a_model_of_its_own() -> None:
    per_agent = {"coder": "offline", "orchestrator.route": "ollama:small"}
    models = Models(ModelSettings(model="openai:big", openai_api_key="k", per_agent=per_agent))
    assert models.spec("orchestrator.route", usual="vllm:x") == "ollama:small"
    assert models.spec("orchestrator", usual="vllm:x") == "vllm:x"
    assert models.spec("coder.plan", usual="vllm:x") == "offline"
    assert models.spec("coder.plan", "vllm:wish") == "vllm:wish"


def write(file: Path, text: str, at: int) -> None:
    file.write_text(text)
    os.utime(file, ns=(at, at))


def test_a_file_changes_the_models_of_a_running_process(tmp_path: Path) -> None:
    file = tmp_path / "llm.yaml"
    write(file, "per_agent: {coder: 'ollama:a'}", 1)
    models = Models(ModelSettings(model="offline", file=file))
    assert [models.chat(agent).label for agent in ("coder", "ask")] == ["ollama:a", "offline"]
    write(file, "model: ollama:c\nfallbacks: [offline]", 2)
    assert [models.chat(agent).label for agent in ("coder", "ask")] == ["ollama:c → offline"] * 2
    for place, (text, problem) in enumerate(
        [
            ("model: [", "it is no YAML"),
            ("retries: many", "retries: Input should be"),
            ("openai_api_key: sk", "openai_api_key belongs into the environment"),
            ("- a", "it must be keys and values"),
            ("modle: x", "modle: Extra inputs"),
        ]
    ):
        write(file, text, 10 + place)
        assert models.chat("coder").label == "ollama:c → offline"
        assert problem in str(models.problem)
    file.unlink()
    assert models.chat("coder").label == "ollama:c → offline"
    assert "No such file" in str(models.problem)
    write(file, "", 30)
    assert (models.chat("coder").label, models.problem) == ("offline", None)

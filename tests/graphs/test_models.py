"""Models over real sockets: the fake server speaks the protocol, so the client library is the real one."""

import subprocess
import sys
from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from tests.fakes.anthropic_server import anthropic_server
from tests.fakes.openai_server import HANG, openai_server

from artel.graphs.models import ModelMisconfigured, Models, ModelSettings, NoModelAnswered
from artel.graphs.models.fallback import BrokenOff, Chain
from artel.graphs.models.scripted import ScriptError, scripted

QUESTION = [HumanMessage("hello")]
NOWHERE = "http://127.0.0.1:9/v1"


@tool
def ls(path: str) -> str:
    """List a folder."""
    return path


class Make(Protocol):
    def __call__(self, url: str, **more: Any) -> Models: ...


@pytest.fixture
async def models() -> AsyncIterator[Make]:
    made = []

    def make(url: str, **more: Any) -> Models:
        quiet = {"ollama_base_url": NOWHERE, "vllm_base_url": NOWHERE, "model": "openai:tiny"}
        made.append(Models(ModelSettings(openai_base_url=url, **{**quiet, **more})))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


async def test_tokens_come_one_by_one_and_usage_stays_on_the_message(models: Make) -> None:
    async with openai_server("one two three") as server:
        chunks = [chunk async for chunk in models(server.url).chat("coder").astream(QUESTION)]
    assert [c.content for c in chunks if c.content] == ["one ", "two ", "three "]
    whole = sum(chunks[1:], chunks[0])
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] == 18


async def test_tools_are_told_and_calls_come_back_whole(models: Make) -> None:
    calls = [
        {"name": "ls", "args": {"path": "."}, "id": "a"},
        {"name": "ls", "args": {"path": "src"}, "id": "b"},
    ]
    async with openai_server(calls) as server:
        reply = await models(server.url).chat("coder").bind_tools([ls]).ainvoke(QUESTION)
        assert [t["function"]["name"] for t in server.asked[0]["tools"]] == ["ls"]
    assert [(c["args"], c["id"]) for c in reply.tool_calls] == [({"path": "."}, "a"), ({"path": "src"}, "b")]
    assert reply.usage_metadata is not None


@pytest.mark.parametrize(
    "broken", [500, 429, 401, b"data: {not json\n\n", b"data: null\n\n", b"<html>", HANG]
)
async def test_whatever_the_first_model_does_wrong_the_second_answers(broken: Any, models: Make) -> None:
    async with openai_server(broken, broken, broken, "fine") as first, openai_server("here I am") as second:
        both = models(first.url, vllm_base_url=second.url, fallbacks=["vllm:tiny"], timeout_s=1.5)
        reply = await both.chat("coder").ainvoke(QUESTION)
    assert str(reply.content).strip() == "here I am"


async def test_a_silent_model_is_left_after_the_limit(models: Make) -> None:
    async with openai_server(HANG) as server:
        begun = monotonic()
        with pytest.raises(NoModelAnswered, match=r"openai:tiny: no answer within 0.3 s"):
            await models(server.url, timeout_s=0.3).chat("coder").ainvoke(QUESTION)
    assert monotonic() - begun < 3


async def test_when_all_fail_one_error_names_each_cause(models: Make) -> None:
    async with openai_server(401) as server:
        settings = {"fallbacks": ["ollama:gone", "anthropic:claude"]}
        with pytest.raises(NoModelAnswered) as caught:
            await models(server.url, **settings).chat("coder").ainvoke(QUESTION)
    said = str(caught.value)
    assert "openai:tiny: " in said
    assert "told to answer 401" in said
    assert "ollama:gone: " in said
    assert "anthropic:claude: anthropic needs ANTHROPIC_API_KEY" in said


@pytest.mark.parametrize("how", ["hang", "break"])
async def test_words_once_said_are_never_mixed_with_another_models(how: str, models: Make) -> None:
    async with openai_server(["half a sen", how]) as first, openai_server("whole") as second:
        chain = models(first.url, vllm_base_url=second.url, fallbacks=["vllm:tiny"], silence_s=0.4).chat(
            "coder"
        )
        with pytest.raises(BrokenOff, match=r"no answer within 0.4 s|stopped in the middle") as caught:
            await chain.ainvoke(QUESTION)
        assert caught.value.rest is not None
        assert str((await caught.value.rest.ainvoke(QUESTION)).content).strip() == "whole"


async def test_an_agent_may_have_its_own_model_and_a_run_its_own_wish() -> None:
    chosen = Models(ModelSettings(model="openai:big", openai_api_key="k", per_agent={"ask": "openai:small"}))
    assert [chosen.spec("coder"), chosen.spec("ask"), chosen.spec("ask", "offline")] == [
        "openai:big",
        "openai:small",
        "offline",
    ]


def test_a_bare_name_with_a_colon_belongs_to_the_configured_provider() -> None:
    assert Models(ModelSettings(model="qwen2.5:7b", provider="ollama")).spec() == "ollama:qwen2.5:7b"
    assert Models(ModelSettings(model="qwen2.5:7b", openai_base_url=NOWHERE)).spec() == "openai:qwen2.5:7b"


@pytest.mark.parametrize("name", ["nobody:x", "../secret:x", "settings:x"])
def test_an_unknown_provider_is_named(name: str) -> None:
    with pytest.raises(ModelMisconfigured, match="no model provider"):
        Models(ModelSettings(model=name)).chat("coder")


async def test_nothing_configured_finds_a_server_on_this_machine_else_is_offline(models: Make) -> None:
    nothing = Models(ModelSettings(ollama_base_url=NOWHERE, vllm_base_url=NOWHERE))
    assert nothing.describe()["offline"] is True
    async with openai_server("I am local") as server:
        found = models("", model="", vllm_base_url=server.url)
        assert (await to_thread(found.describe)) == {
            "name": "vllm:tiny",
            "offline": False,
            "label": "vllm: tiny",
        }
        assert str((await found.chat("ask").ainvoke(QUESTION)).content).strip() == "I am local"


def test_a_web_server_that_is_no_model_server_is_not_taken_for_one() -> None:
    assert Models(ModelSettings(ollama_base_url=NOWHERE, vllm_base_url=NOWHERE)).spec() == "offline"


async def test_a_script_counts_its_place_in_the_messages(tmp_path: Path) -> None:
    script = tmp_path / "story.json"
    script.write_text(
        '["first words", {"tool_calls": [{"name": "ls", "args": {"path": "."}}]}, {"error": "out"}]'
    )
    model = Models(ModelSettings(model=f"scripted:{script}")).chat("coder")
    assert (await model.ainvoke(QUESTION)).content == "first words"
    second = await model.ainvoke([*QUESTION, AIMessage("first words")])
    assert second.tool_calls[0]["name"] == "ls"
    with pytest.raises(NoModelAnswered, match="out"):
        await model.ainvoke([*QUESTION, AIMessage("1"), AIMessage("2")])


async def test_a_script_that_is_missing_says_so() -> None:
    with pytest.raises(NoModelAnswered, match="cannot play the script"):
        await Models(ModelSettings(model="scripted:/nowhere.json")).chat("coder").ainvoke(QUESTION)


async def test_a_scripted_failure_is_a_failure() -> None:
    with pytest.raises(ScriptError, match="broken"):
        await scripted({"error": "broken"}).ainvoke(QUESTION)


@pytest.mark.parametrize("name", ["offline", "scripted:x"])
def test_no_provider_package_is_imported_for_a_model_that_needs_none(name: str) -> None:
    code = (
        "import sys; from artel.graphs.models import *;"
        f"Models(ModelSettings(model={name!r})).chat('coder').links[0].failures();"
        "print([m for m in ('openai', 'langchain_openai', 'anthropic', 'tiktoken') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_chain_says_its_order() -> None:
    chain = Models(ModelSettings(model="offline", fallbacks=["ollama:x", "offline"])).chat("coder")
    assert isinstance(chain, Chain)
    assert chain.label == "offline → ollama:x"


async def test_an_endpoint_without_a_model_name_gives_its_first_model(models: Make) -> None:
    async with openai_server("from the endpoint") as server:
        found = models(server.url, model="")
        assert (await to_thread(found.spec)) == "openai:tiny"
    assert models(NOWHERE, model="").spec() == "openai"
    with pytest.raises(NoModelAnswered, match="lists none"):
        await models(NOWHERE, model="").chat("ask").ainvoke(QUESTION)


async def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "artel.graphs.models.loading.find_spec", lambda name: None if "." not in name else name
    )
    settings = ModelSettings(model="anthropic:claude", anthropic_api_key="k")
    with pytest.raises(NoModelAnswered, match=r"pip install 'artel\[anthropic\]'"):
        await Models(settings).chat("ask").ainvoke(QUESTION)


def test_a_key_chooses_its_provider() -> None:
    assert Models(ModelSettings(openai_api_key="k")).spec().startswith("openai:")
    assert Models(ModelSettings(anthropic_api_key="k")).spec().startswith("anthropic:")
    assert Models(ModelSettings(anthropic_api_key="k", provider="offline")).spec() == "offline"


async def test_the_other_vendors_client_is_made_with_our_limits() -> None:
    made = Models(ModelSettings(model="anthropic:some", anthropic_api_key="k", timeout_s=7, silence_s=9))
    (link,) = made.chat("coder").links
    client: Any = await to_thread(link.build)
    assert (client.model, client.default_request_timeout, client.max_retries) == ("some", 9.0, 0)


async def test_the_other_vendors_model_streams_calls_tools_and_is_left_when_it_fails(
    models: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [{"name": "ls", "args": {"path": name}, "id": name} for name in ("a", "b")]
    async with anthropic_server("one two", calls, 400) as server, openai_server("from another") as other:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        more = {"model": "anthropic:some", "anthropic_api_key": "k", "fallbacks": ["openai:tiny"]}
        chat = models(other.url, **more).chat("coder").bind_tools([ls])
        chunks = [chunk async for chunk in chat.astream(QUESTION)]
        said = await chat.ainvoke(QUESTION)
        instead = await chat.ainvoke(QUESTION)
    whole = sum(chunks[1:], chunks[0])
    assert whole.text == "one two "
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] == 18
    assert isinstance(said, AIMessage)
    assert [(call["name"], call["args"], call["id"]) for call in said.tool_calls] == [
        ("ls", {"path": "a"}, "a"),
        ("ls", {"path": "b"}, "b"),
    ]
    assert [one["name"] for one in server.asked[0]["tools"]] == ["ls"]
    assert instead.text == "from another "


def test_no_key_is_shown_when_settings_are_printed() -> None:
    settings = ModelSettings(openai_api_key="sk-secret", anthropic_api_key="an-secret")
    assert "secret" not in repr(settings)
    assert "secret" not in str(Models(settings).describe())

"""Generative UI: what a client loads, from built files and by esbuild."""

import asyncio
import html
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.served import calling, graphs, serving
from tests.server.protocol.conftest import Wire

from artel.server.catalog import Catalog, Entry
from artel.server.protocol.ui_bundles import Bundles, Source, sources
from artel.server.served import ConfigWrong, Served
from artel.storage.ids import system_assistant_id

BUILT = b"var __LGUI_flow = {render() {}};"
STAND_IN = """#!/bin/sh
for argument in "$@"; do case "$argument" in --outfile=*) out="${argument#--outfile=}";; esac; done
echo "$@" > "${out%.js}.txt"; cat > "$out"; echo x >> "$(dirname "$0")/times"
"""
COMPONENT = "export default { weather: (props: { city: string }) => <p>{props.city}</p> };"
PAGE = """
globalThis[Symbol.for("LGUI_REQUIRE")] = (name) => { asked.push(name); return {jsx: () => "made"}; };
globalThis[Symbol.for("LGUI_EXT_STORE")] = {respond: (id, c) => console.log(id, c({city: "Rome"}), asked)};
globalThis.asked = [];
globalThis.document = {
  getElementById: () => ({shadowRoot: {appendChild: (one) => one}}), createElement: () => ({}),
};
require("vm").runInThisContext(require("fs").readFileSync(0, "utf8"));
__LGUI_my_ui.render("weather", "root-1");
"""

Opened = Callable[[Any], Awaitable[Wire]]


def _catalog(folder: Path, named: Any, **sections: Any) -> Catalog:
    config = Served(folder / "langgraph.json", (), (), {}, {"ui": named, **sections})
    return Catalog({name: Entry(None, graph) for name, graph in graphs().items()}, config)


def _esbuild(folder: Path, script: str) -> None:
    program = folder / "node_modules" / ".bin" / "esbuild"
    program.parent.mkdir(parents=True)
    program.write_text(script)
    program.chmod(0o755)


@pytest.fixture
async def opened(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Opened]:
    """Serve the folder of the test with a `ui`."""
    async with AsyncExitStack() as stack:

        async def opening(named: Any) -> Wire:
            app = await stack.enter_async_context(serving(fresh_dsn, catalog=_catalog(tmp_path, named)))
            return Wire(app, await stack.enter_async_context(calling(app)))

        yield opening


async def test_built_files_are_loaded_and_show_a_component(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "entrypoint.js").write_bytes(BUILT)
    (folder / "entrypoint.css").write_text("p{}")
    wire = await opened({"flow": "./built"})
    shown = await wire("POST", "/ui/flow", {"name": "weather"})
    assert shown.headers["content-type"].startswith("text/html")
    style, script = shown.text.splitlines()
    assert style == '<link rel="stylesheet" href="http://localhost/ui/flow/entrypoint.css" />'
    assert 'src="http://localhost/ui/flow/entrypoint.js"' in script
    assert '__LGUI_flow.render("weather", "{{shadowRootId}}")' in html.unescape(script)
    file = await wire("GET", "/ui/flow/entrypoint.js")
    assert (file.content, file.headers["content-type"].split(";")[0]) == (BUILT, "text/javascript")
    of_assistant = await wire("POST", f"/ui/{system_assistant_id('flow')}", {"name": "weather"})
    assert of_assistant.text == shown.text


async def test_a_name_cannot_leave_its_attribute(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "entrypoint.js").write_bytes(BUILT)
    wire = await opened({"flow": "."})
    shown = (await wire("POST", "/ui/flow", {"name": "\"'><script>x</script>"})).text
    assert "<script>x" not in shown
    assert shown.count('"') == 4


async def test_what_is_not_there_is_404(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "entrypoint.js").write_bytes(BUILT)
    wire = await opened({"flow": "."})
    for method, path, body in (
        ("POST", "/ui/nothing", {"name": "x"}),
        ("POST", "/ui/asks", {"name": "x"}),
        ("GET", "/ui/flow/nothing.js", None),
        ("GET", "/ui/nothing/entrypoint.js", None),
        ("GET", "/ui/flow/..%2f..%2fpasswd", None),
    ):
        assert (await wire.refused(method, path, body))[0] == 404
    assert (await wire.refused("POST", "/ui/flow", {}))[0] == 422
    assert (await wire.refused("POST", "/ui/flow", {"name": 5}))[0] == 422


async def test_without_esbuild_it_says_what_to_do(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ui.tsx").write_text(COMPONENT)
    monkeypatch.setenv("PATH", str(tmp_path))
    wire = await opened({"flow": "./ui.tsx"})
    status, detail = await wire.refused("POST", "/ui/flow", {"name": "weather"})
    assert status == 501
    assert "npm install esbuild" in detail


async def test_a_source_is_built_once_by_the_esbuild_of_the_project(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "ui.tsx").write_text(COMPONENT)
    _esbuild(tmp_path, STAND_IN)
    wire = await opened({"flow": "./ui.tsx"})
    shown = await asyncio.gather(*(wire("POST", "/ui/flow", {"name": "weather"}) for _ in range(5)))
    assert {one.status_code for one in shown} == {200}
    assert (tmp_path / "node_modules" / ".bin" / "times").read_text() == "x\n"
    assert 'import components from "./ui.tsx"' in (await wire("GET", "/ui/flow/entrypoint.js")).text
    asked = (await wire("GET", "/ui/flow/entrypoint.txt")).text
    for option in ("--bundle", "--external:react", "--global-name=__LGUI_flow", "--format=iife"):
        assert option in asked


async def test_what_esbuild_complains_of_is_told(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "ui.tsx").write_text("oh no")
    _esbuild(tmp_path, "#!/bin/sh\ncat > /dev/null; echo 'ui.tsx:1: expected more'; exit 1\n")
    wire = await opened({"flow": "./ui.tsx"})
    status, detail = await wire.refused("POST", "/ui/flow", {"name": "weather"})
    assert status == 500
    assert "ui.tsx:1: expected more" in detail


@pytest.mark.needs("node")
async def test_the_real_esbuild_makes_what_the_page_can_render(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, js: Path
) -> None:
    monkeypatch.setenv("PATH", f"{js / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "ui.tsx").write_text(COMPONENT)
    bundles = Bundles({"my-ui": Source(tmp_path / "ui.tsx", tmp_path)})
    files = await bundles.files("my-ui")
    done = await asyncio.to_thread(
        subprocess.run, ["node", "-e", PAGE], input=files["entrypoint.js"], capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "root-1 made [ 'react/jsx-runtime' ]"


def test_a_ui_that_is_wrongly_configured_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "ui.tsx").write_text(COMPONENT)
    assert sources(Catalog({})) == {}
    assert list(sources(_catalog(tmp_path, {"flow": "ui.tsx"}))) == ["flow"]
    wrong: list[tuple[Any, str]] = [
        ([], "ui must be an object"),
        ({"flow": 5}, "ui.flow must be a path"),
        ({"flow": "missing.tsx"}, "neither a file nor a folder"),
        ({"flow": "../ui.tsx"}, "must lie in"),
    ]
    for named, said in wrong:
        with pytest.raises(ConfigWrong, match=said):
            sources(_catalog(tmp_path, named))
    with pytest.raises(ConfigWrong, match="ui_config"):
        sources(_catalog(tmp_path, {"flow": "ui.tsx"}, ui_config={"shared": "x"}))

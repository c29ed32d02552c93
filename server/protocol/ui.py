"""/ui: the components that a graph shows, as `ui` of a `langgraph.json` names them.

A folder holds built files (`entrypoint.js`, and what goes with it); a source file is built by esbuild when it
is first asked for, and once in the life of the process.
"""

import html
import json
import mimetypes
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field
from starlette.responses import HTMLResponse, Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol import orders
from artel.server.protocol.bodies import Body, Text
from artel.server.protocol.given import GivenCatalog, GivenEngine, JsonRoute
from artel.server.protocol.ui_bundles import ENTRY, Bundles, NoBundler, UiBroken
from artel.storage.assistants import UnknownAssistant
from artel.storage.errors import Invalid, NotFound

router = APIRouter(route_class=JsonRoute, tags=["UI"])

SHADOW_ROOT = "{{shadowRootId}}"  # the client puts in its own

Namespace = Annotated[str, Path(description="A name of `ui`; an assistant's id stands for its graph.")]


class UnknownUi(NotFound):
    """The configuration names no components for that."""


class Wanted(Body):
    """Which component is to be shown."""

    name: Text = Field(description="Its name among the exports of the components.")
    shadow_root_id: Text = Field(SHADOW_ROOT, alias="shadowRootId")


async def _bundles(request: Request) -> Bundles:
    bundles: Bundles = request.app.state.bundles
    return bundles


GivenBundles = Annotated[Bundles, Depends(_bundles)]


@router.post("/ui/{namespace}", responses=answers(UnknownUi, UiBroken, NoBundler))
async def show(
    request: Request,
    namespace: Namespace,
    body: Wanted,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    bundles: GivenBundles,
) -> HTMLResponse:
    """Return the HTML that loads the components of a graph and shows one of them."""
    if namespace not in bundles:
        try:
            assistant = await orders.resolve(engine.db, catalog, namespace, caller=caller)
        except (Invalid, UnknownAssistant):
            raise UnknownUi(f"there is no ui {namespace!r}; there are: {', '.join(bundles)}") from None
        namespace = assistant.graph_id
    files = await _files(bundles, namespace)
    base = f"{request.base_url}ui/{namespace}"
    styles = [f'<link rel="stylesheet" href="{base}/{name}" />' for name in files if name.endswith(".css")]
    call = f"{bundles.variable(namespace)}.render({json.dumps(body.name)}, {json.dumps(body.shadow_root_id)})"
    script = f'<script src="{base}/{ENTRY}" onload="{html.escape(call)}"></script>'
    return HTMLResponse("\n".join([*styles, script]))


@router.get("/ui/{namespace}/{name}", responses=answers(UnknownUi, UiBroken, NoBundler))
async def file(namespace: Namespace, name: str, bundles: GivenBundles) -> Response:
    """Return a file of the components of a graph."""
    files = await _files(bundles, namespace)
    if name not in files:
        raise UnknownUi(f"the ui {namespace!r} has no file {name!r}")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(files[name], media_type=kind, headers={"Cache-Control": "no-cache"})


async def _files(bundles: Bundles, namespace: str) -> Mapping[str, bytes]:
    if namespace not in bundles:
        raise UnknownUi(f"there is no ui {namespace!r}; there are: {', '.join(bundles)}")
    return await bundles.files(namespace)

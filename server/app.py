"""The application: every route, and what stands before them."""

from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware import Middleware

from artel.server import errors
from artel.server.catalog import Catalog
from artel.server.channels.websocket import asyncapi
from artel.server.channels.websocket import socket as gateway
from artel.server.channels.websocket.limits import Sockets
from artel.server.channels.websocket.settings import SocketSettings
from artel.server.edge import Edge
from artel.server.engine import Engine
from artel.server.http import section
from artel.server.http.around import include, surround
from artel.server.http.custom import load as load_custom
from artel.server.http.direct import Direct
from artel.server.knowledge import Knowledge
from artel.server.origins import Admission, Gate
from artel.server.protocol import (
    a2a,
    a2a_card,
    assistants,
    crons,
    mcp,
    runs,
    state,
    stateless,
    store,
    system,
    thread_stream,
    threads,
    ui,
    ui_bundles,
)
from artel.server.protocol.v2 import commands, events, socket
from artel.server.routes import (
    agents,
    approvals,
    archives,
    attachments,
    audit,
    changes,
    checkpoints,
    collections,
    connections,
    decisions,
    docs,
    experiments,
    export,
    feedback,
    files,
    grants,
    hitl,
    inbox,
    info,
    mcp_servers,
    memories,
    models,
    page,
    policies,
    policy,
    publishing,
    search,
    sources,
    steering,
    training,
    usage,
    webhooks,
    workspaces,
)
from artel.server.settings import Settings, WebSettings

WIRE = (system, assistants, threads, state, crons, runs, stateless, store, thread_stream)
V2 = (commands, events, socket)
OTHERS = (mcp, a2a, a2a_card, ui)
PRODUCT = (
    info,
    approvals,
    inbox,
    changes,
    checkpoints,
    connections,
    webhooks,
    policy,
    audit,
    grants,
    policies,
    hitl,
    publishing,
    mcp_servers,
    workspaces,
    export,
    archives,
    agents,
    usage,
    models,
    steering,
    decisions,
    feedback,
    files,
    training,
    experiments,
    memories,
    gateway,
    asyncapi,
    attachments,
    search,
    sources,
    collections,
)


def create_app(
    engine: Engine, catalog: Catalog, settings: Settings | None = None, knowledge: Knowledge | None = None
) -> FastAPI:
    """Return the application that serves `engine` and the graphs of `catalog`.

    `protocol.assistants.prepare` makes the graphs' own assistants; call it before the first request.
    """
    web = settings.web if settings else WebSettings()
    http = section.read(catalog.config)
    custom = load_custom(catalog.config, http)
    admission = Admission.of(web.hosts, web.origins, studio=web.studio, cors=http.cors)
    documents = None if http.disable_meta else "/openapi.json"
    app = FastAPI(
        title="Artel",
        version=version("artel"),
        description="An open, self-hosted LangGraph agent server.",
        middleware=[
            Middleware(Edge, logged=http.logging_headers, metrics=engine.metrics),
            Middleware(Gate, admission=admission),
        ],
        lifespan=custom.lifespan if custom else None,
        openapi_url=documents,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.engine = engine
    app.state.catalog = catalog
    app.state.knowledge = knowledge
    catalog.handles = lambda: engine.handles
    app.state.http = http
    app.state.secrets = settings.secrets if settings else ()
    app.state.sockets = Sockets(settings.sockets if settings else SocketSettings())
    app.state.bundles = ui_bundles.Bundles(ui_bundles.sources(catalog))
    errors.install(app)
    for module in (*WIRE, *OTHERS, *V2):
        include(app, module.router, http)
    for module in PRODUCT:
        include(app, module.router, prefix="/api/v1")
    include(app, docs.router, http)
    include(app, page.router)
    surround(app, catalog.config, http, custom, studio_key=web.studio_key)
    app.user_middleware.append(Middleware(Direct))
    return app

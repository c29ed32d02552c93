"""The application: every route, and what stands before them."""

from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware import Middleware

from artel.server import errors
from artel.server.catalog import Catalog
from artel.server.edge import Edge
from artel.server.engine import Engine
from artel.server.origins import Admission, Gate
from artel.server.protocol import (
    a2a,
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
)
from artel.server.protocol.v2 import commands, events, socket
from artel.server.routes import approvals, info, page, webhooks
from artel.server.settings import Settings, WebSettings

WIRE = (system, assistants, threads, state, crons, runs, stateless, store, thread_stream)
V2 = (commands, events, socket)
OPTIONAL = (mcp, a2a)
PRODUCT = (info, approvals, webhooks)


def create_app(engine: Engine, catalog: Catalog, settings: Settings | None = None) -> FastAPI:
    """Return the application that serves `engine` and the graphs of `catalog`.

    `protocol.assistants.prepare` makes the graphs' own assistants; call it before the first request.
    """
    web = settings.web if settings else WebSettings()
    admission = Admission.of(web.hosts, web.origins, studio=web.studio)
    app = FastAPI(
        title="Artel",
        version=version("artel"),
        description="An open, self-hosted LangGraph agent server.",
        middleware=[Middleware(Edge), Middleware(Gate, admission=admission)],
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.engine = engine
    app.state.catalog = catalog
    errors.install(app)
    for module in (*WIRE, *V2):
        app.include_router(module.router)
    for module in OPTIONAL:
        if module.is_served(catalog):
            app.include_router(module.router)
    for module in PRODUCT:
        app.include_router(module.router, prefix="/api/v1")
    app.include_router(page.router)
    return app

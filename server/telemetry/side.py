"""What a worker answers that serves no API: its metrics, its health, and that it is there."""

from fastapi import APIRouter, FastAPI

from artel.server import errors
from artel.server.catalog import Catalog
from artel.server.engine import Engine
from artel.server.protocol import system

SHOWN = ("/ok", "/metrics", "/health")


def create_side(engine: Engine, catalog: Catalog) -> FastAPI:
    """Return an application with those routes only; it can change nothing, so anybody may ask."""
    app = FastAPI(title="Artel worker", openapi_url=None)
    app.state.engine = engine
    app.state.catalog = catalog
    errors.install(app)
    router = APIRouter()
    router.routes.extend(one for one in system.router.routes if getattr(one, "path", "") in SHOWN)
    app.include_router(router)
    return app

"""GET /docs: the API to look at and to try, by Swagger UI; all of it comes from here, nothing from a CDN."""

import re
from base64 import b64encode
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from starlette.responses import FileResponse, HTMLResponse, Response

from artel.server.routes.page import ASK_FIRST, FOREVER, GUARDED, POLICY

PATH = "/docs"
SIGNED_IN = f"{PATH}/oauth2-redirect"
SCRIPT = "swagger-ui-bundle.js"
STYLE = "swagger-ui.css"
OPEN = frozenset({PATH, SIGNED_IN, f"{PATH}/{SCRIPT}", f"{PATH}/{STYLE}"})

CARRIER = "fastapi_offline"  # of that package only the files
VERSION = version(CARRIER)
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)

router = APIRouter(include_in_schema=False)
_get = partial(router.api_route, methods=["GET", "HEAD"])


@_get(PATH)
async def docs(request: Request) -> Response:
    """Give the page. Its addresses are relative: a proxy may put us below any path."""
    return _guarded(
        get_swagger_ui_html(
            openapi_url="openapi.json",
            title="Artel: the API",
            swagger_js_url=f"docs/{SCRIPT}?v={VERSION}",
            swagger_css_url=f"docs/{STYLE}?v={VERSION}",
            swagger_favicon_url="icon.svg",
            oauth2_redirect_url=quote(request.scope.get("root_path", "")) + SIGNED_IN,
            swagger_ui_parameters={"validatorUrl": None},  # else it asks one on the net about our document
        )
    )


@_get(SIGNED_IN)
async def signed_in() -> Response:
    """Give the page to which a sign-in of the `auth` section's schemes comes back."""
    return _guarded(get_swagger_ui_oauth2_redirect_html())


@_get(f"{PATH}/{SCRIPT}")
async def script() -> Response:
    """Give Swagger UI itself."""
    return _kept(SCRIPT, "text/javascript")


@_get(f"{PATH}/{STYLE}")
async def style() -> Response:
    """Give its looks."""
    return _kept(STYLE, "text/css")


def _kept(name: str, kind: str) -> Response:
    file = Path(str(files(CARRIER))) / "static" / name
    return FileResponse(file, media_type=kind, headers={**GUARDED, "Cache-Control": FOREVER})


def _guarded(page: HTMLResponse) -> Response:
    """Let the scripts that stand in a page run, by their hashes, and no other inline one."""
    text = bytes(page.body).decode()
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in INLINE.findall(text))
    policy = POLICY.replace("script-src 'self'", f"script-src 'self' {hashes}")
    return HTMLResponse(
        text, headers={**GUARDED, "Content-Security-Policy": policy, "Cache-Control": ASK_FIRST}
    )


def _hash(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()

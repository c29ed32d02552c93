"""The page: built files with their names hashed, and one document that stands for every view."""

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response

STATIC = Path(__file__).parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
NOT_BUILT = "The page is not built: run `make run`, or `npm run build` in web/. The API works all the same.\n"

# Everything from here and nothing inline; styles may be set by script, which the code editor needs.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
GUARDED = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_PACKED = (("br", ".br"), ("gzip", ".gz"))

router = APIRouter(include_in_schema=False)


@router.get("/")
async def root(request: Request) -> Response:
    """Give browsers the page, and programs a sign of life."""
    if _is_for_people(request.headers):
        return _page(request)
    return JSONResponse({"ok": True, "services": {}})


@router.get("/t/{view:path}")
@router.get("/t")
@router.get("/graph/{view:path}")
@router.get("/settings/{view:path}")
async def view(request: Request) -> Response:
    """Give the page for a view of it that was linked or reloaded."""
    return _page(request)


@router.get("/assets/{path:path}")
async def asset(path: str, request: Request) -> Response:
    """Give a built file; its name changes with its content, so it is kept for ever."""
    return _file(STATIC / "assets" / path, request.headers, FOREVER)


@router.get("/{name}")
async def file(name: str, request: Request) -> Response:
    """Give one of the few files beside the page: icons, the manifest; else, to people, the page."""
    if "." in name:
        return _file(STATIC / name, request.headers, ASK_FIRST)
    if _is_for_people(request.headers):
        return _page(request)
    raise HTTPException(404, "Not Found")


def _is_for_people(headers: Headers) -> bool:
    return "text/html" in headers.get("accept", "")


def _page(request: Request) -> Response:
    index = STATIC / "index.html"
    if not index.is_file():
        return PlainTextResponse(NOT_BUILT, 503, GUARDED)
    return _file(index, request.headers, ASK_FIRST)


def _file(path: Path, headers: Headers, cache: str) -> Response:
    """Return a file, packed beforehand where the browser takes that."""
    try:
        real = path.resolve()
        is_ours = real.is_relative_to(STATIC.resolve()) and real.is_file()
    except (ValueError, OSError):  # no name a file could have
        is_ours = False
    if not is_ours:
        raise HTTPException(404, "Not Found")
    told = {**GUARDED, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    kind = mimetypes.guess_type(real.name)[0] or "application/octet-stream"
    accepted = headers.get("accept-encoding", "")
    for encoding, suffix in _PACKED:
        packed = real.with_name(real.name + suffix)
        if encoding in accepted and packed.is_file():
            return FileResponse(packed, headers={**told, "Content-Encoding": encoding}, media_type=kind)
    return FileResponse(real, headers=told, media_type=kind)

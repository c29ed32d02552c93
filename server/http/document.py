"""What the OpenAPI document says beside our routes: routes of the folder's own app, and keys."""

import json
from importlib import import_module
from typing import Any

from fastapi import FastAPI
from starlette.applications import Starlette

from artel.server.auth.section import OpenApiSection

Document = dict[str, Any]


def extend(app: FastAPI, custom: Starlette | None, auth: OpenApiSection | None, prefix: str | None) -> None:
    """Let the document of our application say what else is served."""
    plain = app.openapi

    def document() -> Document:
        if app.openapi_schema is None or "x-extended" not in app.openapi_schema:
            made = json.loads(json.dumps(plain()))
            if custom:
                _merge(made, _theirs(custom))
            if auth:
                _secure(made, auth)
            if prefix:
                made["servers"] = [{"url": prefix}]
            app.openapi_schema = {**made, "x-extended": True}
        return {name: value for name, value in app.openapi_schema.items() if name != "x-extended"}

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI says one extends it


def _theirs(app: Starlette) -> Document:
    if isinstance(app, FastAPI):
        copied: Document = json.loads(json.dumps(app.openapi()))
        return copied
    schemas = import_module("starlette.schemas")  # and with it yaml, which nothing else here needs
    return {"paths": schemas.SchemaGenerator({}).get_schema(app.routes).get("paths", {})}


def _merge(ours: Document, theirs: Document) -> None:
    """Put their routes over ours; a name that both use for something else gets `Custom` before theirs."""
    ours["info"] = {**ours["info"], **theirs.get("info", {})}
    text = json.dumps(theirs)
    for kind, named in theirs.get("components", {}).items():
        known = ours.setdefault("components", {}).setdefault(kind, {})
        for name, value in named.items():
            if name in known and known[name] != value:
                text = text.replace(f'"#/components/{kind}/{name}"', f'"#/components/{kind}/Custom{name}"')
    theirs = json.loads(text)
    for kind, named in theirs.get("components", {}).items():
        known = ours["components"][kind]
        for name, value in named.items():
            known[f"Custom{name}" if known.get(name, value) != value else name] = value
    for path, methods in theirs["paths"].items():
        ours["paths"].setdefault(path, {}).update(methods)
    ours["tags"] = [*ours.get("tags", []), *theirs.get("tags", [])]


def _secure(document: Document, auth: OpenApiSection) -> None:
    if auth.schemes:
        document.setdefault("components", {}).setdefault("securitySchemes", {}).update(auth.schemes)
    if auth.security:
        document["security"] = auth.security
    for path, methods in auth.paths.items():
        for method, security in methods.items():
            route = document["paths"].get(path, {}).get(method.lower())
            if route is not None:
                route["security"] = security
